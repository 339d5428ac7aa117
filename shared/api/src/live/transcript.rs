//! What was said in a call: as a stored document when it is over, from its actor while it runs.

use serde::{Deserialize, Serialize};
use voicecore_call::{CallSummary, EndReason, Interaction, InteractionKind};
use voicecore_domain::words::words;
use voicecore_ports::BlobError;
use voicecore_store::calls::Call;
use voicecore_store::qa_results::QaResult;
use voicecore_store::{Scope, StoreError, blob_keys, call_words, calls};
use voicecore_types::{CallId, Millis, TenantId};

use crate::actors::{CallCommand, CallReply, ask_call};
use crate::{ApiError, AppState, qa, turn_based};

/// The version of the document that is written. Readers take this one and older ones.
const VERSION: u32 = 1;

/// The finished transcript as it lies in the blob store. The format is fixed by a test: old documents are read for years.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct TranscriptDocument {
    version: u32,
    call_id: CallId,
    started_at: Millis,
    ended_at: Millis,
    reason: EndReason,
    /// The carrier says goodbye, if it asks what comes next when nobody else knows any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    farewell_owed: bool,
    interactions: Vec<Interaction>,
}

impl TranscriptDocument {
    fn new(summary: &CallSummary) -> Self {
        Self {
            version: VERSION,
            call_id: summary.call_id,
            started_at: summary.started_at,
            ended_at: summary.ended_at,
            reason: summary.reason,
            farewell_owed: summary.farewell_owed,
            interactions: summary.interactions.clone(),
        }
    }
}

/// Stores the transcript of a finished call, in place of one that is there.
pub(crate) async fn store(app: &AppState, tenant: TenantId, summary: &CallSummary) -> Result<(), BlobError> {
    // Words and numbers: nothing of them cannot be written.
    let document = serde_json::to_vec(&TranscriptDocument::new(summary)).map_err(|_| BlobError::Invalid)?;
    app.ports.blob.put(&blob_keys::transcript(tenant, summary.call_id), document).await
}

/// Makes what was said findable: the words of both sides, not what tools gave. Stores how long the caller waited for each answer, and
/// what the call came to by the tenant's rules, too. May be repeated.
pub(crate) async fn index(app: &AppState, scope: &Scope, summary: &CallSummary) -> Result<(), StoreError> {
    let result = qa::at_the_end(scope, &summary.interactions, app.now()).await?;
    index_said(scope, summary.call_id, &summary.interactions, result.as_ref()).await
}

/// The same of a call whose transcript is stored, if it has one; what the call came to stays as it is.
pub(crate) async fn index_stored(app: &AppState, scope: &Scope, call: CallId) -> Result<(), ApiError> {
    if let Some(document) = document(app, scope, call).await? {
        index_said(scope, call, &document.interactions, None).await?;
    }
    Ok(())
}

async fn index_said(
    scope: &Scope,
    call: CallId,
    said: &[Interaction],
    result: Option<&QaResult>,
) -> Result<(), StoreError> {
    let spoken = said.iter().filter(|said| said.kind == InteractionKind::Speech);
    let text: Vec<&str> = spoken.map(|said| said.text.as_str()).collect();
    let latencies: Vec<_> =
        said.iter().filter_map(|said| Some((said.seq, Millis(said.latency_ms?)))).collect();
    call_words::store(scope, call, &words(&text.join(" ")), &latencies, result).await
}

/// What was said in a call so far.
pub(crate) struct Transcript {
    pub(crate) interactions: Vec<Interaction>,
    /// The call is over and this is all of it.
    pub(crate) complete: bool,
}

/// The transcript of `call`, wherever it is.
pub(crate) async fn read(app: &AppState, scope: &Scope, call: &Call) -> Result<Transcript, ApiError> {
    if (call.finished_at.is_none() || call.ended_at.is_none())
        && let Some(interactions) = turn_based::running_transcript(app, scope, call.id).await?
    {
        return Ok(Transcript { interactions, complete: false });
    }
    if call.finished_at.is_some() {
        return stored(app, scope, call.id).await;
    }
    match ask_call(&*app.ports.actors, call.id, &CallCommand::Transcript).await? {
        CallReply::Transcript { interactions, complete } => Ok(Transcript { interactions, complete }),
        // It never saw a stream, or it finished between our two questions.
        CallReply::NotRunning => match calls::get(scope, call.id).await? {
            Some(now) if now.finished_at.is_some() => stored(app, scope, call.id).await,
            now => Ok(Transcript {
                interactions: vec![],
                complete: now.is_none_or(|now| now.ended_at.is_some()),
            }),
        },
        CallReply::AfterStream { .. } | CallReply::Accepted | CallReply::TooLate => {
            Err(ApiError::Internal("the call's actor answered another question".to_owned()))
        }
    }
}

/// Whether a call that is finished ended without the goodbye that it should have had.
pub(crate) async fn farewell_owed(app: &AppState, scope: &Scope, call: CallId) -> Result<bool, ApiError> {
    Ok(document(app, scope, call).await?.is_some_and(|document| document.farewell_owed))
}

pub(crate) async fn stored(app: &AppState, scope: &Scope, call: CallId) -> Result<Transcript, ApiError> {
    let document = document(app, scope, call).await?;
    let interactions = document.map(|document| document.interactions).unwrap_or_default();
    Ok(Transcript { interactions, complete: true })
}

/// A call that never had a stream has no document.
async fn document(
    app: &AppState,
    scope: &Scope,
    call: CallId,
) -> Result<Option<TranscriptDocument>, ApiError> {
    let key = blob_keys::transcript(scope.tenant(), call);
    let Some(bytes) = app.ports.blob.get(&key).await? else { return Ok(None) };
    let document: TranscriptDocument = serde_json::from_slice(&bytes)
        .map_err(|_| ApiError::Internal("a stored transcript cannot be read".to_owned()))?;
    if document.version > VERSION {
        return Err(ApiError::Internal("a stored transcript is of a newer version".to_owned()));
    }
    Ok(Some(document))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use voicecore_call::Speaker;

    use super::*;

    #[test]
    fn document_format_is_fixed() {
        let call_id: CallId = "01939a2b-0000-7000-8000-000000000001".parse().unwrap();
        let document = TranscriptDocument {
            version: VERSION,
            call_id,
            started_at: Millis(1_000),
            ended_at: Millis(61_000),
            reason: EndReason::CallerHungUp,
            farewell_owed: false,
            interactions: vec![Interaction {
                seq: 1,
                speaker: Speaker::Assistant,
                kind: InteractionKind::Speech,
                text: "Hello, this".to_owned(),
                start_ms: 0,
                end_ms: 900,
                cut_at_ms: Some(900),
                estimated: true,
                latency_ms: None,
            }],
        };
        let wire = json!({
            "version": 1,
            "call_id": "01939a2b-0000-7000-8000-000000000001",
            "started_at": 1_000,
            "ended_at": 61_000,
            "reason": "caller_hung_up",
            "interactions": [{
                "seq": 1, "speaker": "assistant", "kind": "speech", "text": "Hello, this", "start_ms": 0, "end_ms": 900,
                "cut_at_ms": 900, "estimated": true, "latency_ms": null,
            }],
        });
        assert_eq!(serde_json::to_value(&document).unwrap(), wire);
        assert_eq!(serde_json::from_value::<TranscriptDocument>(wire).unwrap(), document);
        let owed = TranscriptDocument { farewell_owed: true, ..document };
        assert_eq!(serde_json::to_value(owed).unwrap()["farewell_owed"], true);
    }
}
