//! The playback ledger: what of the audio that was sent has the caller heard?
//!
//! The carrier plays what it gets, in order, at 8 bytes a millisecond. That makes it a queue served at a constant
//! rate, and for such a queue the position is known without being told: audio that was sent at time `s` when `b` bytes
//! had been sent before it cannot be played before `s`, so at any later time `t` the position is at most
//! `b + 8·(t − s)`; the least of these bounds over everything sent since the last `clear` is the position itself.
//! Because our `clear` takes the same way as the audio did, this is the position at the moment the `clear` arrives,
//! whatever the delay of the line is. (The carrier's own media timestamps say nothing more: they come the same way as
//! the marks, and only every 20 ms.)
//!
//! Marks correct this for what the carrier does beyond the ideal (a jitter buffer, a stall). Each mark has a due time,
//! and its echo a delay behind it; the least delay of the whole stream is the line's, so the least of the last few
//! above that is how far the carrier lags behind the ideal. Taking least values filters jitter, which can only delay.

use std::collections::VecDeque;

use voicecore_types::Millis;
use voicecore_wire::payload::BYTES_PER_MS;
use voicecore_wire::twilio::media::MarkName;

/// Audio after which another mark is sent, in bytes: 160 ms.
const MARK_SPACING: u64 = 160 * BYTES_PER_MS;
/// With more marks than this on their way, they are sent only every [`SPARSE_MARK_SPACING`].
const DENSE_MARKS: usize = 32;
/// Mark spacing far ahead of playback, in bytes: 1 s.
const SPARSE_MARK_SPACING: u64 = 1_000 * BYTES_PER_MS;
/// Most marks on their way. Only the last mark of an item is sent beyond [`MAX_MARKS`], and it replaces the newest.
pub(crate) const MAX_MARKS: usize = 256;
/// Most pieces of different items that are not yet played; more are reckoned to the last one.
pub(crate) const MAX_SEGMENTS: usize = 64;
/// Echoes from which the present lag is taken: about a second and a half of audio.
const RECENT_ECHOES: usize = 8;
/// After a pause of this length the carrier begins to play anew: what it lagged before says nothing.
const RESTART: Millis = Millis(250);
/// A mark that is overdue by this much beyond the line's delay proves that playback has stalled before it.
const STALL: Millis = Millis(100);

/// What a piece of audio belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// A turn of the assistant, by its place in the transcript.
    Turn(usize),
    /// A tone of ours: never cut in the model's memory.
    Tone,
}

/// What was heard of a piece of audio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Playback {
    pub(crate) source: Source,
    /// Whole milliseconds heard, rounded down; never more than were sent.
    pub(crate) heard_ms: u64,
    /// Everything that was sent was heard, and nothing more will come.
    pub(crate) whole: bool,
}

/// Marks to send around a piece of audio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Marks {
    pub(crate) before: Option<MarkName>,
    pub(crate) after: Option<MarkName>,
}

#[derive(Debug)]
struct PendingMark {
    number: u32,
    position: u64,
    /// When an ideal carrier would have come to it.
    due: Millis,
    /// There was nothing left to play before it: its echo tells of the line only, not of playback.
    idle: bool,
}

#[derive(Debug)]
struct Segment {
    source: Source,
    start: u64,
    end: u64,
    /// Nothing more will come.
    closed: bool,
}

/// The ledger of one stream.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    generation: u32,
    next_number: u32,
    /// Bytes sent in this generation.
    sent: u64,
    /// Bytes known to be played: the position of the last echoed mark.
    confirmed: u64,
    last_mark: u64,
    /// The queue's bound: position ≤ `8·now + bound`. `None` when nothing was sent.
    bound: Option<i64>,
    marks: VecDeque<PendingMark>,
    segments: VecDeque<Segment>,
    /// The line's delay there and back: the least delay of any echo of this stream.
    line_delay: Option<u64>,
    /// The least delay of the first mark after playback began anew: the line's, and what the carrier takes to begin.
    start_delay: Option<u64>,
    /// Delays of the last marks behind audio, since playback began anew.
    recent: VecDeque<u64>,
}

