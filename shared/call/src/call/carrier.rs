//! The carrier's side: streams that come and go, the caller's audio, marks and keys.

use std::ops::Range;

use voicecore_types::Millis;
use voicecore_wire::payload::{BYTES_PER_MS, Payload};
use voicecore_wire::twilio::media::{CarrierEvent, CarrierFrame, MarkName, StreamWriter};

use super::{Call, Line};
use crate::ledger::{Playback, Source};
use crate::loudness::is_loud;
use crate::timers::Timer;
use crate::tone;
use crate::upstream::{Ask, ItemCut, Teller};
use crate::{EndReason, InteractionKind, JournalEntry, LiveEvent, Output, Speaker};

/// A stream that was announced, or that broke, comes within a second or two, or not at all.
pub(super) const STREAM_PATIENCE: Millis = Millis::from_secs(20);
/// Most silence put in for one gap in the caller's audio.
const MAX_PADDING_MS: u64 = 10_000;
/// A smaller gap is the carrier's rounding, not a lost frame (one is 20 ms).
const MIN_GAP_MS: u64 = 20;
/// The caller was speaking and nothing came for this long: the end of the turn would never be heard (pitfall 15).
const STALL: Millis = Millis(750);
/// A timer that comes later than this says that the whole process stood still.
const LATE: Millis = Millis(100);
/// Silence put in then, once.
pub(super) const STALL_PADDING_MS: u64 = 1_000;
/// Longest audio in one frame of the carrier's, in bytes; it sends 160.
const MAX_MEDIA_BYTES: u64 = 16_000;
/// After the last key, before the model is told.
const KEYS_PAUSE: Millis = Millis(1_500);
/// Most keys collected.
const MAX_KEYS: usize = 32;
/// The key that reaches a human being.
const HUMAN_KEY: char = '0';

impl Call {
    pub(super) fn let_in(&mut self, now: Millis, attempt: u32, writer: StreamWriter) {
        // What was being said to another stream, or to none, was not heard. The old stream is told nothing any more.
        self.line = None;
        if self.attempts > 0 {
            self.cut_playback(now, true);
        }
        self.speaking_since = None;
        self.timers.clear(Timer::CallerStall);
        self.attempts = attempt;
        self.ledger.reset();
        self.line = Some(Line { writer, expected: None, padded_ahead: 0, last_media: now });
        self.timers.clear(Timer::Detached);
        self.silence.broken(self.unheard_since.take().map_or(now, |since| since.min(now)));
        if attempt > 1 && self.paused.is_none() {
            // Whoever comes back has heard nothing through the break: a tone is owed already.
            self.play(now, Source::Tone, &tone::comfort());
        }
        if self.started_at.is_none() {
            self.started_at = Some(now);
        }
        let started_at = self.started_at.unwrap_or(now);
        self.timers.set(Timer::CallLength, started_at.plus(self.config.limits.call_length));
        self.journal(JournalEntry::Attempt { attempt, at: now });
        self.hub(LiveEvent::Connected { attempt });
        if self.greeted {
            self.resume_owed = Some(Ask::Resume);
        }
        self.rerun_tools(now);
        if !self.link.is_alive() {
            self.open_model(now);
        } else if self.link.is_ready() {
            self.voice.ask(if self.greeted { Ask::Resume } else { Ask::Greeting });
            self.resume_owed = None;
        }
    }

    /// Gives `true` when it was the caller's audio and nothing else has changed.
    pub(super) fn on_carrier_text(&mut self, now: Millis, text: &str) -> bool {
        let Some(line) = &self.line else { return false };
        let Ok(frame) = CarrierFrame::parse(text) else {
            self.counters.malformed += 1;
            return false;
        };
        if frame.stream_sid != line.writer.stream_sid() && frame.event != CarrierEvent::Connected {
            self.counters.malformed += 1;
            return false;
        }
        match frame.event {
            CarrierEvent::Media { timestamp, payload } => {
                self.on_media(now, timestamp, &payload, text);
                return true;
            }
            CarrierEvent::Mark(name) => self.on_mark(now, &name),
            CarrierEvent::Dtmf(key) => self.on_key(now, key),
            CarrierEvent::Stop => self.caller_gone(now),
            CarrierEvent::Connected | CarrierEvent::Start(_) | CarrierEvent::Unknown => {}
        }
        false
    }

