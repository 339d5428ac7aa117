//! One Realtime session, without sockets and clocks: events and times in, events and times out.

mod agenda;
mod client;
mod conversation;
mod faulty;
mod input;
mod respond;
mod settings;
mod usage;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rand::{Rng, SeedableRng, rngs::SmallRng};
use serde_json::{Value, json};

pub(super) use settings::Tool;

use self::{agenda::Agenda, conversation::Conversation, input::Input, respond::Response, settings::Settings};
use super::{
    error::ApiError,
    faults::{Armed, FaultBoard, FaultKind},
    report::SessionReport,
    timing::Timing,
};
use crate::{registry::Registry, violations::Violations};

/// Letters of the service's ids.
const ID_LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const ID_LENGTH: usize = 21;

/// What the adapter has to do, in order.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Output {
    /// Send an event.
    Event(Value),
    /// Send text that no real server would: a fault on command.
    Fault(String),
    /// Say `text` and bring it by [`Session::spoken`].
    Synthesise {
        /// For which response.
        response_id: String,
        /// What to say.
        text: String,
    },
    /// Close the socket.
    Close {
        /// Close code.
        code: u16,
        /// Reason.
        reason: String,
    },
    /// Break the connection.
    Drop,
}

/// Something to be done later.
#[derive(Debug)]
enum Task {
    /// Send an event.
    Emit(Value),
    /// Go on with a response.
    Step { response_id: String, step: respond::Step },
    /// Nobody has spoken since the generation of this number.
    Idle(u64),
    /// The session's time is over.
    Expire,
    /// A fault's moment has come.
    Fault(Armed),
    /// A fault's moment has come, if this response is still heard.
    SpeechFault { armed: Armed, response_id: String },
}

/// What a session shares with its simulator.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    pub(super) timing: Timing,
    pub(super) registry: Registry,
    pub(super) violations: Violations,
    pub(super) board: FaultBoard,
}

/// A session.
#[derive(Debug)]
pub(super) struct Session {
    id: String,
    shared: Shared,
    rng: SmallRng,
    now: u64,
    settings: Settings,
    conversation: Conversation,
    input: Input,
    responses: Vec<Response>,
    agenda: Agenda<Task>,
    out: VecDeque<Output>,
    /// Nothing leaves before.
    held_until: u64,
    armed: Vec<Armed>,
    report: Arc<Mutex<SessionReport>>,
    events: u64,
    faulty: faulty::Faulty,
    /// Counts whatever ends a silence.
    activity: u64,
    playing: Option<respond::Playing>,
    /// The assistant has been heard once: its voice is settled.
    spoken: bool,
    /// A turn was committed while a response ran that could not be interrupted.
    owes_response: bool,
    /// Context of the last response, which the next one finds cached.
    last_context: usage::Tokens,
    closed: bool,
}

impl Session {
    /// A session that has just been accepted.
    pub(super) fn new(model: &str, seed: u64, shared: Shared, armed: Vec<Armed>, now: u64) -> Self {
        let mut rng = SmallRng::seed_from_u64(seed);
        let id = random_id(&mut rng, "sess_");
        let report =
            SessionReport { id: id.clone(), model: model.into(), open: true, ..SessionReport::default() };
        let cap = shared.timing.session_cap_ms;
        let mut session = Self {
            id,
            input: Input::new(shared.registry.clone()),
            shared,
            rng,
            now,
            settings: Settings::new(model),
            conversation: Conversation::default(),
            responses: Vec::new(),
            agenda: Agenda::default(),
            out: VecDeque::new(),
            held_until: 0,
            armed,
            report: Arc::new(Mutex::new(report)),
            events: 0,
            faulty: faulty::Faulty::default(),
            activity: 0,
            playing: None,
            spoken: false,
            owes_response: false,
            last_context: usage::Tokens::default(),
            closed: false,
        };
        session.agenda.add(now + cap, Task::Expire);
        session.arm();
        let document = session.settings.document().clone();
        session.emit(json!({ "type": "session.created", "session": document }));
        session
    }

    /// What it has seen, as it goes on.
    pub(super) fn report(&self) -> Arc<Mutex<SessionReport>> {
        self.report.clone()
    }

    /// A text frame of the client.
    pub(super) fn text(&mut self, now: u64, text: &str) {
        self.tick(now);
        if !self.closed {
            self.client_text(text);
        }
    }

