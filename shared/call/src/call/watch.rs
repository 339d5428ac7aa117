//! Silence: whose it is, and what is done about it. "The caller hears something within 4 seconds, always."

use voicecore_types::Millis;

use super::Call;
use crate::ledger::Source;
use crate::timers::Timer;
use crate::tone;
use crate::upstream::{Ask, Trouble};
use crate::{EndReason, TurnDetection};

/// After audio should have been heard, its mark is waited for this long before it counts as heard anyway.
const PLAYOUT_GRACE: Millis = Millis(500);
/// Whatever the configuration says: with the tone itself, silence stays below 4 seconds.
const MAX_COMFORT: Millis = Millis(3_500);
/// What a model takes to say that a turn is over, beyond the silence that ends one.
const TURN_END_DELAY: Millis = Millis(700);
/// The longest that one answer is owed by models, however many sessions take turns at it: then the ladder goes down. A session
/// that hangs is given up after `limits.model_patience`, so there is time for one more.
const ANSWER_PATIENCE: Millis = Millis::from_secs(12);
/// A caller who has been speaking for longer is a television: what is owed is watched again (pitfall 12).
const MAX_CALLER_TURN: Millis = Millis::from_secs(60);

/// What is known of the present silence.
#[derive(Debug)]
pub(super) struct Silence {
    /// The last moment at which anything was heard, by either side.
    since: Millis,
    /// Since when the model has owed something without giving anything.
    owed_since: Option<Millis>,
    /// Since when an answer has been owed, by whatever session. No new session begins it again.
    answer_owed_since: Option<Millis>,
    /// Something was playing when last looked.
    playing: bool,
    /// Questions whether the caller is still there, without an answer.
    prompts: u32,
}

/// What the caller does, as far as can be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Caller {
    Silent,
    Speaking,
    /// The model has not said that the turn is over, though nothing was to be heard for longer than a turn lasts.
    Unheard,
    /// A television.
    Endless,
}

/// Whose turn it is to do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owed {
    Nothing,
    ByTool,
    ByModel,
}

impl Silence {
    pub(super) fn new(now: Millis) -> Self {
        Self { since: now, owed_since: None, answer_owed_since: None, playing: false, prompts: 0 }
    }

    /// The caller spoke, or pressed a key.
    pub(super) fn caller_was_there(&mut self, now: Millis) {
        self.since = now;
        self.nothing_owed();
        self.prompts = 0;
    }

    /// Another model is asked: its own time begins, that of the answer goes on.
    pub(super) fn model_asked(&mut self, now: Millis) {
        if self.owed_since.is_some() {
            self.owed_since = Some(now);
        }
    }

    pub(super) fn model_spoke(&mut self) {
        self.nothing_owed();
    }

    fn nothing_owed(&mut self) {
        self.owed_since = None;
        self.answer_owed_since = None;
    }

    /// The model owes something, since now if it did not before.
    fn owed_by_model(&mut self, now: Millis) {
        self.owed_since.get_or_insert(now);
        self.answer_owed_since.get_or_insert(now);
    }

    /// When no answer will come in time any more.
    fn answer_due(&self) -> Option<Millis> {
        self.answer_owed_since.map(|since| since.plus(ANSWER_PATIENCE))
    }

    /// The line was silent until now.
    pub(super) fn broken(&mut self, now: Millis) {
        self.since = now;
        self.nothing_owed();
        self.playing = false;
    }
}

impl Call {
    /// Draws the consequences of what has happened: everything that is not a direct answer to an input.
    pub(super) fn settle(&mut self, now: Millis) {
        if self.finished {
            return;
        }
        self.retire_heard(now);
        if self.ended.is_some() {
            self.publish();
            self.finish_if_quiet(now);
            return;
        }
        while self.tools.pop_complete() {
            if self.leaving.is_none() {
                self.voice.ask(Ask::Answer);
            }
        }
        self.leave_if_silent(now);
        if self.ended.is_some() {
            self.publish();
            self.finish_if_quiet(now);
            return;
        }
        let at = self.at(now);
        // Words that were written down are told to another session as text: hearing them again would say them twice.
        self.intake_needed =
            !self.link.is_ready() || self.speaking_since.is_some() || self.turns.awaits_caller(at);
        self.watch(now);
        self.publish();
    }

    fn caller(&self, now: Millis) -> Caller {
        let Some(since) = self.speaking_since else { return Caller::Silent };
        if now.since(self.loud_at) >= self.turn_ends_after() {
            return Caller::Unheard;
        }
        if now.since(since) < MAX_CALLER_TURN { Caller::Speaking } else { Caller::Endless }
    }

