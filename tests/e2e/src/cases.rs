//! What is tested: every scenario, every scenario with workerd killed in mid-sentence, a crowd, bad input.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::json;
use tokio::time::{Instant, sleep};
use voicecore_conformance::report;
use voicecore_sim::scenario::{Act, Scenario, transcript_problems};
use voicecore_sim::twilio::{CallReport, CallSpec, Event};

use crate::api::Call;
use crate::engines::{self, Engine};
use crate::system::{CALLER, NUMBER, OWNER, System, UNKNOWN};
use crate::{
    access, actors, bad_input, contract, endings, falls, http_suite, interventions, live, processes, root,
    traces, turn_based,
};

/// Calls of the crowd.
const CROWD: u32 = 6;
/// The other side has been speaking for so long when workerd is killed.
const KILL_AFTER_MS: u64 = 900;
/// A session with the model may stay open so long after the end of its call (pitfall 43).
const SESSION_LINGER: Duration = Duration::from_secs(5);

/// What runs on PostgreSQL, too: calls held either way, one of them with workerd killed; the jobs; the API.
const ON_POSTGRES: [&str; 5] =
    ["greeting-and-booking", "greeting-and-booking+turn-based", "take-message+killed", "jobs", "http-suite"];

/// A case, by its name.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) name: String,
    /// About how long it takes: the longest ones begin first.
    pub(crate) seconds: u32,
    kind: Kind,
    engine: Engine,
}

impl Case {
    fn new(name: &str, seconds: u32, kind: Kind) -> Self {
        Self { name: name.to_owned(), seconds, kind, engine: Engine::D1 }
    }
}

#[derive(Debug, Clone)]
enum Kind {
    Scenario(Box<Scenario>),
    Crowd(Box<Scenario>),
    InstanceDies(Box<Scenario>),
    Live(Box<Scenario>),
    /// Held turn by turn, because the business wants it so.
    TurnBased(Box<Scenario>),
    /// Over a stream, until the model is lost for good; then turn by turn.
    Falls(Box<Scenario>),
    BadInput,
    Operator,
    Intervene {
        killed: bool,
    },
    Jobs,
    Orphan,
    ActorHangs,
    HubAges,
    LiveRevoked,
    LiveUnknown,
    RateLimit,
    HttpSuite,
    /// After this call.
    Contract(Box<Scenario>),
    /// The suites of the ports.
    Ports,
    /// Of the tests themselves: nothing of theirs stays behind.
    Processes,
}

impl Kind {
    /// What a key may ask in a minute.
    const fn requests_per_minute(&self) -> u32 {
        if matches!(self, Self::RateLimit) { access::REQUESTS_PER_MINUTE } else { 1_000_000 }
    }

    /// Its system must be one that can be made to fail.
    const fn needs_faults(&self) -> bool {
        matches!(self, Self::InstanceDies(_) | Self::ActorHangs | Self::HubAges)
    }
}

/// How a case went.
pub(crate) struct Outcome {
    /// A few figures.
    pub(crate) note: String,
    /// What was wrong; empty when nothing was.
    pub(crate) problems: Vec<String>,
}

impl Outcome {
    /// Of a case that broke off.
    pub(crate) fn failed(error: &anyhow::Error) -> Self {
        Self { note: String::new(), problems: vec![format!("{error:#}")] }
    }
}

