//! What the model's side knows of a call, beside what the caller heard of it.

use super::report::Truncation;
use crate::openai::SessionReport;
use crate::registry::{Registry, Speaker};

/// The model's side of one call.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ModelTruth {
    /// Sessions that served the call.
    pub(super) sessions: Vec<String>,
    /// What was claimed to have been heard, and what was.
    pub(super) truncations: Vec<Truncation>,
    /// Tools called, in order.
    pub(super) tools: Vec<String>,
}

/// Picks out of all sessions those of one call: they heard its caller, or its caller heard them. `heard` tells how many
/// milliseconds of an item were heard.
pub(super) fn of_call(
    sessions: &[SessionReport],
    registry: &Registry,
    call_sid: &str,
    heard: &dyn Fn(&str) -> Option<u64>,
) -> ModelTruth {
    let is_caller = |id| {
        registry
            .get(id)
            .is_some_and(|known| matches!(&known.speaker, Speaker::Caller { call } if call == call_sid))
    };
    let mut truth = ModelTruth::default();
    for session in sessions {
        let items = || session.responses.iter().flat_map(|response| &response.items);
        let listened = session.turns.iter().flat_map(|turn| &turn.utterances).any(|id| is_caller(*id));
        if !listened && !items().any(|item| heard(&item.item_id).is_some()) {
            continue;
        }
        truth.sessions.push(session.id.clone());
        truth.tools.extend(items().filter_map(|item| item.function.clone()));
        truth.truncations.extend(session.truncations.iter().map(|claim| Truncation {
            item: claim.item_id.clone(),
            heard_ms: heard(&claim.item_id).unwrap_or(0),
            claimed_ms: u64::from(claim.audio_end_ms),
        }));
    }
    truth
}

#[cfg(test)]
mod tests {
    use super::of_call;
    use crate::openai::{ItemReport, ResponseReport, SessionReport, TruncationReport};
    use crate::registry::Registry;

    fn session(id: &str, item: &str, tool: Option<&str>, claimed: Option<u32>) -> SessionReport {
        let item = |function: Option<&str>| ItemReport {
            item_id: item.into(),
            utterance: None,
            sent_ms: 2_000,
            function: function.map(str::to_owned),
        };
        let items = vec![item(None), item(tool)];
        let response = ResponseReport {
            id: "resp".into(),
            status: "completed".into(),
            reason: None,
            text: String::new(),
            items,
            instructions: None,
        };
        let truncations = claimed.map(|audio_end_ms| TruncationReport {
            item_id: format!("item_{id}"),
            audio_end_ms,
            sent_ms: 2_000,
            text: String::new(),
        });
        SessionReport {
            id: id.into(),
            responses: vec![response],
            truncations: truncations.into_iter().collect(),
            ..SessionReport::default()
        }
    }

    #[test]
    fn other_calls_sessions_are_left_out() {
        let sessions = [
            session("a", "item_a", Some("end_call"), Some(1_000)),
            session("b", "item_b", Some("transfer"), None),
        ];
        let heard = |item: &str| (item == "item_a").then_some(980);
        let truth = of_call(&sessions, &Registry::default(), "CA1", &heard);
        assert_eq!((truth.sessions, truth.tools), (vec!["a".to_owned()], vec!["end_call".to_owned()]));
        assert_eq!(truth.truncations.len(), 1);
        assert_eq!(truth.truncations[0].error_ms(), 20);
    }
}
