//! Counters in the database do what the arithmetic says, also for two at once (X3).

use proptest::prelude::*;
use voicecore_conformance::block_on;
use voicecore_types::{Millis, Quota, RateVerdict};

use super::{NOW, World};
use crate::rate_limits;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn x03_counters_in_sql_equal_the_arithmetic(
        burst in 1_u32..8, per in 1_u64..20_000, steps in prop::collection::vec((0_u64..4_000, 0_usize..2), 1..40),
    ) {
        let world = World::new();
        let quota = Quota { burst, per: Millis(per) };
        let (mut now, mut full_at) = (NOW, [Millis(0); 2]);
        for (gap, key) in steps {
            now = now.plus(Millis(gap));
            let (expected, after) = quota.take(full_at[key], now);
            full_at[key] = after;
            let verdict = block_on(rate_limits::take(&*world.db, &format!("test:{key}"), quota, now)).unwrap();
            prop_assert_eq!(verdict, expected);
        }
        block_on(rate_limits::forget(&*world.db, now.plus(Millis(200_000)))).unwrap();
        prop_assert!(world.select("select 1 as n from rate_limits", vec![]).is_empty());
    }
}

#[test]
fn a_used_up_quota_says_how_long_to_wait() {
    let world = World::new();
    let take = |at| block_on(rate_limits::take(&*world.db, "test", Quota::per_minute(2), at)).unwrap();
    assert_eq!((take(NOW), take(NOW)), (RateVerdict::Allowed, RateVerdict::Allowed));
    assert_eq!(take(NOW), RateVerdict::Limited { retry_after: Millis::from_secs(30) });
    assert_eq!(take(NOW.plus(Millis::from_secs(30))), RateVerdict::Allowed);
}
