//! The lower rungs of the ladder: a human being did not answer, a message was left, something of ours failed.

use axum::extract::State;
use voicecore_store::directory;
use voicecore_wire::twilio::webhook::{DialEnded, RecordEnded, VoiceWebhook};

use super::{Signed, Twiml, documents, human_for};
use crate::jobs::{self, Job};
use crate::voicemail::{self, Voicemail};
use crate::{ApiError, AppState};

const OUT_OF_ORDER: &str =
    "We are sorry, we cannot take your call at the moment. Please call again later. Goodbye.";
const THANKS: &str = "Thank you. Your message has been recorded. Goodbye.";

/// `<Dial action>`: they have spoken with each other, or nobody answered and a message is taken.
pub(super) async fn dial_ended(State(app): State<AppState>, signed: Signed) -> Result<Twiml, ApiError> {
    let ended = DialEnded::read(&signed.form)?;
    let call_id =
        signed.call().ok_or_else(|| ApiError::Malformed("The address names no call.".to_owned()))?;
    if ended.dial_status.was_answered() || ended.call.status.is_final() {
        return Ok(documents::hang_up().into());
    }
    let origin = app.config.public_url.get()?;
    Ok(documents::voicemail(origin, call_id, "I am sorry, nobody can take your call now.").into())
}

/// `<Record action>`: a message was left. Twilio may tell it twice; it is stored once, now or by the queue.
pub(super) async fn voicemail(State(app): State<AppState>, signed: Signed) -> Result<Twiml, ApiError> {
    let recorded = RecordEnded::read(&signed.form)?;
    let voicemail = Voicemail {
        carrier_call_id: recorded.call.sid.as_str().to_owned(),
        recording_id: recorded.recording_sid.as_str().to_owned(),
        duration_s: recorded.duration_s,
        at: app.now(),
    };
    let thanks = documents::say_and_hang_up(THANKS);
    let Err(cause) = voicemail::store(&app, &voicemail).await else { return Ok(thanks.into()) };
    match jobs::enqueue(&app, &Job::StoreVoicemail(voicemail)).await {
        Ok(()) => Ok(Twiml::because(thanks, cause)),
        // Not stored anywhere but at Twilio: don't thank for it.
        Err(_) => Ok(Twiml::because(documents::say_and_hang_up(OUT_OF_ORDER), cause)),
    }
}

/// The number's fallback address: another address of ours failed. Needs no more than the signature to be checkable; if the call
/// is known there may be a human being to turn to.
pub(super) async fn fallback(State(app): State<AppState>, signed: Signed) -> Result<Twiml, ApiError> {
    let webhook = VoiceWebhook::read(&signed.form)?;
    let origin = app.config.public_url.get()?;
    let known = directory::call_by_carrier_id(&app.ports.db, webhook.call.sid.as_str()).await;
    let call_id = match known {
        Ok(Some(call)) => call.call_id,
        Ok(None) => return Ok(documents::say_and_hang_up(OUT_OF_ORDER).into()),
        Err(error) => return Ok(Twiml::because(documents::say_and_hang_up(OUT_OF_ORDER), error.into())),
    };
    Ok(match human_for(&app, &webhook.call.sid).await {
        Ok(human) => documents::apologise(origin, call_id, human.as_ref()).into(),
        Err(error) => Twiml::because(documents::apologise(origin, call_id, None), error),
    })
}
