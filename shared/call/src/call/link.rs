//! The way to the model: opened, lost, replaced, given up.

use voicecore_types::Millis;

use super::Call;
use crate::timers::Timer;
use crate::upstream::{Ask, Teller, Trouble, UpstreamVoice, refused};
use crate::{EndReason, Interaction, InteractionKind, JournalEntry, LiveEvent, Output, Speaker};

/// Before a session is opened again: at once, then a little later each time.
const BACKOFF: [Millis; 4] = [Millis::ZERO, Millis(500), Millis(1_000), Millis(2_000)];
/// Most sessions of one call, however well each of them went.
const MAX_SESSIONS: u32 = 64;
/// A session ends after 60 minutes; it is replaced in a quiet moment after this (pitfall 1).
const ROTATE_AFTER: Millis = Millis::from_secs(50 * 60);
/// Entries of the transcript that a new session is told.
const MAX_HISTORY_ENTRIES: usize = 100;
/// Characters of the transcript that a new session is told.
const MAX_HISTORY_CHARACTERS: usize = 10_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    None,
    /// The adapter was told to open a socket.
    Opening,
    /// The socket is open; the session is not configured.
    Open,
    Ready,
    /// The next attempt waits for its time.
    Waiting,
}

/// The way to the model.
#[derive(Debug, Default)]
pub(super) struct Link {
    state: State,
    sessions: u32,
    /// Sessions lost since one last completed an answer.
    lost: u32,
    rotation_due: bool,
}

impl Link {
    pub(super) fn restore_sessions(&mut self, number: u32) {
        self.sessions = self.sessions.max(number);
    }

    pub(super) fn sessions(&self) -> u32 {
        self.sessions
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.state, State::Open | State::Ready)
    }

    pub(super) fn is_ready(&self) -> bool {
        self.state == State::Ready
    }

    /// A session exists, and time may be running out for it.
    pub(super) fn is_opening_or_open(&self) -> bool {
        matches!(self.state, State::Opening | State::Open | State::Ready)
    }

    /// There is a session, or one is on its way.
    pub(super) fn is_alive(&self) -> bool {
        self.state != State::None
    }

    pub(super) fn set_rotation_due(&mut self) {
        self.rotation_due = true;
    }

    pub(super) fn rotation_due(&self) -> bool {
        self.rotation_due
    }

    /// An answer was completed: the provider is well.
    pub(super) fn healthy(&mut self) {
        self.lost = 0;
    }
}

impl Call {
    pub(super) fn open_model(&mut self, now: Millis) {
        if self.link.sessions >= MAX_SESSIONS {
            return self.model_unavailable(now);
        }
        self.link.sessions += 1;
        self.link.state = State::Opening;
        self.link.rotation_due = false;
        self.voice = self.connect_voice();
        self.timers.set(Timer::Rotate, now.plus(ROTATE_AFTER));
        self.timers.clear(Timer::Backoff);
        self.silence.model_asked(now);
        self.journal(JournalEntry::ModelSession { number: self.link.sessions });
        self.outputs.push_back(Output::OpenModel(self.voice.open()));
    }

    /// A voice that is to speak as things stand.
    pub(super) fn connect_voice(&self) -> Box<dyn UpstreamVoice> {
        let mut voice = crate::upstream::connect(&self.config.session);
        voice.hold(self.paused.is_some());
        voice
    }

    pub(super) fn on_model_opened(&mut self, now: Millis) {
        match self.link.state {
            State::Opening => self.link.state = State::Open,
            // Nobody wants it any more (pitfall 43).
            State::None | State::Waiting => self.outputs.push_back(Output::CloseModel),
            State::Open | State::Ready => {}
        }
        let _ = now;
    }

    pub(super) fn on_model_refused(&mut self, now: Millis, status: u16, body: &str) {
        if self.link.state == State::Opening {
            self.link.state = State::None;
            self.model_lost(now, refused(status, body));
        }
    }

    pub(super) fn on_model_closed(&mut self, now: Millis) {
        if matches!(self.link.state, State::Opening | State::Open | State::Ready) {
            self.link.state = State::None;
            if self.ended.is_some() {
                self.finish(now);
            } else {
                self.model_lost(now, Trouble::Replace);
            }
        }
    }

    pub(super) fn close_model(&mut self) {
        if matches!(self.link.state, State::Opening | State::Open | State::Ready) {
            self.outputs.push_back(Output::CloseModel);
        }
        self.link.state = State::None;
        self.timers.clear(Timer::Backoff);
        self.timers.clear(Timer::Rotate);
    }

