//! What the caller hears: Twilio's playback buffer of one call, on a clock that counts samples.
//!
//! Pure: time comes in as the number of samples (8 kHz, so 125 µs each) since the call was answered. Audio plays
//! without gap in the order in which it came; where nothing is buffered the caller hears silence. Every sample is kept,
//! so both a WAV of the call and the exact share of each payload that was heard can be had afterwards.

use std::collections::VecDeque;

/// A moment or a span of a call in samples at 8 kHz, one µ-law byte each.
pub type Samples = u64;

/// Samples in a millisecond.
pub const SAMPLES_PER_MS: Samples = 8;
/// µ-law silence.
pub(super) const SILENCE: u8 = 0xff;
/// Marks that wait to be played; Twilio's own limit is not known, a product that needs more than this has gone wrong.
pub(super) const MAX_PENDING_MARKS: usize = 4_096;

/// Where audio comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// The assistant's voice, over the media stream.
    Assistant,
    /// Anything else over the media stream: tones, padding.
    Stream,
    /// A voice on the line that is not the assistant's: `<Say>`, a dialled party.
    Voice,
    /// Ringing, beeps, keys, music.
    Tone,
}

impl Source {
    /// Somebody speaks.
    pub(super) const fn is_voice(self) -> bool {
        matches!(self, Self::Assistant | Self::Voice)
    }
}

/// A piece of audio on its way to the caller's ear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// Who sent it.
    pub source: Source,
    /// When it reached the buffer.
    pub received_at: Samples,
    /// When its first sample was heard; `None` when none was.
    pub started_at: Option<Samples>,
    /// µ-law audio, whole.
    pub audio: Vec<u8>,
    /// How much of it was heard.
    pub played: usize,
    /// The rest was thrown away by a clear.
    pub dropped: bool,
}

/// A mark whose audio has been played (or thrown away by a clear).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MarkDue {
    /// Its name.
    pub name: String,
    /// When the audio before it had been played.
    pub at: Samples,
}

#[derive(Debug)]
enum Queued {
    /// Index into `pieces`.
    Piece(usize),
    Mark(String),
}

/// The playback buffer of one call and everything that went through it.
#[derive(Debug, Default)]
pub(super) struct Playback {
    now: Samples,
    queue: VecDeque<Queued>,
    marks: usize,
    pieces: Vec<Piece>,
    heard: Vec<u8>,
    sounding: Option<Source>,
}

impl Playback {
    /// Plays on until `to`; returns the marks that were passed, in order. A `to` in the past does nothing.
    pub(super) fn advance(&mut self, to: Samples) -> Vec<MarkDue> {
        let mut due = Vec::new();
        loop {
            match self.queue.front() {
                Some(Queued::Mark(_)) => {
                    if let Some(Queued::Mark(name)) = self.queue.pop_front() {
                        self.marks -= 1;
                        due.push(MarkDue { name, at: self.now });
                    }
                }
                Some(Queued::Piece(index)) if self.now < to => {
                    let piece = &mut self.pieces[*index];
                    let room = usize::try_from(to - self.now).unwrap_or(usize::MAX);
                    let take = room.min(piece.audio.len() - piece.played);
                    piece.started_at.get_or_insert(self.now);
                    self.heard.extend_from_slice(&piece.audio[piece.played..piece.played + take]);
                    piece.played += take;
                    self.sounding = Some(piece.source);
                    self.now += take as Samples;
                    if piece.played == piece.audio.len() {
                        self.queue.pop_front();
                    }
                }
                Some(Queued::Piece(_)) => break,
                None => {
                    if self.now < to {
                        let silence = usize::try_from(to - self.now).unwrap_or(0);
                        self.heard.resize(self.heard.len() + silence, SILENCE);
                        self.now = to;
                        self.sounding = None;
                    }
                    break;
                }
            }
        }
        due
    }

    /// Buffers audio that arrives at `now`; returns marks that fell due until then.
    pub(super) fn push(&mut self, now: Samples, source: Source, audio: Vec<u8>) -> Vec<MarkDue> {
        let due = self.advance(now);
        if !audio.is_empty() {
            self.queue.push_back(Queued::Piece(self.pieces.len()));
            let received_at = self.now;
            self.pieces.push(Piece {
                source,
                received_at,
                started_at: None,
                audio,
                played: 0,
                dropped: false,
            });
        }
        due
    }

    /// Buffers a mark behind what is buffered; returns the marks that fell due, itself included when nothing is.
    /// `Err` when too many wait.
    pub(super) fn mark(&mut self, now: Samples, name: String) -> Result<Vec<MarkDue>, TooManyMarks> {
        let mut due = self.advance(now);
        if self.marks >= MAX_PENDING_MARKS {
            return Err(TooManyMarks);
        }
        self.marks += 1;
        self.queue.push_back(Queued::Mark(name));
        due.extend(self.advance(now));
        Ok(due)
    }

    /// Throws away what has not been played. Returns the marks that fell due before, then all that waited: Twilio
    /// sends those back at once.
    pub(super) fn clear(&mut self, now: Samples) -> Vec<MarkDue> {
        let mut due = self.advance(now);
        for queued in self.queue.drain(..) {
            match queued {
                Queued::Mark(name) => due.push(MarkDue { name, at: self.now }),
                Queued::Piece(index) => self.pieces[index].dropped = true,
            }
        }
        self.marks = 0;
        due
    }

