use std::sync::atomic::{AtomicU64, Ordering};

use voicecore_ports::{Clock, Rng};
use voicecore_types::Millis;

/// A clock that the test moves.
#[derive(Debug)]
pub struct ManualClock(AtomicU64);

impl ManualClock {
    /// At `now`.
    pub fn new(now: Millis) -> Self {
        Self(AtomicU64::new(now.0))
    }

    /// Moves it on.
    pub fn advance(&self, span: Millis) {
        self.0.fetch_add(span.0, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::SeqCst))
    }
}

/// Bytes that look random and are the same in every run (SplitMix64). Never use it for anything but tests.
#[derive(Debug)]
pub struct SeededRng(AtomicU64);

impl SeededRng {
    /// Another seed gives other bytes.
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// The next array of bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    fn next(&self) -> u64 {
        let state =
            self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst).wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl Rng for SeededRng {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            for (byte, random) in chunk.iter_mut().zip(self.next().to_le_bytes()) {
                *byte = random;
            }
        }
    }
}
