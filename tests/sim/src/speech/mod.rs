//! Speech as it travels on a telephone line: 8 kHz µ-law in frames of 20 ms.
//!
//! Blocking: [`Synthesiser::say`] starts espeak-ng when a sentence is new. Call it from `spawn_blocking` where latency
//! matters; what was said once comes from memory, or from disk in the next process.

mod mulaw;
mod resample;
mod synth;
mod vad;
mod wav;

pub use mulaw::{decode, encode};
pub use synth::{SpeechError, Synthesiser, Voice};
pub use vad::{ENERGY_FLOOR_DB, Vad, VadConfig, VadEvent, level_db};
pub use wav::{read_wav, write_wav};

/// Samples, and as µ-law has one byte per sample also bytes, per second.
pub const SAMPLE_RATE: u32 = 8_000;
/// µ-law bytes of a millisecond.
pub const BYTES_PER_MS: usize = 8;
/// Duration of a frame on the wire.
pub const FRAME_MS: u32 = 20;
/// µ-law bytes of a frame.
pub const FRAME_BYTES: usize = FRAME_MS as usize * BYTES_PER_MS;
/// The µ-law byte of silence (positive zero). `0x7F` is negative zero.
pub const SILENCE: u8 = 0xFF;

/// One frame of 20 ms.
pub type Frame = [u8; FRAME_BYTES];

/// 20 ms of silence.
pub const SILENT_FRAME: Frame = [SILENCE; FRAME_BYTES];

/// A word and when it sounds, in milliseconds from the beginning of its [`Speech`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// As written, punctuation included.
    pub text: String,
    /// First millisecond.
    pub start_ms: u32,
    /// One past the last millisecond.
    pub end_ms: u32,
}

/// Something said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Speech {
    /// The words, joined by single spaces.
    pub text: String,
    /// µ-law, 8 kHz.
    pub audio: Vec<u8>,
    /// When each word sounds. Exact at the pauses between clauses; within a clause shared out by the letters.
    pub words: Vec<Word>,
}

impl Speech {
    /// How long it takes to say, rounded down.
    pub fn duration_ms(&self) -> u32 {
        (self.audio.len() / BYTES_PER_MS) as u32
    }

    /// The audio as frames; the last one is filled up with silence.
    pub fn frames(&self) -> Vec<Frame> {
        frames(&self.audio)
    }

    /// The words of which at least half had sounded after `ms`, joined by spaces.
    pub fn heard(&self, ms: u32) -> String {
        let heard =
            self.words.iter().filter(|w| u64::from(w.start_ms) + u64::from(w.end_ms) <= u64::from(ms) * 2);
        heard.map(|w| w.text.as_str()).collect::<Vec<_>>().join(" ")
    }
}

/// Cuts µ-law into frames; the last one is filled up with silence.
pub fn frames(audio: &[u8]) -> Vec<Frame> {
    let fill = |chunk: &[u8]| {
        let mut frame = SILENT_FRAME;
        frame.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
        frame
    };
    audio.chunks(FRAME_BYTES).map(fill).collect()
}

/// Nothing but digital silence (positive or negative zero).
pub fn is_silence(audio: &[u8]) -> bool {
    audio.iter().all(|&b| b | 0x80 == SILENCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_words() -> Speech {
        let words = [("Good", 0, 400), ("morning.", 400, 1000)];
        let words =
            words.map(|(text, start_ms, end_ms)| Word { text: text.into(), start_ms, end_ms }).to_vec();
        Speech { text: "Good morning.".into(), audio: vec![0x10; 8_004], words }
    }

    #[test]
    fn frames_are_filled_up_with_silence() {
        let frames = two_words().frames();
        assert_eq!(frames.len(), 51);
        let last = frames.last().unwrap();
        assert_eq!(&last[..4], &[0x10; 4]);
        assert!(is_silence(&last[4..]));
    }

    #[test]
    fn a_word_counts_as_heard_from_its_middle_on() {
        let speech = two_words();
        assert_eq!(speech.heard(199), "");
        assert_eq!(speech.heard(200), "Good");
        assert_eq!(speech.heard(699), "Good");
        assert_eq!(speech.heard(u32::MAX), "Good morning.");
    }

    #[test]
    fn both_zeros_are_silence_and_nothing_else_is() {
        assert!(is_silence(&[0xFF, 0x7F, 0xFF]));
        assert!(!is_silence(&[0xFF, 0x7E]));
    }
}
