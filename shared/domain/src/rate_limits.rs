//! How often things may be done; the arithmetic is [`voicecore_types::Quota`]'s.

use voicecore_types::Quota;

/// Requests to the API in a minute, by one key, unless `RATE_LIMIT_PER_MIN` says otherwise.
pub const DEFAULT_REQUESTS_PER_MINUTE: u32 = 100;

/// Of one key. The name stands in `RateLimit-Policy`.
#[must_use]
pub const fn api_requests(per_minute: u32) -> Quota {
    Quota::per_minute(per_minute)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use voicecore_types::{Millis, RateVerdict};

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        /// However requests come: never more than the burst and what has come back since, in any span; who waits as long as told is
        /// let in; who comes a moment earlier is not.
        #[test]
        fn x03_no_span_sees_more_than_the_quota(
            burst in 1_u32..40, per in 1_u64..120_000, gaps in prop::collection::vec(0_u64..5_000, 1..120),
        ) {
            let quota = Quota { burst, per: Millis(per) };
            let (mut full_at, mut now) = (Millis(0), Millis(1_000_000));
            let mut allowed: Vec<u64> = Vec::new();
            for gap in gaps {
                now = now.plus(Millis(gap));
                let (verdict, after) = quota.take(full_at, now);
                match verdict {
                    RateVerdict::Allowed => allowed.push(now.0),
                    RateVerdict::Limited { retry_after } => {
                        prop_assert!(retry_after.0 > 0);
                        prop_assert_eq!(after, full_at);
                        let (then, _) = quota.take(full_at, now.plus(retry_after));
                        prop_assert_eq!(then, RateVerdict::Allowed);
                        let (early, _) = quota.take(full_at, now.plus(Millis(retry_after.0 - 1)));
                        prop_assert_ne!(early, RateVerdict::Allowed);
                    }
                }
                full_at = after;
            }
            for (first, from) in allowed.iter().enumerate() {
                for (last, to) in allowed.iter().enumerate().skip(first) {
                    let came_back = (to - from) / quota.interval().0;
                    prop_assert!((last - first + 1) as u64 <= u64::from(burst) + came_back);
                }
            }
        }

        /// A quota that was left alone is whole again.
        #[test]
        fn x03_a_quota_comes_back(burst in 1_u32..200, per in 1_u64..120_000) {
            let quota = Quota { burst, per: Millis(per) };
            let (mut full_at, now) = (Millis(0), Millis(5));
            let mut taken = 0;
            while let (RateVerdict::Allowed, after) = quota.take(full_at, now) {
                full_at = after;
                taken += 1;
            }
            // The interval is rounded up, so a burst may be short of a part, and never of all.
            prop_assert!(taken >= 1 && taken <= burst);
            if per % u64::from(burst) == 0 {
                prop_assert_eq!(taken, burst);
            }
            prop_assert!(full_at <= now.plus(Millis(per.max(quota.interval().0))));
        }
    }
}
