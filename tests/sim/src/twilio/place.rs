//! Calls placed: a scenario's caller rings one of the product's numbers, or the product rings somebody.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;

use super::account::{Account, new_sid};
use super::engine::{Command, Engine, Next, fetch, text_of};
use super::line::Line;
use super::prompts::Voices;
use super::report::{CallReport, Event};
use super::state::{CallState, Recording, Status};
use super::truth;
use super::twiml::{Method, Verb, parse};
use super::webhook::{Answer, Request, WebhookError, send};
use crate::openai::{FaultPlan, SessionReport};
use crate::registry::{Registry, Speaker, Utterance};
use crate::scenario::{Act, Caller, EndedBy, Scenario};
use crate::speech::{SpeechError, Synthesiser, Voice};
use crate::violations::Violations;

/// Events that wait for a slow listener; more are lost, the report is not.
const MAX_WAITING_EVENTS: usize = 4_096;
/// Orders that wait for a call.
const MAX_WAITING_COMMANDS: usize = 16;
/// Calls remembered after their end.
const MAX_REMEMBERED: usize = 1_000;
/// A webhook is repeated so long after the first one.
const REPEAT_AFTER: Duration = Duration::from_millis(150);

/// The model's side, as far as a call needs it.
pub trait ModelSide: Send + Sync {
    /// Every session so far.
    fn sessions(&self) -> Vec<SessionReport>;
    /// What is to go wrong from now on.
    fn set_faults(&self, plan: FaultPlan);
}

/// A call to be placed.
#[derive(Debug, Clone)]
pub struct CallSpec {
    /// The number that is rung.
    pub to: String,
    /// The caller's number.
    pub from: String,
    /// What the caller does.
    pub scenario: Scenario,
}

/// The call could not be placed.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// What the caller says cannot be made.
    #[error(transparent)]
    Speech(#[from] SpeechError),
    /// The simulator is shutting down.
    #[error("the simulator is shutting down")]
    Gone,
}

/// A call that is under way.
#[derive(Debug)]
pub struct CallHandle {
    /// Twilio's name of it.
    pub call_sid: String,
    /// What happens in it; [`Event::Ended`] is the last.
    pub events: mpsc::Receiver<Event>,
}

impl CallHandle {
    /// Waits for the end.
    pub async fn report(mut self) -> Result<CallReport, PlaceError> {
        while let Some(event) = self.events.recv().await {
            if let Event::Ended { report } = event {
                return Ok(*report);
            }
        }
        Err(PlaceError::Gone)
    }
}

/// A call, as the REST API and the control API find it.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) state: Arc<CallState>,
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) report: Option<Arc<CallReport>>,
}

/// The simulated Twilio; cheap to clone.
#[derive(Clone)]
pub struct Twilio(Arc<Shared>);

struct Shared {
    account: Account,
    registry: Registry,
    violations: Violations,
    synthesiser: Synthesiser,
    model: Arc<dyn ModelSide>,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    calls: HashMap<String, Entry>,
    order: Vec<String>,
    recordings: Vec<Recording>,
}

impl Twilio {
    /// A Twilio with one customer, whose model is simulated by `model`.
    pub fn new(
        account: Account,
        registry: Registry,
        violations: Violations,
        synthesiser: Synthesiser,
        model: Arc<dyn ModelSide>,
    ) -> Self {
        Self(Arc::new(Shared { account, registry, violations, synthesiser, model, book: Mutex::default() }))
    }

    /// The customer.
    pub fn account(&self) -> &Account {
        &self.0.account
    }

    /// What both simulators complained of.
    pub fn violations(&self) -> &Violations {
        &self.0.violations
    }

    /// The model's side.
    pub fn model(&self) -> &dyn ModelSide {
        self.0.model.as_ref()
    }

    /// Rings `spec.to` as `spec.from`, with the scenario's faults in force.
    pub async fn ring(&self, spec: CallSpec) -> Result<CallHandle, PlaceError> {
        let call_sid = new_sid("CA");
        let utterances = self.utterances(&call_sid, &spec.scenario).await?;
        if let Some(plan) = &spec.scenario.model {
            self.0.model.set_faults(plan.clone());
        }
        let account = self.account();
        let state =
            CallState::new(account, &call_sid, &spec.from, &spec.to, false, account.status_url.clone());
        let voice = Request { url: account.voice_url.clone(), method: Method::Post, params: Vec::new() };
        Ok(self.start(Arc::new(state), spec.scenario, utterances, Next::Fetch(voice)))
    }

