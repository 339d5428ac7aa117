//! Where in an answer is speech, and where a pause?
//!
//! Words are spoken at an even pace, but pauses lie between them, as long as the voice pleases: which words were heard
//! follows from the time spoken, not from the time passed.

use voicecore_wire::payload::{BYTES_PER_MS, Payload};

use crate::loudness::begins_loud;

/// Loudness is told for so much audio at a time, in bytes: 20 ms.
const BLOCK: u64 = 20 * BYTES_PER_MS;
/// Quiet of at least this length is a pause, in bytes: 120 ms. Less lies within words (before a "t", say).
const LEAST_PAUSE: u64 = 120 * BYTES_PER_MS;
/// Pauses noted of one answer; what comes after counts as speech. A minute of reading aloud has about thirty.
const MAX_PAUSES: usize = 512;

/// The pauses of one answer, noted as its audio comes.
#[derive(Debug, Default)]
pub(crate) struct Voicing {
    bytes: u64,
    block_start: u64,
    looked_at: u64,
    loud: u64,
    /// Where each pause begins and ends, in bytes, in order. The last may still grow.
    quiet: Vec<(u64, u64)>,
}

impl Voicing {
    /// All of the audio so far, in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// More audio.
    pub(crate) fn add(&mut self, payload: &Payload<'_>) {
        let end = self.bytes + payload.byte_len();
        for group in payload.as_str().as_bytes().chunks_exact(4) {
            let loud = group.first().is_some_and(|first| begins_loud(*first));
            self.looked_at += 1;
            self.loud += u64::from(loud);
            self.bytes += 3;
            if self.bytes >= self.block_start + BLOCK {
                self.end_block();
            }
        }
        self.bytes = end;
    }

    fn end_block(&mut self) {
        // As in `is_loud`: a tenth is speech, less is the noise of a line.
        let quiet = self.loud == 0 || self.loud * 10 < self.looked_at;
        let (start, end) = (self.block_start, self.bytes);
        (self.block_start, self.looked_at, self.loud) = (end, 0, 0);
        if !quiet {
            return;
        }
        let room = self.quiet.len() < MAX_PAUSES;
        match self.quiet.last_mut() {
            Some(last) if last.1 == start => last.1 = end,
            // Quiet that ended too soon was no pause.
            Some(last) if last.1 - last.0 < LEAST_PAUSE => *last = (start, end),
            _ if room => self.quiet.push((start, end)),
            _ => {}
        }
    }

    /// How much of the first `bytes` is speech, in milliseconds.
    pub(crate) fn spoken_ms(&self, bytes: u64) -> u64 {
        if self.quiet_within(self.bytes) * 4 > self.bytes * 3 {
            // A voice that is too soft to tell from its pauses.
            return bytes / BYTES_PER_MS;
        }
        bytes.saturating_sub(self.quiet_within(bytes)) / BYTES_PER_MS
    }

    fn quiet_within(&self, bytes: u64) -> u64 {
        let long = self.quiet.iter().filter(|(start, end)| end - start >= LEAST_PAUSE);
        long.map(|(start, end)| (*end).min(bytes).saturating_sub(*start)).sum()
    }

    /// Audio without a pause, without making it.
    #[cfg(test)]
    pub(crate) fn add_speech(&mut self, bytes: u64) {
        self.bytes += bytes;
        self.block_start = self.bytes;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{MAX_PAUSES, Voicing};
    use voicecore_wire::payload::{BYTES_PER_MS, Payload, SILENCE};

    fn audio(pieces: &[(bool, u64)]) -> Vec<u8> {
        let code = |loud| if loud { 0x90 } else { SILENCE };
        let piece = |(loud, ms): &(bool, u64)| vec![code(*loud); (ms * BYTES_PER_MS) as usize];
        pieces.iter().flat_map(piece).collect()
    }

    fn heard(audio: &[u8], piece_ms: u64) -> Voicing {
        let mut voicing = Voicing::default();
        for piece in audio.chunks((piece_ms * BYTES_PER_MS) as usize) {
            voicing.add(&Payload::encode(piece));
        }
        voicing
    }

    #[test]
    fn pauses_are_not_speech_and_short_quiet_is() {
        let audio = audio(&[(true, 500), (false, 60), (true, 440), (false, 400), (true, 600)]);
        for piece_ms in [20, 50, 100, 2_000] {
            let voicing = heard(&audio, piece_ms);
            assert_eq!(voicing.bytes(), 2_000 * BYTES_PER_MS);
            for (ms, spoken) in [(0, 0), (800, 800), (1_000, 1_000), (1_400, 1_000), (2_000, 1_600)] {
                let got = voicing.spoken_ms(ms * BYTES_PER_MS);
                assert!(got.abs_diff(spoken) <= 25, "{got} of {ms} in pieces of {piece_ms}");
            }
        }
    }

    #[test]
    fn a_voice_too_soft_to_hear_has_no_pauses() {
        let voicing = heard(&audio(&[(true, 100), (false, 900)]), 100);
        assert_eq!(voicing.spoken_ms(500 * BYTES_PER_MS), 500);
    }

    #[test]
    fn pauses_are_limited() {
        let voicing = heard(&audio(&vec![[(true, 60), (false, 160)]; 600].concat()), 1_000);
        assert_eq!(voicing.quiet.len(), MAX_PAUSES);
    }

    proptest! {
        #[test]
        fn speech_grows_with_time_and_never_beyond_it(
            pieces in prop::collection::vec((any::<bool>(), 0..400_u64), 0..12),
            piece_ms in 1..150_u64,
        ) {
            let audio = audio(&pieces);
            let voicing = heard(&audio, piece_ms);
            prop_assert_eq!(voicing.bytes(), audio.len() as u64);
            let mut before = 0;
            for bytes in (0..audio.len() as u64).step_by(80) {
                let spoken = voicing.spoken_ms(bytes);
                prop_assert!(spoken >= before && spoken <= bytes / BYTES_PER_MS);
                before = spoken;
            }
        }
    }
}
