//! A call that is held turn by turn: a `<Gather>` has heard something, or a filler was heard.

use axum::extract::State;
use voicecore_call::{AfterStream, EndReason};
use voicecore_domain::{Announcement, CallStatus, Language};
use voicecore_store::directory::CallLocation;
use voicecore_store::{calls, directory};
use voicecore_turn_based::Heard;
use voicecore_types::CallId;
use voicecore_wire::twilio::twiml::Response;
use voicecore_wire::twilio::webhook::Gathered;

use super::documents::{self, Line};
use super::languages::Tongue;
use super::status::take;
use super::{Signed, Twiml, call_status, human_for};
use crate::carrier::ReportedStatus;
use crate::turn_based::{self, Answer, Held, Turn};
use crate::{ApiError, AppState};

/// How often in a row the caller is asked to wait because somebody else is at work: as long as that may take.
const MAX_WAITS: u32 = 15;
/// How often in a row the caller is asked to wait while the database doesn't answer.
const MAX_RETRIES: u32 = 2;

/// The next turn.
pub(super) async fn turn(State(app): State<AppState>, signed: Signed) -> Result<Twiml, ApiError> {
    let gathered = Gathered::read(&signed.form)?;
    let call_id =
        signed.call().ok_or_else(|| ApiError::Malformed("The address names no call.".to_owned()))?;
    if let Some(status) = call_status(gathered.call.status).filter(|status| status.is_end()) {
        // The caller has hung up: whatever we answer is not played. Should the note be lost, the status callback brings it.
        let carrier_call_id = gathered.call.sid.as_str().to_owned();
        let noted = take(&app, ReportedStatus { carrier_call_id, status, at: app.now() }).await;
        return Ok(Twiml { document: documents::hang_up(), cause: noted.err() });
    }
    let line =
        Line { origin: app.config.public_url.get()?, call_id: Some(call_id), language: signed.language() };
    Ok(match answer(&app, &signed, &gathered, line, call_id).await {
        Ok(answer) => answer,
        Err(cause) if signed.retry() < MAX_RETRIES => {
            Twiml::because(documents::turn_again(line, signed.step(), signed.retry() + 1), cause)
        }
        Err(cause) => Twiml::because(documents::apologise(line, None), cause),
    })
}

async fn answer(
    app: &AppState,
    signed: &Signed,
    gathered: &Gathered,
    line: Line<'_>,
    call_id: CallId,
) -> Result<Twiml, ApiError> {
    let Some(call) = directory::call(&app.ports.db, call_id).await? else {
        return Ok(documents::hang_up().into());
    };
    let Some(mut held) = Held::load(app, &call.scope, call_id).await? else {
        return Ok(documents::apologise(line, None).into());
    };
    answered(app, &call).await?;
    let heard = Heard {
        speech: gathered.speech.as_deref(),
        confidence: gathered.confidence,
        digits: gathered.digits.as_deref(),
    };
    let Turn { answer, cause } = turn_based::turn(app, &mut held, signed.step(), &heard).await?;
    let sid = &gathered.call.sid;
    let document = match answer {
        Answer::Busy if signed.waits() >= MAX_WAITS => {
            turn_based::end(app, &call.scope, call_id, EndReason::ModelUnavailable).await?;
            documents::apologise(line, human_for(app, sid).await?.as_ref())
        }
        Answer::Busy => documents::wait(line, held.step, signed.waits()),
        Answer::Over(reason) => over(app, line, gathered, reason).await?,
        other => document(line, &held, other),
    };
    Ok(Twiml { document, cause })
}

/// What the first question of a call that is held turn by turn is answered with, and every one that moves nothing on.
pub(super) fn first(app: &AppState, call_id: CallId, held: &Held) -> Result<Response, ApiError> {
    let config = held.config();
    let language = Language::for_code(config.session.language.as_deref());
    let line = Line { origin: app.config.public_url.get()?, call_id: Some(call_id), language };
    Ok(document(line, held, held.answer(app.now())))
}

fn document(line: Line<'_>, held: &Held, answer: Answer) -> Response {
    let tongue = Tongue::for_code(held.config().session.language.as_deref());
    match answer {
        Answer::Listen(say) => documents::listen(line, tongue, held.step, &say, held.config().limits.idle),
        Answer::Filler { nth } => documents::filler(line, held.step, Announcement::filler(nth)),
        Answer::Busy => documents::wait(line, held.step, 0),
        Answer::LastWords(say) => documents::last_words(line, tongue, held.step, &say),
        Answer::Over(_) => documents::hang_up(),
    }
}

/// Our part of the call is over.
async fn over(
    app: &AppState,
    line: Line<'_>,
    gathered: &Gathered,
    reason: EndReason,
) -> Result<Response, ApiError> {
    let sid = &gathered.call.sid;
    Ok(match reason.after_stream(false) {
        AfterStream::Transfer => match human_for(app, sid).await? {
            Some(human) => documents::dial(line, &human),
            None => documents::voicemail(line, voicecore_domain::Announcement::NobodyAvailable),
        },
        AfterStream::Apologise => documents::apologise(line, human_for(app, sid).await?.as_ref()),
        AfterStream::Hangup | AfterStream::Goodbye | AfterStream::Reconnect { .. } => documents::hang_up(),
    })
}

/// Of incoming calls Twilio reports only the end by itself: whoever has heard our first words is connected.
async fn answered(app: &AppState, call: &CallLocation) -> Result<(), ApiError> {
    if matches!(call.status, CallStatus::Queued | CallStatus::Ringing) {
        calls::advance(&call.scope, call.call_id, CallStatus::InProgress, app.now()).await?;
    }
    Ok(())
}
