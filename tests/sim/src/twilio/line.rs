//! The telephone line of one call: the caller at one end, whatever Twilio plays at the other, on one 20 ms clock.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::playback::{MarkDue, Playback, SAMPLES_PER_MS, Samples, Source, TooManyMarks};
use super::received::{Change, Received};
use super::report::{Document, Event, Speaker, Stream, Turn, silences};
use crate::registry::{Registry, UtteranceId};
use crate::scenario::{Caller, CallerEvent, CallerTick, Ear, EndedBy, Platform};
use crate::speech::{ENERGY_FLOOR_DB, FRAME_BYTES, FRAME_MS, Frame, level_db};
use crate::violations::Violations;

/// Who complains.
const BY: &str = "twilio";
/// Time between two ticks.
const TICK: Duration = Duration::from_millis(FRAME_MS as u64);

/// How long a late tick says something of those that follow: a second.
const LATE_TICKS: u64 = 50;

/// What happened in one tick.
#[derive(Debug)]
pub(super) struct LineTick {
    /// What the caller said.
    pub(super) frame: Frame,
    /// Of which utterance, and how many of its frames have been said.
    pub(super) saying: Option<(UtteranceId, u32)>,
    /// A key pressed.
    pub(super) key: Option<char>,
    /// The caller hung up.
    pub(super) hung_up: Option<EndedBy>,
    /// Marks whose audio has been played.
    pub(super) marks: Vec<MarkDue>,
    /// The scenario cuts the media socket now.
    pub(super) cut: bool,
}

/// One thing the caller said.
#[derive(Debug)]
struct Said {
    utterance: UtteranceId,
    text: String,
    frames: u32,
    began: Samples,
    ended: Option<Samples>,
    complete: bool,
    on_wire: u32,
}

/// How late the clock is.
#[derive(Debug, Default)]
struct Late {
    /// The worst of the last [`LATE_TICKS`] ticks and more, and which tick it was.
    recent: Duration,
    tick: u64,
    at_clears: Duration,
}

impl Late {
    fn tick(&mut self, tick: u64, late: Duration) {
        if late >= self.recent || tick - self.tick > LATE_TICKS {
            (self.recent, self.tick) = (late, tick);
        }
    }

    fn clear(&mut self, since_tick: Duration) {
        self.at_clears = self.at_clears.max(self.recent).max(since_tick);
    }
}

/// The line of one call, from its answer to its end.
#[derive(Debug)]
pub(super) struct Line {
    call_sid: String,
    answered: Instant,
    ticks: u64,
    late: Late,
    playback: Playback,
    received: Received,
    caller: Caller,
    registry: Registry,
    violations: Violations,
    events: mpsc::Sender<Event>,
    platform: Platform,
    live: bool,
    said: Vec<Said>,
    keys: Vec<(u64, u64)>,
    recorded: Vec<(u64, u64)>,
    breaks: Vec<u64>,
    voices: Vec<Turn>,
    pub(super) killed: bool,
    pub(super) documents: Vec<Document>,
    pub(super) streams: Vec<Stream>,
}

impl Line {
    /// The call is answered now.
    pub(super) fn new(
        call_sid: &str,
        caller: Caller,
        platform: Platform,
        registry: Registry,
        violations: Violations,
        events: mpsc::Sender<Event>,
    ) -> Self {
        Self {
            call_sid: call_sid.to_owned(),
            answered: Instant::now(),
            ticks: 0,
            late: Late::default(),
            playback: Playback::default(),
            received: Received::new(registry.clone()),
            caller,
            registry,
            violations,
            events,
            platform,
            live: false,
            said: Vec::new(),
            keys: Vec::new(),
            recorded: Vec::new(),
            breaks: Vec::new(),
            voices: Vec::new(),
            killed: false,
            documents: Vec::new(),
            streams: Vec::new(),
        }
    }

    /// Now, in samples since the answer.
    pub(super) fn now(&self) -> Samples {
        (self.answered.elapsed().as_micros() / 125) as Samples
    }

