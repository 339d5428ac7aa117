//! A message that a caller spoke onto a recording: the last rung of the ladder.

use serde::{Deserialize, Serialize};
use voicecore_store::messages::{self, NewVoicemail};
use voicecore_store::seal::Column;
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

/// Stores a voicemail as a message, once for each recording however often it is told. A call that we don't know has none.
pub(crate) async fn store(app: &AppState, voicemail: &Voicemail) -> Result<(), ApiError> {
    let Some(call) = directory::call_by_carrier_id(&app.ports.db, &voicemail.carrier_call_id).await? else {
        return Ok(());
    };
    let scope = &call.scope;
    let row = businesses::call_setup(scope, call.call_id).await?.ok_or(StoreError::NotFound("call"))?;
    let sealer = app.sealer(scope.tenant(), &row.wrapped_key)?;
    let number = row.caller_number.map(|sealed| sealer.open(Column::CallerNumber, &sealed)).transpose()?;
    let number = number.map(|n| sealer.seal(Column::CallbackNumber, &n, app.nonce())).transpose()?;
    let voicemail = NewVoicemail {
        id: MessageId::new(voicemail.at, &app.random()),
        call_id: call.call_id,
        callback_number: number.as_ref(),
        recording_id: &voicemail.recording_id,
        recording_length: voicemail.duration_s.map(|seconds| Millis::from_secs(seconds.into())),
        created_at: voicemail.at,
    };
    messages::insert_voicemail(scope, &voicemail).await?;
    Ok(())
}
