//! The suites of `Blob` and `Kv` against the doubles in memory, and what only a clock that can be moved shows.

use std::sync::Arc;

use voicecore_conformance::doubles::{ManualClock, MemoryBlob, MemoryKv};
use voicecore_conformance::{blob, block_on, kv, report};
use voicecore_ports::Kv as _;
use voicecore_types::Millis;

#[test]
fn memory_keeps_the_promises_of_blob() {
    let memory = Arc::new(MemoryBlob::default());
    block_on(blob::suite(memory.clone()));
    assert_eq!(memory.keys(), [""; 0], "the suite leaves nothing behind");
    report::passed("Blob", "native SQLite");
}

#[test]
fn memory_keeps_the_promises_of_kv() {
    block_on(kv::suite(Arc::new(MemoryKv::new(Arc::new(ManualClock::new(Millis(0))))), "first"));
    report::passed("Kv", "native SQLite");
}

#[test]
fn memory_forgets_by_its_clock() {
    let clock = Arc::new(ManualClock::new(Millis(0)));
    let kv = MemoryKv::new(Arc::clone(&clock));
    block_on(kv.put("k", vec![1], 60)).unwrap();
    clock.advance(Millis(59_999));
    assert_eq!(block_on(kv.get("k")).unwrap(), Some(vec![1]));
    clock.advance(Millis(1));
    assert_eq!(block_on(kv.get("k")).unwrap(), None);
}