/// Every case.
pub(crate) fn all() -> anyhow::Result<Vec<Case>> {
    let mut cases: Vec<Case> = [
        ("bad-input", 20, Kind::BadInput),
        ("operator", 10, Kind::Operator),
        ("intervene", 30, Kind::Intervene { killed: false }),
        ("intervene+killed", 35, Kind::Intervene { killed: true }),
        ("jobs", 20, Kind::Jobs),
        ("orphan", 110, Kind::Orphan),
        ("actor-hangs", 15, Kind::ActorHangs),
        ("hub-ages", 30, Kind::HubAges),
        ("live-revoked", 90, Kind::LiveRevoked),
        ("live-unknown", 70, Kind::LiveUnknown),
        ("rate-limit", 5, Kind::RateLimit),
        ("http-suite", 5, Kind::HttpSuite),
        ("processes", 10, Kind::Processes),
    ]
    .into_iter()
    .map(|(name, seconds, kind)| Case::new(name, seconds, kind))
    .collect();
    for scenario in [false, true].map(falls::scenario) {
        cases.push(Case::new(&scenario.name.clone(), 30, Kind::Falls(Box::new(scenario))));
    }
    let directory = root().join("tests/sim/scenarios");
    for entry in std::fs::read_dir(&directory).with_context(|| format!("{}", directory.display()))? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let scenario = Scenario::load(&path)?;
        let seconds = seconds(&scenario);
        if scenario.name == "greeting-and-booking" {
            for (name, kind) in [
                ("crowd", Kind::Crowd as fn(Box<Scenario>) -> Kind),
                ("instance-dies", Kind::InstanceDies),
                ("live", Kind::Live),
            ] {
                cases.push(Case::new(name, seconds, kind(Box::new(scenario.clone()))));
            }
        }
        // Nobody speaks over a stream there: there is no sentence of ours in which to kill anything.
        if scenario.name != "unknown-number" {
            let name = format!("{}+killed", scenario.name);
            cases.push(Case::new(&name, seconds, Kind::Scenario(Box::new(killed(&scenario)))));
        }
        cases.push(Case::new(&scenario.name.clone(), seconds, Kind::Scenario(Box::new(scenario))));
    }
    for scenario in turn_based::scenarios()? {
        let seconds = seconds(&scenario);
        let mut kinds = vec![scenario.clone()];
        if scenario.name.starts_with("greeting") {
            kinds.push(turn_based::killed(&scenario));
        }
        cases.extend(
            kinds.into_iter().map(|scenario| {
                Case::new(&scenario.name.clone(), seconds, Kind::TurnBased(Box::new(scenario)))
            }),
        );
    }
    Ok(cases)
}

/// The suites of the ports on either database, and on PostgreSQL the cases that touch most of the store.
pub(crate) fn on_engines() -> anyhow::Result<Vec<Case>> {
    let mut cases = all()?;
    cases.retain(|case| ON_POSTGRES.contains(&case.name.as_str()));
    anyhow::ensure!(cases.len() == ON_POSTGRES.len(), "a case for PostgreSQL is called otherwise by now");
    cases.push(Case::new("ports", 20, Kind::Ports));
    for case in &mut cases {
        case.engine = Engine::Postgres;
        case.name += "+postgres";
    }
    cases.push(Case::new("ports+d1", 20, Kind::Ports));
    Ok(cases)
}

/// The API against its document.
pub(crate) fn contract() -> anyhow::Result<Case> {
    let scenario = Scenario::load(&root().join("tests/sim/scenarios/take-message.toml"))?;
    Ok(Case::new("contract", 150, Kind::Contract(Box::new(scenario))))
}

/// About how long a scenario takes.
fn seconds(scenario: &Scenario) -> u32 {
    let steps = scenario.steps.iter().map(|step| match step.act {
        Act::Silence(ms) => 9 + u32::try_from(ms / 1_000).unwrap_or(0),
        // Nobody ends it but the caller's patience.
        Act::WaitEnd if scenario.expect.ended_by.is_none() => 54,
        _ => 9,
    });
    10 + steps.sum::<u32>()
}