    /// The session is configured: it is told what was said, hears what it missed, and is asked for what is owed.
    pub(super) fn on_model_ready(&mut self, now: Millis) {
        self.link.state = State::Ready;
        self.tell_history();
        self.publish();
        if !self.intake_needed {
            self.intake.settle();
        }
        let (intake, voice, outputs) = (&mut self.intake, &self.voice, &mut self.outputs);
        intake.replay(|payload| outputs.push_back(Output::ToModel(voice.hear(payload))));
        self.silence.model_asked(now);
        if self.line.is_none() {
            // Nobody listens; the next stream asks.
            return;
        }
        let owed = self.resume_owed.take();
        let ask = if self.greeted { owed } else { Some(Ask::Greeting) };
        if let Some(ask) = ask {
            self.voice.ask(ask);
        }
    }

    /// The session is gone or useless. Another one takes over, or the ladder goes down (pitfalls 2, 3, 4).
    pub(super) fn model_lost(&mut self, now: Millis, trouble: Trouble) {
        if self.link.is_alive() {
            self.hub(LiveEvent::ModelLost);
        }
        self.note_what_is_owed(now);
        self.let_go_of_session(now);
        if let Some(leaving) = &mut self.leaving {
            // There is no voice left to say goodbye with.
            leaving.nothing_more_to_say();
            return;
        }
        if trouble == Trouble::Fatal || self.link.lost >= self.config.limits.model_retries {
            return self.model_unavailable(now);
        }
        let wait = BACKOFF.get(self.link.lost as usize).or(BACKOFF.last()).copied().unwrap_or_default();
        self.link.lost += 1;
        self.link.state = State::Waiting;
        self.timers.set(Timer::Backoff, now.plus(wait));
    }

    /// A long session is replaced while nothing happens in it.
    pub(super) fn rotate(&mut self, now: Millis) {
        self.let_go_of_session(now);
        self.open_model(now);
    }

    /// What the lost session owed, the next one is asked for.
    fn note_what_is_owed(&mut self, now: Millis) {
        if self.caller_is_unheard(now) {
            // The model has not said so, but the caller has finished, and waits.
            self.caller_ended = Some(self.loud_at);
        }
        let answering = self.voice.is_busy() || self.tools.running() > 0;
        if self.caller_ended.is_some() {
            // Not a word of the answer was heard, so there is nothing to apologise for. Words that were not written down
            // yet it hears again, and answers by itself.
            if !self.intake_needed {
                self.resume_owed = Some(Ask::Answer);
            }
        } else if answering {
            self.resume_owed = Some(Ask::Resume);
        }
    }

    fn let_go_of_session(&mut self, now: Millis) {
        self.close_model();
        // The next session hears the caller's unfinished words again and makes turns of its own.
        self.turns.caller_turns_lost(self.intake_needed);
        self.turns.session_ended(self.at(now));
        self.close_open_segments(now);
        self.tools.forget_answers();
        self.speaking_since = None;
        self.answering = None;
        self.timers.clear(Timer::CallerStall);
        self.timers.clear(Timer::AskAgain);
    }

    /// No session can be had: the caller is led out to the apology.
    pub(super) fn model_unavailable(&mut self, now: Millis) {
        self.close_model();
        self.leave(now, EndReason::ModelUnavailable, false);
    }

    /// What was said so far, for a session that was not there: the latest, within limits, as it was heard.
    fn tell_history(&mut self) {
        let mut room = MAX_HISTORY_CHARACTERS;
        let mut told = Vec::new();
        for entry in self.turns.entries().iter().rev().take(MAX_HISTORY_ENTRIES) {
            let Some((teller, text)) = as_history(entry) else { continue };
            room = match room.checked_sub(text.chars().count()) {
                Some(left) => left,
                None => break,
            };
            told.push((teller, text));
        }
        for (teller, text) in told.into_iter().rev() {
            self.voice.tell(teller, &text);
        }
    }
}

fn as_history(entry: &Interaction) -> Option<(Teller, String)> {
    if entry.text.is_empty() {
        // A run under way: a session that did not know of it would ask for another.
        let InteractionKind::Tool { name, .. } = &entry.kind else { return None };
        let told =
            format!("The tool {name} is running. Its result will follow: do not call it again for this.");
        return Some((Teller::System, told));
    }
    Some(match (&entry.kind, entry.speaker) {
        (InteractionKind::Speech, Speaker::Caller) => (Teller::Caller, entry.text.clone()),
        (InteractionKind::Speech, Speaker::Assistant) => (Teller::Assistant, entry.text.clone()),
        (InteractionKind::Dtmf, _) => (Teller::System, format!("The caller pressed the key {}.", entry.text)),
        (InteractionKind::Tool { name, .. }, _) => {
            (Teller::System, format!("The tool {name} was run. Its result: {}", entry.text))
        }
        (InteractionKind::Intervention { .. }, _) => (Teller::System, entry.as_message()?),
        (InteractionKind::Notice, _) | (InteractionKind::Speech, Speaker::System | Speaker::Operator) => {
            return None;
        }
    })
}
