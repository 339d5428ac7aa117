//! The suites of the ports against the doubles in memory, and what only a clock that can be moved shows.

use std::sync::Arc;

use voicecore_conformance::doubles::{
    ManualClock, MemoryBlob, MemoryKv, MemoryQueue, MemoryRateLimits, RecordingActors, SeededRng,
};
use voicecore_conformance::{actors, blob, block_on, clock, kv, queue, rate_limits, report, rng};
use voicecore_ports::Kv as _;
use voicecore_types::{Millis, Quota};

/// In the table: the doubles stand beside SQLite.
const HERE: &str = "native SQLite";
/// A day of this year.
const TODAY: Millis = Millis(1_795_737_600_000);

#[test]
fn memory_keeps_the_promises_of_blob() {
    let memory = Arc::new(MemoryBlob::default());
    block_on(blob::suite(memory.clone()));
    assert_eq!(memory.keys(), [""; 0], "the suite leaves nothing behind");
    report::passed("Blob", HERE);
}

#[test]
fn memory_keeps_the_promises_of_kv() {
    block_on(kv::suite(Arc::new(MemoryKv::new(Arc::new(ManualClock::new(Millis(0))))), "first"));
    report::passed("Kv", HERE);
}

#[test]
fn memory_keeps_the_promises_of_queue() {
    let memory = Arc::new(MemoryQueue::default());
    let delivered = async || memory.take();
    block_on(queue::suite(memory.clone(), Arc::new(ManualClock::new(TODAY)), delivered));
    report::passed("Queue", HERE);
}

#[test]
fn a_clock_that_is_moved_keeps_the_promises_of_clock() {
    let moved = Arc::new(ManualClock::new(TODAY));
    moved.run(clock::suite(moved.clone()));
    report::passed("Clock", HERE);
}

#[test]
fn seeded_bytes_keep_the_promises_of_rng() {
    let seeded: rng::SharedRng = Arc::new(SeededRng::new(7));
    rng::suite(&seeded);
    report::passed("Rng", HERE);
}

#[test]
fn memory_keeps_the_promises_of_rate_limits() {
    let memory = MemoryRateLimits::new(Arc::new(ManualClock::new(TODAY)));
    block_on(rate_limits::suite(Arc::new(memory), "first", Quota::per_minute(5)));
    report::passed("RateLimits", HERE);
}

#[test]
fn a_platform_without_actors_says_so() {
    let none = RecordingActors::default();
    none.remove();
    block_on(actors::suite_without(Arc::new(none)));
    report::passed("Actors", HERE);
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