/// The same scenario with workerd killed in mid-sentence: in the second turn of the other side, or in the first when
/// the scenario has no second one for sure.
pub(crate) fn killed(scenario: &Scenario) -> Scenario {
    let mut killed = scenario.clone();
    let only_one = ["press-zero", "wrong-key", "model-refuses-quota"];
    killed.platform.kill_app_after_speech_ms = Some(KILL_AFTER_MS);
    killed.platform.in_turn = Some(if only_one.contains(&scenario.name.as_str()) { 1 } else { 2 });
    // A turn that workerd's death cut is none that the caller could interrupt, and has no second half to be heard.
    killed.expect.interrupted_turns = None;
    // Unless the caller was to be put through anyway, the assistant comes back, over another stream.
    let goes_on = !only_one.contains(&scenario.name.as_str()) && scenario.expect.dialled.is_none();
    killed.expect.streams = goes_on.then_some(2);
    killed.expect.answers = None;
    killed
}

/// Plays a case in a system of its own.
pub(crate) async fn play(case: &Case, directory: &Path) -> anyhow::Result<Outcome> {
    match case.kind {
        Kind::Processes => return processes::run(directory).await,
        Kind::Ports => return engines::ports(case.engine, directory).await,
        _ => {}
    }
    let (faults, requests) = (case.kind.needs_faults(), case.kind.requests_per_minute());
    let more = match case.kind {
        Kind::Contract(_) => contract::mails().await?,
        Kind::Falls(_) => falls::settings(),
        _ => json!({}),
    };
    let system = System::start(directory, case.engine, faults, requests, &more).await?;
    let outcome = match &case.kind {
        Kind::Scenario(scenario) => one_call(&system, scenario).await,
        Kind::Crowd(scenario) => crowd(&system, scenario).await,
        Kind::InstanceDies(scenario) => instance_dies(&system, scenario).await,
        Kind::Live(scenario) => live::run(&system, scenario).await,
        Kind::TurnBased(scenario) => turn_by_turn(&system, scenario).await,
        Kind::Falls(scenario) => falls::run(&system, scenario).await,
        Kind::BadInput => bad_input::run(&system).await,
        Kind::Operator => endings::operator(&system).await,
        Kind::Intervene { killed } => interventions::run(&system, *killed).await,
        Kind::Jobs => endings::jobs(&system).await,
        Kind::Orphan => endings::orphan(&system).await,
        Kind::ActorHangs => actors::hangs(&system).await,
        Kind::HubAges => live::ages(&system).await,
        Kind::LiveRevoked => access::revoked(&system).await,
        Kind::LiveUnknown => access::unknown(&system).await,
        Kind::RateLimit => access::rate_limit(&system).await,
        Kind::HttpSuite => http_suite::run(&system).await,
        Kind::Contract(scenario) => contract::run(&system, scenario, directory).await,
        Kind::Processes | Kind::Ports => unreachable!("they have no system"),
    };
    // Whose rows lie in workerd's folder.
    let kept = matches!(case.engine, Engine::D1).then_some(OWNER);
    system.stop().await;
    let mut outcome = outcome?;
    outcome.problems.extend(traces::problems(&directory.join("state"), kept)?);
    Ok(outcome)
}

async fn one_call(system: &System, scenario: &Scenario) -> anyhow::Result<Outcome> {
    let to = if scenario.name == "unknown-number" { UNKNOWN } else { NUMBER };
    let call = ring(system, scenario, to, CALLER).await?;
    let mut problems = judge(system, scenario, &call, to == NUMBER).await;
    problems.extend(kill_problem(system, scenario, &call));
    if problems.is_empty() {
        report::passed("calls", system.database.engine().backend());
    }
    Ok(Outcome { note: figures(&call), problems })
}

/// Workerd was to be killed and was not, or the other way round.
fn kill_problem(system: &System, scenario: &Scenario, report: &CallReport) -> Option<String> {
    let (wanted, starts) = (scenario.platform.kill_app_after_speech_ms.is_some(), system.workerd.starts());
    let as_wanted = report.killed == wanted && starts == 1 + u32::from(wanted);
    (!as_wanted).then(|| format!("killed: {}, wanted: {wanted}, starts of workerd: {starts}", report.killed))
}

