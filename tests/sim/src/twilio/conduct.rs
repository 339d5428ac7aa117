//! The life of one call: it rings, is answered or not, is executed, and is reported on.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::account::Account;
use super::engine::{Command, Engine, Next, fetch, text_of};
use super::line::Line;
use super::place::Twilio;
use super::prompts::Voices;
use super::report::{CallReport, Event};
use super::state::{CallState, Status};
use super::truth;
use super::twiml::{Method, Verb, parse};
use super::webhook::{Answer, Request, WebhookError, send};
use crate::registry::Utterance;
use crate::scenario::{Caller, EndedBy, Scenario};
use crate::violations::Violation;

/// A webhook is repeated so long after the first one.
const REPEAT_AFTER: Duration = Duration::from_millis(150);

/// A call that begins.
pub(super) struct Placed {
    pub(super) state: Arc<CallState>,
    pub(super) scenario: Scenario,
    /// What the scenario's caller says.
    pub(super) utterances: Vec<Arc<Utterance>>,
    /// Where its TwiML comes from.
    pub(super) next: Next,
    pub(super) events: mpsc::Sender<Event>,
    pub(super) commands: mpsc::Receiver<Command>,
}

/// The first document, asked for while the call rings, with what went wrong with which URL.
struct First {
    next: Next,
    answer: Option<Result<Answer, WebhookError>>,
    troubles: Vec<(String, WebhookError)>,
}

impl Twilio {
    /// The whole life of a call.
    pub(super) async fn conduct(&self, placed: Placed) -> CallReport {
        let violations_before = self.violations().total();
        let (state, scenario) = (Arc::clone(&placed.state), placed.scenario.clone());
        drop(placed.events.try_send(Event::Ringing { call_sid: state.sid.clone() }));
        let progress = Progress {
            account: self.account().clone(),
            state: Arc::clone(&state),
            scenario: scenario.clone(),
        };
        progress.rings();
        let first = self.first_document(&state, &scenario, placed.next.clone()).await;
        let mut engine = self.engine(placed);
        for (url, error) in &first.troubles {
            engine.trouble(url, error);
        }
        let rejected = rejected(first.answer.as_ref());
        let ended_by = if let Some(busy) = rejected {
            state.set_status(if busy { Status::Busy } else { Status::NoAnswer });
            EndedBy::App
        } else {
            state.set_status(Status::InProgress);
            progress.answered();
            engine.line.emit(Event::Answered);
            let by = engine.run(first.next, first.answer).await;
            state.set_duration(engine.line.now_ms());
            state.set_status(Status::Completed);
            by
        };
        progress.over().await;
        let mut report = self.report(&scenario, ended_by, engine, violations_before);
        if rejected.is_some() {
            // Never answered: there was nothing to hear.
            report.heard.clear();
            report.duration_ms = 0;
        }
        report
    }

    fn engine(&self, placed: Placed) -> Engine {
        let Placed { state, scenario, utterances, next: _, events, commands } = placed;
        let line = Line::new(
            &state.sid,
            Caller::new(&scenario, utterances),
            scenario.platform.clone(),
            self.registry().clone(),
            self.violations().clone(),
            events,
        );
        Engine {
            account: self.account().clone(),
            call_sid: state.sid.clone(),
            line,
            commands,
            state,
            voices: Voices { synthesiser: self.synthesiser().clone() },
            callee: scenario.callee,
            disorderly: scenario.platform.disorderly_callbacks,
            time_limit: None,
            base: self.account().voice_url.clone(),
            barge_in: super::engine::BargeIn::default(),
            keys: Vec::new(),
            dialled: None,
            recordings: Vec::new(),
        }
    }

    /// Asks the product what to do with an inbound call. An outbound one is asked for when it has been answered.
    async fn first_document(&self, state: &CallState, scenario: &Scenario, next: Next) -> First {
        let mut request = match next {
            Next::Fetch(request) if !state.outbound => request,
            next => return First { next, answer: None, troubles: Vec::new() },
        };
        request.params = state.params();
        if scenario.platform.repeat_voice_webhook {
            let (account, again) = (self.account().clone(), request.clone());
            tokio::spawn(async move {
                tokio::time::sleep(REPEAT_AFTER).await;
                drop(send(&account, &again).await);
            });
        }
        let (fetched, troubles) = fetch(self.account().clone(), request.clone(), state.params()).await;
        let answer = fetched.map(|(url, answer)| {
            request.url = url;
            answer
        });
        First { next: Next::Fetch(request), answer: Some(answer), troubles }
    }