    /// Now, in milliseconds since the answer.
    pub(super) fn now_ms(&self) -> u64 {
        self.now() / SAMPLES_PER_MS
    }

    /// When the next tick is due: always a multiple of 20 ms after the answer, however late the last one was.
    pub(super) fn next_tick(&self) -> Instant {
        self.answered + TICK * u32::try_from(self.ticks + 1).unwrap_or(u32::MAX)
    }

    /// Something of the simulator's own took `span`: for the call no time has passed.
    pub(super) fn stand_still(&mut self, span: Duration) {
        self.answered += span;
    }

    /// By how much the clock came late shortly before a `clear`, at worst.
    pub(super) fn late_ms(&self) -> u64 {
        self.late.at_clears.as_millis() as u64
    }

    /// When the next mark falls due.
    pub(super) fn next_mark(&self) -> Option<Instant> {
        self.playback.next_mark_at().map(|at| self.answered + Duration::from_micros(at * 125))
    }

    /// One tick: the caller hears 20 ms and says 20 ms.
    pub(super) fn tick(&mut self) -> LineTick {
        self.late.tick(self.ticks, self.next_tick().elapsed());
        self.ticks += 1;
        let now = self.ticks * FRAME_BYTES as Samples;
        let marks = self.playback.advance(now);
        self.follow();
        let start = usize::try_from(now).unwrap_or(usize::MAX) - FRAME_BYTES;
        let frame = self.playback.heard().get(start..start + FRAME_BYTES).unwrap_or_default();
        let loud = level_db(frame) > ENERGY_FLOOR_DB;
        let voice = loud && self.playback.sounding().is_some_and(Source::is_voice);
        let CallerTick { frame, saying, key, hung_up, event } =
            self.caller.tick(Ear { now, voice, live: self.live });
        if let Some(event) = event {
            self.note_caller(now, event);
        }
        if let Some(key) = key {
            let at_ms = now / SAMPLES_PER_MS;
            self.keys.push((at_ms, at_ms + u64::from(FRAME_MS)));
            self.emit(Event::Key { at_ms, key });
        }
        let cut = self.faults(now);
        LineTick { frame, saying, key, hung_up, marks, cut }
    }

    /// Marks that have fallen due between two ticks.
    pub(super) fn marks_due(&mut self) -> Vec<MarkDue> {
        let now = self.now();
        self.playback.advance(now)
    }

    /// What goes wrong with the network.
    pub(super) fn platform(&self) -> &Platform {
        &self.platform
    }

    /// Something can speak to the caller, or nothing can.
    pub(super) fn set_live(&mut self, live: bool) {
        self.live = live;
    }

    /// The stream is over but the call is not: the caller is owed a sound from now on.
    pub(super) fn note_break(&mut self) {
        self.breaks.push(self.now_ms());
    }

    /// What the caller has said since then was recorded: nobody owes an answer to it.
    pub(super) fn note_recording(&mut self, since_ms: u64) {
        self.recorded.push((since_ms, self.now_ms()));
    }

    /// Completed utterances of the caller so far.
    pub(super) fn said_so_far(&self) -> usize {
        self.said.iter().filter(|said| said.complete).count()
    }

    /// What the caller has said completely, after the first `before` completed utterances, with the end of it; `None` while
    /// they speak.
    pub(super) fn said_since(&self, before: usize) -> Option<(String, Samples)> {
        if self.said.last().is_none_or(|said| said.ended.is_none()) {
            return None;
        }
        let said: Vec<_> = self.said.iter().filter(|said| said.complete).skip(before).collect();
        let ended = said.last()?.ended?;
        Some((said.iter().map(|said| said.text.as_str()).collect::<Vec<_>>().join(" "), ended))
    }

    /// The caller speaks, or has spoken since the first `before` completed utterances.
    pub(super) fn is_saying(&self, before: usize) -> bool {
        self.said.last().is_some_and(|said| said.ended.is_none()) || self.said_so_far() > before
    }

