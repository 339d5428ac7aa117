//! A request of which Twilio's signature was checked. The only way to a webhook's parameters.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use voicecore_domain::Language;
use voicecore_types::CallId;
use voicecore_wire::twilio::signature::{Body, SIGNATURE_HEADER};
use voicecore_wire::twilio::webhook::Form;

use crate::extract::body_error;
use crate::{ApiError, AppState};

/// Names the caller's language in an address, so that it is known even while the database is away.
pub(super) const LANGUAGE: &str = "language";

/// The parameters of a signed request.
pub(super) struct Signed {
    /// Of the body. Read it through the types of `voicecore_wire::twilio::webhook`, which are the allow-list.
    pub(super) form: Form,
    query: Vec<(String, String)>,
}

impl FromRequest<AppState> for Signed {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &AppState) -> Result<Self, ApiError> {
        let verifier = app.config.verifier()?;
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str()).to_owned();
        let signature =
            request.headers().get(SIGNATURE_HEADER).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let body = Bytes::from_request(request, app).await.map_err(|e| body_error(&e))?;
        let form = Form::parse(&body)?;
        verifier
            .webhook(&target, Body::Form(&form), signature.as_deref())
            .map_err(|_| ApiError::SignatureInvalid)?;
        let query = target.split_once('?').map_or("", |(_, query)| query);
        let query = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Ok(Self { form, query })
    }
}

impl Signed {
    /// The call that the address names, as we wrote it.
    pub(super) fn call(&self) -> Option<CallId> {
        self.parameter("call")?.parse().ok()
    }

    /// The attempt that the address names; the first if it names none.
    pub(super) fn attempt(&self) -> u32 {
        self.parameter("attempt").and_then(|attempt| attempt.parse().ok()).unwrap_or(1)
    }

    /// The language of the caller, as far as we knew it when we wrote the address.
    pub(super) fn language(&self) -> Language {
        Language::for_code(self.parameter(LANGUAGE))
    }

    /// How often this request was asked for again.
    pub(super) fn retry(&self) -> u32 {
        self.parameter("retry").and_then(|retry| retry.parse().ok()).unwrap_or(0)
    }

    /// The step that the address follows, of a call that is held turn by turn; 0, which is none, if it names none.
    pub(super) fn step(&self) -> u64 {
        self.parameter("step").and_then(|step| step.parse().ok()).unwrap_or(0)
    }

    /// How often in a row the caller was asked to wait.
    pub(super) fn waits(&self) -> u32 {
        self.parameter("wait").and_then(|wait| wait.parse().ok()).unwrap_or(0)
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}
