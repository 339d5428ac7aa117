//! The conformance suite of [`Rng`]: that all of what is asked for is filled, however much, and never twice alike.

use std::collections::BTreeSet;
use std::sync::Arc;

use voicecore_ports::Rng;

/// More than one platform gives at once (65,536: Web Cryptography API, §10.1.1), and than another may.
const MUCH: usize = 200_000;
/// The chance that so many random bytes are all zero is below one in 2^128.
const RUN: usize = 16;

/// A backend under test.
pub type SharedRng = Arc<dyn Rng>;

/// Runs every case against a backend, and panics at the first promise that is broken; the output names the case.
pub fn suite(rng: &SharedRng) {
    macro_rules! cases {
        ($($case:ident),+ $(,)?) => {$(
            println!("{}", stringify!($case));
            $case(&**rng);
        )+};
    }
    cases!(all_of_it_is_filled, every_byte_comes, nothing_comes_twice);
}

fn bytes(rng: &dyn Rng, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    rng.fill(&mut bytes);
    bytes
}

/// Also where a platform's limit lies, and just beside it.
fn all_of_it_is_filled(rng: &dyn Rng) {
    assert!(bytes(rng, 0).is_empty());
    for length in [RUN, 4_096, 65_536, 65_536 + RUN, MUCH] {
        let filled = bytes(rng, length);
        let zeros = filled.rchunks_exact(RUN).position(|run| run.iter().all(|byte| *byte == 0));
        assert_eq!(zeros, None, "of {length} bytes");
    }
    // The last byte of odd lengths: it is zero now and then, not always.
    for length in [1, 3, 7, 33] {
        assert!((0..RUN).any(|_| bytes(rng, length).last() != Some(&0)), "of {length} bytes");
    }
}

fn every_byte_comes(rng: &dyn Rng) {
    let seen: BTreeSet<u8> = bytes(rng, 65_536).into_iter().collect();
    assert_eq!(seen.len(), 256);
}

fn nothing_comes_twice(rng: &dyn Rng) {
    let many: BTreeSet<Vec<u8>> = (0..1_000).map(|_| bytes(rng, RUN)).collect();
    assert_eq!(many.len(), 1_000);
}
