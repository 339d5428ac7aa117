//! Speech as it travels on a telephone line: 8 kHz µ-law in frames of 20 ms.
//!
//! Blocking: [`Synthesiser::say`] starts espeak-ng when a sentence is new. Call it from `spawn_blocking` where latency
//! matters; what was said once comes from memory, or from disk in the next process.

mod mulaw;
mod resample;
mod synth;
mod vad;

pub use mulaw::{decode, encode};
pub use synth::{SpeechError, Synthesiser, Voice};
pub use vad::{ENERGY_FLOOR_DB, Vad, VadConfig, VadEvent, level_db};

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
        let fill = |chunk: &[u8]| {
            let mut frame = SILENT_FRAME;
            frame.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
            frame
        };
        self.audio.chunks(FRAME_BYTES).map(fill).collect()
    }
}

/// Nothing but digital silence (positive or negative zero).
pub fn is_silence(audio: &[u8]) -> bool {
    audio.iter().all(|&b| b | 0x80 == SILENCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_filled_up_with_silence() {
        let speech = Speech { text: String::new(), audio: vec![0x10; 8_004], words: Vec::new() };
        let frames = speech.frames();
        assert_eq!(frames.len(), 51);
        let last = frames.last().unwrap();
        assert_eq!(&last[..4], &[0x10; 4]);
        assert!(is_silence(&last[4..]));
    }

    #[test]
    fn both_zeros_are_silence_and_nothing_else_is() {
        assert!(is_silence(&[0xFF, 0x7F, 0xFF]));
        assert!(!is_silence(&[0xFF, 0x7E]));
    }
}
