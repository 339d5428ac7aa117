//! Calls that are held turn by turn: which scenarios, and what must be true of them.

use anyhow::Context as _;
use voicecore_domain::{Announcement, Language};
use voicecore_sim::openai::{Fault, FaultKind, FaultPlan, Trigger};
use voicecore_sim::scenario::{Act, Outcome, Scenario, Step, When, turn_based_problems};
use voicecore_sim::twilio::CallReport;

use crate::api::Api;
use crate::root;

/// Scenarios that mean the same without a media stream.
const SHARED: [&str; 9] = [
    "greeting-and-booking",
    "silence",
    "hang-up-mid-word",
    "press-zero",
    "take-message",
    "transfer",
    "transfer-no-answer",
    "interruption",
    "disorderly-network",
];
/// The faults of the model are played in this conversation.
const CONVERSATION: &str = "disorderly-network";

/// The scenarios, named after what they are made of.
pub(crate) fn scenarios() -> anyhow::Result<Vec<Scenario>> {
    let mut all = SHARED.iter().map(|name| load(name)).collect::<anyhow::Result<Vec<_>>>()?;
    let chat = |nth, what, times| Fault { when: Trigger::Chat { nth }, what, times };
    let refuse = |status, code: &str| FaultKind::Refuse { status, code: code.into() };

    let mut slow = load(CONVERSATION)?;
    slow.name = "chat-slow+turn-based".into();
    slow.model = Some(plan(vec![chat(Some(2), FaultKind::SlowConnect { ms: 4_000 }, 1)]));
    slow.expect.hears.push("one moment".into());
    all.push(slow);

    let mut stutters = load(CONVERSATION)?;
    stutters.name = "chat-stutters+turn-based".into();
    stutters.model = Some(plan(vec![
        chat(Some(1), refuse(429, "rate_limit_exceeded"), 1),
        chat(Some(3), FaultKind::Malformed, 1),
        chat(Some(4), FaultKind::Hang, 1),
    ]));
    all.push(stutters);

    for (name, fault) in [
        ("chat-down+turn-based", refuse(500, "server_error")),
        ("chat-broke+turn-based", refuse(429, "insufficient_quota")),
    ] {
        let mut down = load(CONVERSATION)?;
        down.name = name.into();
        down.steps.truncate(1);
        down.steps.push(Step { when: When::Now, turn: 0, act: Act::WaitEnd });
        down.model = Some(plan(vec![chat(None, fault, 100)]));
        down.expect.hears = vec!["something went wrong".into(), "this is a human being".into()];
        down.expect.dialled = Some(Outcome::Answered);
        all.push(down);
    }
    Ok(all)
}

fn plan(faults: Vec<Fault>) -> FaultPlan {
    FaultPlan { faults }
}

fn load(name: &str) -> anyhow::Result<Scenario> {
    let path = root().join("tests/sim/scenarios").join(format!("{name}.toml"));
    let mut scenario = Scenario::load(&path).with_context(|| format!("{}", path.display()))?.turn_based();
    scenario.name = format!("{name}+turn-based");
    Ok(scenario)
}

/// Everything that was wrong with a call.
pub(crate) async fn judge(api: &Api, scenario: &Scenario, report: &CallReport) -> Vec<String> {
    // The simulated model does not know which call a chat belongs to: tools are looked for in the transcript.
    let mut problems: Vec<String> =
        report.failures.iter().filter(|failure| !failure.starts_with("the tool ")).cloned().collect();
    problems.extend(report.violations.iter().map(|violation| format!("violation: {violation}")));
    if !report.streams.is_empty() {
        problems.push(format!("{} media streams were opened", report.streams.len()));
    }
    match api.finished(&report.call_sid).await {
        Ok((call, entries)) => {
            let fillers = [Announcement::OneMoment, Announcement::StillLooking]
                .map(|said| said.text(Language::English));
            let ours = [
                "I am sorry, something went wrong on our side. Please stay on the line: I am connecting you.",
            ];
            let unsaid = [
                fillers.as_slice(),
                &ours,
                &["I am sorry, nobody can take your call now."],
                &["Please leave a message after the tone, and we will call you back."],
                &["We did not hear anything. Goodbye."],
            ];
            problems.extend(turn_based_problems(report, &entries, &unsaid.concat()));
            for tool in &scenario.expect.tools {
                if !entries.iter().any(|entry| entry.name.as_ref() == Some(tool)) {
                    problems.push(format!("the tool {tool} was not called"));
                }
            }
            if call.status != "completed" {
                let reason = call.end_reason;
                problems.push(format!("the call's status is {}, its reason {reason:?}", call.status));
            }
        }
        Err(error) => problems.push(format!("{error:#}")),
    }
    problems
}