    /// The caller has stopped speaking, and the model does not say so.
    pub(super) fn caller_is_unheard(&self, now: Millis) -> bool {
        self.caller(now) == Caller::Unheard
    }

    /// After so much silence a model that is well says that the caller's turn is over.
    fn turn_ends_after(&self) -> Millis {
        let longest = match &self.config.session.turn_detection {
            TurnDetection::ServerVad { silence_duration_ms, .. } => Millis(u64::from(*silence_duration_ms)),
            TurnDetection::SemanticVad { eagerness } => match eagerness.as_str() {
                "low" => Millis::from_secs(8),
                "high" => Millis::from_secs(2),
                _ => Millis::from_secs(4),
            },
        };
        longest.plus(TURN_END_DELAY)
    }

    fn owed(&self, now: Millis, playing: bool) -> Owed {
        let caller = self.caller(now);
        let hears = playing && self.ledger.has_unplayed_turn(now);
        if self.line.is_none() || self.paused.is_some() || caller == Caller::Speaking || hears {
            return Owed::Nothing;
        }
        if self.tools.running() > 0 {
            return Owed::ByTool;
        }
        let waiting = caller == Caller::Unheard
            || self.caller_ended.is_some()
            || self.resume_owed.is_some()
            || !self.greeted;
        if waiting || self.voice.is_busy() || !self.link.is_ready() { Owed::ByModel } else { Owed::Nothing }
    }

    fn watch(&mut self, now: Millis) {
        let playing = !self.ledger.is_drained(now, PLAYOUT_GRACE);
        if self.silence.playing && !playing {
            // Silence begins when the last sound was heard, which may be a while ago.
            self.silence.since = self.silence.since.max(self.ledger.ends_at().unwrap_or(now).min(now));
        }
        self.silence.playing = playing;
        self.timers.put(Timer::Playout, self.ledger.drain_deadline(PLAYOUT_GRACE).filter(|at| *at > now));
        let owed = self.owed(now, playing);
        match owed {
            Owed::ByModel => self.silence.owed_by_model(now),
            Owed::Nothing | Owed::ByTool => self.silence.nothing_owed(),
        }
        let limits = &self.config.limits;
        let caller = self.caller(now);
        let speaking = caller == Caller::Speaking;
        if speaking || caller == Caller::Unheard {
            self.silence.since = self.silence.since.max(self.loud_at);
        }
        let comfort = (owed != Owed::Nothing && !playing)
            .then(|| self.silence.since.plus(limits.comfort.min(MAX_COMFORT)));
        let session = self.silence.owed_since.map(|since| since.plus(limits.model_patience));
        let session = session.filter(|_| self.link.is_opening_or_open());
        let patience = session.into_iter().chain(self.silence.answer_due()).min();
        let quiet = owed == Owed::Nothing
            && !playing
            && self.paused.is_none()
            && self.line.is_some()
            && self.leaving.is_none();
        let since = match self.speaking_since.filter(|_| speaking) {
            Some(since) => since.plus(MAX_CALLER_TURN),
            None => self.silence.since,
        };
        let idle = quiet.then(|| since.plus(limits.idle));
        self.timers.put(Timer::Comfort, comfort);
        self.timers.put(Timer::Patience, patience.filter(|_| self.leaving.is_none()));
        self.timers.put(Timer::Idle, idle);
        // Set once: it looks for itself whether the caller was heard since.
        self.timers.put(Timer::CallerQuiet, speaking.then(|| self.loud_at.plus(self.turn_ends_after())));
        self.timers.put(Timer::Tools, self.tools.next_deadline());
        if quiet && !speaking && self.link.rotation_due() && self.tools.running() == 0 {
            self.rotate(now);
        }
    }

    /// The model owes something and does not give it: another session, or the next rung.
    pub(super) fn model_silent(&mut self, now: Millis) {
        let too_late = self.silence.answer_due().is_some_and(|due| due <= now);
        self.model_lost(now, if too_late { Trouble::Fatal } else { Trouble::Replace });
    }

    /// A tone: the line is alive.
    pub(super) fn comfort(&mut self, now: Millis) {
        self.voice.nudge();
        self.play(now, Source::Tone, &tone::comfort());
        self.silence.since = now;
    }

    /// Nobody has said anything for a while.
    pub(super) fn idle(&mut self, now: Millis) {
        self.silence.since = now;
        if self.silence.prompts >= self.config.limits.idle_prompts {
            self.leave(now, EndReason::Silence, true);
        } else {
            self.silence.prompts += 1;
            self.voice.ask(Ask::StillThere);
            self.voice.nudge();
        }
    }
}
