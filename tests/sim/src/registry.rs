//! What was said, known by its frames.
//!
//! Every frame of every utterance gets a mark of its own in the least significant bits of its µ-law bytes (inaudible:
//! one quantisation step), so that a frame is recognised wherever it turns up: on the model's side what callers said,
//! on the telephone's side what the assistant said. Frames that were lost, doubled or put out of order are counted,
//! and a word with a missing frame is missing from what was understood.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;

use crate::speech::{FRAME_BYTES, FRAME_MS, Frame, Speech, Word};

mod recogniser;

pub use recogniser::{Heard, Recogniser, Understood, understand};

/// Utterances remembered; older ones are forgotten, so that a simulator can run for days.
const MAX_UTTERANCES: usize = 4_096;
/// Bits of the mark that name the utterance, modulo 2³².
const UTTERANCE_BITS: usize = 32;
/// Bits of the mark that number the frame: 22 minutes.
const INDEX_BITS: usize = 16;
/// Bits that are the same in every mark, so that no mark turns a frame into digital silence.
const GUARD: [bool; 2] = [false, true];

/// Names an utterance within one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct UtteranceId(pub u32);

/// Who said it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Speaker {
    /// A caller; `call` is the carrier's name of the call.
    Caller {
        /// CallSid.
        call: String,
    },
    /// The assistant; `item` is the model's name of the message.
    Assistant {
        /// Item id.
        item: String,
    },
}

/// An utterance, marked and registered: send exactly these frames.
#[derive(Debug, Clone)]
pub struct Utterance {
    /// Its name.
    pub id: UtteranceId,
    /// Who says it.
    pub speaker: Speaker,
    /// What is said.
    pub text: String,
    /// When each word sounds.
    pub words: Vec<Word>,
    /// The audio, marked.
    pub frames: Vec<Frame>,
}

impl Utterance {
    /// The audio as one piece, silence to the end of the last frame included.
    pub fn audio(&self) -> Vec<u8> {
        self.frames.concat()
    }
}

/// How an utterance of a caller fared on its way. All zero is perfect, but for `received == sent`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// Frames that were put on the wire, as far as the sender has told.
    pub sent: u32,
    /// Different frames that arrived, in any session.
    pub received: u32,
    /// Sent, and arrived nowhere.
    pub lost: u32,
    /// Arrived after a later one of the same utterance had arrived.
    pub reordered: u32,
    /// Arrived again.
    pub duplicated: u32,
}

/// All utterances of one process; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Registry(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    next: u32,
    frames: HashMap<Frame, (UtteranceId, u32)>,
    utterances: HashMap<UtteranceId, Entry>,
}

#[derive(Debug)]
struct Entry {
    utterance: Arc<Utterance>,
    sent: u32,
    arrivals: Vec<u32>,
    newest: Option<u32>,
    reordered: u32,
}

impl Registry {
    /// Makes `speech` recognisable. Saying the same again is another utterance.
    pub fn register(&self, speaker: Speaker, speech: &Speech) -> Arc<Utterance> {
        let mut known = self.lock();
        let id = UtteranceId(known.next);
        known.next = known.next.wrapping_add(1);
        let mut marked = speech.frames();
        for (index, frame) in marked.iter_mut().enumerate() {
            mark(frame, id, index as u32);
            known.frames.insert(*frame, (id, index as u32));
        }
        let (text, words) = (speech.text.clone(), speech.words.clone());
        let utterance = Arc::new(Utterance { id, speaker, text, words, frames: marked });
        let arrivals = vec![0; utterance.frames.len()];
        let entry = Entry { utterance: utterance.clone(), sent: 0, arrivals, newest: None, reordered: 0 };
        known.utterances.insert(id, entry);
        known.forget(UtteranceId(id.0.wrapping_sub(MAX_UTTERANCES as u32)));
        utterance
    }

    /// The first `frames` frames of an utterance have been put on the wire (all of them, or up to a hang-up).
    pub fn sent(&self, id: UtteranceId, frames: u32) {
        if let Some(entry) = self.lock().utterances.get_mut(&id) {
            entry.sent = entry.sent.max(frames);
        }
    }

    /// An utterance that is still remembered.
    pub fn get(&self, id: UtteranceId) -> Option<Arc<Utterance>> {
        self.lock().utterances.get(&id).map(|e| e.utterance.clone())
    }

    /// How an utterance fared.
    pub fn delivery(&self, id: UtteranceId) -> Option<Delivery> {
        let known = self.lock();
        let entry = known.utterances.get(&id)?;
        let arrived = |n: &&u32| **n > 0;
        let missing = entry.arrivals.iter().take(entry.sent as usize).filter(|n| **n == 0).count();
        Some(Delivery {
            sent: entry.sent,
            received: entry.arrivals.iter().filter(arrived).count() as u32,
            lost: missing as u32,
            reordered: entry.reordered,
            duplicated: entry.arrivals.iter().map(|n| n.saturating_sub(1)).sum(),
        })
    }

    /// Which frame this is.
    fn find(&self, frame: &Frame) -> Option<(UtteranceId, u32)> {
        self.lock().frames.get(frame).copied()
    }

    /// A frame has arrived at the other side.
    fn arrived(&self, id: UtteranceId, index: u32) {
        let mut known = self.lock();
        let Some(entry) = known.utterances.get_mut(&id) else { return };
        if let Some(arrivals) = entry.arrivals.get_mut(index as usize) {
            *arrivals += 1;
            entry.reordered += u32::from(*arrivals == 1 && entry.newest > Some(index));
        }
        entry.newest = entry.newest.max(Some(index));
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn forget(&mut self, id: UtteranceId) {
        if let Some(entry) = self.utterances.remove(&id) {
            for frame in &entry.utterance.frames {
                self.frames.remove(frame);
            }
        }
    }
}

/// Writes utterance and index into the lowest bits of the frame's first bytes.
fn mark(frame: &mut Frame, id: UtteranceId, index: u32) {
    const { assert!(UTTERANCE_BITS + INDEX_BITS + GUARD.len() <= FRAME_BYTES) };
    let number = (0..UTTERANCE_BITS).map(|bit| id.0 >> bit & 1 == 1);
    let bits = GUARD.into_iter().chain(number).chain((0..INDEX_BITS).map(|bit| index >> bit & 1 == 1));
    for (byte, bit) in frame.iter_mut().zip(bits) {
        *byte = *byte & !1 | u8::from(bit);
    }
}

/// The frames in which a word sounds, if only in part.
fn word_frames(word: &Word) -> std::ops::Range<u32> {
    word.start_ms / FRAME_MS..word.end_ms.div_ceil(FRAME_MS)
}

#[cfg(test)]
mod tests;
