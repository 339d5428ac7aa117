//! A media stream started or ended: what comes next?

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize as _;
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error as ValueError, StrDeserializer};
use voicecore_call::{AfterStream, EndReason, Limits};
use voicecore_domain::{Announcement, CallStatus};
use voicecore_store::directory::{self, CallLocation};
use voicecore_store::{StoreError, calls};
use voicecore_types::CallId;
use voicecore_wire::twilio::sid::CallSid;
use voicecore_wire::twilio::twiml::Response;
use voicecore_wire::twilio::webhook::{ConnectEnded, StreamEvent, StreamStatus};

use super::documents::{self, Attempt, Line};
use super::status::take;
use super::{Signed, Twiml, call_status, human_for, turn};
use crate::actors::{CallCommand, CallReply, ask_call};
use crate::carrier::ReportedStatus;
use crate::deadline::{Deadline, NEXT};
use crate::live::transcript;
use crate::turn_based::{self, Lost};
use crate::{ApiError, AppState};

/// A stream that has started means that the call was answered: of incoming calls Twilio reports only the end by itself.
/// Stopped and failed streams are dealt with where Twilio asks what comes next.
pub(super) async fn stream_status(
    State(app): State<AppState>,
    signed: Signed,
) -> Result<StatusCode, ApiError> {
    let stream = StreamStatus::read(&signed.form)?;
    if stream.event == StreamEvent::Started {
        let carrier_call_id = stream.call.sid.as_str().to_owned();
        take(&app, ReportedStatus { carrier_call_id, status: CallStatus::InProgress, at: app.now() }).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// `<Connect action>`: the stream has ended, and the caller may still be there. The call's actor knows why.
pub(super) async fn stream_ended(State(app): State<AppState>, signed: Signed) -> Result<Twiml, ApiError> {
    let ended = ConnectEnded::read(&signed.form)?;
    let call_id =
        signed.call().ok_or_else(|| ApiError::Malformed("The address names no call.".to_owned()))?;
    if let Some(status) = call_status(ended.call.status).filter(|status| status.is_end()) {
        // The caller has hung up: whatever we answer is not played. Should the note be lost, the status callback brings it.
        let carrier_call_id = ended.call.sid.as_str().to_owned();
        let noted = take(&app, ReportedStatus { carrier_call_id, status, at: app.now() }).await;
        return Ok(Twiml { document: documents::hang_up(), cause: noted.err() });
    }
    let deadline = Deadline::since(&app, signed.received_at, NEXT);
    let (told, mut cause) = match deadline.keep(after_stream(&app, call_id, signed.attempt())).await {
        Ok(told) => (told, None),
        Err(cause) => (None, Some(cause)),
    };
    let after = told.unwrap_or_else(|| without_actor(signed.attempt()));
    let origin = app.config.public_url.get()?;
    let line = Line { origin, call_id: Some(call_id), language: signed.language() };
    if after == AfterStream::Apologise && !cause.as_ref().is_some_and(ApiError::is_database_away) {
        // As long as a stream is worth another try, nothing but the model ends one so.
        let no_stream_holds = signed.attempt() >= Limits::default().attempts;
        let lost = if no_stream_holds { Lost::Streams } else { Lost::Model };
        // The next rung needs neither. Where that is not to be had, the ladder goes on below.
        match deadline.keep(turn_by_turn(&app, call_id, lost)).await {
            Ok(Some(document)) => return Ok(Twiml { document, cause }),
            Ok(None) => {}
            Err(error) => cause = Some(error),
        }
    }
    if after == AfterStream::Apologise && cause.as_ref().is_some_and(ApiError::is_database_away) {
        // It is not waited for again: the caller has heard nothing for long enough, and Twilio would not wait either.
        return Ok(Twiml { document: documents::apologise(line, None), cause });
    }
    let waited = told.is_none();
    match deadline.keep(document(&app, &ended.call.sid, line, (call_id, after), waited)).await {
        Ok(document) => Ok(Twiml { document, cause }),
        Err(error) => Ok(Twiml::because(documents::apologise(line, None), cause.unwrap_or(error))),
    }
}

/// Goes on without streams, from what was said so far. `None`: there is nobody to go on with.
async fn turn_by_turn(app: &AppState, call_id: CallId, lost: Lost) -> Result<Option<Response>, ApiError> {
    let call = directory::call(&app.ports.db, call_id).await?.ok_or(StoreError::NotFound("call"))?;
    let held = turn_based::take_over(app, &call, lost).await?;
    held.map(|held| turn::first(app, call_id, &held)).transpose()
}

/// What the call's actor says, or what is stored of a call whose actor is gone. `None`: no stream ever reached the actor.
async fn after_stream(
    app: &AppState,
    call_id: CallId,
    attempt: u32,
) -> Result<Option<AfterStream>, ApiError> {
    match ask_call(&*app.ports.actors, call_id, &CallCommand::AfterStream { attempt }).await? {
        CallReply::AfterStream { after } => Ok(Some(after)),
        CallReply::NotRunning => match directory::call(&app.ports.db, call_id).await? {
            Some(call) if call.finished => after_finished(app, &call).await.map(Some),
            Some(call) if !call.status.is_end() => Ok(None),
            Some(_) | None => Ok(Some(AfterStream::Hangup)),
        },
        CallReply::Accepted | CallReply::TooLate | CallReply::Transcript { .. } => {
            Err(ApiError::Internal("the call's actor answered another question".to_owned()))
        }
    }
}

/// The call is finished and its actor gone: why it ended says what comes next, and its document whether a goodbye is owed.
async fn after_finished(app: &AppState, call: &CallLocation) -> Result<AfterStream, ApiError> {
    let row = calls::get(&call.scope, call.call_id).await?;
    let reason = row.and_then(|row| row.end_reason).and_then(|word| {
        let word: StrDeserializer<'_, ValueError> = word.as_str().into_deserializer();
        EndReason::deserialize(word).ok()
    });
    let Some(reason) = reason else { return Ok(AfterStream::Hangup) };
    let farewell_owed = reason.after_stream(true) == AfterStream::Goodbye
        // A goodbye is not worth another try: the call is over either way.
        && transcript::farewell_owed(app, &call.scope, call.call_id).await.unwrap_or(false);
    Ok(reason.after_stream(farewell_owed))
}

/// The actor cannot be asked: another stream may find it alive again. The address counts the attempts, so this ends.
fn without_actor(attempt: u32) -> AfterStream {
    if attempt < Limits::default().attempts {
        AfterStream::Reconnect { attempt: attempt.saturating_add(1) }
    } else {
        AfterStream::Apologise
    }
}

async fn document(
    app: &AppState,
    sid: &CallSid,
    line: Line<'_>,
    (call_id, after): (CallId, AfterStream),
    waited: bool,
) -> Result<Response, ApiError> {
    Ok(match after {
        AfterStream::Hangup => documents::hang_up(),
        AfterStream::Goodbye => documents::say_and_hang_up(Announcement::Goodbye, line.language),
        AfterStream::Transfer => match human_for(app, sid).await? {
            Some(human) => documents::dial(line, &human),
            None => documents::voicemail(line, Announcement::NobodyAvailable),
        },
        AfterStream::Reconnect { attempt } => {
            let attempt = Attempt { call_id, sid, number: attempt, language: line.language, waited };
            documents::connect(&app.config, &attempt, app.now())?
        }
        AfterStream::Apologise => documents::apologise(line, human_for(app, sid).await?.as_ref()),
    })
}
