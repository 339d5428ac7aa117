use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What went wrong, for programs: stable, one code for one way on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The request is not well-formed: broken JSON, a parameter of the wrong type, text that is not UTF-8.
    MalformedRequest,
    /// The request is well-formed, but a value in it is not acceptable; `errors` says which.
    InvalidRequest,
    /// No valid credentials came with the request.
    Unauthenticated,
    /// The credentials are valid, but don't allow this: `detail` names the permission that is missing.
    Forbidden,
    /// The e-mail address or the password is not right.
    LoginRefused,
    /// Too many tries: wait as long as `Retry-After` says.
    TooManyAttempts,
    /// The tenant does not work now: ask whoever runs the installation.
    TenantSuspended,
    /// The token of a mail is unknown, used or expired.
    TokenInvalid,
    /// The sender's signature is missing or wrong.
    SignatureInvalid,
    /// There is no such thing, or it belongs to somebody else.
    NotFound,
    /// This address does not know the method.
    MethodNotAllowed,
    /// The thing is in a state in which this cannot be done.
    Conflict,
    /// The call is over, or saying goodbye.
    CallOver,
    /// The call is held turn by turn, where this cannot be done.
    CallTurnBased,
    /// A request with the same `Idempotency-Key` is being carried out: try again.
    RequestInProgress,
    /// The `Idempotency-Key` was that of another request.
    IdempotencyKeyReused,
    /// It is not the version that `If-Match` names: read it again.
    PreconditionFailed,
    /// `If-Match` is needed here.
    PreconditionRequired,
    /// The set-up link is unknown, used or expired.
    SetupTokenInvalid,
    /// The body is larger than this address takes.
    PayloadTooLarge,
    /// The body is not of a media type that this address takes.
    UnsupportedMediaType,
    /// Too many requests: wait as long as `Retry-After` says.
    RateLimited,
    /// This address speaks WebSocket only.
    UpgradeRequired,
    /// The platform that this deployment runs on cannot do this, now or later.
    Unsupported,
    /// Configuration values are missing; `missing` names them.
    ConfigMissing,
    /// Something this operation needs cannot be reached now. Trying again may help.
    Unavailable,
    /// A fault of ours.
    Internal,
}

/// An error, as in RFC 9457 (`application/problem+json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "type": "about:blank", "title": "Unprocessable Entity", "status": 422, "code": "invalid_request",
    "detail": "Some values are not acceptable.",
    "errors": [{"field": "phone_number", "message": "must be a number in E.164 form, such as +15005550006"}]
})))]
pub struct Problem {
    /// Always `about:blank`: `code` tells problems apart.
    #[serde(rename = "type")]
    pub kind: String,
    /// The HTTP status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What went wrong, for programs.
    pub code: ErrorCode,
    /// What went wrong here, for people. Never the inner cause of a 5xx.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// With `invalid_request`: field (JSON pointer-like, `a.b`) and what is wrong with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// With `config_missing`: the names of the configuration values that are missing or not valid.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// With `unavailable`: names of the parts that don't answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failing: Vec<String>,
}

/// One field that is not acceptable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldError {
    /// Name of the field or parameter.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}
