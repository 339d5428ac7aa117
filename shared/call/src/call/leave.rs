//! The end: last words heard to their end, then the stream closed, then the books.

use voicecore_types::Millis;

use super::{Call, carrier};
use crate::ledger::Source;
use crate::timers::Timer;
use crate::upstream::{Ask, VoiceEvent};
use crate::{EndReason, JournalEntry, LiveEvent, Output, Speaker};

/// The last words are given up when they take longer than this to begin or to be made.
const LAST_WORDS: Millis = Millis::from_secs(10);
/// The longest that leaving may take in all, whatever is said.
const MAX_LEAVING: Millis = Millis::from_secs(60);
/// After their last audio should have been heard, the echo of its mark is waited for this long (pitfall 16).
const MARK_GRACE: Millis = Millis::from_secs(3);
/// After the stream is over, transcriptions, tools and the bill of an answer under way are waited for this long.
const DRAIN: Millis = Millis::from_secs(3);

/// The call leaves the stream as soon as its last words are heard.
#[derive(Debug)]
pub(super) struct Leaving {
    reason: EndReason,
    since: Millis,
    /// When the assistant's last audio will have been heard: more is waited for from then on.
    spoken_until: Millis,
    /// It was journaled by a process before this one.
    restored: bool,
    speechless: bool,
    /// A goodbye was asked for and nothing of it was played.
    farewell_owed: bool,
}

impl Leaving {
    /// What a process before this one was about to do, if the call was leaving. Its last words were heard if the
    /// assistant said anything that was not begun before.
    pub(super) fn from_journal(journal: &[JournalEntry]) -> Option<Self> {
        let (at, reason) = journal.iter().enumerate().rev().find_map(|(at, entry)| match entry {
            JournalEntry::Leaving { reason } => Some((at, *reason)),
            _ => None,
        })?;
        let spoken = |entry: &JournalEntry| match entry {
            JournalEntry::Interaction(said)
                if said.speaker == Speaker::Assistant && !said.text.is_empty() =>
            {
                said.seq
            }
            _ => 0,
        };
        let before = journal.iter().take(at).map(spoken).max().unwrap_or_default();
        let heard = journal.iter().skip(at).any(|entry| spoken(entry) > before);
        // Of a call that the assistant ended it is not known whether the goodbye came with the tool.
        let asked = matches!(reason, EndReason::OperatorEnded | EndReason::LengthLimit | EndReason::Silence);
        Some(Self {
            reason,
            since: Millis::ZERO,
            spoken_until: Millis::ZERO,
            restored: true,
            speechless: true,
            farewell_owed: asked && !heard,
        })
    }

    pub(super) fn reason(&self) -> EndReason {
        self.reason
    }

    /// The call ends for another reason than it was about to, and without a word.
    pub(super) fn becomes(&mut self, reason: EndReason) {
        self.reason = reason;
        self.farewell_owed = false;
    }

    /// Why the call ended when the caller hangs up on the last words: a transfer did not take place.
    pub(super) fn reason_at_hangup(&self) -> EndReason {
        match self.reason {
            EndReason::Transferred | EndReason::ModelUnavailable => EndReason::CallerHungUp,
            reason => reason,
        }
    }

    /// The assistant's audio will have been heard then; `farewell`: it is the goodbye.
    pub(super) fn speaks_until(&mut self, at: Millis, farewell: bool) {
        self.spoken_until = self.spoken_until.max(at);
        self.farewell_owed &= !farewell;
    }

    pub(super) fn nothing_more_to_say(&mut self) {
        self.speechless = true;
    }
}

impl Call {
    /// Leaves for `reason`, after last words if `speak`: what is being said is said to its end, and then those.
    pub(super) fn leave(&mut self, now: Millis, reason: EndReason, speak: bool) {
        if self.leaving.is_some() || self.ended.is_some() {
            return;
        }
        let speechless = !self.link.is_ready();
        let spoken_until = self.ledger.ends_at().unwrap_or(now).max(now);
        let farewell_owed = speak;
        self.leaving =
            Some(Leaving { reason, since: now, spoken_until, restored: false, speechless, farewell_owed });
        self.journal(JournalEntry::Leaving { reason });
        self.resume_owed = None;
        if self.line.is_none() {
            return self.end(now, reason);
        }
        if !speechless {
            self.voice.withdraw();
            self.voice.lock();
        }
        self.lift_pause();
        if speak && !speechless {
            let ask = if reason == EndReason::Transferred { Ask::Announce } else { Ask::Farewell(reason) };
            self.voice.ask(ask);
        }
    }

    /// A goodbye was asked for, and the caller has heard nothing of it: the carrier says it (`AfterStream::Goodbye`).
    pub(super) fn farewell_owed(&self) -> bool {
        self.leaving.as_ref().is_some_and(|leaving| leaving.farewell_owed)
    }

