//! Calls that are held turn by turn: which scenarios, and what must be true of them. On every platform the same.

use anyhow::Context as _;
use voicecore_domain::{Announcement, Language};
use voicecore_sim::openai::{Fault, FaultKind, FaultPlan, OpenAiConfig, Trigger};
use voicecore_sim::scenario::{
    Act, Outcome, Scenario, Step, When, turn_based_problems, turn_based_tools_problem,
};
use voicecore_sim::sim::{Sim, SimOptions};
use voicecore_sim::twilio::{Account, CallReport, CallSpec, Event};

use crate::api::Api;
use crate::cases::{conversation, figures};
use crate::root;
pub use crate::system::{ACCOUNT_SID, AUTH_TOKEN, CALLER, FALLBACK, NUMBER, PUBLIC_URL};
use crate::system::{MODEL_KEY, UNKNOWN};

/// Scenarios about the media socket or a session that lasts: without one there is nothing that could happen.
const ABOUT_SOCKETS: [&str; 3] = ["bad-line", "carrier-cut", "session-expired"];
/// The faults of the model are played in this conversation.
const CONVERSATION: &str = "disorderly-network";

/// The turn-based version of every scenario that is shipped, and of some with faults of a chat model.
///
/// # Errors
/// When a scenario cannot be read.
pub fn scenarios() -> anyhow::Result<Vec<Scenario>> {
    let mut all = Vec::new();
    let directory = root().join("tests/sim/scenarios");
    for entry in std::fs::read_dir(&directory).with_context(|| format!("{}", directory.display()))? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        if !ABOUT_SOCKETS.contains(&name) {
            all.push(load(name)?);
        }
    }
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
    for fault in scenario.model.iter_mut().flat_map(|model| &mut model.faults) {
        *fault =
            of_chat(fault).with_context(|| format!("{name}: {fault:?} means nothing to a chat model"))?;
    }
    let refused = |fault: &Fault| matches!(fault.when, Trigger::Chat { nth: None });
    if scenario.model.iter().any(|model| model.faults.iter().any(refused)) {
        // Nobody asks the model before the caller has said something.
        scenario.steps.iter_mut().filter(|step| step.turn > 0).for_each(|step| step.turn += 1);
        let text = "Hello, when are you open?".into();
        scenario.steps.insert(
            0,
            Step { when: When::Finished, turn: 0, act: Act::Say { text, hang_up_after_ms: None } },
        );
    }
    Ok(scenario)
}

/// The same trouble with a model that is asked turn by turn: who refuses a session refuses every request, who breaks an answer
/// off or never ends it does so with a completion.
fn of_chat(fault: &Fault) -> Option<Fault> {
    let when = match fault.when {
        Trigger::Connect { nth } => Trigger::Chat { nth },
        // The greeting, a session's first response, is none of the model's here.
        Trigger::Response { nth } => Trigger::Chat { nth: Some(nth.checked_sub(1)?.max(1)) },
        _ => return None,
    };
    let what = match &fault.what {
        FaultKind::Refuse { .. } | FaultKind::Hang => fault.what.clone(),
        FaultKind::Error { code, .. } => FaultKind::Refuse { status: 429, code: code.clone() },
        FaultKind::Drop => FaultKind::Malformed,
        _ => return None,
    };
    Some(Fault { when, what, times: fault.times })
}

/// The same call with the product's program killed while the assistant is heard, which is between two turns: whoever answers the
/// next one knows of the call what was stored.
#[must_use]
pub fn killed(scenario: &Scenario) -> Scenario {
    let mut killed = crate::cases::killed(scenario);
    killed.name.push_str("+killed");
    // There are none.
    killed.expect.streams = None;
    killed
}

/// A system that holds its calls turn by turn.
pub struct System<'a> {
    /// Both simulators.
    pub sim: &'a Sim,
    /// Where it answers.
    pub base_url: String,
    /// A key of the tenant whose number is [`NUMBER`].
    pub api_key: String,
}

