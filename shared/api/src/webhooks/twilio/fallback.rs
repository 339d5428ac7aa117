//! The lower rungs of the ladder: a human being did not answer, a message was left, something of ours failed.

use axum::extract::State;
use voicecore_domain::{Announcement, CallStatus, Language};
use voicecore_store::seal::Column;
use voicecore_store::{businesses, directory};
use voicecore_types::CallId;
use voicecore_wire::twilio::webhook::{CallRef, DialEnded, RecordEnded, VoiceWebhook};

use super::documents::{self, Human, Line};
use super::status::take;
use super::{Signed, Twiml, call_status, human_of};
use crate::carrier::ReportedStatus;
use crate::deadline::{Deadline, NEXT};
use crate::jobs::{self, Job};
use crate::voicemail::{self, Voicemail};
use crate::{ApiError, AppState};

/// `<Dial action>`: they have spoken with each other, or nobody answered and a message is taken.
pub(super) async fn dial_ended(State(app): State<AppState>, signed: Signed) -> Result<Twiml, ApiError> {
    let ended = DialEnded::read(&signed.form)?;
    if ended.dial_status.was_answered() || ended.call.status.is_final() {
        let noted = take(&app, end_of(&app, &ended.call)).await;
        return Ok(Twiml { document: documents::hang_up(), cause: noted.err() });
    }
    let origin = app.config.public_url.get()?;
    let line = Line { origin, call_id: signed.call(), language: signed.language() };
    Ok(documents::voicemail(line, Announcement::NobodyAvailable).into())
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
    let end = end_of(&app, &recorded.call);
    let thank = |what| documents::say_and_hang_up(what, signed.language());
    let Err(cause) = voicemail::store(&app, &voicemail).await else {
        let noted = take(&app, end).await;
        return Ok(Twiml { document: thank(Announcement::Thanks), cause: noted.err() });
    };
    let kept = jobs::enqueue(&app, &Job::StoreVoicemail(voicemail)).await.is_ok();
    // The database was away a moment ago: the caller, who waits for an answer, does not wait for it twice.
    let _ = jobs::enqueue(&app, &Job::TakeStatus(end)).await;
    // Not stored anywhere but at Twilio: don't thank for it.
    let answer = if kept { Announcement::Thanks } else { Announcement::OutOfOrder };
    Ok(Twiml::because(thank(answer), cause))
}

/// The end of a call to which the answer is to hang up. It is noted at once: should the number's status callback get lost, the
/// call would take one of its tenant's places for hours.
fn end_of(app: &AppState, call: &CallRef) -> ReportedStatus {
    let status = call_status(call.status).filter(|status| status.is_end()).unwrap_or(CallStatus::Completed);
    ReportedStatus { carrier_call_id: call.sid.as_str().to_owned(), status, at: app.now() }
}

/// Who was called, as far as it can be found out.
#[derive(Default)]
struct Called {
    /// The call was admitted.
    call_id: Option<CallId>,
    language: Language,
    human: Option<Human>,
}

/// The number's fallback address: another address of ours failed. Needs no more than the signature to be checkable; as far as
/// the database answers, there may be a human being to turn to.
pub(super) async fn fallback(State(app): State<AppState>, signed: Signed) -> Result<Twiml, ApiError> {
    let webhook = VoiceWebhook::read(&signed.form)?;
    let origin = app.config.public_url.get()?;
    let deadline = Deadline::since(&app, signed.received_at, NEXT);
    let (called, cause) = find_called(&app, &webhook, &deadline).await;
    let line = Line { origin, call_id: called.call_id, language: called.language };
    Ok(Twiml { document: documents::apologise(line, called.human.as_ref()), cause })
}

/// What there is, and why there is no more.
async fn find_called(
    app: &AppState,
    webhook: &VoiceWebhook,
    deadline: &Deadline<'_>,
) -> (Called, Option<ApiError>) {
    let mut called = Called::default();
    let sid = webhook.call.sid.as_str();
    let find = async {
        match directory::call_by_carrier_id(&app.ports.db, sid).await? {
            Some(call) => by_call(app, &call, &mut called).await,
            None => by_number(app, webhook, &mut called).await,
        }
    };
    let found = deadline.keep(find).await;
    (called, found.err())
}

async fn by_call(
    app: &AppState,
    call: &directory::CallLocation,
    called: &mut Called,
) -> Result<(), ApiError> {
    called.call_id = Some(call.call_id);
    if let Some(row) = businesses::call_setup(&call.scope, call.call_id).await? {
        called.language = Language::for_code(row.assistant.language.as_deref());
        called.human = human_of(app, &call.scope, &row)?;
    }
    Ok(())
}

/// The call was never admitted: what failed was the very first webhook. The number that was dialled still says whose it is.
/// Such a call counts against no limit, but it is a human being who pays attention to it, and no model.
async fn by_number(app: &AppState, webhook: &VoiceWebhook, called: &mut Called) -> Result<(), ApiError> {
    let (Some(to), Some(lookup)) = (&webhook.to, app.lookup_key().await?) else { return Ok(()) };
    let Some(dialled) = directory::dialled_number(&app.ports.db, &lookup.dialled(to)).await? else {
        return Ok(());
    };
    called.language = Language::for_code(dialled.language.as_deref());
    if let Some(number) = businesses::fallback_number(&dialled.scope, dialled.business_id).await? {
        let sealer = app.sealer(dialled.scope.tenant(), &dialled.wrapped_key)?;
        let number = sealer.open_number(Column::FallbackNumber, &number)?;
        let caller_id = if webhook.from.is_none() { Some(to.clone()) } else { None };
        called.human = Some(Human { number, caller_id });
    }
    Ok(())
}
