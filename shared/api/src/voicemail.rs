//! A message that a caller spoke onto a recording: the last rung of the ladder.

use serde::{Deserialize, Serialize};
use voicecore_store::messages::{self, NewMessage};
use voicecore_store::seal::Column;
use voicecore_store::tool_runs::{self, ToolOutcome, ToolRun};
use voicecore_store::{StoreError, businesses, directory};
use voicecore_types::{MessageId, Millis};

use crate::{ApiError, AppState};

/// A recording that the carrier holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Voicemail {
    /// Whose it is.
    pub(crate) carrier_call_id: String,
    /// The carrier's id of the recording (Twilio: `RecordingSid`).
    pub(crate) recording_id: String,
    /// How long it is.
    pub(crate) duration_s: Option<u32>,
    /// When it was left.
    pub(crate) at: Millis,
}

/// Stores a voicemail as a message, once for each recording however often it is told.
///
/// It goes through `tool_runs` like a message that the assistant takes: the same key makes it happen once.
pub(crate) async fn store(app: &AppState, voicemail: &Voicemail) -> Result<(), ApiError> {
    let Some(call) = directory::call_by_carrier_id(&app.ports.db, &voicemail.carrier_call_id).await? else {
        return Ok(());
    };
    let scope = &call.scope;
    let run = ToolRun {
        call_id: call.call_id,
        tool_call_id: &format!("voicemail:{}", voicemail.recording_id),
        name: "voicemail",
    };
    if let tool_runs::Begun::Done(_) = tool_runs::begin(scope, &run, voicemail.at).await? {
        return Ok(());
    }
    let row = businesses::call_setup(scope, call.call_id).await?.ok_or(StoreError::NotFound("call"))?;
    let sealer = app.sealer(scope.tenant(), &row.wrapped_key)?;
    let number = row.caller_number.map(|sealed| sealer.open(Column::CallerNumber, &sealed)).transpose()?;
    let number = number.map(|n| sealer.seal(Column::CallbackNumber, &n, app.nonce())).transpose()?;
    let length = voicemail.duration_s.map_or_else(String::new, |s| format!(" of {s} seconds"));
    let message = NewMessage {
        id: MessageId::new(voicemail.at, &app.random()),
        call_id: call.call_id,
        caller_name: None,
        callback_number: number.as_ref(),
        body: &format!("Voicemail{length}: recording {}.", voicemail.recording_id),
        created_at: voicemail.at,
    };
    let outcome = ToolOutcome { output: "{\"ok\":true}".to_owned(), effect: "none".to_owned() };
    // `false`: another delivery was quicker.
    tool_runs::finish(scope, &run, &outcome, vec![messages::insert(scope, &message)], app.now()).await?;
    Ok(())
}
