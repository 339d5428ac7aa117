//! The way between Twilio and the product: messages arrive late, but in order and all of them, as over TCP.

use std::collections::VecDeque;
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::time::Instant;

use crate::scenario::Platform;

/// Messages on their way in one direction.
#[derive(Debug)]
pub(super) struct Way<T> {
    delay_ms: u64,
    jitter_ms: u64,
    rng: SmallRng,
    messages: VecDeque<(Instant, T)>,
}

impl<T> Way<T> {
    /// A way as a scenario wants it. `seed` tells the two directions apart; the same seed jitters the same.
    pub(super) fn new(platform: &Platform, seed: u64) -> Self {
        Self {
            delay_ms: platform.delay_ms,
            jitter_ms: platform.jitter_ms,
            rng: SmallRng::seed_from_u64(seed),
            messages: VecDeque::new(),
        }
    }

    /// A message sets out. It arrives after its own delay, and not before the one ahead of it.
    pub(super) fn send(&mut self, now: Instant, message: T) {
        let delay = self.delay_ms + self.rng.random_range(0..=self.jitter_ms);
        let arrives = now + Duration::from_millis(delay);
        let ahead = self.messages.back().map_or(arrives, |(ahead, _)| arrives.max(*ahead));
        self.messages.push_back((ahead, message));
    }

    /// When the next message arrives.
    pub(super) fn next_at(&self) -> Option<Instant> {
        self.messages.front().map(|(at, _)| *at)
    }

    /// The next message, if it has arrived.
    pub(super) fn arrived(&mut self, now: Instant) -> Option<T> {
        if self.next_at()? > now {
            return None;
        }
        self.messages.pop_front().map(|(_, message)| message)
    }

    /// Everything that is still on its way, in order.
    pub(super) fn rest(&mut self) -> impl Iterator<Item = T> {
        self.messages.drain(..).map(|(_, message)| message)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use tokio::time::Instant;

    use super::Way;
    use crate::scenario::Platform;

    proptest! {
        /// However they are sent: every message arrives, in order, not before the delay, and never later than delay and
        /// jitter of itself or of one ahead of it.
        #[test]
        fn messages_arrive_late_and_in_order(
            delay_ms in 0_u64..300,
            jitter_ms in 0_u64..100,
            gaps in prop::collection::vec(0_u64..50, 1..60),
        ) {
            let platform = Platform { delay_ms, jitter_ms, ..Platform::default() };
            let mut way = Way::new(&platform, 7);
            let begin = Instant::now();
            let mut now = begin;
            let mut sent = Vec::new();
            for (n, gap) in gaps.iter().enumerate() {
                now += Duration::from_millis(*gap);
                way.send(now, n);
                sent.push(now);
            }
            let mut arrivals = Vec::new();
            while let Some(at) = way.next_at() {
                prop_assert_eq!(way.arrived(at - Duration::from_nanos(1)), None);
                arrivals.extend(way.arrived(at).map(|n| (at, n)));
            }
            prop_assert!(arrivals.iter().map(|(_, n)| *n).eq(0..gaps.len()));
            prop_assert!(arrivals.is_sorted());
            for ((at, _), sent) in arrivals.iter().zip(&sent) {
                prop_assert!(*at >= *sent + Duration::from_millis(delay_ms));
                prop_assert!(*at <= *sent + Duration::from_millis(delay_ms + jitter_ms));
            }
        }
    }
}