    /// Leaves for `reason`, falling into the assistant's word.
    pub(super) fn leave_now(&mut self, now: Millis, reason: EndReason) {
        if self.leaving.is_none() && self.ended.is_none() {
            self.cut_playback(now, true);
            self.leave(now, reason, true);
        }
    }

    /// Closes the stream once nothing more is to be heard.
    pub(super) fn leave_if_silent(&mut self, now: Millis) {
        let Some(leaving) = &self.leaving else { return };
        if leaving.restored || self.ended.is_some() {
            return;
        }
        let making = !leaving.speechless && self.voice.is_busy();
        if making {
            let at = leaving.spoken_until.plus(LAST_WORDS).min(leaving.since.plus(MAX_LEAVING));
            self.timers.set(Timer::Leave, at);
        } else if self.ledger.is_drained(now, MARK_GRACE) {
            self.close_carrier(now);
        } else if let Some(at) = self.ledger.drain_deadline(MARK_GRACE) {
            // All of it was sent: from here on only playing it takes time.
            self.timers.set(Timer::Leave, at);
        }
    }

    /// The last words are heard, or were waited for long enough.
    pub(super) fn close_carrier(&mut self, now: Millis) {
        let Some(reason) = self.leaving.as_ref().map(Leaving::reason) else { return };
        self.retire_heard(now);
        if self.line.is_some() {
            self.outputs.push_back(Output::CloseCarrier);
        }
        self.end(now, reason);
    }

    /// The stream is over. The books are closed when the last transcription has come, or has had its time.
    pub(super) fn end(&mut self, now: Millis, reason: EndReason) {
        if self.ended.is_some() {
            return;
        }
        let caller_spoke = self.speaking_since.is_some();
        if self.link.is_ready() && caller_spoke {
            // Words cut off by hanging up are words: silence lets the model hear their end, and it must not answer.
            self.voice.lock();
            self.publish();
            self.pad(carrier::STALL_PADDING_MS);
        }
        self.stop_answering();
        self.cut_for_the_record(now);
        self.ended = Some(reason);
        self.line = None;
        self.timers.clear_all();
        self.timers.set(Timer::Drain, now.plus(DRAIN));
    }

    /// Nobody hears an answer that is being made, but it is billed, and only its end says how much.
    fn stop_answering(&mut self) {
        self.voice.withdraw();
        if self.link.is_ready() {
            self.voice.interrupt(&[], true);
        }
    }

    /// Writes down what was heard of what was being said; nobody needs to be told.
    fn cut_for_the_record(&mut self, now: Millis) {
        self.retire_heard(now);
        let at = self.at(now);
        for heard in self.ledger.clear(now) {
            if let Source::Turn(index) = heard.source {
                self.turns.cut(at, index, heard.heard_ms);
            }
        }
        for (index, _) in self.turns.unheard() {
            self.turns.cut(at, index, 0);
        }
    }

    /// What still matters after the end: the caller's words, the bill.
    pub(super) fn on_last_words(&mut self, now: Millis, event: VoiceEvent<'_>) {
        // Whatever was refused or failed is not asked for again.
        self.voice.withdraw();
        match event {
            VoiceEvent::AnswerBegan { .. } => self.stop_answering(),
            VoiceEvent::CallerBegan { item } => self.turns.caller_began(self.at(now), &item),
            VoiceEvent::CallerEnded { item } => {
                self.turns.caller_stopped(self.at(now), &item);
                self.speaking_since = None;
            }
            VoiceEvent::CallerText { .. }
            | VoiceEvent::CallerSaid { .. }
            | VoiceEvent::CallerUnclear { .. } => {
                self.caller_words(now, event);
            }
            VoiceEvent::Audio { item, payload, .. } => {
                self.turns.add_late_audio(&item, &payload);
            }
            VoiceEvent::AnswerEnded(end) => {
                self.add_usage(&end.usage);
                self.turns.answer_ended(&end.answer, end.completed);
            }
            _ => {}
        }
    }

    /// Closes the books once nothing is awaited.
    pub(super) fn finish_if_quiet(&mut self, now: Millis) {
        if self.ended.is_none() {
            return;
        }
        let words = self.turns.awaits_caller(self.at(now)) || self.speaking_since.is_some();
        let awaited = self.link.is_ready() && (words || self.voice.is_answering());
        if !awaited && self.tools.running() == 0 {
            self.finish(now);
        }
    }

    pub(super) fn finish(&mut self, now: Millis) {
        if self.finished {
            return;
        }
        let reason = *self.ended.get_or_insert(EndReason::Abandoned);
        if self.line.take().is_some() {
            self.outputs.push_back(Output::CloseCarrier);
        }
        self.cut_for_the_record(now);
        self.turns.caller_turns_lost(false);
        self.publish();
        self.close_model();
        self.timers.clear_all();
        self.hub(LiveEvent::Ended { reason });
        let summary = self.summary(now, reason);
        self.outputs.push_back(Output::Finished(Box::new(summary)));
        self.finished = true;
    }
}
