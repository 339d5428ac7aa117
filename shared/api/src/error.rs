//! Errors of the HTTP surface: RFC 9457 documents with a stable `code`.
//!
//! Handlers return [`ApiError`]; nothing converts into it behind the reviewer's back but the errors listed here. The cause
//! of a 5xx travels in a response extension ([`Cause`]) to whoever writes the log, never in the body.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use voicecore_api_types::{ErrorCode, FieldError, Problem};
use voicecore_domain::Permission;
use voicecore_ports::{ActorError, BlobError, DbError, EmailError, HttpError};
use voicecore_store::StoreError;
use voicecore_store::seal::SealError;
use voicecore_types::Millis;

use crate::ConfigMissing;

/// Why a response is a 5xx, or why a webhook was answered with an apology. In the extensions of a response: log it there,
/// once. It names operations and engines, never personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause(pub String);

/// The database's name among the parts that may be unavailable.
const DATABASE: &str = "database";

/// What a handler can fail with.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// 400: not well-formed.
    #[error("malformed request: {0}")]
    Malformed(String),
    /// 400: these parameters of the query are not well-formed, or nobody knows them.
    #[error("{} parameters are not well-formed", .0.len())]
    Parameters(Vec<FieldError>),
    /// 422: well-formed, but these values are not acceptable.
    #[error("{} values are not acceptable", .0.len())]
    Invalid(Vec<FieldError>),
    /// 401: no valid credentials. Carries the permission that they would need, if there is one, for `WWW-Authenticate`.
    #[error("no valid credentials")]
    Unauthenticated(Option<Permission>),
    /// 403: the credentials are valid, but don't allow this.
    #[error("the credentials don't allow this")]
    Forbidden(Permission),
    /// 401: the e-mail address or the password is wrong. Nobody is told which.
    #[error("the address or the password is wrong")]
    LoginRefused,
    /// 429: too many tries; how long to wait.
    #[error("too many tries")]
    TooManyAttempts(Millis),
    /// 403: the tenant does not work now.
    #[error("the tenant is suspended")]
    TenantSuspended,
    /// 403: the token of a mail is unknown, used or expired. Nobody is told which.
    #[error("the token is not valid")]
    TokenInvalid,
    /// 403: the signature is missing or wrong. Nobody is told which.
    #[error("the signature is missing or wrong")]
    SignatureInvalid,
    /// 403: the set-up link is unknown, used or expired. Nobody is told which.
    #[error("the set-up link is not valid")]
    SetupTokenInvalid,
    /// 404: no such thing, or somebody else's.
    #[error("no such thing")]
    NotFound,
    /// 405.
    #[error("the method is not known here")]
    MethodNotAllowed,
    /// 409: the thing is in a state in which this cannot be done.
    #[error("conflict: {0}")]
    Conflict(&'static str),
    /// 409: the call is over, or saying goodbye.
    #[error("the call is over")]
    CallOver,
    /// 409: the call is held turn by turn, where this cannot be done.
    #[error("the call is held turn by turn")]
    CallTurnBased,
    /// 409: the same request, by its key, is being carried out.
    #[error("the request is being carried out")]
    RequestInProgress,
    /// 422: the client's key was that of another request.
    #[error("the key names another request")]
    IdempotencyKeyReused,
    /// 412: it has been changed meanwhile.
    #[error("it is another version")]
    PreconditionFailed,
    /// 428: the change has to say which version it is meant for.
    #[error("the version is not named")]
    PreconditionRequired,
    /// 413.
    #[error("the body is too large")]
    PayloadTooLarge,
    /// 415.
    #[error("the media type is not known here")]
    UnsupportedMediaType,
    /// 429: too many requests; how long to wait.
    #[error("too many requests")]
    RateLimited(Millis),
    /// 426: this address speaks WebSocket only.
    #[error("a WebSocket upgrade is needed")]
    UpgradeRequired,
    /// 501: the platform that this runs on cannot do it.
    #[error("the platform cannot do this: {0}")]
    Unsupported(&'static str),
    /// 503: configuration values are missing.
    #[error("{} configuration values are missing", .0.len())]
    ConfigMissing(Vec<ConfigMissing>),
    /// 503: this part does not answer.
    #[error("{part} is unavailable: {cause}")]
    Unavailable {
        /// Name of the part, for the answer.
        part: &'static str,
        /// Why, for the log.
        cause: String,
    },
    /// 500: a fault of ours.
    #[error("internal error: {0}")]
    Internal(String),
}

impl ApiError {
    /// One value that is not acceptable.
    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError { field: field.to_owned(), message: message.into() }])
    }

    /// The database did not answer: asking it again now would only be another wait.
    pub(crate) fn is_database_away(&self) -> bool {
        matches!(self, Self::Unavailable { part: DATABASE, .. })
    }

    fn status_and_code(&self) -> (StatusCode, ErrorCode) {
        match self {
            Self::Malformed(_) | Self::Parameters(_) => {
                (StatusCode::BAD_REQUEST, ErrorCode::MalformedRequest)
            }
            Self::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, ErrorCode::InvalidRequest),
            Self::Unauthenticated(_) => (StatusCode::UNAUTHORIZED, ErrorCode::Unauthenticated),
            Self::Forbidden(_) => (StatusCode::FORBIDDEN, ErrorCode::Forbidden),
            Self::LoginRefused => (StatusCode::UNAUTHORIZED, ErrorCode::LoginRefused),
            Self::TooManyAttempts(_) => (StatusCode::TOO_MANY_REQUESTS, ErrorCode::TooManyAttempts),
            Self::TenantSuspended => (StatusCode::FORBIDDEN, ErrorCode::TenantSuspended),
            Self::TokenInvalid => (StatusCode::FORBIDDEN, ErrorCode::TokenInvalid),
            Self::SignatureInvalid => (StatusCode::FORBIDDEN, ErrorCode::SignatureInvalid),
            Self::SetupTokenInvalid => (StatusCode::FORBIDDEN, ErrorCode::SetupTokenInvalid),
            Self::NotFound => (StatusCode::NOT_FOUND, ErrorCode::NotFound),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, ErrorCode::MethodNotAllowed),
            Self::Conflict(_) => (StatusCode::CONFLICT, ErrorCode::Conflict),
            Self::CallOver => (StatusCode::CONFLICT, ErrorCode::CallOver),
            Self::CallTurnBased => (StatusCode::CONFLICT, ErrorCode::CallTurnBased),
            Self::RequestInProgress => (StatusCode::CONFLICT, ErrorCode::RequestInProgress),
            Self::IdempotencyKeyReused => (StatusCode::UNPROCESSABLE_ENTITY, ErrorCode::IdempotencyKeyReused),
            Self::PreconditionFailed => (StatusCode::PRECONDITION_FAILED, ErrorCode::PreconditionFailed),
            Self::PreconditionRequired => {
                (StatusCode::PRECONDITION_REQUIRED, ErrorCode::PreconditionRequired)
            }
            Self::PayloadTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::PayloadTooLarge),
            Self::UnsupportedMediaType => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, ErrorCode::UnsupportedMediaType)
            }
            Self::RateLimited(_) => (StatusCode::TOO_MANY_REQUESTS, ErrorCode::RateLimited),
            Self::UpgradeRequired => (StatusCode::UPGRADE_REQUIRED, ErrorCode::UpgradeRequired),
            Self::Unsupported(_) => (StatusCode::NOT_IMPLEMENTED, ErrorCode::Unsupported),
            Self::ConfigMissing(_) => (StatusCode::SERVICE_UNAVAILABLE, ErrorCode::ConfigMissing),
            Self::Unavailable { .. } => (StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Unavailable),
            Self::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::Internal),
        }
    }

    /// For people. Says nothing of causes, and of credentials only that they don't do.
    fn detail(&self) -> String {
        match self {
            Self::Malformed(what) => what.clone(),
            Self::Parameters(_) => "Some parameters of the query are not acceptable.".to_owned(),
            Self::Invalid(_) => "Some values are not acceptable.".to_owned(),
            Self::Unauthenticated(_) => {
                "Send a valid API key or access token as `Authorization: Bearer …`.".to_owned()
            }
            Self::Forbidden(permission) => {
                format!("This needs the permission `{}`.", permission.as_str())
            }
            Self::LoginRefused => "The e-mail address or the password is not right.".to_owned(),
            Self::TooManyAttempts(_) => "There were too many tries. Wait a while.".to_owned(),
            Self::TenantSuspended => {
                "This tenant does not work now. Ask whoever runs the installation.".to_owned()
            }
            Self::TokenInvalid => "This link is not valid (any more). Ask for a new one.".to_owned(),
            Self::SignatureInvalid => "The request is refused.".to_owned(),
            Self::SetupTokenInvalid => {
                "This set-up link is not valid (any more). Ask your administrator for a new one.".to_owned()
            }
            Self::NotFound => "There is no such thing here.".to_owned(),
            Self::MethodNotAllowed => "This address does not know the method.".to_owned(),
            Self::Conflict(what) | Self::Unsupported(what) => (*what).to_owned(),
            Self::CallOver => "The call is over, or saying goodbye.".to_owned(),
            Self::CallTurnBased => {
                "This call is held turn by turn: its assistant is silent whenever the caller may speak."
                    .to_owned()
            }
            Self::RequestInProgress => {
                "A request with this `Idempotency-Key` is being carried out. Try again.".to_owned()
            }
            Self::IdempotencyKeyReused => {
                "This `Idempotency-Key` was that of another request. Take a new one.".to_owned()
            }
            Self::PreconditionFailed => {
                "It has been changed meanwhile. Read it again, and send its `ETag` as `If-Match`.".to_owned()
            }
            Self::PreconditionRequired => {
                "Say which version this is for: send the `ETag` of what was read as `If-Match`.".to_owned()
            }
            Self::PayloadTooLarge => "The body is larger than this address takes.".to_owned(),
            Self::UnsupportedMediaType => {
                "The body is not of a media type that this address takes.".to_owned()
            }
            Self::RateLimited(_) => {
                "There were too many requests. Wait as long as `Retry-After` says.".to_owned()
            }
            Self::UpgradeRequired => "Open this address as a WebSocket.".to_owned(),
            Self::ConfigMissing(_) => "Configuration values are missing or not valid.".to_owned(),
            Self::Unavailable { .. } => "A part of the system does not answer. Try again.".to_owned(),
            Self::Internal(_) => "Something went wrong on our side.".to_owned(),
        }
    }

    /// RFC 6750 §3: it names what is needed, and says whether the key was valid.
    fn challenge(&self) -> Option<HeaderValue> {
        let challenge = match self {
            Self::Unauthenticated(None) | Self::LoginRefused => "Bearer".to_owned(),
            Self::Unauthenticated(Some(needed)) => format!("Bearer scope=\"{}\"", needed.as_str()),
            Self::Forbidden(needed) => {
                format!("Bearer error=\"insufficient_scope\", scope=\"{}\"", needed.as_str())
            }
            _ => return None,
        };
        Some(HeaderValue::from_str(&challenge).unwrap_or(HeaderValue::from_static("Bearer")))
    }

    /// The document that clients get.
    pub fn problem(&self) -> Problem {
        let (status, code) = self.status_and_code();
        Problem {
            kind: "about:blank".to_owned(),
            title: status.canonical_reason().unwrap_or_default().to_owned(),
            status: status.as_u16(),
            code,
            detail: Some(self.detail()),
            errors: match self {
                Self::Invalid(errors) | Self::Parameters(errors) => errors.clone(),
                _ => vec![],
            },
            missing: match self {
                Self::ConfigMissing(missing) => missing.iter().map(|m| m.name.to_owned()).collect(),
                _ => vec![],
            },
            failing: match self {
                Self::Unavailable { part, .. } => vec![(*part).to_owned()],
                _ => vec![],
            },
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, _) = self.status_and_code();
        // Whole seconds, and never too few.
        let wait = match &self {
            Self::RateLimited(wait) | Self::TooManyAttempts(wait) => Some(wait.0.div_ceil(1_000).max(1)),
            _ => None,
        };
        let mut response = (status, Json(self.problem())).into_response();
        let problem_json = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, problem_json);
        if let Some(challenge) = self.challenge() {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = wait {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let (Self::RateLimited(_), Some(seconds)) = (&self, wait)
            && let Ok(left) = HeaderValue::from_str(&format!("\"default\";r=0;t={seconds}"))
        {
            response.headers_mut().insert("ratelimit", left);
        }
        if status == StatusCode::UPGRADE_REQUIRED {
            response.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        }
        if status.is_server_error() {
            response.extensions_mut().insert(Cause(self.to_string()));
        }
        response
    }
}