    /// What the caller has said since was recognised and told to the product, whole.
    pub(super) fn recognised(&mut self, before: usize) {
        for said in self.said.iter_mut().filter(|said| said.complete).skip(before) {
            said.on_wire = said.frames;
        }
    }

    /// The frame of an utterance was put on a media stream.
    pub(super) fn on_wire(&mut self, utterance: UtteranceId, frame: u32) {
        self.registry.sent(utterance, frame + 1);
        if let Some(said) = self.said.iter_mut().rev().find(|said| said.utterance == utterance) {
            said.on_wire += 1;
        }
    }

    /// Plays a sound of Twilio's own or of a dialled party.
    pub(super) fn play(&mut self, source: Source, audio: Vec<u8>) {
        let now = self.now();
        self.playback.push(now, source, audio);
    }

    /// Everything that was buffered has been heard.
    pub(super) fn is_quiet(&self) -> bool {
        self.playback.buffered() == 0
    }

    /// Stops every sound.
    pub(super) fn stop_sound(&mut self) -> Vec<MarkDue> {
        self.late.clear(self.next_tick().elapsed());
        let now = self.now();
        let marks = self.playback.clear(now);
        self.follow();
        marks
    }

    /// A media stream begins.
    pub(super) fn begin_stream(&mut self) {
        self.received.begin_stream();
        self.set_live(true);
    }

    /// The media stream is over: what it left in the buffer is not heard.
    pub(super) fn end_stream(&mut self) {
        let now = self.now();
        self.playback.clear(now);
        for change in self.received.end_stream(&self.playback) {
            self.note_assistant(&change);
        }
    }

    /// Audio from the media stream; returns the marks that fell due meanwhile and how much is buffered now.
    pub(super) fn stream_audio(&mut self, audio: Vec<u8>) -> (Vec<MarkDue>, u64) {
        let source = self.received.push(&self.playback, &audio);
        let now = self.now();
        let marks = self.playback.push(now, source, audio);
        (marks, self.playback.buffered() / SAMPLES_PER_MS)
    }

    /// A mark from the media stream; returns the marks that fell due.
    pub(super) fn stream_mark(&mut self, name: String) -> Result<Vec<MarkDue>, TooManyMarks> {
        let now = self.now();
        self.playback.mark(now, name)
    }

    /// A voice that is not the assistant's begins to be heard.
    pub(super) fn voice_began(&mut self, speaker: Speaker, text: &str, total: Samples) {
        let start_ms = self.now_ms();
        let latency_ms = self.voice_latency(speaker, self.now());
        self.emit(Event::Speaks { at_ms: start_ms, speaker, latency_ms });
        self.voices.push(Turn {
            speaker,
            text: text.to_owned(),
            whole_text: text.to_owned(),
            start_ms,
            end_ms: start_ms,
            heard_ms: 0,
            total_ms: total / SAMPLES_PER_MS,
            cut: true,
            item: None,
            latency_ms,
            delivered: true,
            damaged_frames: 0,
            repeated_frames: 0,
        });
    }

    /// The same as [`Line::latency`] of Twilio's own voice, which answers where no stream does.
    fn voice_latency(&self, speaker: Speaker, at: Samples) -> Option<u64> {
        let asked = self.said.iter().filter_map(|said| said.ended).rfind(|ended| *ended <= at)?;
        let answered = self.voices.iter().any(|turn| turn.start_ms >= asked / SAMPLES_PER_MS);
        (speaker == Speaker::Twilio && !answered).then(|| (at - asked) / SAMPLES_PER_MS)
    }

    /// That voice is not heard any more.
    pub(super) fn voice_ended(&mut self, complete: bool) {
        let at_ms = self.now_ms();
        let Some(turn) = self.voices.last_mut() else { return };
        turn.end_ms = at_ms;
        turn.heard_ms = at_ms.saturating_sub(turn.start_ms).min(turn.total_ms);
        turn.cut = !complete;
        let event = Event::Spoke { at_ms, speaker: turn.speaker, text: turn.text.clone(), cut: None };
        self.emit(event);
    }