    /// A binary frame of the client: the protocol has none.
    pub(super) fn binary(&mut self, now: u64, bytes: usize) {
        self.tick(now);
        let message = format!("Expected a text frame, but got a binary one of {bytes} bytes.");
        self.refuse(&ApiError::request("invalid_frame", message), None);
    }

    /// Time has passed.
    pub(super) fn tick(&mut self, now: u64) {
        while let Some((at, task)) = self.agenda.pop_due(now) {
            if self.closed {
                return;
            }
            self.now = at.max(self.now);
            self.perform(task);
        }
        self.now = now.max(self.now);
    }

    /// When [`Session::tick`] wants to be called.
    pub(super) fn deadline(&self) -> Option<u64> {
        let held = (!self.out.is_empty()).then_some(self.held_until);
        [self.agenda.next_at(), held].into_iter().flatten().min()
    }

    /// What is to be done next.
    pub(super) fn next_output(&mut self) -> Option<Output> {
        if self.now < self.held_until && !matches!(self.out.front(), Some(Output::Synthesise { .. })) {
            return None;
        }
        self.out.pop_front()
    }

    /// The socket is gone.
    pub(super) fn ended(&mut self, how: &str) {
        self.closed = true;
        let mut report = self.seen();
        report.open = false;
        report.ended.get_or_insert_with(|| how.to_owned());
    }

    fn perform(&mut self, task: Task) {
        match task {
            Task::Emit(event) => self.emit(event),
            Task::Step { response_id, step } => self.step(&response_id, step),
            Task::Idle(activity) => self.idle(activity),
            Task::Expire => self.expire(),
            Task::Fault(armed) => self.fire(&armed),
            Task::SpeechFault { armed, response_id } => {
                if self.playing.as_ref().is_some_and(|p| p.response_id == response_id && p.until > self.now) {
                    self.fire(&armed);
                }
            }
        }
    }

    /// Sends an event, with an id.
    fn emit(&mut self, mut event: Value) {
        if self.closed {
            return;
        }
        self.events += 1;
        if let Some(object) = event.as_object_mut() {
            object.insert("event_id".into(), format!("event_{}_{}", &self.id[5..13], self.events).into());
        }
        self.out.push_back(Output::Event(event));
    }

    fn later(&mut self, after_ms: u64, event: Value) {
        self.agenda.add(self.now + after_ms, Task::Emit(event));
    }

    /// An `error` event for the client's mistake, which is also kept as a violation.
    fn refuse(&mut self, error: &ApiError, event_id: Option<&str>) {
        let rule = error.code.clone().unwrap_or_else(|| error.kind.clone());
        self.shared.violations.record("openai", &self.id, rule, &error.message);
        self.say_error(error, event_id);
    }

    fn say_error(&mut self, error: &ApiError, event_id: Option<&str>) {
        let code = error.code.clone().unwrap_or_else(|| error.kind.clone());
        self.seen().errors.push(code);
        self.emit(json!({ "type": "error", "error": error.event(event_id) }));
    }

    /// A violation that the real service would not notice.
    fn blame(&self, rule: &str, detail: impl Into<String>) {
        self.shared.violations.record("openai", &self.id, rule, detail);
    }

    fn close(&mut self, code: u16, reason: &str) {
        self.out.push_back(Output::Close { code, reason: reason.into() });
        self.ended(&code.to_string());
    }

    fn expire(&mut self) {
        let minutes = self.shared.timing.session_cap_ms / 60_000;
        let message = format!("Your session hit the maximum duration of {minutes} minutes.");
        self.say_error(&ApiError::request("session_expired", message.clone()), None);
        self.close(1001, &message);
    }

    fn new_id(&mut self, prefix: &str) -> String {
        random_id(&mut self.rng, prefix)
    }

    /// Up to `limit`.
    fn jitter(&mut self, limit: u64) -> u64 {
        self.rng.random_range(0..=limit)
    }

    fn seen(&self) -> MutexGuard<'_, SessionReport> {
        self.report.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn random_id(rng: &mut SmallRng, prefix: &str) -> String {
    let letter = |_| char::from(*ID_LETTERS.get(rng.random_range(0..ID_LETTERS.len())).unwrap_or(&b'0'));
    prefix.chars().chain((0..ID_LENGTH).map(letter)).collect()
}

/// Faults for which no room is in the agenda.
pub(super) fn only_at_connect(kind: &FaultKind) -> bool {
    matches!(kind, FaultKind::Refuse { .. } | FaultKind::SlowConnect { .. })
}

#[cfg(test)]
mod tests;