/// Configuration of a system for these calls, by name, with the base URLs of Twilio and of the model.
#[must_use]
pub fn settings(twilio: &str, openai: &str) -> [(&'static str, String); 9] {
    [
        ("PUBLIC_URL", PUBLIC_URL.to_owned()),
        ("TWILIO_ACCOUNT_SID", ACCOUNT_SID.to_owned()),
        ("TWILIO_AUTH_TOKEN", AUTH_TOKEN.to_owned()),
        ("TWILIO_BASE_URL", twilio.to_owned()),
        ("OPENAI_API_KEY", MODEL_KEY.to_owned()),
        ("OPENAI_BASE_URL", openai.to_owned()),
        // Tests look more often than anybody should.
        ("RATE_LIMIT_PER_MIN", "1000000".to_owned()),
        ("JWT_SECRET", "a secret of thirty-two bytes or so, for tests".to_owned()),
        ("MASTER_KEY", "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=".to_owned()),
    ]
}

/// Starts simulators for a product that listens on loopback at this port.
///
/// # Errors
/// When they cannot listen.
pub async fn simulators(app_url: &str) -> anyhow::Result<Sim> {
    let account = Account::new(ACCOUNT_SID, AUTH_TOKEN, PUBLIC_URL, app_url);
    Sim::start(SimOptions { twilio_port: 0, account, openai: OpenAiConfig::new(MODEL_KEY) }).await
}

/// What runs the product.
pub trait Program: Send {
    /// Kills it without warning and starts it on the same storage; returns when it is back.
    fn start_again(&mut self) -> impl Future<Output = anyhow::Result<()>> + Send;
}

/// Plays one call through the front door: a few figures, and everything that was wrong. Where the scenario wants it, the product's
/// program dies.
///
/// # Errors
/// When the call cannot be placed, or the simulator breaks off.
pub async fn play(
    system: System<'_>,
    scenario: &Scenario,
    program: &mut impl Program,
) -> anyhow::Result<(String, Vec<String>)> {
    let api = Api::new(system.base_url, system.api_key);
    let spec = CallSpec { to: number(scenario).into(), from: CALLER.into(), scenario: scenario.clone() };
    let mut handle = system.sim.ring(spec).await?;
    let report = loop {
        match handle.events.recv().await {
            Some(Event::KillApp { .. }) => program.start_again().await?,
            Some(Event::Ended { report }) => break report,
            Some(_) => {}
            None => anyhow::bail!("the simulator broke off in mid-call"),
        }
    };
    let mut problems = judge(&api, scenario, &report).await;
    if report.killed != scenario.platform.kill_app_after_speech_ms.is_some() {
        problems.push(format!("killed: {}", report.killed));
    }
    if !problems.is_empty() {
        problems.extend(conversation(&report));
    }
    Ok((figures(&report), problems))
}

/// The number that the scenario's caller rings.
pub(crate) fn number(scenario: &Scenario) -> &'static str {
    if scenario.name.starts_with("unknown-number") { UNKNOWN } else { NUMBER }
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
    if number(scenario) == UNKNOWN {
        match api.call(&report.call_sid).await {
            Ok(None) => {}
            Ok(Some(_)) => problems.push("a call to nobody's number was stored for a tenant".into()),
            Err(error) => problems.push(format!("{error:#}")),
        }
        return problems;
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
                &["Thank you. Your message has been recorded. Goodbye."],
                &["We did not hear anything. Goodbye."],
            ];
            problems.extend(turn_based_problems(report, &entries, &unsaid.concat()));
            problems.extend(turn_based_tools_problem(&scenario.expect.tools, &entries));
            if call.status != "completed" {
                let reason = call.end_reason;
                problems.push(format!("the call's status is {}, its reason {reason:?}", call.status));
            }
        }
        Err(error) => problems.push(format!("{error:#}")),
    }
    problems
}
