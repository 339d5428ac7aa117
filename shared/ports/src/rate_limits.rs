use voicecore_types::{Quota, RateVerdict};

use crate::BoxFuture;

/// The counters cannot be reached.
#[derive(Debug, thiserror::Error)]
#[error("the rate limits are unavailable")]
pub struct RateLimitError;

/// Counters of how often things were done.
///
/// Ordinary limits: a platform may count by place and approximately (Workers), and by a quota of its own configuration. What must be
/// exact is counted in the statement that does it (`voicecore-store`, admission of calls).
pub trait RateLimits: Send + Sync {
    /// Takes one of `quota` from what is left under `key`, which names the limit and an id of ours: nothing personal.
    fn take<'a>(&'a self, key: &'a str, quota: Quota) -> BoxFuture<'a, Result<RateVerdict, RateLimitError>>;
}
