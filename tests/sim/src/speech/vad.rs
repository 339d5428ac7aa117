//! Voice activity by loudness, on the audio that really arrived.

use super::{FRAME_BYTES, FRAME_MS, decode};

/// The level below which a frame is silence at threshold 0, in dB of full scale.
pub const ENERGY_FLOOR_DB: f64 = -50.0;
/// What threshold 1 adds to the floor.
const THRESHOLD_SPAN_DB: f64 = 25.0;
/// So many frames of the last [`ONSET_WINDOW`] must be loud for speech to begin: a click is not a word.
const ONSET_FRAMES: u32 = 3;
/// The frames looked at for an onset.
const ONSET_WINDOW: u32 = 5;

/// As `turn_detection` of type `server_vad` configures it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VadConfig {
    /// 0 to 1: how loud speech has to be.
    pub threshold: f64,
    /// Audio before the onset that belongs to the turn.
    pub prefix_padding_ms: u32,
    /// Silence that ends a turn.
    pub silence_duration_ms: u32,
}

impl Default for VadConfig {
    fn default() -> Self {
        Self { threshold: 0.5, prefix_padding_ms: 300, silence_duration_ms: 500 }
    }
}

/// What the detector found. Times are milliseconds of audio since the first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VadEvent {
    /// Speech began; the prefix padding is taken off.
    Started {
        /// Where the turn begins.
        audio_start_ms: u32,
    },
    /// Speech ended, the silence that proved it included.
    Stopped {
        /// Where the turn ends.
        audio_end_ms: u32,
    },
}

/// A detector of turns.
#[derive(Debug, Clone)]
pub struct Vad {
    config: VadConfig,
    /// Frames seen.
    position: u32,
    /// The last [`ONSET_WINDOW`] frames, newest in the lowest bit, one for loud.
    recent: u32,
    speaking: bool,
    quiet_ms: u32,
    /// A turn does not reach back behind the end of the one before.
    earliest_ms: u32,
}

impl Vad {
    /// A detector that has heard nothing.
    pub fn new(config: VadConfig) -> Self {
        Self { config, position: 0, recent: 0, speaking: false, quiet_ms: 0, earliest_ms: 0 }
    }

    /// Changes the settings from the next frame on.
    pub fn configure(&mut self, config: VadConfig) {
        self.config = config;
    }

    /// Between `Started` and `Stopped`.
    pub fn speaking(&self) -> bool {
        self.speaking
    }

    /// Forgets a turn that has begun (`input_audio_buffer.clear`, manual commit).
    pub fn reset_turn(&mut self) {
        self.speaking = false;
        self.recent = 0;
        self.earliest_ms = self.position * FRAME_MS;
    }

    /// Listens to one frame.
    pub fn push(&mut self, frame: &[u8]) -> Option<VadEvent> {
        debug_assert!(frame.len() <= FRAME_BYTES);
        let loud = level_db(frame) > ENERGY_FLOOR_DB + THRESHOLD_SPAN_DB * self.config.threshold;
        self.position += 1;
        self.recent = (self.recent << 1 | u32::from(loud)) & ((1 << ONSET_WINDOW) - 1);
        let now_ms = self.position * FRAME_MS;
        if self.speaking {
            self.quiet_ms = if loud { 0 } else { self.quiet_ms + FRAME_MS };
            if self.quiet_ms < self.config.silence_duration_ms {
                return None;
            }
            self.speaking = false;
            self.recent = 0;
            self.earliest_ms = now_ms;
            return Some(VadEvent::Stopped { audio_end_ms: now_ms });
        }
        if self.recent.count_ones() < ONSET_FRAMES {
            return None;
        }
        self.speaking = true;
        self.quiet_ms = 0;
        let onset_ms = now_ms.saturating_sub((u32::BITS - self.recent.leading_zeros()) * FRAME_MS);
        let audio_start_ms = onset_ms.saturating_sub(self.config.prefix_padding_ms).max(self.earliest_ms);
        Some(VadEvent::Started { audio_start_ms })
    }
}

/// Loudness of µ-law audio in dB of full scale; −∞ for digital silence.
pub fn level_db(audio: &[u8]) -> f64 {
    let power: f64 = audio.iter().map(|&b| f64::from(decode(b)).powi(2)).sum();
    20.0 * ((power / audio.len().max(1) as f64).sqrt() / 32_768.0).log10()
}

#[cfg(test)]
mod tests {
    use super::super::{SILENT_FRAME, encode};
    use super::*;

    fn tone(amplitude: f64) -> [u8; FRAME_BYTES] {
        std::array::from_fn(|n| encode((amplitude * (n as f64 * 0.4).sin()) as i16))
    }

    fn play(vad: &mut Vad, frame: &[u8], ms: u32) -> Vec<VadEvent> {
        (0..ms / FRAME_MS).filter_map(|_| vad.push(frame)).collect()
    }

    #[test]
    fn a_turn_begins_with_its_padding_and_ends_with_its_silence() {
        let mut vad = Vad::new(VadConfig::default());
        assert_eq!(play(&mut vad, &SILENT_FRAME, 1_000), []);
        assert_eq!(play(&mut vad, &tone(5_000.0), 400), [VadEvent::Started { audio_start_ms: 700 }]);
        assert_eq!(play(&mut vad, &SILENT_FRAME, 480), []);
        assert_eq!(play(&mut vad, &SILENT_FRAME, 2_000), [VadEvent::Stopped { audio_end_ms: 1_900 }]);
    }

    #[test]
    fn a_pause_shorter_than_the_configured_silence_does_not_end_a_turn() {
        let mut vad = Vad::new(VadConfig { silence_duration_ms: 700, ..VadConfig::default() });
        play(&mut vad, &tone(5_000.0), 200);
        assert_eq!(play(&mut vad, &SILENT_FRAME, 680), []);
        assert_eq!(play(&mut vad, &tone(5_000.0), 100), []);
        assert_eq!(play(&mut vad, &SILENT_FRAME, 680), []);
        assert!(vad.speaking());
    }

    #[test]
    fn a_click_and_line_noise_are_not_speech() {
        let mut vad = Vad::new(VadConfig::default());
        assert_eq!(play(&mut vad, &tone(9_000.0), 40), []);
        assert_eq!(play(&mut vad, &SILENT_FRAME, 200), []);
        assert_eq!(play(&mut vad, &tone(150.0), 2_000), []);
    }

    #[test]
    fn a_higher_threshold_wants_a_louder_voice() {
        let quiet = tone(1_000.0);
        let started = |threshold| {
            let mut vad = Vad::new(VadConfig { threshold, ..VadConfig::default() });
            !play(&mut vad, &quiet, 200).is_empty()
        };
        assert!(started(0.5));
        assert!(!started(0.9));
    }

    #[test]
    fn a_turn_does_not_reach_into_the_one_before() {
        let mut vad = Vad::new(VadConfig { silence_duration_ms: 200, ..VadConfig::default() });
        play(&mut vad, &tone(5_000.0), 200);
        assert_eq!(play(&mut vad, &SILENT_FRAME, 200), [VadEvent::Stopped { audio_end_ms: 400 }]);
        assert_eq!(play(&mut vad, &tone(5_000.0), 100), [VadEvent::Started { audio_start_ms: 400 }]);
    }
}
