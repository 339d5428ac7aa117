//! The model's side: who speaks, what is said, and what the caller gets to hear of it.

use voicecore_types::Millis;
use voicecore_wire::openai::TokenUsage;
use voicecore_wire::payload::Payload;

use super::Call;
use crate::ledger::Source;
use crate::timers::Timer;
use crate::upstream::{AnswerEnd, Ask, Trouble, VoiceEvent};
use crate::{JournalEntry, LiveEvent};

impl Call {
    pub(super) fn on_voice(&mut self, now: Millis, event: VoiceEvent<'_>) {
        match event {
            VoiceEvent::Nothing | VoiceEvent::Malformed => {}
            VoiceEvent::Ready => self.on_model_ready(now),
            VoiceEvent::CallerBegan { item } => self.caller_began(now, &item),
            VoiceEvent::CallerEnded { item } => self.caller_ended(now, &item),
            VoiceEvent::CallerText { .. }
            | VoiceEvent::CallerSaid { .. }
            | VoiceEvent::CallerUnclear { .. } => {
                self.caller_words(now, event);
            }
            VoiceEvent::AnswerBegan { ask } => self.answering = ask,
            VoiceEvent::Audio { answer, item, payload, live } => {
                self.on_audio(now, (&answer, &item), &payload, live);
            }
            VoiceEvent::Text { answer, item, delta } => {
                if let Some(index) = self.turns.assistant(self.at(now), &answer, &item) {
                    self.turns.add_text(index, &delta);
                }
            }
            VoiceEvent::TextDone { answer, item, text } => {
                if let Some(index) = self.turns.assistant(self.at(now), &answer, &item) {
                    self.turns.set_text(index, &text);
                }
            }
            VoiceEvent::AudioDone { answer, item } => {
                if let Some(index) = self.turns.assistant(self.at(now), &answer, &item) {
                    self.close_segment(now, index);
                }
            }
            VoiceEvent::ToolWanted { answer, call } => self.on_tool_wanted(now, &answer, call),
            VoiceEvent::AnswerEnded(end) => self.on_answer_ended(now, &end),
            VoiceEvent::Trouble(trouble) => self.on_trouble(now, trouble),
        }
    }

    fn caller_began(&mut self, now: Millis, item: &str) {
        let at = self.at(now);
        self.turns.caller_began(at, item);
        self.speaking_since = Some(now);
        self.loud_at = now;
        self.caller_ended = None;
        self.intake_needed = true;
        self.silence.caller_was_there(now);
        self.watch_for_stall(now);
        // Nothing interrupts the goodbye (pitfall 16).
        let interrupts =
            self.leaving.is_none() && (self.ledger.has_turns() || !self.turns.unheard().is_empty());
        if self.leaving.is_none() {
            // First of all the carrier is told: until then the caller is talked over.
            self.cut_playback(now, false);
        }
        self.hub(LiveEvent::CallerSpeaking);
        if interrupts {
            self.hub(LiveEvent::Interrupted);
        }
    }

    fn caller_ended(&mut self, now: Millis, item: &str) {
        let at = self.at(now);
        self.turns.caller_stopped(at, item);
        self.speaking_since = None;
        self.caller_ended = Some(now);
        self.timers.clear(Timer::CallerStall);
        self.silence.caller_was_there(now);
    }

    /// The caller's words, whenever they come.
    pub(super) fn caller_words(&mut self, now: Millis, event: VoiceEvent<'_>) {
        let at = self.at(now);
        match event {
            VoiceEvent::CallerText { item, delta } => self.turns.caller_text(now, at, &item, &delta),
            VoiceEvent::CallerSaid { item, text } => self.turns.caller_said(at, &item, &text),
            VoiceEvent::CallerUnclear { item } => self.turns.caller_unclear(&item),
            _ => {}
        }
    }

    fn on_audio(&mut self, now: Millis, (answer, item): (&str, &str), payload: &Payload<'_>, live: bool) {
        let at = self.at(now);
        let Some(index) = self.turns.assistant(at, answer, item) else { return };
        let first = self.turns.add_audio(index, payload);
        // What was interrupted or silenced, or has no line to go to, counts for the estimate of what was heard, and no further.
        if !live || self.line.is_none() || self.paused.is_some() {
            return;
        }
        if first {
            let latency = self.caller_ended.take().map(|ended| now.since(ended).0);
            self.turns.set_start(index, at, latency);
            if self.answering == Some(Ask::Greeting) {
                self.greeting = Some(index);
                self.greeted = true;
            }
        }
        self.silence.model_spoke();
        self.play(now, Source::Turn(index), payload);
        if let (Some(leaving), Some(until)) = (&mut self.leaving, self.ledger.ends_at()) {
            leaving.speaks_until(until, matches!(self.answering, Some(Ask::Farewell(_))));
        }
    }

    fn on_answer_ended(&mut self, now: Millis, end: &AnswerEnd) {
        self.answering = None;
        self.add_usage(&end.usage);
        for index in self.turns.answer_ended(&end.answer, end.completed) {
            self.close_segment(now, index);
        }
        self.tools.answer_ended(&end.answer);
        if end.completed {
            self.link.healthy();
            // An answer that was made counts, whatever it sounds like: asking for ever would be worse.
            self.greeted |= end.ask == Some(Ask::Greeting);
        }
        // An answer without a sound answers, too: a tool was called, or there is nothing to say.
        if end.completed && end.trouble.is_none() {
            self.caller_ended = None;
        }
        if let Some(trouble) = end.trouble {
            self.on_trouble(now, trouble);
        }
    }

    fn on_trouble(&mut self, now: Millis, trouble: Trouble) {
        match trouble {
            Trouble::AskAgain { after_ms } => self.timers.set(Timer::AskAgain, now.plus(Millis(after_ms))),
            Trouble::Replace | Trouble::Fatal => self.model_lost(now, trouble),
        }
    }

    /// The running total; cached tokens are a part of the input, and here stand beside it (pitfall 37).
    pub(super) fn add_usage(&mut self, tokens: &TokenUsage) {
        if *tokens == TokenUsage::default() {
            return;
        }
        let usage = &mut self.usage;
        for (total, more) in [
            (&mut usage.text_in, tokens.text_in.saturating_sub(tokens.text_cached)),
            (&mut usage.text_cached, tokens.text_cached),
            (&mut usage.text_out, tokens.text_out),
            (&mut usage.audio_in, tokens.audio_in.saturating_sub(tokens.audio_cached)),
            (&mut usage.audio_cached, tokens.audio_cached),
            (&mut usage.audio_out, tokens.audio_out),
        ] {
            *total = total.saturating_add(more);
        }
        self.journal(JournalEntry::Usage(self.usage));
    }

    /// Turns of the assistant that were heard to their end.
    pub(super) fn retire_heard(&mut self, now: Millis) {
        let at = self.at(now);
        while let Some(heard) = self.ledger.pop_heard(now) {
            if let Source::Turn(index) = heard.source {
                self.turns.whole(at, index);
                if self.greeting == Some(index) {
                    self.greeting = None;
                }
            }
        }
    }
}
