use std::collections::BTreeSet;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use voicecore_ports::{BoxFuture, Clock, Rng};
use voicecore_types::Millis;

use super::memory::lock;

/// A clock that the test moves, or that [`ManualClock::run`] moves to the next moment for which anybody waits.
#[derive(Debug)]
pub struct ManualClock(Arc<Time>);

#[derive(Debug)]
struct Time {
    now: AtomicU64,
    /// When those wake up who sleep, each with a number of its own.
    sleepers: Mutex<BTreeSet<(u64, u64)>>,
    next: AtomicU64,
}

impl ManualClock {
    /// At `now`.
    pub fn new(now: Millis) -> Self {
        let (sleepers, next) = (Mutex::default(), AtomicU64::new(0));
        Self(Arc::new(Time { now: AtomicU64::new(now.0), sleepers, next }))
    }

    /// Moves it on.
    pub fn advance(&self, span: Millis) {
        self.0.now.fetch_add(span.0, Ordering::SeqCst);
    }

    /// What a future gives for which nothing takes any time but sleeping by this clock: it moves on whenever all wait.
    ///
    /// # Panics
    /// When the future waits for something else.
    pub fn run<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return output;
            }
            let wakes = lock(&self.0.sleepers).first().map(|(wakes, _)| *wakes);
            assert!(wakes.is_some(), "this waits for something that never comes");
            self.0.now.fetch_max(wakes.unwrap_or_default(), Ordering::SeqCst);
        }
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Millis {
        Millis(self.0.now.load(Ordering::SeqCst))
    }

    fn sleep(&self, span: Millis) -> BoxFuture<'static, ()> {
        let number = self.0.next.fetch_add(1, Ordering::SeqCst);
        let sleep = Sleep { time: Arc::clone(&self.0), entry: (self.now().plus(span).0, number) };
        lock(&self.0.sleepers).insert(sleep.entry);
        Box::pin(sleep)
    }
}

struct Sleep {
    time: Arc<Time>,
    entry: (u64, u64),
}

impl Future for Sleep {
    type Output = ();

    /// Wakes nobody: who moves the clock polls again.
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.time.now.load(Ordering::SeqCst) < self.entry.0 { Poll::Pending } else { Poll::Ready(()) }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        lock(&self.time.sleepers).remove(&self.entry);
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