    /// The product did something that Twilio would refuse or complain of.
    pub(super) fn violation(&self, rule: &str, detail: impl Into<String>) {
        let detail = detail.into();
        self.emit(Event::Violation { at_ms: self.now_ms(), what: format!("{rule}: {detail}") });
        self.violations.record(BY, &self.call_sid, rule, detail);
    }

    /// Tells those who listen. Who listens too slowly misses events, never the report.
    pub(super) fn emit(&self, event: Event) {
        drop(self.events.try_send(event));
    }

    fn faults(&mut self, now: Samples) -> bool {
        let listener = self.caller.listener();
        let turn = self.platform.in_turn.unwrap_or(1);
        let speaking = listener.speaking_for(now).filter(|_| self.live && listener.turns() >= turn);
        let Some(speaking_ms) = speaking.map(|span| span / SAMPLES_PER_MS) else { return false };
        if self.platform.kill_app_after_speech_ms.is_some_and(|ms| speaking_ms >= ms) {
            self.platform.kill_app_after_speech_ms = None;
            self.killed = true;
            self.emit(Event::KillApp { at_ms: now / SAMPLES_PER_MS });
        }
        let cut = self.platform.cut_stream_after_speech_ms.is_some_and(|ms| speaking_ms >= ms);
        if cut {
            self.platform.cut_stream_after_speech_ms = None;
        }
        cut
    }

    fn follow(&mut self) {
        for change in self.received.follow(&self.playback) {
            self.note_assistant(&change);
        }
    }

    fn note_caller(&mut self, now: Samples, event: CallerEvent) {
        match event {
            CallerEvent::Began { utterance, interrupts } => {
                let text = utterance.text.clone();
                self.emit(Event::CallerSpeaks {
                    at_ms: now / SAMPLES_PER_MS,
                    text: text.clone(),
                    interrupts,
                });
                let frames = utterance.frames.len() as u32;
                let said = Said {
                    utterance: utterance.id,
                    text,
                    frames,
                    began: now,
                    ended: None,
                    complete: false,
                    on_wire: 0,
                };
                self.said.push(said);
            }
            CallerEvent::Ended { utterance, spoken, complete } => {
                let Some(said) = self.said.iter_mut().rev().find(|said| said.utterance == utterance) else {
                    return;
                };
                let ended = said.began + spoken;
                said.ended = Some(ended);
                said.complete = complete;
                self.emit(Event::CallerSpoke { at_ms: ended / SAMPLES_PER_MS, complete });
            }
        }
    }

    fn note_assistant(&mut self, change: &Change) {
        let speaker = Speaker::Assistant;
        match change {
            Change::Began(index) => {
                let Some(at) = self.received.turns().get(*index).and_then(|turn| turn.started_at) else {
                    return;
                };
                let latency_ms = self.latency(at);
                self.emit(Event::Speaks { at_ms: at / SAMPLES_PER_MS, speaker, latency_ms });
            }
            Change::Over(index) => {
                let Some(turn) = self.received.turns().get(*index) else { return };
                let whole = &turn.utterance.text;
                let text = heard_text(turn);
                let rest = whole.strip_prefix(text.as_str()).unwrap_or_default().trim();
                let cut = turn.cut.then(|| rest.to_owned());
                self.emit(Event::Spoke { at_ms: turn.ended_at / SAMPLES_PER_MS, speaker, text, cut });
            }
        }
    }

    /// Milliseconds since the caller's last word, if sound that begins at `at` is the first answer to it.
    fn latency(&self, at: Samples) -> Option<u64> {
        let asked = self.said.iter().filter_map(|said| said.ended).rfind(|ended| *ended <= at)?;
        let spoken_since = self
            .received
            .turns()
            .iter()
            .filter_map(|turn| turn.started_at)
            .any(|started| started >= asked && started < at);
        (!spoken_since).then(|| (at - asked) / SAMPLES_PER_MS)
    }