/// A call to a business whose calls are held turn by turn.
async fn turn_by_turn(system: &System, scenario: &Scenario) -> anyhow::Result<Outcome> {
    system.sql("update businesses set voice_mode = 'turn_based'", &[]).await?;
    let report = ring(system, scenario, turn_based::number(scenario), CALLER).await?;
    let mut problems = turn_based::judge(&system.api, scenario, &report).await;
    problems.extend(kill_problem(system, scenario, &report));
    if !problems.is_empty() {
        problems.extend(conversation(&report));
    }
    Ok(Outcome { note: figures(&report), problems })
}

/// Several calls at once: each is a call of its own.
async fn crowd(system: &System, scenario: &Scenario) -> anyhow::Result<Outcome> {
    let callers: Vec<String> = (0..CROWD).map(|n| format!("+1202555012{n}")).collect();
    let calls = callers.iter().map(|from| ring(system, scenario, NUMBER, from));
    let reports = futures_util::future::try_join_all(calls).await?;
    let mut problems = Vec::new();
    for report in &reports {
        problems.extend(judge(system, scenario, report, true).await);
    }
    let waits = reports.iter().map(|report| report.max_wait_ms).max().unwrap_or(0);
    Ok(Outcome { note: format!("{CROWD} calls at once, longest wait {waits} ms"), problems })
}

/// The wasm instance dies in mid-sentence while two calls run in it: workerd lives, and both calls go on in a new instance,
/// over a new stream each.
async fn instance_dies(system: &System, scenario: &Scenario) -> anyhow::Result<Outcome> {
    let scenarios = [killed(scenario), Scenario { expect: killed(scenario).expect, ..scenario.clone() }];
    let calls = scenarios.iter().zip([CALLER, "+12025550118"]);
    let calls = calls.map(|(scenario, from)| ring(system, scenario, NUMBER, from));
    let reports = futures_util::future::try_join_all(calls).await?;
    let mut problems = Vec::new();
    for (scenario, report) in scenarios.iter().zip(&reports) {
        problems.extend(judge(system, scenario, report, true).await);
    }
    if system.workerd.starts() > 1 {
        problems.push("workerd died with its instance".into());
    }
    let waits = reports.iter().map(|report| report.max_wait_ms).max().unwrap_or(0);
    Ok(Outcome { note: format!("longest wait {waits} ms"), problems })
}

/// Places the call; where the scenario says so, workerd is killed, or its wasm instance if it was started for that.
pub(crate) async fn ring(
    system: &System,
    scenario: &Scenario,
    to: &str,
    from: &str,
) -> anyhow::Result<CallReport> {
    let spec = CallSpec { to: to.to_owned(), from: from.to_owned(), scenario: scenario.clone() };
    let mut handle = system.sim.ring(spec).await?;
    while let Some(event) = handle.events.recv().await {
        match event {
            Event::KillApp { .. } if system.faults => system.workerd.fault("trap", "").await?,
            Event::KillApp { .. } => system.workerd.kill().await?,
            Event::Ended { report } => {
                system.record(&report)?;
                return Ok(*report);
            }
            _ => {}
        }
    }
    anyhow::bail!("the simulator broke off in mid-call")
}

