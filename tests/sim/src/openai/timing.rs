//! How fast things go.

use serde::{Deserialize, Serialize};

/// Times of a session. The defaults are of the order of what users of the real service report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timing {
    /// From the request of an upgrade to its answer.
    pub connect_ms: u64,
    /// From the start of a response to its first audio.
    pub first_audio_ms: u64,
    /// Added to it, at random, up to this.
    pub first_audio_jitter_ms: u64,
    /// Audio of one delta.
    pub chunk_ms: u32,
    /// How many times faster than real time audio is sent.
    pub speed: f64,
    /// Transcript deltas run ahead of their audio by up to so much audio time.
    pub transcript_lead_ms: u32,
    /// From the commit of a turn to its transcription.
    pub transcription_lag_ms: u64,
    /// Added to it, at random, up to this: the reply may be there first, or not.
    pub transcription_jitter_ms: u64,
    /// Audio deltas that still come after `speech_started` has interrupted a response.
    pub late_deltas: usize,
    /// A session ends after this.
    pub session_cap_ms: u64,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            connect_ms: 400,
            first_audio_ms: 300,
            first_audio_jitter_ms: 100,
            chunk_ms: 200,
            speed: 4.0,
            transcript_lead_ms: 2_000,
            transcription_lag_ms: 200,
            transcription_jitter_ms: 500,
            late_deltas: 2,
            session_cap_ms: 60 * 60 * 1_000,
        }
    }
}
