//! Calls placed: a scenario's caller rings one of the product's numbers, or the product rings somebody.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::account::{Account, new_sid};
use super::conduct::Placed;
use super::engine::{Command, Next};
use super::report::{CallReport, Event};
use super::state::{CallState, Recording};
use super::twiml::Method;
use super::webhook::Request;
use crate::openai::{FaultPlan, SessionReport};
use crate::registry::{Registry, Speaker, Utterance};
use crate::scenario::{Act, Scenario};
use crate::speech::{SpeechError, Synthesiser, Voice};
use crate::violations::Violations;

/// Events that wait for a slow listener; more are lost, the report is not.
const MAX_WAITING_EVENTS: usize = 4_096;
/// Orders that wait for a call.
const MAX_WAITING_COMMANDS: usize = 16;
/// Calls remembered after their end.
const MAX_REMEMBERED: usize = 1_000;

/// The model's side, as far as a call needs it.
pub trait ModelSide: Send + Sync {
    /// Every session so far.
    fn sessions(&self) -> Vec<SessionReport>;
    /// What is to go wrong from now on.
    fn set_faults(&self, plan: FaultPlan);
}

/// A call to be placed, as `POST /sim/calls` takes it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
            let placed = Placed {
                state: Arc::clone(&state),
                scenario,
                utterances,
                next,
                events: events.clone(),
                commands: orders,
            };
            let report = twilio.conduct(placed).await;
            if let Some(entry) = twilio.book().calls.get_mut(&state.sid) {
                entry.report = Some(Arc::new(report.clone()));
            }
            // The only event that must not be lost: wait for room. A listener that is gone does not matter.
            drop(events.send(Event::Ended { report: Box::new(report) }).await);
        });
        CallHandle { call_sid, events: receiver }
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

    pub(super) fn registry(&self) -> &Registry {
        &self.0.registry
    }

    pub(super) fn synthesiser(&self) -> &Synthesiser {
        &self.0.synthesiser
    }

    pub(super) fn keep_recordings(&self, recordings: Vec<Recording>) {
        self.book().recordings.extend(recordings);
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