    fn on_media(&mut self, now: Millis, timestamp: Option<u64>, payload: &Payload<'_>, frame: &str) {
        let bytes = payload.byte_len();
        if bytes > MAX_MEDIA_BYTES {
            self.counters.malformed += 1;
            return;
        }
        let Some(line) = &mut self.line else { return };
        line.last_media = now;
        if let Some(timestamp) = timestamp {
            let missing = line.expected.map_or(0, |expected| timestamp.saturating_sub(expected));
            line.expected = Some(timestamp.saturating_add(bytes / BYTES_PER_MS));
            if missing >= MIN_GAP_MS {
                let padding = missing.saturating_sub(line.padded_ahead).min(MAX_PADDING_MS);
                line.padded_ahead = 0;
                self.pad(padding);
            }
        }
        if self.speaking_since.is_some() && is_loud(payload) {
            self.loud_at = now;
        }
        self.hear(payload, frame);
    }

    /// The caller's audio goes to the model, and is kept as long as another model may need it. `frame` is what it came in, if in any.
    fn hear(&mut self, payload: &Payload<'_>, frame: &str) {
        let ready = self.link.is_ready();
        if ready {
            self.outputs.push_back(match part_of(frame, payload.as_str()) {
                Some(part) if frame.is_ascii() => Output::CallerAudio(part),
                _ => Output::ToModel(self.voice.hear(payload)),
            });
        }
        self.intake.keep(payload, ready);
        if ready && !self.intake_needed {
            self.intake.settle();
        }
    }

    pub(super) fn pad(&mut self, milliseconds: u64) {
        if milliseconds > 0 {
            self.counters.padded_ms += milliseconds;
            self.hear(&Payload::silence(milliseconds), "");
        }
    }

    pub(super) fn caller_stalled(&mut self, now: Millis) {
        let Some(line) = &mut self.line else { return };
        if self.speaking_since.is_none() || line.padded_ahead > 0 {
            return;
        }
        let due = line.last_media.plus(STALL);
        if now < due {
            // Frames came since the timer was set; it is not moved with each of them.
            self.timers.set(Timer::CallerStall, due);
            return;
        }
        if now.since(due) > LATE {
            // We are late ourselves, so frames may be waiting to be read: silence must not get in between them.
            line.last_media = Millis(now.plus(LATE).0.saturating_sub(STALL.0));
            self.timers.set(Timer::CallerStall, now.plus(LATE));
            return;
        }
        line.padded_ahead = STALL_PADDING_MS;
        self.pad(STALL_PADDING_MS);
    }

    pub(super) fn watch_for_stall(&mut self, now: Millis) {
        if let Some(line) = &mut self.line {
            line.padded_ahead = 0;
            self.timers.set(Timer::CallerStall, now.plus(STALL));
        }
    }

    fn on_mark(&mut self, now: Millis, name: &str) {
        if !MarkName::parse(name).is_some_and(|name| self.ledger.echoed(now, name)) {
            return;
        }
        if let Some(Playback { source: Source::Turn(index), heard_ms, whole: false }) =
            self.ledger.audible(now)
        {
            self.turns.preview(now, self.at(now), index, heard_ms);
        }
    }

    fn on_key(&mut self, now: Millis, key: char) {
        if self.leaving.is_some() || self.ended.is_some() {
            return;
        }
        let at = self.at(now);
        self.turns.add(at, Speaker::Caller, InteractionKind::Dtmf, key.encode_utf8(&mut [0; 4]));
        self.silence.caller_was_there(now);
        if key == HUMAN_KEY && self.config.transfer_available {
            self.cut_playback(now, true);
            self.leave(now, EndReason::Transferred, true);
        } else if self.keys.len() < MAX_KEYS {
            self.keys.push(key);
            self.timers.set(Timer::Keys, now.plus(KEYS_PAUSE));
        }
    }

    pub(super) fn tell_keys(&mut self) {
        let keys = std::mem::take(&mut self.keys);
        if keys.is_empty() {
            return;
        }
        if self.link.is_ready() {
            self.voice.tell(Teller::System, &format!("The caller pressed these keys: {keys}"));
            self.voice.ask(Ask::Answer);
        } else {
            // The next session is told with the rest of what happened, and asked then.
            self.resume_owed.get_or_insert(Ask::Answer);
        }
    }