    /// What was said and heard, in the order of its beginning, with the call's longest silence and wait.
    pub(super) fn finish(&mut self) -> (Vec<Turn>, u64, u64) {
        let now = self.now();
        self.playback.advance(now);
        self.end_stream();
        let mut turns = std::mem::take(&mut self.voices);
        turns.extend(self.said.iter().map(|said| self.caller_turn(said, now)));
        turns.extend(self.received.turns().iter().filter_map(|turn| self.assistant_turn(turn)));
        turns.sort_by_key(|turn| turn.start_ms);
        let mut sounds = std::mem::take(&mut self.keys);
        sounds.extend(turns.iter().filter(|t| t.speaker == Speaker::Caller).map(|t| (t.start_ms, t.end_ms)));
        let (silence, wait) = silences(self.playback.heard(), &sounds, &self.recorded, &self.breaks);
        (turns, silence, wait)
    }

    fn caller_turn(&self, said: &Said, now: Samples) -> Turn {
        let ended = said.ended.unwrap_or(now);
        let spoken_ms = ended.saturating_sub(said.began) / SAMPLES_PER_MS;
        let words =
            self.registry.get(said.utterance).map(|utterance| utterance.words.clone()).unwrap_or_default();
        let spoken = |end: u32| said.complete || u64::from(end) <= spoken_ms;
        let text: Vec<_> =
            words.iter().filter(|word| spoken(word.end_ms)).map(|word| word.text.as_str()).collect();
        let delivery = self.registry.delivery(said.utterance);
        Turn {
            speaker: Speaker::Caller,
            text: text.join(" "),
            whole_text: said.text.clone(),
            start_ms: said.began / SAMPLES_PER_MS,
            end_ms: ended / SAMPLES_PER_MS,
            heard_ms: spoken_ms,
            total_ms: u64::from(said.frames) * u64::from(FRAME_MS),
            cut: !said.complete,
            item: None,
            latency_ms: None,
            delivered: said.on_wire >= said.frames,
            damaged_frames: delivery.map_or(0, |d| d.lost + d.reordered),
            repeated_frames: delivery.map_or(0, |d| d.duplicated),
        }
    }

    fn assistant_turn(&self, turn: &super::received::AssistantTurn) -> Option<Turn> {
        let started = turn.started_at?;
        Some(Turn {
            speaker: Speaker::Assistant,
            text: heard_text(turn),
            whole_text: turn.utterance.text.clone(),
            start_ms: started / SAMPLES_PER_MS,
            end_ms: turn.ended_at / SAMPLES_PER_MS,
            heard_ms: turn.heard / SAMPLES_PER_MS,
            total_ms: turn.total() / SAMPLES_PER_MS,
            cut: !turn.is_whole(),
            item: Some(turn.item.clone()),
            latency_ms: self.latency(started),
            delivered: true,
            damaged_frames: 0,
            repeated_frames: 0,
        })
    }

    /// Milliseconds heard of a message of the model's; `None` when none of it ever arrived.
    pub(super) fn heard_of(&self, item: &str) -> Option<u64> {
        self.received.turns().iter().find(|turn| turn.item == item).map(|turn| turn.heard / SAMPLES_PER_MS)
    }

    /// Every sample that was heard.
    pub(super) fn heard(&self) -> &[u8] {
        self.playback.heard()
    }
}

/// The words of an assistant's turn of which at least half was heard.
fn heard_text(turn: &super::received::AssistantTurn) -> String {
    let ms = turn.heard / SAMPLES_PER_MS;
    let words = turn.utterance.words.iter();
    let heard = words.filter(|word| u64::from(word.start_ms) + u64::from(word.end_ms) <= ms * 2);
    heard.map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
}
