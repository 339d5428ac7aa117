//! Faults inside a session.

use serde_json::json;

use super::{Output, Session, Task, only_at_connect};
use crate::openai::{
    error::ApiError,
    faults::{Armed, FaultKind, Trigger},
};

/// What has gone wrong and still does.
#[derive(Debug)]
pub(super) struct Faulty {
    /// Divides the speed of audio.
    pub(super) slow: f64,
    /// So many responses fail yet, with this code.
    pub(super) failing: (u32, String),
    /// The next response hangs.
    pub(super) hang_next: bool,
}

impl Default for Faulty {
    fn default() -> Self {
        Self { slow: 1.0, failing: (0, String::new()), hang_next: false }
    }
}

impl Session {
    /// Puts into the agenda what goes by the session's time.
    pub(super) fn arm(&mut self) {
        for armed in &self.armed {
            if let Trigger::Session { ms } = armed.when {
                self.agenda.add(self.now + ms, Task::Fault(armed.clone()));
            }
        }
    }

    /// The n-th response is being created.
    pub(super) fn fire_at_response(&mut self, nth: u32) {
        let due: Vec<Armed> =
            self.armed.iter().filter(|armed| armed.when == Trigger::Response { nth }).cloned().collect();
        for armed in &due {
            self.fire(armed);
        }
    }

    /// The first audio of a response is being sent.
    pub(super) fn arm_speech(&mut self, response_id: &str) {
        for armed in &self.armed {
            if let Trigger::Speech { ms } = armed.when {
                let task = Task::SpeechFault { armed: armed.clone(), response_id: response_id.to_owned() };
                self.agenda.add(self.now + u64::from(ms), task);
            }
        }
    }

    pub(super) fn fire(&mut self, armed: &Armed) {
        if let Some(kind) = self.shared.board.claim(armed) {
            self.inject(kind);
        }
    }

    /// Lets it happen at `now`.
    pub(in crate::openai) fn inject_at(&mut self, now: u64, kind: FaultKind) {
        self.tick(now);
        self.inject(kind);
    }

    fn inject(&mut self, kind: FaultKind) {
        if self.closed || only_at_connect(&kind) {
            return;
        }
        match kind {
            FaultKind::Drop => {
                self.out.push_back(Output::Drop);
                self.ended("dropped");
            }
            FaultKind::Close { code, reason } => self.close(code, &reason),
            FaultKind::Stall { ms } => self.held_until = self.held_until.max(self.now + ms),
            FaultKind::Error { code, kind, close } => {
                let error = ApiError {
                    kind: kind.unwrap_or_else(|| "invalid_request_error".into()),
                    message: format!("Fault on command: {code}."),
                    code: Some(code),
                    param: None,
                };
                self.say_error(&error, None);
                if let Some(code) = close {
                    self.close(code, &error.message);
                }
            }
            FaultKind::Malformed => {
                self.out.push_back(Output::Fault("{\"type\":\"response.output_audio.delta\",".into()));
            }
            FaultKind::UnknownEvent => {
                let event = json!({ "type": "session.surprised", "event_id": "event_fault", "why": { "nobody": ["knows"] } });
                self.out.push_back(Output::Fault(event.to_string()));
            }
            FaultKind::SlowAudio { factor } => self.faulty.slow = factor.max(0.01),
            FaultKind::SessionExpired => self.expire(),
            FaultKind::FailResponses { count, code } => self.faulty.failing = (count, code),
            FaultKind::Hang => self.hang(),
            FaultKind::Refuse { .. } | FaultKind::SlowConnect { .. } => {}
        }
    }
}
