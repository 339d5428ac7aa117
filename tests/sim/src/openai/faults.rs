//! Faults on command: what goes wrong, when, and how often.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

/// What is to go wrong. Setting a plan replaces the one before and starts counting connections anew.
///
/// ```json
/// {"faults":[{"when":{"on":"speech","ms":1500},"what":{"do":"drop"}},
///            {"when":{"on":"connect","nth":2},"what":{"do":"refuse","status":429,"code":"rate_limit_exceeded"},"times":2}]}
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultPlan {
    /// In the order in which they are tried.
    pub faults: Vec<Fault>,
}

/// One fault.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// When it happens.
    pub when: Trigger,
    /// What happens.
    pub what: FaultKind,
    /// How often at most, over all sessions; once when not said.
    #[serde(default = "once")]
    pub times: u32,
}

const fn once() -> u32 {
    1
}

impl Fault {
    /// A fault that happens once.
    pub fn once(when: Trigger, what: FaultKind) -> Self {
        Self { when, what, times: once() }
    }
}

/// When a fault happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "on", rename_all = "snake_case", deny_unknown_fields)]
pub enum Trigger {
    /// While a client connects. Faults other than `refuse` and `slow_connect` happen right after `session.created`.
    Connect {
        /// The n-th connection since the plan was set, from 1; any when not said.
        #[serde(default)]
        nth: Option<u32>,
    },
    /// So long after a session was created.
    Session {
        /// Milliseconds.
        ms: u64,
    },
    /// So long after the assistant began to be heard, if it still is: reckoned by the first audio delta and real time.
    Speech {
        /// Milliseconds.
        ms: u32,
    },
    /// When a session's n-th response is created, from 1.
    Response {
        /// Which one.
        nth: u32,
    },
    /// When a chat completion is asked for. `refuse`, `slow_connect` (a slow answer), `malformed`, and `hang` (no answer) only.
    Chat {
        /// The n-th one since the plan was set, from 1; any when not said.
        #[serde(default)]
        nth: Option<u32>,
    },
    /// At once, in every session that is open.
    Now,
}

/// What happens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum FaultKind {
    /// The connection breaks without a word.
    Drop,
    /// The server closes.
    Close {
        /// WebSocket close code.
        code: u16,
        /// Its reason.
        #[serde(default)]
        reason: String,
    },
    /// Nothing is sent for a while; then all of it.
    Stall {
        /// Milliseconds.
        ms: u64,
    },
    /// An `error` event; the session goes on unless `close` is said.
    Error {
        /// `error.code`, e.g. `insufficient_quota`.
        code: String,
        /// `error.type`; `invalid_request_error` when not said.
        #[serde(default)]
        kind: Option<String>,
        /// The server closes after it with this code.
        #[serde(default)]
        close: Option<u16>,
    },
    /// The upgrade is answered with an HTTP error. Only on `connect`.
    Refuse {
        /// HTTP status.
        status: u16,
        /// `error.code`.
        code: String,
    },
    /// The upgrade takes its time. Only on `connect`.
    SlowConnect {
        /// Milliseconds.
        ms: u64,
    },
    /// A text frame that is not JSON.
    Malformed,
    /// An event of a type that nobody knows.
    UnknownEvent,
    /// Audio comes so much slower: 4 makes the usual fourfold speed real time, 8 half of it.
    SlowAudio {
        /// Divides the speed; from the next response on.
        factor: f64,
    },
    /// The session's time is over: `session_expired`, close 1001.
    SessionExpired,
    /// The next responses fail with this code, after `response.created`.
    FailResponses {
        /// How many.
        count: u32,
        /// `status_details.error.code`, e.g. `server_error`, `insufficient_quota`.
        code: String,
    },
    /// The response that runs, or the next one, never says another word and never ends.
    Hang,
}

/// Messages to running sessions that may wait; a session is never so far behind.
const NOW_CAPACITY: usize = 16;

/// The plan in force, shared by all sessions of a simulator.
#[derive(Debug, Clone)]
pub(super) struct FaultBoard {
    state: Arc<Mutex<State>>,
    now: broadcast::Sender<FaultKind>,
}

#[derive(Debug, Default)]
struct State {
    plan: u64,
    connections: u32,
    chats: u32,
    faults: Vec<Fault>,
}

/// A fault that waits for its moment in one session.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Armed {
    plan: u64,
    index: usize,
    pub(super) when: Trigger,
}

impl Default for FaultBoard {
    fn default() -> Self {
        Self { state: Arc::default(), now: broadcast::channel(NOW_CAPACITY).0 }
    }
}