/// Everything that was wrong with a call.
pub(crate) async fn judge(
    system: &System,
    scenario: &Scenario,
    report: &CallReport,
    known: bool,
) -> Vec<String> {
    let mut problems: Vec<String> = report.failures.clone();
    problems.extend(
        report.violations.iter().filter(|v| !expected(scenario, v)).map(|v| format!("violation: {v}")),
    );
    let tolerance = report.claim_tolerance_ms();
    for truncation in
        report.truncations.iter().filter(|truncation| truncation.error_ms().unsigned_abs() > tolerance)
    {
        problems
            .push(format!("heard {} ms, told the model {} ms", truncation.heard_ms, truncation.claimed_ms));
    }
    if !report.killed && report.streams.len() == 1 {
        let (damaged, repeated) = frames(report);
        if damaged > 0 {
            problems.push(format!("{damaged} frames of the caller's speech lost or out of order"));
        }
        // A new session with the model is told again what the old one may not have understood.
        if repeated > 0 && scenario.model.is_none() {
            problems.push(format!("{repeated} frames of the caller's speech sent twice"));
        }
    }
    match (system.api.finished(&report.call_sid).await, known) {
        (Ok((call, entries)), true) => {
            problems.extend(transcript_problems(report, &entries));
            problems
                .extend(system.record_transcript(&report.call_sid, &entries).err().map(|e| e.to_string()));
            if scenario.expect.tools.iter().any(|tool| tool == "take_message") {
                problems.extend(message_problem(system, &call).await);
            }
            if scenario.name == "greeting-and-booking" && !report.killed {
                problems.extend(system.api.quality_problem(&call).await);
            }
            if call.status != "completed" {
                problems
                    .push(format!("the call's status is {}, its reason {:?}", call.status, call.end_reason));
            }
        }
        (Ok(_), false) => problems.push("a call to nobody's number was stored for a tenant".into()),
        (Err(error), true) => problems.push(format!("{error:#}")),
        (Err(_), false) => {}
    }
    if !problems.is_empty() {
        problems.extend(conversation(report));
    }
    problems.extend(open_sessions(system).await);
    problems
}

/// What is wrong with the one message that the caller left, as the API lists it.
async fn message_problem(system: &System, call: &Call) -> Option<String> {
    let messages = match system.api.messages().await {
        Ok(messages) => messages,
        Err(error) => return Some(format!("{error:#}")),
    };
    let [message] = messages.as_slice() else { return Some(format!("{} messages, not one", messages.len())) };
    let right = message.call_id == call.id
        && message.kind == "message"
        && message.text.contains("delivery comes on Friday")
        && message.callback_number.as_deref() == Some(CALLER);
    (!right).then(|| format!("the message is {message:?}"))
}

/// Frames of the caller's speech that were lost or put out of order, and that were sent again.
fn frames(report: &CallReport) -> (u32, u32) {
    let damaged = report.turns.iter().map(|turn| turn.damaged_frames).sum();
    (damaged, report.turns.iter().map(|turn| turn.repeated_frames).sum())
}

/// The simulators complain of what a fault makes unavoidable.
fn expected(scenario: &Scenario, violation: &str) -> bool {
    scenario.name == "wrong-key" && violation.contains("invalid_api_key")
}

/// Sessions with the model that outlive their call.
pub(crate) async fn open_sessions(system: &System) -> Option<String> {
    let deadline = Instant::now() + SESSION_LINGER;
    loop {
        let open = system.sim.openai.sessions().iter().filter(|session| session.open).count();
        if open == 0 {
            return None;
        }
        if Instant::now() >= deadline {
            return Some(format!("{open} sessions with the model are still open after the call"));
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// What was said, for whoever has to find out what went wrong.
pub(crate) fn conversation(report: &CallReport) -> Vec<String> {
    let line = |turn: &voicecore_sim::twilio::Turn| {
        let cut = if turn.cut {
            format!(" ✂ heard {} of {} ms", turn.heard_ms, turn.total_ms)
        } else {
            String::new()
        };
        format!("  {:>7} ms  {:?}: {}{cut}", turn.start_ms, turn.speaker, turn.text)
    };
    report.turns.iter().map(line).collect()
}

pub(crate) fn figures(report: &CallReport) -> String {
    let mut latencies = report.latencies();
    latencies.sort_unstable();
    let median = latencies.get(latencies.len() / 2).copied().unwrap_or(0);
    let note = format!("latency {median} ms, wait ≤ {} ms", report.max_wait_ms);
    let errors = report.truncations.iter().map(voicecore_sim::twilio::Truncation::error_ms);
    match errors.max_by_key(|error| error.abs()) {
        Some(worst) => format!("{note}, cut {worst:+} ms"),
        None => note,
    }
}
