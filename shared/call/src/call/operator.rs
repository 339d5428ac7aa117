//! Somebody steps in: tells the assistant something, silences it, gives it other instructions, ends the call.
//!
//! What was done is an entry of the transcript, and the transcript is journaled: a process that goes on with the call finds
//! there what holds.

use voicecore_types::Millis;

use super::Call;
use crate::timers::Timer;
use crate::upstream::{Ask, Teller};
use crate::{
    EndReason, InteractionKind, Intervention, JournalEntry, LiveEvent, OperatorAction, OperatorCommand,
    Speaker,
};

/// The longest that the assistant says nothing because it was told to. Then it speaks again: whoever has silenced it may have
/// lost the connection, and the caller waits.
const MAX_PAUSE: Millis = Millis::from_secs(120);

impl Call {
    /// Whether the call does what is wanted, or has done it. Not when it is over; while it says goodbye it can only be ended.
    #[must_use]
    pub fn takes(&self, wanted: &Intervention) -> bool {
        let ends = matches!(wanted.command, OperatorCommand::End { .. });
        let open = self.ended.is_none() && !self.finished;
        self.has_taken(&wanted.id) || open && (ends || self.leaving.is_none())
    }

    fn has_taken(&self, id: &str) -> bool {
        self.turns.entries().iter().any(|entry| entry.is_intervention(id))
    }

    /// Takes it, once. In its last words a call is ended already, politely.
    pub(super) fn on_operator(&mut self, now: Millis, wanted: &Intervention) {
        let again = wanted.command == OperatorCommand::End { at_once: false } && self.leaving.is_some();
        if again || self.has_taken(&wanted.id) || !self.takes(wanted) {
            return;
        }
        self.turns.add(self.at(now), Speaker::Operator, wanted.entry(), wanted.command.text());
        match &wanted.command {
            OperatorCommand::Message { text } => self.tell_assistant(text),
            OperatorCommand::Pause => self.pause(now),
            OperatorCommand::Resume => self.resume_speaking(now),
            OperatorCommand::Override { instructions } => self.instruct(instructions),
            OperatorCommand::End { at_once: false } => self.leave_now(now, EndReason::OperatorEnded),
            OperatorCommand::End { at_once: true } => self.end_at_once(now),
        }
    }

    fn tell_assistant(&mut self, text: &str) {
        if !self.link.is_ready() {
            // The next session is told with the rest of what happened.
            self.resume_owed.get_or_insert(Ask::Answer);
            return;
        }
        self.voice.tell(Teller::System, &OperatorAction::told(text));
        if self.line.is_some() && self.paused.is_none() {
            self.voice.ask(Ask::Answer);
        }
    }

    /// Asked for once more, it lasts longer.
    fn pause(&mut self, now: Millis) {
        let until = now.plus(MAX_PAUSE);
        self.timers.set(Timer::Pause, until);
        if self.paused.replace(until).is_some() {
            return;
        }
        let interrupts = self.ledger.has_turns() || !self.turns.unheard().is_empty();
        self.cut_playback(now, true);
        self.voice.hold(true);
        if interrupts {
            self.hub(LiveEvent::Interrupted);
        }
    }

    fn resume_speaking(&mut self, now: Millis) {
        if self.paused.is_none() {
            return;
        }
        // What was made meanwhile, nobody has heard.
        self.cut_playback(now, true);
        self.lift_pause();
        self.silence.broken(now);
        let ask = if self.greeted { Ask::Continue } else { Ask::Greeting };
        if self.line.is_some() && self.link.is_ready() {
            self.voice.ask(ask);
        } else {
            self.resume_owed = Some(ask);
        }
    }

    /// A pause has lasted as long as it may.
    pub(super) fn pause_over(&mut self, now: Millis) {
        if self.paused.is_some() {
            let kind = InteractionKind::Intervention {
                id: String::new(),
                action: OperatorAction::Resume,
                actor_kind: None,
                actor_id: None,
            };
            self.turns.add(self.at(now), Speaker::System, kind, "");
        }
        self.resume_speaking(now);
    }

    /// The assistant may speak: what it was to say before is not said any more.
    pub(super) fn lift_pause(&mut self) {
        if self.paused.take().is_some() {
            self.timers.clear(Timer::Pause);
            self.voice.withdraw();
            self.voice.hold(false);
        }
    }

    fn instruct(&mut self, instructions: &str) {
        instructions.clone_into(&mut self.config.session.instructions);
        self.voice.instruct(instructions);
    }

    fn end_at_once(&mut self, now: Millis) {
        self.cut_playback(now, true);
        match &mut self.leaving {
            // A human being is not to take the call either.
            Some(leaving) => {
                leaving.becomes(EndReason::OperatorEnded);
                self.journal(JournalEntry::Leaving { reason: EndReason::OperatorEnded });
            }
            None => self.leave(now, EndReason::OperatorEnded, false),
        }
        self.close_carrier(now);
    }

    /// What operators have done to the call in a process before this one holds on.
    pub(super) fn restore_interventions(&mut self) {
        let mut paused_at = None;
        for entry in self.turns.entries() {
            if let Some(instructions) = entry.as_instructions() {
                instructions.clone_into(&mut self.config.session.instructions);
            }
            match entry.kind {
                InteractionKind::Intervention { action: OperatorAction::Pause, .. } => {
                    paused_at = Some(Millis(entry.start_ms));
                }
                InteractionKind::Intervention { action: OperatorAction::Resume, .. } => paused_at = None,
                _ => {}
            }
        }
        if let (Some(at), None) = (paused_at, &self.leaving) {
            let until = self.started_at.unwrap_or(self.now).plus(at).plus(MAX_PAUSE);
            self.paused = Some(until);
            self.timers.set(Timer::Pause, until);
        }
        self.voice = self.connect_voice();
    }
}