    /// Sends audio to the caller, with the marks that tell when it is heard. An assistant that was silenced sends none.
    pub(super) fn play(&mut self, now: Millis, source: Source, payload: &Payload<'_>) {
        if self.paused.is_some() {
            return;
        }
        let Some(line) = &self.line else { return };
        let bytes = payload.byte_len();
        if bytes == 0 {
            return;
        }
        let marks = self.ledger.send(now, source, bytes);
        if let Some(before) = marks.before {
            self.outputs.push_back(Output::ToCarrier(line.writer.mark(before)));
        }
        self.outputs.push_back(Output::ToCarrier(line.writer.media(payload)));
        if let Some(after) = marks.after {
            self.outputs.push_back(Output::ToCarrier(line.writer.mark(after)));
        }
    }

    /// No more audio of a turn will come: its end is marked.
    pub(super) fn close_segment(&mut self, now: Millis, index: usize) {
        if let Some(mark) = self.ledger.close(now, Source::Turn(index))
            && let Some(line) = &self.line
        {
            self.outputs.push_back(Output::ToCarrier(line.writer.mark(mark)));
        }
    }

    /// No more audio of any turn will come: the session is gone.
    pub(super) fn close_open_segments(&mut self, now: Millis) {
        for index in self.ledger.open_turns() {
            self.close_segment(now, index);
        }
    }

    /// Stops what is being played, here and in the model's memory. With `stop` the model is told to stop talking;
    /// when the caller spoke, it does so by itself.
    pub(super) fn cut_playback(&mut self, now: Millis, stop: bool) {
        self.retire_heard(now);
        let at = self.at(now);
        if self.ledger.has_unplayed(now)
            && let Some(line) = &self.line
        {
            self.outputs.push_back(Output::ToCarrier(line.writer.clear()));
        }
        let mut cuts = Vec::new();
        for heard in self.ledger.clear(now) {
            let Source::Turn(index) = heard.source else { continue };
            if let Some(item) = self.turns.item(index) {
                cuts.push((item.to_owned(), heard.heard_ms));
            }
            self.turns.cut(at, index, heard.heard_ms);
            self.greeting_cut(index, heard.heard_ms);
        }
        // Words without audio were begun, too, and nobody heard of them.
        for (index, item) in self.turns.unheard() {
            if !cuts.iter().any(|(cut, _)| *cut == item) {
                self.turns.cut(at, index, 0);
                self.greeting_cut(index, 0);
                cuts.push((item, 0));
            }
        }
        let cuts: Vec<_> =
            cuts.iter().map(|(item, heard_ms)| ItemCut { item, heard_ms: *heard_ms }).collect();
        if self.link.is_ready() {
            self.voice.interrupt(&cuts, stop);
            if self.answering == Some(Ask::Greeting) && !self.greeted && self.leaving.is_none() {
                self.voice.ask(Ask::Greeting);
            }
        }
        self.answering = None;
    }

    /// A greeting of which nothing was heard is still owed: it says who is speaking.
    fn greeting_cut(&mut self, index: usize, heard_ms: u64) {
        if self.greeting == Some(index) {
            self.greeting = None;
            if heard_ms == 0 && self.leaving.is_none() {
                self.greeted = false;
                if self.link.is_ready() {
                    self.voice.ask(Ask::Greeting);
                }
            }
        }
    }

    /// The stream broke: the carrier will ask what comes next.
    pub(super) fn detach(&mut self, now: Millis) {
        if self.line.is_none() || self.ended.is_some() {
            return;
        }
        self.line = None;
        self.cut_playback(now, true);
        if let Some(leaving) = &self.leaving {
            let reason = leaving.reason();
            return self.end(now, reason);
        }
        self.voice.withdraw();
        if self.speaking_since.take().is_some() {
            // The model would wait for the end of the word for ever.
            self.pad(STALL_PADDING_MS);
        }
        self.timers.clear(Timer::CallerStall);
        self.timers.set(Timer::Detached, now.plus(STREAM_PATIENCE));
    }

    /// The telephone call itself is over.
    pub(super) fn caller_gone(&mut self, now: Millis) {
        if self.ended.is_some() {
            return;
        }
        let reason =
            self.leaving.as_ref().map_or(EndReason::CallerHungUp, super::leave::Leaving::reason_at_hangup);
        self.end(now, reason);
    }
}

/// Where `part`, which was borrowed from `whole`, lies in it; `None` when it lies elsewhere.
fn part_of(whole: &str, part: &str) -> Option<Range<usize>> {
    let start = (part.as_ptr() as usize).checked_sub(whole.as_ptr() as usize)?;
    let end = start.checked_add(part.len())?;
    (end <= whole.len()).then_some(start..end)
}