    /// The product calls somebody, who listens. Returns Twilio's name of the call.
    pub(super) fn call_out(
        &self,
        from: &str,
        to: &str,
        next: Next,
        status_url: Option<String>,
    ) -> Arc<CallState> {
        let call_sid = new_sid("CA");
        let state = Arc::new(CallState::new(self.account(), &call_sid, from, to, true, status_url));
        // Nobody watches this call live: its events have no reader, its report is kept.
        drop(self.start(Arc::clone(&state), Scenario::listener(), Vec::new(), next));
        state
    }

    fn start(
        &self,
        state: Arc<CallState>,
        scenario: Scenario,
        utterances: Vec<Arc<Utterance>>,
        next: Next,
    ) -> CallHandle {
        let (events, receiver) = mpsc::channel(MAX_WAITING_EVENTS);
        let (commands, orders) = mpsc::channel(MAX_WAITING_COMMANDS);
        let call_sid = state.sid.clone();
        self.book().remember(Entry { state: Arc::clone(&state), commands, report: None });
        let twilio = self.clone();
        tokio::spawn(async move {
            let report =
                twilio.conduct(Arc::clone(&state), scenario, utterances, next, events.clone(), orders).await;
            if let Some(entry) = twilio.book().calls.get_mut(&state.sid) {
                entry.report = Some(Arc::new(report.clone()));
            }
            // The only event that must not be lost: wait for room. A listener that is gone does not matter.
            drop(events.send(Event::Ended { report: Box::new(report) }).await);
        });
        CallHandle { call_sid, events: receiver }
    }

    /// The whole life of a call.
    async fn conduct(
        &self,
        state: Arc<CallState>,
        scenario: Scenario,
        utterances: Vec<Arc<Utterance>>,
        next: Next,
        events: mpsc::Sender<Event>,
        commands: mpsc::Receiver<Command>,
    ) -> CallReport {
        let violations_before = self.violations().total();
        drop(events.try_send(Event::Ringing { call_sid: state.sid.clone() }));
        let mut progress = Progress { account: self.account().clone(), state: Arc::clone(&state) };
        if state.outbound {
            progress.note("initiated");
            state.set_status(Status::Ringing);
            progress.note("ringing");
        } else if scenario.platform.disorderly_callbacks {
            progress.note("ringing");
        }
        let (next, first, troubles) = self.first_document(&state, &scenario, next).await;
        let line = Line::new(
            &state.sid,
            Caller::new(&scenario, utterances),
            scenario.platform.clone(),
            self.0.registry.clone(),
            self.violations().clone(),
            events.clone(),
        );
        let mut engine = Engine {
            account: self.account().clone(),
            call_sid: state.sid.clone(),
            line,
            commands,
            state: Arc::clone(&state),
            voices: Voices { synthesiser: self.0.synthesiser.clone() },
            callee: scenario.callee.clone(),
            disorderly: scenario.platform.disorderly_callbacks,
            time_limit: None,
            base: self.account().voice_url.clone(),
            barge_in: false,
            keys: Vec::new(),
            dialled: None,
            recordings: Vec::new(),
        };
        for (url, error) in &troubles {
            engine.trouble(url, error);
        }
        let rejected = rejected(first.as_ref());
        let ended_by = if let Some(busy) = rejected {
            state.set_status(if busy { Status::Busy } else { Status::NoAnswer });
            EndedBy::App
        } else {
            state.set_status(Status::InProgress);
            if state.outbound {
                progress.note("answered");
            } else if scenario.platform.disorderly_callbacks {
                progress.note("in-progress");
            }
            engine.line.emit(Event::Answered);
            let by = engine.run(next, first).await;
            state.set_duration(engine.line.now_ms());
            state.set_status(Status::Completed);
            by
        };
        progress.finish(engine.disorderly).await;
        let mut report = self.report(&scenario, ended_by, engine, violations_before);
        if rejected.is_some() {
            // Never answered: there was nothing to hear.
            report.heard.clear();
            report.duration_ms = 0;
        }
        report
    }