impl Ledger {
    /// Notes that `bytes` of audio are sent now, and says which marks to send around them.
    pub(crate) fn send(&mut self, now: Millis, source: Source, bytes: u64) -> Marks {
        if self.ends_at().is_some_and(|end| now > end.plus(RESTART)) {
            self.recent.clear();
        }
        let bound = signed(self.sent) - signed(now.0.saturating_mul(BYTES_PER_MS));
        self.bound = Some(self.bound.map_or(bound, |old| old.min(bound)));
        let same = self.segments.back().is_some_and(|last| last.source == source);
        let before = if same { None } else { self.mark(now, false) };
        self.sent = self.sent.saturating_add(bytes);
        let full = self.segments.len() >= MAX_SEGMENTS;
        match self.segments.back_mut() {
            Some(last) if same || full => last.end = self.sent,
            _ => self.segments.push_back(Segment {
                source,
                start: self.sent - bytes,
                end: self.sent,
                closed: source == Source::Tone,
            }),
        }
        let spacing = if self.marks.len() > DENSE_MARKS { SPARSE_MARK_SPACING } else { MARK_SPACING };
        let after = if self.sent - self.last_mark >= spacing { self.mark(now, false) } else { None };
        Marks { before, after }
    }

    /// Nothing more will come of `source`: gives the mark to send behind its last audio, unless there is one.
    pub(crate) fn close(&mut self, now: Millis, source: Source) -> Option<MarkName> {
        let last = self.segments.iter_mut().rev().find(|segment| segment.source == source)?;
        last.closed = true;
        if self.last_mark < self.sent { self.mark(now, true) } else { None }
    }

    fn mark(&mut self, now: Millis, must: bool) -> Option<MarkName> {
        if self.marks.len() >= MAX_MARKS {
            if !must {
                return None;
            }
            self.marks.pop_back();
        }
        let number = self.next_number;
        self.next_number = self.next_number.wrapping_add(1);
        self.last_mark = self.sent;
        let ends_at = self.ends_at().unwrap_or(now);
        let mark = PendingMark { number, position: self.sent, due: ends_at.max(now), idle: ends_at <= now };
        self.marks.push_back(mark);
        Some(MarkName { generation: self.generation, number })
    }

    /// A mark was echoed. `false` for one of what was cleared, or for a stranger.
    pub(crate) fn echoed(&mut self, now: Millis, name: MarkName) -> bool {
        if name.generation != self.generation || !self.marks.iter().any(|mark| mark.number == name.number) {
            return false;
        }
        // Earlier ones that were not echoed are passed all the same: echoes come in order.
        while let Some(mark) = self.marks.pop_front() {
            if mark.number == name.number {
                self.confirmed = self.confirmed.max(mark.position);
                let delay = now.since(mark.due).0;
                self.line_delay = Some(self.line_delay.map_or(delay, |least| least.min(delay)));
                if !mark.idle {
                    if self.recent.is_empty() {
                        self.start_delay = Some(self.start_delay.map_or(delay, |least| least.min(delay)));
                    }
                    if self.recent.len() >= RECENT_ECHOES {
                        self.recent.pop_front();
                    }
                    self.recent.push_back(delay);
                }
                break;
            }
        }
        true
    }

    /// Bytes that will have been played when something that is sent now arrives.
    fn position(&self, now: Millis) -> u64 {
        let Some(bound) = self.bound else { return 0 };
        let lag = self.lag().saturating_mul(BYTES_PER_MS);
        let reckoned = signed(now.0.saturating_mul(BYTES_PER_MS)) + bound - signed(lag);
        let mut position = u64::try_from(reckoned).unwrap_or(0).min(self.sent);
        if let Some(stalled) = self.marks.front().filter(|mark| self.overdue(now, mark)) {
            position = position.min(stalled.position);
        }
        position.max(self.confirmed)
    }

    /// How far the carrier is behind an ideal one, in milliseconds.
    fn lag(&self) -> u64 {
        let recent = self.recent.iter().min().copied().or(self.start_delay).unwrap_or(0);
        recent.saturating_sub(self.line_delay.unwrap_or(0))
    }

    fn overdue(&self, now: Millis, mark: &PendingMark) -> bool {
        now > mark.due.plus(Millis(self.line_delay.unwrap_or(0))).plus(STALL)
    }

