//! Twilio's requests: a call comes in, its stream ended, its status changed.
//!
//! Three rules hold for all of them. Nothing is read before the signature is checked. Parameters are read by allow-list, so
//! the caller's city or an address can be neither stored nor logged. And while somebody is on the line, every answer is TwiML:
//! a 5xx would end the call with a recording of Twilio's.

mod documents;
mod fallback;
mod signed;
mod status;
mod stream;
mod voice;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use voicecore_domain::CallStatus;
use voicecore_store::seal::Column;
use voicecore_store::{businesses, directory};
use voicecore_types::E164;
use voicecore_wire::twilio::sid::CallSid;
use voicecore_wire::twilio::webhook::{self, MAX_FORM_BYTES};
use voicecore_wire::twilio::{twiml, webhook::WebhookError};

use crate::{ApiError, AppState, Cause};
use signed::Signed;

/// Where incoming calls are announced.
pub(crate) const VOICE_PATH: &str = "/webhooks/twilio/voice";
/// Where the status of calls is reported.
pub(crate) const STATUS_PATH: &str = "/webhooks/twilio/status";
/// What Twilio asks when another address of ours failed.
pub(crate) const FALLBACK_PATH: &str = "/webhooks/twilio/fallback";
const STREAM_STATUS_PATH: &str = "/webhooks/twilio/stream-status";
const STREAM_ENDED_PATH: &str = "/webhooks/twilio/stream-ended";
const DIAL_ENDED_PATH: &str = "/webhooks/twilio/dial-ended";
const VOICEMAIL_PATH: &str = "/webhooks/twilio/voicemail";

/// The webhooks. They are not part of the OpenAPI document: Twilio's documentation is their contract.
pub(crate) fn routes() -> Router<AppState> {
    Router::new()
        .route(VOICE_PATH, post(voice::voice))
        .route(STATUS_PATH, post(status::status))
        .route(STREAM_STATUS_PATH, post(stream::stream_status))
        .route(STREAM_ENDED_PATH, post(stream::stream_ended))
        .route(DIAL_ENDED_PATH, post(fallback::dial_ended))
        .route(VOICEMAIL_PATH, post(fallback::voicemail))
        .route(FALLBACK_PATH, post(fallback::fallback))
        .layer(DefaultBodyLimit::max(MAX_FORM_BYTES))
}

/// What Twilio is to do with the call.
struct Twiml {
    document: twiml::Response,
    /// Why it is an apology, for the log.
    cause: Option<ApiError>,
}

impl Twiml {
    /// This document, although something failed.
    fn because(document: twiml::Response, cause: ApiError) -> Self {
        Self { document, cause: Some(cause) }
    }
}

impl From<twiml::Response> for Twiml {
    fn from(document: twiml::Response) -> Self {
        Self { document, cause: None }
    }
}

impl IntoResponse for Twiml {
    fn into_response(self) -> Response {
        let content_type = HeaderValue::from_static(twiml::CONTENT_TYPE);
        let mut response = ([(header::CONTENT_TYPE, content_type)], self.document.to_xml()).into_response();
        if let Some(cause) = self.cause {
            response.extensions_mut().insert(Cause(cause.to_string()));
        }
        response
    }
}

impl From<WebhookError> for ApiError {
    fn from(error: WebhookError) -> Self {
        match error {
            WebhookError::TooLarge => Self::PayloadTooLarge,
            WebhookError::TooManyParameters | WebhookError::Parameter(_) => {
                Self::Malformed(error.to_string())
            }
        }
    }
}

/// Twilio's word in ours; `None` for a word that did not exist when this was written.
const fn call_status(status: webhook::CallStatus) -> Option<CallStatus> {
    Some(match status {
        webhook::CallStatus::Queued | webhook::CallStatus::Initiated => CallStatus::Queued,
        webhook::CallStatus::Ringing => CallStatus::Ringing,
        webhook::CallStatus::InProgress => CallStatus::InProgress,
        webhook::CallStatus::Completed => CallStatus::Completed,
        webhook::CallStatus::Busy => CallStatus::Busy,
        webhook::CallStatus::Failed => CallStatus::Failed,
        webhook::CallStatus::NoAnswer => CallStatus::NoAnswer,
        webhook::CallStatus::Canceled => CallStatus::Canceled,
        webhook::CallStatus::Unknown => return None,
    })
}

/// The number of a human being who can take this call. `None`: the business has none, or there is no such call.
async fn human_for(app: &AppState, sid: &CallSid) -> Result<Option<E164>, ApiError> {
    let Some(call) = directory::call_by_carrier_id(&app.ports.db, sid.as_str()).await? else {
        return Ok(None);
    };
    let Some(row) = businesses::call_setup(&call.scope, call.call_id).await? else { return Ok(None) };
    let Some(number) = row.fallback_number else { return Ok(None) };
    let sealer = app.sealer(call.scope.tenant(), &row.wrapped_key)?;
    Ok(Some(sealer.open_number(Column::FallbackNumber, &number)?))
}
