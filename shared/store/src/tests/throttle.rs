//! Throttled tries are counted strictly: no interleaving gets one try more than the counter knows of.

use proptest::prelude::*;
use voicecore_conformance::block_on;
use voicecore_conformance::interleave::{both, step_aside_by};
use voicecore_domain::throttle::FREE_FAILURES;
use voicecore_ports::Db;
use voicecore_types::Millis;

use super::world::{NOW, World};
use crate::directory::accounts;

const KEY: &str = "somebody";

/// Tries again and again, each time at the same moment as the other one; gives how often it was let in.
async fn guess(db: &dyn Db, tries: u32, mut schedule: u32) -> u64 {
    let mut let_in = 0;
    for n in 0..tries {
        // Far enough apart that a wait before a try is over, near enough that nothing is forgotten.
        let now = NOW.plus(Millis::from_secs(1_000 * u64::from(n)));
        let before = accounts::throttle(db, KEY).await.unwrap();
        step_aside_by(&mut schedule).await;
        let Ok(after) = before.attempt(now, false) else { continue };
        step_aside_by(&mut schedule).await;
        let_in += u64::from(accounts::note_try(db, KEY, before, after).await.unwrap());
        schedule = schedule.rotate_left(7);
    }
    let_in
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn b26_two_who_guess_at_once_are_counted_one_by_one(schedules in any::<[u32; 2]>(), tries in 1_u32..8) {
        let world = World::new();
        let db = &*world.db;
        let (a, b) = block_on(both(guess(db, tries, schedules[0]), guess(db, tries, schedules[1])));
        let counted = block_on(accounts::throttle(db, KEY)).unwrap().failures;
        prop_assert_eq!(counted, a + b);
        // Of those who try at the same moment one is let in; what costs nothing may let in both, one after the other.
        prop_assert!(a + b <= u64::from(tries) + FREE_FAILURES, "{} and {} of {} each", a, b, tries);
        prop_assert!(a + b >= 1);
    }
}
