//! From a stream of bytes to frames that are known.

use std::sync::Arc;

use super::{Registry, Utterance, UtteranceId, word_frames};
use crate::speech::{FRAME_BYTES, Frame, is_silence};

/// What a stretch of audio turned out to be. Positions are bytes since the beginning of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A frame of an utterance.
    Frame {
        /// Where it began.
        at: u64,
        /// Of which utterance.
        utterance: UtteranceId,
        /// Which one, from 0.
        index: u32,
    },
    /// Digital silence.
    Silence {
        /// Where it began.
        at: u64,
        /// How long it is.
        bytes: usize,
    },
    /// Audio that nobody registered: noise, a tone, or a frame that was damaged.
    Unknown {
        /// Where it began.
        at: u64,
        /// How long it is.
        bytes: usize,
    },
}

/// Recognises a stream, however it is cut. Holds less than two frames back.
#[derive(Debug)]
pub struct Recogniser {
    registry: Registry,
    pending: Vec<u8>,
    /// Position of the first pending byte.
    at: u64,
}

impl Recogniser {
    /// A recogniser for one stream.
    pub fn new(registry: Registry) -> Self {
        Self { registry, pending: Vec::new(), at: 0 }
    }

    /// Takes the next bytes and says what they are, as far as that can be said; arrivals are counted in the registry.
    pub fn push(&mut self, audio: &[u8]) -> Vec<Heard> {
        self.pending.extend_from_slice(audio);
        let mut heard = Vec::new();
        let mut used = 0;
        while let Some(frame) = self.pending.get(used..).and_then(<[u8]>::first_chunk::<FRAME_BYTES>) {
            let at = self.at + used as u64;
            if let Some((utterance, index)) = self.registry.find(frame) {
                self.registry.arrived(utterance, index);
                heard.push(Heard::Frame { at, utterance, index });
                used += FRAME_BYTES;
                continue;
            }
            // Something of odd length may have been put between two frames: its end is where a frame begins. That
            // shows when the whole of such a frame is there; digital silence alone has nothing hidden in it.
            if !is_silence(frame) && self.pending.len() - used < 2 * FRAME_BYTES - 1 {
                break;
            }
            let bytes = self.next_known(used).unwrap_or(FRAME_BYTES);
            heard.push(anonymous(at, frame.get(..bytes).unwrap_or(frame)));
            used += bytes;
        }
        self.pending.drain(..used);
        self.at += used as u64;
        heard
    }

    /// How far after `from` a known frame begins, if one does before a whole frame has passed and is there entirely.
    fn next_known(&self, from: usize) -> Option<usize> {
        (1..FRAME_BYTES).find(|skip| {
            let frame: Option<&Frame> = self.pending.get(from + skip..).and_then(<[u8]>::first_chunk);
            frame.is_some_and(|frame| self.registry.find(frame).is_some())
        })
    }
}

fn anonymous(at: u64, audio: &[u8]) -> Heard {
    let bytes = audio.len();
    if is_silence(audio) { Heard::Silence { at, bytes } } else { Heard::Unknown { at, bytes } }
}

/// What a listener made of some audio.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Understood {
    /// The words of which every frame arrived, in order.
    pub text: String,
    /// The utterances concerned, in the order of their first frame.
    pub utterances: Vec<UtteranceId>,
}

/// Understands what was heard: a word counts when all of its frames are there, in order.
pub fn understand(registry: &Registry, heard: &[Heard]) -> Understood {
    let mut order: Vec<(Arc<Utterance>, Vec<u32>)> = Vec::new();
    for one in heard {
        let Heard::Frame { utterance, index, .. } = one else { continue };
        match order.iter_mut().find(|(known, _)| known.id == *utterance) {
            Some((_, frames)) => frames.push(*index),
            None => order.extend(registry.get(*utterance).map(|known| (known, vec![*index]))),
        }
    }
    let words = order.iter().flat_map(|(utterance, frames)| {
        utterance.words.iter().filter(|word| {
            let wanted: Vec<u32> = word_frames(word).collect();
            frames.windows(wanted.len().max(1)).any(|window| window == wanted)
        })
    });
    let text = words.map(|w| w.text.as_str()).collect::<Vec<_>>().join(" ");
    Understood { text, utterances: order.iter().map(|(utterance, _)| utterance.id).collect() }
}
