//! Twilio's requests: a call comes in, its stream ended, its status changed.
//!
//! Three rules hold for all of them. Nothing is read before the signature is checked. Parameters are read by allow-list, so
//! the caller's city or an address can be neither stored nor logged. And while somebody is on the line, every answer is TwiML:
//! a 5xx would end the call with a recording of Twilio's.

mod documents;
mod fallback;
mod languages;
mod signed;
mod status;
mod stream;
mod turn;
mod voice;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use voicecore_domain::CallStatus;
use voicecore_store::businesses::{self, CallSetupRow};
use voicecore_store::seal::Column;
use voicecore_store::{Scope, directory};
use voicecore_wire::twilio::sid::CallSid;
use voicecore_wire::twilio::webhook::{self, MAX_FORM_BYTES};
use voicecore_wire::twilio::{twiml, webhook::WebhookError};

use crate::{ApiError, AppState, Cause};
use documents::Human;
use signed::Signed;

/// Where incoming calls are announced.
pub(crate) const VOICE_PATH: &str = "/webhooks/twilio/voice";
/// Where the status of calls is reported.
pub(crate) const STATUS_PATH: &str = "/webhooks/twilio/status";
/// What Twilio asks when another address of ours failed.
pub(crate) const FALLBACK_PATH: &str = "/webhooks/twilio/fallback";
const STREAM_STATUS_PATH: &str = "/webhooks/twilio/stream-status";
const STREAM_ENDED_PATH: &str = "/webhooks/twilio/stream-ended";
const TURN_PATH: &str = "/webhooks/twilio/turn";
const DIAL_ENDED_PATH: &str = "/webhooks/twilio/dial-ended";
const VOICEMAIL_PATH: &str = "/webhooks/twilio/voicemail";

/// The webhooks. They are not part of the OpenAPI document: Twilio's documentation is their contract.
pub(crate) fn routes() -> Router<AppState> {
    Router::new()
        .route(VOICE_PATH, post(voice::voice))
        .route(STATUS_PATH, post(status::status))
        .route(STREAM_STATUS_PATH, post(stream::stream_status))
        .route(STREAM_ENDED_PATH, post(stream::stream_ended))
        .route(TURN_PATH, post(turn::turn))
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

/// A human being who can take this call. `None`: the business has none, or there is no such call.
async fn human_for(app: &AppState, sid: &CallSid) -> Result<Option<Human>, ApiError> {
    let Some(call) = directory::call_by_carrier_id(&app.ports.db, sid.as_str()).await? else {
        return Ok(None);
    };
    let Some(row) = businesses::call_setup(&call.scope, call.call_id).await? else { return Ok(None) };
    human_of(app, &call.scope, &row)
}

/// The same, of a call that has been read.
fn human_of(app: &AppState, scope: &Scope, row: &CallSetupRow) -> Result<Option<Human>, ApiError> {
    let Some(number) = &row.fallback_number else { return Ok(None) };
    let sealer = app.sealer(scope.tenant(), &row.wrapped_key)?;
    let number = sealer.open_number(Column::FallbackNumber, number)?;
    // Twilio shows the caller's number, and there must be one to show. If ours does not open, it is tried without.
    let own = row.dialled_number.as_ref().filter(|_| row.caller_number.is_none());
    let caller_id = own.and_then(|own| sealer.open_number(Column::PhoneNumber, own).ok());
    Ok(Some(Human { number, caller_id }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_for_a_status_is_known() {
        for (word, status) in [
            ("queued", CallStatus::Queued),
            ("initiated", CallStatus::Queued),
            ("ringing", CallStatus::Ringing),
            ("in-progress", CallStatus::InProgress),
            ("completed", CallStatus::Completed),
            ("busy", CallStatus::Busy),
            ("failed", CallStatus::Failed),
            ("no-answer", CallStatus::NoAnswer),
            ("canceled", CallStatus::Canceled),
        ] {
            let Ok(said) = word.parse();
            assert_eq!(call_status(said), Some(status), "{word}");
        }
        let Ok(new) = "in_progress".parse();
        assert_eq!(call_status(new), None);
    }
}