impl From<ConfigMissing> for ApiError {
    fn from(missing: ConfigMissing) -> Self {
        Self::ConfigMissing(vec![missing])
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Db(DbError::Unavailable) => {
                Self::Unavailable { part: DATABASE, cause: DbError::Unavailable.to_string() }
            }
            StoreError::Db(error) => Self::Internal(error.to_string()),
            StoreError::Key(error) => error.into(),
            StoreError::OddRow { .. } | StoreError::BrokenChain | StoreError::NotFound(_) => {
                Self::Internal(error.to_string())
            }
        }
    }
}

impl From<BlobError> for ApiError {
    fn from(error: BlobError) -> Self {
        Self::Unavailable { part: "object store", cause: error.to_string() }
    }
}

impl From<ActorError> for ApiError {
    fn from(error: ActorError) -> Self {
        Self::Unavailable { part: "call actor", cause: error.to_string() }
    }
}

impl From<HttpError> for ApiError {
    fn from(error: HttpError) -> Self {
        Self::Unavailable { part: "carrier", cause: error.to_string() }
    }
}

impl From<EmailError> for ApiError {
    fn from(error: EmailError) -> Self {
        Self::Unavailable { part: "e-mail service", cause: error.to_string() }
    }
}

impl From<SealError> for ApiError {
    fn from(error: SealError) -> Self {
        match error {
            // The one that is configured is not the one that the database was written with.
            SealError::BadMasterKey | SealError::OtherMasterKey => {
                ConfigMissing { name: "MASTER_KEY", invalid: true }.into()
            }
            SealError::Unreadable | SealError::TooLong => Self::Internal(error.to_string()),
        }
    }
}
