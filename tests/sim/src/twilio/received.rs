//! What of the assistant's speech reached the caller's ear: the audio of the media streams, recognised frame by frame
//! and followed through the playback buffer.

use std::sync::Arc;

use super::playback::{Playback, Samples, Source};
use crate::registry::{Heard, Recogniser, Registry, Speaker, Utterance, UtteranceId};
use crate::speech::FRAME_BYTES;

/// An utterance of the assistant, as far as the caller has heard it.
#[derive(Debug, Clone)]
pub(super) struct AssistantTurn {
    /// What the model said.
    pub utterance: Arc<Utterance>,
    /// The model's name of it.
    pub item: String,
    /// When its first sample was heard; `None` when none was.
    pub started_at: Option<Samples>,
    /// When its last sample so far was heard.
    pub ended_at: Samples,
    /// Samples heard.
    pub heard: Samples,
    /// Its samples were thrown away, or the stream broke before they were heard.
    pub cut: bool,
}

impl AssistantTurn {
    /// Samples of the whole utterance.
    pub(super) fn total(&self) -> Samples {
        (self.utterance.frames.len() * FRAME_BYTES) as Samples
    }

    /// Everything was heard.
    pub(super) fn is_whole(&self) -> bool {
        self.heard >= self.total()
    }
}

/// A change that the caller can notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// The turn with this index is heard for the first time.
    Began(usize),
    /// The turn with this index is over: heard to its end, cut, or followed by another.
    Over(usize),
}

/// Audio of the media streams of one call.
#[derive(Debug)]
pub(super) struct Received {
    registry: Registry,
    recogniser: Recogniser,
    /// Bytes before the current stream.
    base: Samples,
    /// Bytes received in all.
    total: Samples,
    /// Where each payload lies: its first byte, and its index among the playback's pieces.
    payloads: Vec<(Samples, usize)>,
    /// Recognised frames that have not been accounted for: first byte, turn.
    frames: std::collections::VecDeque<(Samples, usize)>,
    turns: Vec<AssistantTurn>,
    current: Option<usize>,
    source: Source,
}

impl Received {
    /// Nothing has come yet.
    pub(super) fn new(registry: Registry) -> Self {
        Self {
            recogniser: Recogniser::new(registry.clone()),
            registry,
            base: 0,
            total: 0,
            payloads: Vec::new(),
            frames: std::collections::VecDeque::new(),
            turns: Vec::new(),
            current: None,
            source: Source::Stream,
        }
    }

    /// A new stream begins: what the last one left half said is not completed by it.
    pub(super) fn begin_stream(&mut self) {
        self.recogniser = Recogniser::new(self.registry.clone());
        self.base = self.total;
        self.source = Source::Stream;
    }

    /// A payload arrived and was buffered as the playback's next piece; returns whose sound it is.
    pub(super) fn push(&mut self, playback: &Playback, audio: &[u8]) -> Source {
        self.payloads.push((self.total, playback.pieces().len()));
        self.total += audio.len() as Samples;
        for heard in self.recogniser.push(audio) {
            match heard {
                Heard::Frame { at, utterance, .. } => {
                    if let Some(turn) = self.turn_of(utterance) {
                        self.frames.push_back((self.base + at, turn));
                        self.source = Source::Assistant;
                    }
                }
                Heard::Silence { .. } | Heard::Unknown { .. } => self.source = Source::Stream,
            }
        }
        self.source
    }

    /// Follows what has been played or thrown away since the last time.
    pub(super) fn follow(&mut self, playback: &Playback) -> Vec<Change> {
        let mut changes = Vec::new();
        while let Some(&(at, turn)) = self.frames.front() {
            let Some(fate) = self.fate(playback, at) else { break };
            self.frames.pop_front();
            self.account(turn, &fate, &mut changes);
        }
        changes
    }

    /// The stream is gone, and with it everything that waited.
    pub(super) fn end_stream(&mut self, playback: &Playback) -> Vec<Change> {
        let mut changes = self.follow(playback);
        if let Some(turn) = self.current.take() {
            if let Some(turn) = self.turns.get_mut(turn) {
                turn.cut = !turn.is_whole();
            }
            changes.push(Change::Over(turn));
        }
        changes
    }

    /// Everything the assistant said, heard or not, in the order in which it arrived.
    pub(super) fn turns(&self) -> &[AssistantTurn] {
        &self.turns
    }

    fn turn_of(&mut self, utterance: UtteranceId) -> Option<usize> {
        if let Some(known) = self.turns.iter().rposition(|turn| turn.utterance.id == utterance) {
            return Some(known);
        }
        let utterance = self.registry.get(utterance)?;
        let Speaker::Assistant { item } = &utterance.speaker else { return None };
        let item = item.clone();
        let turn = AssistantTurn { utterance, item, started_at: None, ended_at: 0, heard: 0, cut: false };
        self.turns.push(turn);
        Some(self.turns.len() - 1)
    }

