//! Calls over a stream whose model is lost for good: they go on turn by turn, with a model of another account.

use anyhow::Context as _;
use serde_json::{Value, json};
use voicecore_sim::openai::{Fault, FaultKind, FaultPlan, Trigger};
use voicecore_sim::scenario::{
    Act, EndedBy, Entry, Expect, Scenario, Step, When, transcript_problems, turn_based_problems,
    turn_based_tools_problem,
};
use voicecore_sim::twilio::{CallReport, Speaker};

use crate::cases::{Outcome, conversation, figures, open_sessions, ring};
use crate::system::{CALLER, MODEL_KEY, NUMBER, System};

/// So long after it began the session is lost in mid-call: the caller has asked, and hears the answer.
const LOST_AFTER_MS: u64 = 6_500;

/// What the installation is told, so that the model that reads and writes is of another account than the one that speaks.
pub(crate) fn settings() -> Value {
    json!({"CHAT_API_KEY": MODEL_KEY})
}

/// The model refuses the call's first session, or the one that is to take the place of one that broke.
pub(crate) fn scenario(in_mid_call: bool) -> Scenario {
    let refuse = FaultKind::Refuse { status: 429, code: "insufficient_quota".into() };
    let refused = if in_mid_call { Some(2) } else { None };
    let mut faults = vec![Fault { when: Trigger::Connect { nth: refused }, what: refuse, times: 100 }];
    let mut hears = vec!["harbour street"];
    let mut steps = vec![say(0, "And where can I park?")];
    let ended_by = if in_mid_call {
        faults.push(Fault::once(Trigger::Session { ms: LOST_AFTER_MS }, FaultKind::Drop));
        hears.push("nine to six");
        // Behind the greeting, and the answer with the carrier's word that the line was interrupted.
        steps = vec![say(0, "Hello, when are you open?"), say(2, "And where can I park?")];
        steps.push(Step { when: When::Finished, turn: 0, act: Act::HangUp });
        EndedBy::Caller
    } else {
        hears.push("goodbye");
        steps.extend([say(0, "That is all, goodbye."), Step { when: When::Now, turn: 0, act: Act::WaitEnd }]);
        EndedBy::App
    };
    Scenario {
        name: if in_mid_call { "model-lost-goes-on" } else { "model-refused-goes-on" }.into(),
        about: "The model refuses for good; the call goes on turn by turn with another one.".into(),
        steps,
        model: Some(FaultPlan { faults }),
        expect: Expect {
            ended_by: Some(ended_by),
            hears: hears.into_iter().map(str::to_owned).collect(),
            max_wait_ms: Some(4_000),
            ..Expect::default()
        },
        ..Scenario::listener()
    }
}

fn say(turn: u32, text: &str) -> Step {
    Step { when: When::Finished, turn, act: Act::Say { text: text.into(), hang_up_after_ms: None } }
}

/// One stream, then the carrier's voice to the end: nobody is rung, and the transcript says what was heard of both.
pub(crate) async fn run(system: &System, scenario: &Scenario) -> anyhow::Result<Outcome> {
    // Nobody has to listen to all that is said by default.
    system.sql("update assistant_versions set greeting = 'Hello, I am an AI assistant.'", &[]).await?;
    let report = ring(system, scenario, NUMBER, CALLER).await?;
    let mut problems = report.failures.clone();
    problems.extend(report.violations.iter().map(|violation| format!("violation: {violation}")));
    if report.streams.len() != 1 || report.dialled.is_some() {
        problems.push(format!("{} media streams, dialled: {:?}", report.streams.len(), report.dialled));
    }
    let (call, entries) = system.api.finished(&report.call_sid).await?;
    system.record_transcript(&report.call_sid, &entries)?;
    let by_caller = scenario.expect.ended_by == Some(EndedBy::Caller);
    let reason = if by_caller { "caller_hung_up" } else { "assistant_ended" };
    if call.status != "completed" || call.end_reason.as_deref() != Some(reason) {
        problems.push(format!("the call's status is {}, its reason {:?}", call.status, call.end_reason));
    }
    problems.extend(halves(&report, &entries)?);
    if !problems.is_empty() {
        problems.extend(conversation(&report));
    }
    problems.extend(open_sessions(system).await);
    Ok(Outcome { note: figures(&report), problems })
}

/// What is wrong with the transcript before the carrier's voice was heard first, and from there on.
fn halves(report: &CallReport, entries: &[Entry]) -> anyhow::Result<Vec<String>> {
    let first = report.turns.iter().find(|turn| turn.speaker == Speaker::Twilio);
    let first = first.context("the carrier's voice was never heard")?;
    // Whoever was speaking then was heard by the carrier.
    let (streamed, carried) = report.turns.iter().cloned().partition(|turn| turn.end_ms <= first.start_ms);
    let greeting = Some(first.whole_text.as_str());
    let taken_over = entries.iter().position(|entry| Some(entry.text.as_str()) == greeting);
    let taken_over = taken_over.with_context(|| format!("the transcript lacks {greeting:?}: {entries:?}"))?;
    let (before, after) = entries.split_at(taken_over);
    let half = |turns| CallReport { turns, ..report.clone() };
    let mut problems = transcript_problems(&half(streamed), before);
    problems.extend(turn_based_problems(&half(carried), after, &[]));
    problems.extend(turn_based_tools_problem(&[], after));
    let gap = (1..).zip(entries).find(|(seq, entry)| entry.seq != *seq);
    problems.extend(gap.map(|(seq, entry)| format!("entry {seq} has number {}", entry.seq)));
    Ok(problems)
}