    /// When the next mark falls due if nothing else happens.
    pub(super) fn next_mark_at(&self) -> Option<Samples> {
        let mut at = self.now;
        for queued in &self.queue {
            match queued {
                Queued::Mark(_) => return Some(at),
                Queued::Piece(index) => at += self.left(*index),
            }
        }
        None
    }

    /// Samples that are buffered and not yet heard.
    pub(super) fn buffered(&self) -> Samples {
        let left = |queued: &Queued| match queued {
            Queued::Piece(index) => self.left(*index),
            Queued::Mark(_) => 0,
        };
        self.queue.iter().map(left).sum()
    }

    fn left(&self, index: usize) -> Samples {
        let piece = &self.pieces[index];
        (piece.audio.len() - piece.played) as Samples
    }

    /// Where the sound comes from that was heard last; `None` in silence.
    pub(super) fn sounding(&self) -> Option<Source> {
        self.sounding
    }

    /// Everything that was sent to the caller, in the order in which it came.
    pub(super) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Every sample that the caller has heard since the answer.
    pub(super) fn heard(&self) -> &[u8] {
        &self.heard
    }
}

/// More than [`MAX_PENDING_MARKS`] marks wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than {MAX_PENDING_MARKS} marks wait to be played")]
pub(super) struct TooManyMarks;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{MarkDue, Playback, SILENCE, Source};

    fn due(name: &str, at: u64) -> MarkDue {
        MarkDue { name: name.to_owned(), at }
    }

    #[test]
    fn plays_in_real_time_with_silence_where_nothing_is_buffered() {
        let mut playback = Playback::default();
        assert_eq!(playback.push(100, Source::Stream, vec![1; 160]), []);
        playback.advance(180);
        assert_eq!((playback.buffered(), playback.pieces()[0].played), (80, 80));
        playback.advance(400);
        assert_eq!(&playback.heard()[..100], &[SILENCE; 100]);
        assert_eq!(&playback.heard()[100..260], &[1; 160]);
        assert_eq!(&playback.heard()[260..], &[SILENCE; 140]);
        assert_eq!(playback.pieces()[0].started_at, Some(100));
    }

    #[test]
    fn a_mark_comes_back_when_the_audio_before_it_has_been_played() {
        let mut playback = Playback::default();
        playback.push(0, Source::Stream, vec![1; 320]);
        assert_eq!(playback.mark(0, "a".into()).unwrap(), []);
        playback.push(0, Source::Stream, vec![2; 160]);
        assert_eq!(playback.mark(8, "b".into()).unwrap(), []);
        assert_eq!(playback.next_mark_at(), Some(320));
        assert_eq!(playback.advance(319), []);
        assert_eq!(playback.advance(400), [due("a", 320)]);
        assert_eq!(playback.next_mark_at(), Some(480));
        assert_eq!(playback.advance(1_000), [due("b", 480)]);
        assert_eq!(playback.next_mark_at(), None);
    }

    #[test]
    fn a_mark_behind_nothing_comes_back_at_once() {
        let mut playback = Playback::default();
        assert_eq!(playback.mark(40, "now".into()).unwrap(), [due("now", 40)]);
    }

    #[test]
    fn clear_returns_every_mark_and_stops_the_sound() {
        let mut playback = Playback::default();
        playback.push(0, Source::Stream, vec![1; 160]);
        playback.mark(0, "heard".into()).unwrap();
        playback.push(0, Source::Stream, vec![2; 1_600]);
        playback.mark(0, "cut".into()).unwrap();
        playback.mark(0, "cut too".into()).unwrap();
        assert_eq!(playback.clear(560), [due("heard", 160), due("cut", 560), due("cut too", 560)]);
        assert_eq!((playback.pieces()[1].played, playback.buffered()), (400, 0));
        playback.advance(800);
        assert_eq!(&playback.heard()[560..], &[SILENCE; 240]);
    }

    #[test]
    fn the_number_of_marks_has_a_limit() {
        let mut playback = Playback::default();
        playback.push(0, Source::Stream, vec![1; 160]);
        for n in 0..super::MAX_PENDING_MARKS {
            playback.mark(0, n.to_string()).unwrap();
        }
        assert!(playback.mark(0, "one too many".into()).is_err());
    }

    proptest! {
        /// However time is cut into steps, the same samples are heard and each mark comes back exactly once, in order.
        #[test]
        fn steps_of_time_change_nothing(
            lengths in prop::collection::vec(0_usize..2_000, 1..20),
            steps in prop::collection::vec(1_u64..900, 1..60),
        ) {
            let load = |playback: &mut Playback| {
                let mut due = Vec::new();
                for (n, length) in lengths.iter().enumerate() {
                    playback.push(0, Source::Stream, vec![n as u8; *length]);
                    due.extend(playback.mark(0, n.to_string()).unwrap());
                }
                due
            };
            let end: u64 = steps.iter().sum();
            let mut whole = Playback::default();
            let mut at_once = load(&mut whole);
            at_once.extend(whole.advance(end));
            let mut stepped = Playback::default();
            let mut in_steps = load(&mut stepped);
            let mut now = 0;
            for step in &steps {
                now += step;
                in_steps.extend(stepped.advance(now));
            }
            prop_assert_eq!(whole.heard(), stepped.heard());
            prop_assert_eq!(whole.heard().len() as u64, end);
            prop_assert_eq!(&at_once, &in_steps);
            let total: usize = lengths.iter().sum();
            let played: usize = whole.pieces().iter().map(|piece| piece.played).sum();
            prop_assert_eq!(played as u64, end.min(total as u64));
        }
    }
}