    /// Asks the product what to do with an inbound call, while it rings.
    async fn first_document(
        &self,
        state: &CallState,
        scenario: &Scenario,
        next: Next,
    ) -> (Next, Option<Result<Answer, WebhookError>>, Vec<(String, WebhookError)>) {
        let Next::Fetch(mut request) = next else { return (next, None, Vec::new()) };
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
        (Next::Fetch(request), Some(answer), troubles)
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
        let sessions = self.0.model.sessions();
        let model =
            truth::of_call(&sessions, &self.0.registry, &engine.call_sid, &|item| engine.line.heard_of(item));
        let line = engine.line;
        let recordings: Vec<String> =
            engine.recordings.iter().map(|recording| recording.sid.clone()).collect();
        self.book().recordings.extend(engine.recordings);
        let own = |violation: &&crate::violations::Violation| {
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
            violations,
            failures: Vec::new(),
            heard: line.heard().to_vec(),
        };
        report.failures = scenario.failures(&report);
        report
    }

    /// What the caller of a scenario says, synthesised and made recognisable.
    async fn utterances(
        &self,
        call_sid: &str,
        scenario: &Scenario,
    ) -> Result<Vec<Arc<Utterance>>, PlaceError> {
        let texts: Vec<String> = scenario
            .steps
            .iter()
            .filter_map(|step| if let Act::Say { text, .. } = &step.act { Some(text.clone()) } else { None })
            .collect();
        let (shared, call) = (Arc::clone(&self.0), call_sid.to_owned());
        let making = tokio::task::spawn_blocking(move || {
            let make = |text: &String| {
                let speech = shared.synthesiser.say(&Voice::caller(), text)?;
                Ok(shared.registry.register(Speaker::Caller { call: call.clone() }, &speech))
            };
            texts.iter().map(make).collect::<Result<Vec<_>, PlaceError>>()
        });
        making.await.map_err(|_| PlaceError::Gone)?
    }

    pub(super) fn find(&self, call_sid: &str) -> Option<Entry> {
        self.book().calls.get(call_sid).cloned()
    }

    /// Calls, newest first.
    pub(super) fn calls(&self) -> Vec<Entry> {
        let book = self.book();
        book.order.iter().rev().filter_map(|sid| book.calls.get(sid).cloned()).collect()
    }

    /// Recordings, newest first.
    pub(super) fn recordings(&self) -> Vec<Recording> {
        self.book().recordings.iter().rev().cloned().collect()
    }

    /// Forgets a recording; `false` when there is none of that name.
    pub(super) fn delete_recording(&self, sid: &str) -> bool {
        let mut book = self.book();
        let before = book.recordings.len();
        book.recordings.retain(|recording| recording.sid != sid);
        book.recordings.len() < before
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    fn remember(&mut self, entry: Entry) {
        self.order.push(entry.state.sid.clone());
        self.calls.insert(entry.state.sid.clone(), entry);
        if self.order.len() > MAX_REMEMBERED {
            let oldest = self.order.remove(0);
            self.calls.remove(&oldest);
            self.recordings.retain(|recording| recording.call_sid != oldest);
        }
    }
}

/// Tells the status callback how the call goes.
struct Progress {
    account: Account,
    state: Arc<CallState>,
}

impl Progress {
    fn request(&self, status: &str) -> Option<Request> {
        let url = self.state.status_url.clone()?;
        Some(Request { url, method: Method::Post, params: self.state.callback_params(status) })
    }

    fn note(&mut self, status: &str) {
        let Some(request) = self.request(status) else { return };
        let account = self.account.clone();
        tokio::spawn(async move { drop(send(&account, &request).await) });
    }

    /// The last callback is waited for: who reads the report wants the product to know that the call is over. A
    /// disorderly network sends it twice, and an old one after it.
    async fn finish(&mut self, disorderly: bool) {
        let status = self.state.status().as_str();
        let status = if status == "failed" { "completed" } else { status };
        let Some(last) = self.request(status) else { return };
        drop(send(&self.account, &last).await);
        if disorderly {
            drop(send(&self.account, &last).await);
            if let Some(late) = self.request("in-progress") {
                drop(send(&self.account, &late).await);
            }
        }
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
