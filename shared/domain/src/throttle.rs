//! How passwords may be guessed: slower and slower.
//!
//! Failures are counted for what is tried: an account (an e-mail address, whether or not anybody has it), or a device on which
//! somebody has signed in to that account before. So whoever guesses from elsewhere slows everybody elsewhere, and never the
//! person at their own device. No address of the network is looked at.

use voicecore_types::Millis;

/// Failures that cost nothing.
pub const FREE_FAILURES: u64 = 5;
/// The longest wait of an account.
pub const LONGEST_WAIT: Millis = Millis::from_secs(900);
/// The longest wait of a known device: somebody may have forgotten which password it was.
pub const LONGEST_DEVICE_WAIT: Millis = Millis::from_secs(30);
/// Failures are forgotten when there was none for this long.
pub const FORGOTTEN_AFTER: Millis = Millis::from_secs(86_400);

/// What is known of earlier tries. Nothing, as long as nobody tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Throttle {
    /// How often it failed since it last succeeded.
    pub failures: u64,
    /// Until then nothing is tried.
    pub blocked_until: Millis,
    /// When it was tried last.
    pub updated_at: Millis,
}

/// Too early: wait this long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait(pub Millis);

impl Throttle {
    /// Begins a try. It counts as a failure until it succeeds, so that any number of tries at the same moment count.
    pub fn attempt(self, now: Millis, known_device: bool) -> Result<Self, Wait> {
        if self.blocked_until > now {
            return Err(Wait(self.blocked_until.since(now)));
        }
        let forgotten = now.since(self.updated_at) >= FORGOTTEN_AFTER;
        let failures = if forgotten { 1 } else { self.failures.saturating_add(1) };
        Ok(Self { failures, blocked_until: now.plus(wait(failures, known_device)), updated_at: now })
    }
}

/// How long the try after so many failures must wait: a second, then twice as long each time.
fn wait(failures: u64, known_device: bool) -> Millis {
    let Some(beyond) = failures.checked_sub(FREE_FAILURES) else { return Millis::ZERO };
    let longest = if known_device { LONGEST_DEVICE_WAIT } else { LONGEST_WAIT };
    let doubled = 1_000_u64.checked_shl(u32::try_from(beyond.min(20)).unwrap_or(20)).unwrap_or(u64::MAX);
    Millis(doubled.min(longest.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Millis = Millis(1_795_000_000_000);

    #[test]
    fn waits_double_up_to_a_limit() {
        let mut throttle = Throttle::default();
        let mut now = NOW;
        let mut waits = Vec::new();
        for _ in 0..18 {
            throttle = throttle.attempt(now, false).unwrap();
            waits.push(throttle.blocked_until.since(now).0 / 1_000);
            now = throttle.blocked_until;
        }
        assert_eq!(waits[..9], [0, 0, 0, 0, 1, 2, 4, 8, 16]);
        assert_eq!(waits[17], 900);
    }

    proptest! {
        #[test]
        fn nobody_waits_longer_than_said(failures in any::<u64>(), device in any::<bool>()) {
            let throttle = Throttle { failures, blocked_until: Millis::ZERO, updated_at: NOW };
            let next = throttle.attempt(NOW, device).unwrap();
            let longest = if device { LONGEST_DEVICE_WAIT } else { LONGEST_WAIT };
            prop_assert!(next.blocked_until.since(NOW) <= longest);
            // Whoever waits that long may try again.
            prop_assert!(next.attempt(next.blocked_until, device).is_ok());
        }

        /// However the tries are spread, the number of them within a day has a bound.
        #[test]
        fn guesses_are_few(gaps in prop::collection::vec(0_u64..2_000_000, 0..2_000)) {
            let (mut throttle, mut now, mut tried) = (Throttle::default(), NOW, 0);
            for gap in gaps {
                now = now.plus(Millis(gap));
                if now.since(NOW) >= FORGOTTEN_AFTER {
                    break;
                }
                if let Ok(next) = throttle.attempt(now, false) {
                    throttle = next;
                    tried += 1;
                }
            }
            prop_assert!(tried <= 5 + 10 + 96, "{tried}");
        }
    }

    #[test]
    fn a_day_without_failures_forgets_them() {
        let throttle = Throttle { failures: 40, blocked_until: NOW, updated_at: NOW };
        assert_eq!(throttle.attempt(NOW.plus(FORGOTTEN_AFTER), false).unwrap().failures, 1);
        assert_eq!(throttle.attempt(NOW.plus(Millis(1)), false).unwrap().failures, 41);
    }
}