    /// When an ideal carrier will have played everything; `None` when nothing was sent.
    pub(crate) fn ends_at(&self) -> Option<Millis> {
        let end = signed(self.sent) - self.bound?;
        Some(Millis(u64::try_from(end).unwrap_or(0).div_ceil(BYTES_PER_MS)))
    }

    /// Everything was played: the last mark says so, or `grace` has passed since it should have.
    pub(crate) fn is_drained(&self, now: Millis, grace: Millis) -> bool {
        match self.ends_at() {
            None => true,
            Some(_) if self.confirmed >= self.sent => true,
            Some(end) => now >= self.drained_at(end, grace),
        }
    }

    /// When [`Ledger::is_drained`] becomes true without a mark.
    pub(crate) fn drain_deadline(&self, grace: Millis) -> Option<Millis> {
        if self.confirmed >= self.sent { None } else { Some(self.drained_at(self.ends_at()?, grace)) }
    }

    fn drained_at(&self, end: Millis, grace: Millis) -> Millis {
        end.plus(Millis(self.line_delay.unwrap_or(0))).plus(grace)
    }

    /// There are turns of the assistant that were not heard to their end, or may go on.
    pub(crate) fn has_turns(&self) -> bool {
        self.segments.iter().any(|segment| matches!(segment.source, Source::Turn(_)))
    }

    /// Audio of the assistant (not a tone) is still to be heard.
    pub(crate) fn has_unplayed_turn(&self, now: Millis) -> bool {
        let position = self.position(now);
        self.segments
            .iter()
            .any(|segment| matches!(segment.source, Source::Turn(_)) && segment.end > position)
    }

    /// Turns of which more may come.
    pub(crate) fn open_turns(&self) -> Vec<usize> {
        let open = self.segments.iter().filter(|segment| !segment.closed);
        open.filter_map(|segment| match segment.source {
            Source::Turn(index) => Some(index),
            Source::Tone => None,
        })
        .collect()
    }

    /// What was heard so far of the piece that is being played, for a preview.
    pub(crate) fn audible(&self, now: Millis) -> Option<Playback> {
        let position = self.position(now);
        let segment = self.segments.iter().rev().find(|segment| segment.start <= position)?;
        Some(heard(segment, position))
    }

    /// Takes one piece that was heard to its end.
    pub(crate) fn pop_heard(&mut self, now: Millis) -> Option<Playback> {
        let position = self.position(now);
        let first = self.segments.front()?;
        if !first.closed || first.end > position {
            return None;
        }
        self.segments.pop_front().map(|segment| heard(&segment, position))
    }

    /// The carrier's buffer is emptied now (`clear`, or the stream is gone): says what was heard of each piece that
    /// was not heard to its end. Marks of before count for nothing from here on.
    pub(crate) fn clear(&mut self, now: Millis) -> Vec<Playback> {
        let position = self.position(now);
        let cut = self.segments.iter().map(|segment| heard(segment, position)).collect();
        *self = Self {
            generation: self.generation.wrapping_add(1),
            line_delay: self.line_delay,
            start_delay: self.start_delay,
            ..Self::default()
        };
        cut
    }

    /// There is audio in the carrier's buffer that a `clear` would stop.
    pub(crate) fn has_unplayed(&self, now: Millis) -> bool {
        self.position(now) < self.sent
    }

    /// Another stream: nothing of the old line holds.
    pub(crate) fn reset(&mut self) {
        *self = Self { generation: self.generation.wrapping_add(1), ..Self::default() };
    }

    #[cfg(test)]
    pub(crate) fn queue_lengths(&self) -> [usize; 3] {
        [self.marks.len(), self.segments.len(), self.recent.len()]
    }
}

fn heard(segment: &Segment, position: u64) -> Playback {
    let bytes = position.clamp(segment.start, segment.end) - segment.start;
    Playback {
        source: segment.source,
        heard_ms: bytes / BYTES_PER_MS,
        whole: segment.closed && position >= segment.end,
    }
}

/// Positions and moments in bytes: far below 2⁶³ (a year of milliseconds times 8 has 38 bits).
fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
