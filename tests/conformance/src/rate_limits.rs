//! The conformance suite of [`RateLimits`]: what the port promises, although a platform may count approximately.

use std::sync::Arc;

use voicecore_ports::{RateLimit, RateLimits};
use voicecore_types::{Quota, RateVerdict};

/// A backend under test.
pub type SharedRateLimits = Arc<dyn RateLimits>;

/// Runs every case against a backend, and panics at the first promise that is broken; the output names the case. `run` is a word that no
/// earlier run against the same backend has used; `quota` is what the backend counts by, where that is its own configuration.
pub async fn suite(limits: SharedRateLimits, run: &str, quota: Quota) {
    println!("a_quota_is_all_there_is_for_a_while");
    a_quota_is_all_there_is_for_a_while(&*limits, run, quota).await;
    println!("keys_are_told_apart");
    keys_are_told_apart(&*limits, run, quota).await;
}

async fn take(limits: &dyn RateLimits, key: &str, quota: Quota) -> RateVerdict {
    let verdict = limits.take(RateLimit::Caller, key, quota).await;
    assert!(verdict.is_ok(), "{key}: {verdict:?}");
    verdict.unwrap_or(RateVerdict::Allowed)
}

/// Takes until no more is given: how often it was.
async fn exhaust(limits: &dyn RateLimits, key: &str, quota: Quota) -> u32 {
    // A window may end while this runs, and another quota begin.
    let most = quota.burst * 2;
    for taken in 0..=most {
        match take(limits, key, quota).await {
            RateVerdict::Allowed => {}
            RateVerdict::Limited { retry_after } => {
                assert!(retry_after.0 > 0 && retry_after <= quota.per, "{retry_after:?}");
                return taken;
            }
        }
    }
    unreachable!("{key}: more than {most} were given of {quota:?}")
}

async fn a_quota_is_all_there_is_for_a_while(limits: &dyn RateLimits, run: &str, quota: Quota) {
    let key = format!("{run}/alone");
    let taken = exhaust(limits, &key, quota).await;
    assert!(taken >= quota.burst, "only {taken} were given of {quota:?}");
}

async fn keys_are_told_apart(limits: &dyn RateLimits, run: &str, quota: Quota) {
    let (spent, fresh) = (format!("{run}/a:b"), format!("{run}/a"));
    exhaust(limits, &spent, quota).await;
    assert_eq!(take(limits, &fresh, quota).await, RateVerdict::Allowed, "another key has spent it");
    assert!(exhaust(limits, &fresh, quota).await + 1 >= quota.burst);
}
