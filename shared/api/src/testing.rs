//! What unit tests of this crate share. Whole-system tests are in `tests/`, on real doubles of the ports.

use std::sync::atomic::{AtomicU8, Ordering};

use voicecore_ports::Rng;

/// A generator that gives other bytes each time, and the same in each run.
#[derive(Default)]
pub(crate) struct Counter(AtomicU8);

impl Rng for Counter {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill_with(|| self.0.fetch_add(1, Ordering::Relaxed));
    }
}
