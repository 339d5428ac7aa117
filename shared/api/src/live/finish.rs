//! What remains of a call when it is over.

use voicecore_call::{AfterStream, CallSummary, EndReason, Usage};
use voicecore_domain::TokenUsage;
use voicecore_ports::BlobError;
use voicecore_store::calls::{self, FinishedCall};
use voicecore_store::dialogues::{self, StreamUsage};
use voicecore_store::seal::{Column, SealError};
use voicecore_store::{Scope, StoreError, blob_keys, businesses};

use super::{CallSetup, transcript};
use crate::{AppState, ConfigMissing};

/// The end of a call could not be stored. Keep its journal and try again; every step may be repeated.
#[derive(Debug, thiserror::Error)]
pub enum FinishError {
    /// The document could not be written.
    #[error("the object store did not take the document")]
    Blob(#[from] BlobError),
    /// The call could not be updated.
    #[error("the database did not take the end of the call")]
    Store(#[from] StoreError),
    /// The journal could not be encrypted.
    #[error("the journal could not be sealed")]
    Seal(#[from] SealError),
    /// There is no `MASTER_KEY`.
    #[error(transparent)]
    Config(#[from] ConfigMissing),
}

/// Stores a finished call: the transcript first, then the row with usage and cost, which says that the transcript is there.
/// Idempotent: what is stored already is not counted again.
pub async fn finish_call(
    app: &AppState,
    setup: &CallSetup,
    summary: &CallSummary,
) -> Result<(), FinishError> {
    let scope = Scope::for_job(app.ports.db.clone(), setup.tenant_id);
    if dialogues::exists(&scope, setup.call.call_id).await? {
        return count_streams(app, &scope, setup, summary).await;
    }
    transcript::store(app, setup.tenant_id, summary).await?;
    let finished = FinishedCall {
        call_id: setup.call.call_id,
        // Without a stream there was no connection, only a moment at which the summary was made.
        connected_at: (summary.attempts > 0).then_some(summary.started_at),
        ended_at: summary.ended_at,
        carrier_continues: carrier_continues(summary.reason),
        end_reason: &reason_word(summary.reason),
        attempts: summary.attempts,
        model_sessions: summary.model_sessions,
        interaction_count: u32::try_from(summary.interactions.len()).unwrap_or(u32::MAX),
        model: &setup.call.session.model,
        usage: token_usage(&summary.usage),
        finished_at: app.now(),
    };
    calls::finish(&scope, &finished).await?;
    // Last: the end of a call does not wait for it to be found by its words.
    transcript::index(app, &scope, summary).await?;
    Ok(())
}

/// The call was taken over and goes on without a stream (`turn_based`): its transcript and its end are not ours to store any
/// more, only what the streams have used is.
async fn count_streams(
    app: &AppState,
    scope: &Scope,
    setup: &CallSetup,
    summary: &CallSummary,
) -> Result<(), FinishError> {
    let used = StreamUsage {
        call_id: setup.call.call_id,
        attempts: summary.attempts,
        model_sessions: summary.model_sessions,
        model: &setup.call.session.model,
        usage: token_usage(&summary.usage),
        now: app.now(),
    };
    dialogues::count_streams(scope, &used).await?;
    Ok(())
}

/// Archives the journal of a call beside its transcript, encrypted under the tenant's key. Idempotent.
pub async fn archive_journal(app: &AppState, setup: &CallSetup, journal: &[u8]) -> Result<(), FinishError> {
    let scope = Scope::for_job(app.ports.db.clone(), setup.tenant_id);
    let call_id = setup.call.call_id;
    let row = businesses::call_setup(&scope, call_id).await?.ok_or(StoreError::NotFound("call"))?;
    let sealer = app.config.keys.master_key.get()?.open_tenant(setup.tenant_id, &row.wrapped_key)?;
    let document = sealer.seal_bytes(Column::Journal, journal, app.nonce())?;
    app.ports.blob.put(&blob_keys::journal(setup.tenant_id, call_id), document).await?;
    Ok(())
}

/// Finishes a call that no actor holds: it never had a stream, or its actor is gone for good. `false`: it was finished before.
pub(crate) async fn finish_without_actor(
    app: &AppState,
    scope: &Scope,
    call_id: voicecore_types::CallId,
    reason: EndReason,
) -> Result<bool, StoreError> {
    let now = app.now();
    let finished = FinishedCall {
        call_id,
        connected_at: None,
        ended_at: now,
        carrier_continues: false,
        end_reason: &reason_word(reason),
        attempts: 0,
        model_sessions: 0,
        interaction_count: 0,
        model: &app.config.openai.realtime_model,
        usage: TokenUsage::default(),
        finished_at: now,
    };
    calls::finish(scope, &finished).await
}

/// Somebody else speaks with the caller now, or records them: the line is busy until the carrier says otherwise.
fn carrier_continues(reason: EndReason) -> bool {
    matches!(reason.after_stream(false), AfterStream::Transfer | AfterStream::Apologise)
}

/// As stored in `calls.end_reason` and shown by the API: the name that the reason has in JSON.
pub(crate) fn reason_word(reason: EndReason) -> String {
    let word = serde_json::to_value(reason);
    word.ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}

const fn token_usage(usage: &Usage) -> TokenUsage {
    TokenUsage {
        text_in: usage.text_in,
        text_cached: usage.text_cached,
        text_out: usage.text_out,
        audio_in: usage.audio_in,
        audio_cached: usage.audio_cached,
        audio_out: usage.audio_out,
    }
}
