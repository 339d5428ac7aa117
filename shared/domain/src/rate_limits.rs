//! How often things may be done; the arithmetic is [`voicecore_types::Quota`]'s.

use voicecore_types::Quota;

/// Requests to the API in a minute, by one key or one user, unless `RATE_LIMIT_PER_MIN` says otherwise.
pub const DEFAULT_REQUESTS_PER_MINUTE: u32 = 100;

/// What all keys and users of a tenant may ask together: so many times what one may.
pub const OF_A_TENANT: u32 = 10;

/// What everybody without credentials may ask of one family of routes, together, where one client is not told from another: so many times
/// what one may.
pub const OF_ALL_STRANGERS: u32 = 10;

/// `times` what one may ask; one may ask `per_minute`.
#[must_use]
pub const fn api_requests(per_minute: u32, times: u32) -> Quota {
    Quota::per_minute(per_minute.saturating_mul(times))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use voicecore_types::{Millis, RateVerdict, network};

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

        /// However it is written and whatever a client chooses in a network of its own, it is the same client; another network is another.
        #[test]
        fn x03_a_client_is_its_network(upper in 1_u64.., lower in any::<[u64; 2]>(), v4 in any::<[u32; 2]>()) {
            let of = |upper: u64, lower: u64| {
                network(&std::net::Ipv6Addr::from(u128::from(upper) << 64 | u128::from(lower)).to_string())
            };
            prop_assert_eq!(of(upper, lower[0]), Some(upper.to_be_bytes()));
            prop_assert_eq!(of(upper, lower[0]), of(upper, lower[1]));
            prop_assert_ne!(of(upper, lower[0]), of(upper ^ 1, lower[0]));
            let [one, other] = v4.map(|address| std::net::Ipv4Addr::from(address).to_string());
            prop_assert_eq!(network(&one) == network(&other), v4[0] == v4[1]);
            prop_assert_eq!(network(&one), network(&format!("::ffff:{one}")));
        }

        #[test]
        fn x03_what_is_no_address_is_no_client(text in "[a-z ,]{0,20}|[0-9.]{0,6}|[0-9]{1,3}(\\.[0-9]{1,3}){4}") {
            prop_assert_eq!(network(&text), None);
        }
    }
}