    fn report(
        &self,
        scenario: &Scenario,
        ended_by: EndedBy,
        mut engine: Engine,
        before: usize,
    ) -> CallReport {
        let duration_ms = engine.line.now_ms();
        let (turns, max_silence_ms, max_wait_ms) = engine.line.finish();
        let sessions = self.model().sessions();
        let model =
            truth::of_call(&sessions, self.registry(), &engine.call_sid, &|item| engine.line.heard_of(item));
        let line = engine.line;
        let recordings: Vec<String> =
            engine.recordings.iter().map(|recording| recording.sid.clone()).collect();
        self.keep_recordings(engine.recordings);
        let own = |violation: &&Violation| {
            violation.subject == engine.call_sid || model.sessions.contains(&violation.subject)
        };
        let violations = self
            .violations()
            .all()
            .iter()
            .skip(before.min(1_000))
            .filter(own)
            .map(|v| format!("{}: {}: {}", v.by, v.rule, v.detail))
            .collect();
        let mut report = CallReport {
            call_sid: engine.call_sid,
            scenario: scenario.name.clone(),
            status: engine.state.status().as_str().to_owned(),
            ended_by,
            duration_ms,
            turns,
            max_silence_ms,
            max_wait_ms,
            twiml: line.documents.clone(),
            streams: line.streams.clone(),
            truncations: model.truncations,
            tools: model.tools,
            dialled: engine.dialled,
            recordings,
            killed: line.killed,
            jitter_ms: scenario.platform.jitter_ms,
            late_ms: line.late_ms(),
            violations,
            failures: Vec::new(),
            heard: line.heard().to_vec(),
        };
        report.failures = scenario.failures(&report);
        report
    }
}

/// Tells the status callback how the call goes: an inbound call's is told of its end only, unless the network is
/// disorderly.
struct Progress {
    account: Account,
    state: Arc<CallState>,
    scenario: Scenario,
}

impl Progress {
    fn rings(&self) {
        if self.state.outbound {
            self.note("initiated");
            self.state.set_status(Status::Ringing);
        }
        if self.state.outbound || self.disorderly() {
            self.note("ringing");
        }
    }

    fn answered(&self) {
        if self.state.outbound || self.disorderly() {
            self.note("in-progress");
        }
    }

    /// The last callback is waited for: who reads the report wants the product to know that the call is over. A
    /// disorderly network sends it twice, and an old one after it.
    async fn over(&self) {
        let status = self.state.status().as_str();
        let status = if status == "failed" { "completed" } else { status };
        let Some(last) = self.request(status) else { return };
        drop(send(&self.account, &last).await);
        if self.disorderly() {
            drop(send(&self.account, &last).await);
            if let Some(late) = self.request("in-progress") {
                drop(send(&self.account, &late).await);
            }
        }
    }

    fn disorderly(&self) -> bool {
        self.scenario.platform.disorderly_callbacks
    }

    fn note(&self, status: &str) {
        let Some(request) = self.request(status) else { return };
        let account = self.account.clone();
        tokio::spawn(async move { drop(send(&account, &request).await) });
    }

    fn request(&self, status: &str) -> Option<Request> {
        let url = self.state.status_url.clone()?;
        Some(Request { url, method: Method::Post, params: self.state.callback_params(status) })
    }
}

/// The document begins with `<Reject>`: the call is not answered; `true` for the busy signal.
fn rejected(first: Option<&Result<Answer, WebhookError>>) -> Option<bool> {
    let text = text_of(first?.as_ref().ok()?.clone()).ok()?;
    match parse(&text).ok()?.first()? {
        Verb::Reject { busy } => Some(*busy),
        _ => None,
    }
}
