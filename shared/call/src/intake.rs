//! The caller's audio that the model may still need.
//!
//! Two needs, one buffer: audio that came before the model was ready goes to it first, in order, frame by frame
//! (pitfall 40); and when a session is lost while the caller speaks, or before the words were transcribed, the next
//! session hears the same utterance again. Frames lie end to end in one ring, so keeping one costs a copy of 216 bytes
//! and no allocation.

use std::collections::VecDeque;

use voicecore_wire::payload::{BYTES_PER_MS, Payload};

/// Most audio kept, in milliseconds; beyond it the oldest frames are lost, and counted.
pub(crate) const MAX_KEPT_MS: u64 = 30_000;
/// Most frames kept, for frames that are absurdly short.
pub(crate) const MAX_KEPT_FRAMES: usize = 6_000;
/// Kept from before the caller began to speak: the session's own prefix padding and some more.
const PREFIX_MS: u64 = 500;

#[derive(Debug, Clone, Copy)]
struct Frame {
    base64_len: usize,
    bytes: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Intake {
    ring: VecDeque<u8>,
    frames: VecDeque<Frame>,
    bytes: u64,
    /// Milliseconds that no model ever heard, because the limit was reached.
    lost_ms: u64,
}

impl Intake {
    /// Keeps a frame. `heard` says that a session got it already: then dropping the oldest loses nothing.
    pub(crate) fn keep(&mut self, payload: &Payload<'_>, heard: bool) {
        let base64 = payload.as_str().as_bytes();
        let bytes = payload.byte_len();
        self.ring.extend(base64);
        self.frames.push_back(Frame { base64_len: base64.len(), bytes });
        self.bytes += bytes;
        while self.bytes > MAX_KEPT_MS * BYTES_PER_MS || self.frames.len() > MAX_KEPT_FRAMES {
            let dropped = self.drop_oldest();
            if !heard {
                self.lost_ms += dropped / BYTES_PER_MS;
            }
        }
    }

    /// Nothing is owed to the caller's last words: only the prefix of the next ones is kept.
    pub(crate) fn settle(&mut self) {
        while self.bytes > PREFIX_MS * BYTES_PER_MS {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) -> u64 {
        let Some(frame) = self.frames.pop_front() else {
            self.bytes = 0;
            return 0;
        };
        self.ring.drain(..frame.base64_len.min(self.ring.len()));
        self.bytes = self.bytes.saturating_sub(frame.bytes);
        frame.bytes
    }

    /// All that is kept, oldest first. It stays kept.
    pub(crate) fn replay(&mut self, mut each: impl FnMut(&Payload<'_>)) {
        let mut rest: &[u8] = self.ring.make_contiguous();
        for frame in &self.frames {
            let (base64, later) = rest.split_at(frame.base64_len.min(rest.len()));
            rest = later;
            if let Some(payload) = std::str::from_utf8(base64).ok().and_then(Payload::new) {
                each(&payload);
            }
        }
    }

    pub(crate) fn lost_ms(&self) -> u64 {
        self.lost_ms
    }

    #[cfg(test)]
    pub(crate) fn kept_ms(&self) -> u64 {
        self.bytes / BYTES_PER_MS
    }
}

#[cfg(test)]
mod tests {
    use super::{Intake, MAX_KEPT_MS, PREFIX_MS};
    use voicecore_wire::payload::Payload;

    fn frame(n: u8) -> Payload<'static> {
        Payload::encode(&[n; 160])
    }

    fn replayed(intake: &mut Intake) -> Vec<String> {
        let mut all = Vec::new();
        intake.replay(|payload| all.push(payload.as_str().to_owned()));
        all
    }

    #[test]
    fn frames_come_back_whole_and_in_order() {
        let mut intake = Intake::default();
        for n in 0..100 {
            intake.keep(&frame(n), false);
        }
        let expect: Vec<_> = (0..100).map(|n| frame(n).as_str().to_owned()).collect();
        assert_eq!(replayed(&mut intake), expect);
        assert_eq!(replayed(&mut intake), expect, "they stay");
    }

    #[test]
    fn the_limit_drops_the_oldest_and_counts_them() {
        let mut intake = Intake::default();
        let frames = MAX_KEPT_MS / 20;
        for n in 0..frames + 50 {
            intake.keep(&frame(n as u8), false);
        }
        assert_eq!(intake.kept_ms(), MAX_KEPT_MS);
        assert_eq!(intake.lost_ms(), 1_000);
        assert_eq!(replayed(&mut intake).len() as u64, frames);
        assert_eq!(replayed(&mut intake)[0], frame(50).as_str());
    }

    #[test]
    fn after_settling_only_the_prefix_is_there() {
        let mut intake = Intake::default();
        for n in 0..100 {
            intake.keep(&frame(n), true);
        }
        intake.settle();
        assert_eq!(intake.kept_ms(), PREFIX_MS);
        assert_eq!(replayed(&mut intake).last().unwrap(), frame(99).as_str());
    }
}