impl FaultBoard {
    pub(super) fn set(&self, plan: FaultPlan) {
        let (now, later): (Vec<Fault>, Vec<Fault>) =
            plan.faults.into_iter().partition(|f| f.when == Trigger::Now);
        {
            let mut state = self.lock();
            *state = State { plan: state.plan + 1, connections: 0, chats: 0, faults: later };
        }
        // Without an open session there is nobody to hear it, and nothing to happen.
        for fault in now {
            drop(self.now.send(fault.what));
        }
    }

    /// What happens at once.
    pub(super) fn subscribe(&self) -> broadcast::Receiver<FaultKind> {
        self.now.subscribe()
    }

    /// A client connects: the faults of this connection, and those that its session has to watch for.
    pub(super) fn connect(&self) -> (Vec<FaultKind>, Vec<Armed>) {
        let mut state = self.lock();
        state.connections += 1;
        let (nth, plan) = (state.connections, state.plan);
        let (mut at_once, mut armed) = (Vec::new(), Vec::new());
        for (index, fault) in state.faults.iter_mut().enumerate() {
            match fault.when {
                Trigger::Connect { nth: wanted } => {
                    if fault.times > 0 && wanted.is_none_or(|wanted| wanted == nth) {
                        fault.times -= 1;
                        at_once.push(fault.what.clone());
                    }
                }
                Trigger::Chat { .. } => {}
                when => armed.push(Armed { plan, index, when }),
            }
        }
        (at_once, armed)
    }

    /// A chat completion is asked for: what goes wrong with it.
    pub(super) fn chat(&self) -> Vec<FaultKind> {
        let mut state = self.lock();
        state.chats += 1;
        let this = state.chats;
        let mut at_once = Vec::new();
        for fault in &mut state.faults {
            let Trigger::Chat { nth } = fault.when else { continue };
            if fault.times > 0 && nth.is_none_or(|nth| nth == this) {
                fault.times -= 1;
                at_once.push(fault.what.clone());
            }
        }
        at_once
    }

    /// The moment of an armed fault has come: what happens, unless it has happened often enough.
    pub(super) fn claim(&self, armed: &Armed) -> Option<FaultKind> {
        let mut state = self.lock();
        let current = state.plan == armed.plan;
        let fault = state.faults.get_mut(armed.index).filter(|fault| current && fault.times > 0)?;
        fault.times -= 1;
        Some(fault.what.clone())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_reads_as_documented() {
        let text = r#"{"faults":[{"when":{"on":"speech","ms":1500},"what":{"do":"drop"}},
            {"when":{"on":"connect","nth":2},"what":{"do":"refuse","status":429,"code":"rate_limit_exceeded"},"times":2},
            {"when":{"on":"connect"},"what":{"do":"error","code":"insufficient_quota","close":1000}},
            {"when":{"on":"now"},"what":{"do":"slow_audio","factor":8}}]}"#;
        let plan: FaultPlan = serde_json::from_str(text).unwrap();
        assert_eq!(plan.faults[0], Fault::once(Trigger::Speech { ms: 1_500 }, FaultKind::Drop));
        assert_eq!(plan.faults[1].times, 2);
        let again: FaultPlan = serde_json::from_value(serde_json::to_value(&plan).unwrap()).unwrap();
        assert_eq!(again, plan);
        assert!(
            serde_json::from_str::<FaultPlan>(r#"{"faults":[{"when":{"on":"never"},"what":{"do":"drop"}}]}"#)
                .is_err()
        );
    }

    #[test]
    fn a_fault_happens_as_often_as_it_says_over_all_sessions() {
        let board = FaultBoard::default();
        let twice = Fault { times: 2, ..Fault::once(Trigger::Response { nth: 1 }, FaultKind::Hang) };
        let refuse = FaultKind::Refuse { status: 429, code: "x".into() };
        let second = Fault::once(Trigger::Connect { nth: Some(2) }, refuse.clone());
        board.set(FaultPlan { faults: vec![twice, second] });
        let (now, armed) = board.connect();
        assert_eq!((now.len(), armed.len()), (0, 1));
        assert_eq!(board.connect().0, [refuse]);
        assert_eq!(board.claim(&armed[0]), Some(FaultKind::Hang));
        assert_eq!(board.claim(&armed[0]), Some(FaultKind::Hang));
        assert_eq!(board.claim(&armed[0]), None);
    }

    #[test]
    fn a_new_plan_disarms_the_old_one_and_now_reaches_open_sessions() {
        let board = FaultBoard::default();
        board.set(FaultPlan { faults: vec![Fault::once(Trigger::Session { ms: 1 }, FaultKind::Drop)] });
        let (_, armed) = board.connect();
        let mut listener = board.subscribe();
        board.set(FaultPlan { faults: vec![Fault::once(Trigger::Now, FaultKind::Malformed)] });
        assert_eq!(listener.try_recv().unwrap(), FaultKind::Malformed);
        assert_eq!(board.claim(&armed[0]), None);
    }
}