    fn account(&mut self, index: usize, fate: &Fate, changes: &mut Vec<Change>) {
        let Some(turn) = self.turns.get_mut(index) else { return };
        turn.heard += fate.heard;
        if let Some(from) = fate.from {
            turn.started_at.get_or_insert(from);
            turn.ended_at = fate.to;
            if self.current != Some(index) {
                changes.extend(self.current.replace(index).map(Change::Over));
                changes.push(Change::Began(index));
            }
        }
        turn.cut |= fate.dropped;
        if self.current == Some(index) && (turn.is_whole() || fate.dropped) {
            self.current = None;
            changes.push(Change::Over(index));
        }
    }

    /// What became of the frame whose first byte is `at`; `None` while it still waits.
    fn fate(&self, playback: &Playback, at: Samples) -> Option<Fate> {
        let mut fate = Fate { heard: 0, from: None, to: 0, dropped: false };
        let end = at + FRAME_BYTES as Samples;
        let first = self.payloads.partition_point(|(start, _)| *start <= at).saturating_sub(1);
        for (start, index) in self.payloads.iter().skip(first).take_while(|(start, _)| *start < end) {
            let piece = playback.pieces().get(*index)?;
            let from = at.saturating_sub(*start);
            let to = (end - start).min(piece.audio.len() as Samples);
            let played = (piece.played as Samples).clamp(from, to);
            if played < to && !piece.dropped {
                return None;
            }
            fate.heard += played - from;
            fate.dropped |= played < to;
            if let Some(began) = piece.started_at.filter(|_| played > from) {
                fate.from.get_or_insert(began + from);
                fate.to = began + played;
            }
        }
        Some(fate)
    }
}

#[derive(Debug)]
struct Fate {
    heard: Samples,
    from: Option<Samples>,
    to: Samples,
    dropped: bool,
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Change, Received};
    use crate::registry::{Registry, Speaker, Utterance};
    use crate::speech::{Speech, Word};
    use crate::twilio::playback::{Playback, Source};

    fn say(registry: &Registry, item: &str, frames: usize) -> Arc<Utterance> {
        let words = vec![Word { text: item.into(), start_ms: 0, end_ms: frames as u32 * 20 }];
        let speech = Speech { text: item.into(), audio: vec![0x20; frames * 160], words };
        registry.register(Speaker::Assistant { item: item.into() }, &speech)
    }

    fn push(received: &mut Received, playback: &mut Playback, now: u64, audio: &[u8]) {
        let source = received.push(playback, audio);
        playback.push(now, source, audio.to_vec());
    }

    #[test]
    fn counts_what_was_heard_before_the_clear_to_the_sample() {
        let registry = Registry::default();
        let (one, two) = (say(&registry, "one", 10), say(&registry, "two", 10));
        let (mut received, mut playback) = (Received::new(registry), Playback::default());
        // Cut into payloads which do not end where frames end.
        for chunk in one.audio().chunks(250) {
            push(&mut received, &mut playback, 0, chunk);
        }
        push(&mut received, &mut playback, 0, &two.audio());
        playback.advance(1_600);
        assert_eq!(received.follow(&playback), [Change::Began(0), Change::Over(0)]);
        playback.clear(1_600 + 333);
        assert_eq!(received.follow(&playback), [Change::Began(1), Change::Over(1)]);
        let [first, second] = received.turns() else { panic!() };
        assert!(first.is_whole() && !first.cut);
        assert_eq!((second.heard, second.cut, second.started_at), (333, true, Some(1_600)));
        assert_eq!(playback.pieces()[0].source, Source::Assistant);
    }

    #[test]
    fn what_was_never_heard_counts_as_nothing() {
        let registry = Registry::default();
        let (one, two) = (say(&registry, "one", 10), say(&registry, "two", 10));
        let (mut received, mut playback) = (Received::new(registry), Playback::default());
        push(&mut received, &mut playback, 0, &one.audio());
        push(&mut received, &mut playback, 0, &two.audio());
        playback.clear(80);
        received.follow(&playback);
        let heard: Vec<_> = received.turns().iter().map(|turn| (turn.heard, turn.started_at)).collect();
        assert_eq!(heard, [(80, Some(0)), (0, None)]);
    }

    #[test]
    fn the_products_own_sounds_are_no_voice() {
        let (mut received, mut playback) = (Received::new(Registry::default()), Playback::default());
        push(&mut received, &mut playback, 0, &[0x30; 320]);
        assert_eq!(playback.pieces()[0].source, Source::Stream);
        assert!(received.turns().is_empty());
    }

    #[test]
    fn a_broken_stream_cuts_the_turn() {
        let registry = Registry::default();
        let one = say(&registry, "one", 10);
        let (mut received, mut playback) = (Received::new(registry), Playback::default());
        push(&mut received, &mut playback, 0, &one.audio()[..800]);
        playback.advance(1_000);
        assert_eq!(received.follow(&playback), [Change::Began(0)]);
        assert_eq!(received.end_stream(&playback), [Change::Over(0)]);
        assert!(received.turns()[0].cut);
    }
}
