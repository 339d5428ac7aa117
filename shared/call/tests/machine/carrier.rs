//! A carrier: a line with a delay, a buffer that is played at 8 bytes a millisecond, marks that are echoed when they
//! are reached.

use std::collections::{BTreeMap, VecDeque};

use base64::Engine as _;
use serde_json::{Value, json};

/// How long things take, in milliseconds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Delay {
    /// From the machine to the carrier.
    pub(crate) out: u64,
    /// From the carrier to the machine.
    pub(crate) back: u64,
    /// Extra, for each frame in turn: 0 to this, in either direction. Order is kept.
    pub(crate) jitter: Vec<u64>,
    /// Playback begins this much after audio came into an empty buffer.
    pub(crate) playout: u64,
}

#[derive(Debug)]
enum Piece {
    Audio { tag: u8, bytes: u64 },
    Mark(String),
}

/// The far end of the carrier's socket.
#[derive(Debug)]
pub(crate) struct Carrier {
    sid: String,
    delay: Delay,
    jitter_at: usize,
    /// On the way to the carrier.
    out: VecDeque<(u64, Value)>,
    /// On the way to the machine.
    back: VecDeque<(u64, String)>,
    buffer: VecDeque<Piece>,
    /// Played up to this moment.
    clock: u64,
    /// Nothing is played before.
    starts_at: u64,
    /// Bytes heard of the audio with each tag.
    pub(crate) heard: BTreeMap<u8, u64>,
    /// Times at which a `clear` arrived, with what had been heard by then.
    pub(crate) clears: Vec<(u64, BTreeMap<u8, u64>)>,
    /// Marks are never echoed.
    pub(crate) deaf: bool,
}

impl Carrier {
    pub(crate) fn new(delay: Delay) -> Self {
        Self {
            sid: String::new(),
            delay,
            jitter_at: 0,
            out: VecDeque::new(),
            back: VecDeque::new(),
            buffer: VecDeque::new(),
            clock: 0,
            starts_at: 0,
            heard: BTreeMap::new(),
            clears: Vec::new(),
            deaf: false,
        }
    }

    pub(crate) fn begin(&mut self, sid: &str) {
        sid.clone_into(&mut self.sid);
        self.buffer.clear();
        self.out.clear();
        self.back.clear();
    }

    pub(crate) fn sid(&self) -> &str {
        &self.sid
    }

    fn jitter(&mut self) -> u64 {
        self.jitter_at += 1;
        let jitter = &self.delay.jitter;
        if jitter.is_empty() { 0 } else { jitter[self.jitter_at % jitter.len()] }
    }

    /// The machine sends a frame.
    pub(crate) fn receive(&mut self, now: u64, frame: &Value) {
        assert_eq!(frame["streamSid"], self.sid.as_str(), "frames name their stream");
        let at = now + self.delay.out + self.jitter();
        let at = self.out.back().map_or(at, |(last, _)| at.max(*last));
        self.out.push_back((at, frame.clone()));
        if at <= now {
            self.arrive(now);
        }
    }

    /// When something will happen by itself.
    pub(crate) fn next_event(&self, now: u64) -> Option<u64> {
        let arrival = self.out.front().map(|(at, _)| *at);
        let echo = self.back.front().map(|(at, _)| *at);
        [arrival, echo, self.next_mark()].into_iter().flatten().min().map(|at| at.max(now))
    }

    fn next_mark(&self) -> Option<u64> {
        let before: u64 = self
            .buffer
            .iter()
            .take_while(|piece| matches!(piece, Piece::Audio { .. }))
            .map(|piece| if let Piece::Audio { bytes, .. } = piece { *bytes } else { 0 })
            .sum();
        let marked = self.buffer.iter().any(|piece| matches!(piece, Piece::Mark(_)));
        marked.then(|| self.clock.max(self.starts_at) + before.div_ceil(8))
    }

    /// Plays up to `now`; gives what reaches the machine.
    pub(crate) fn advance(&mut self, now: u64) -> Vec<String> {
        self.arrive(now);
        self.play(now);
        let mut frames = Vec::new();
        while self.back.front().is_some_and(|(at, _)| *at <= now)
            && let Some((_, frame)) = self.back.pop_front()
        {
            frames.push(frame);
        }
        frames
    }

    fn arrive(&mut self, now: u64) {
        while self.out.front().is_some_and(|(at, _)| *at <= now)
            && let Some((at, frame)) = self.out.pop_front()
        {
            self.play(at);
            match frame["event"].as_str() {
                Some("media") => self.buffer_audio(at, &frame),
                Some("mark") => {
                    self.buffer
                        .push_back(Piece::Mark(frame["mark"]["name"].as_str().expect("name").to_owned()));
                    self.play(at);
                }
                Some("clear") => {
                    self.clears.push((at, self.heard.clone()));
                    for piece in std::mem::take(&mut self.buffer) {
                        if let Piece::Mark(name) = piece {
                            self.echo(at, &name);
                        }
                    }
                }
                other => panic!("the carrier does not know {other:?}"),
            }
        }
    }

    fn buffer_audio(&mut self, at: u64, frame: &Value) {
        let payload = frame["media"]["payload"].as_str().expect("payload");
        let bytes = base64::engine::general_purpose::STANDARD.decode(payload).expect("base64");
        if self.buffer.is_empty() {
            self.starts_at = at + self.delay.playout;
        }
        // The second byte: tones begin with silence.
        let tag = bytes.get(1).copied().unwrap_or(0);
        self.buffer.push_back(Piece::Audio { tag, bytes: bytes.len() as u64 });
    }

    fn play(&mut self, now: u64) {
        let from = self.clock.max(self.starts_at);
        let mut budget = now.saturating_sub(from) * 8;
        self.clock = self.clock.max(now);
        while let Some(piece) = self.buffer.front_mut() {
            match piece {
                Piece::Mark(name) => {
                    let (name, at) = (name.clone(), now - budget / 8);
                    self.buffer.pop_front();
                    self.echo(at, &name);
                }
                Piece::Audio { tag, bytes } => {
                    let played = budget.min(*bytes);
                    *self.heard.entry(*tag).or_default() += played;
                    budget -= played;
                    *bytes -= played;
                    if *bytes > 0 {
                        return;
                    }
                    self.buffer.pop_front();
                }
            }
        }
    }

    fn echo(&mut self, at: u64, name: &str) {
        if self.deaf {
            return;
        }
        let at = at + self.delay.back + self.jitter();
        let at = self.back.back().map_or(at, |(last, _)| at.max(*last));
        let frame =
            json!({"event": "mark", "streamSid": self.sid, "sequenceNumber": "4", "mark": {"name": name}});
        self.back.push_back((at, frame.to_string()));
    }
}
