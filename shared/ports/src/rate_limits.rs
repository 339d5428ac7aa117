use voicecore_types::{Quota, RateVerdict};

use crate::BoxFuture;

/// The counters cannot be reached.
#[derive(Debug, thiserror::Error)]
#[error("the rate limits are unavailable")]
pub struct RateLimitError;

/// Whose doings are counted: a platform that counts by quotas of its own configuration has one for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateLimit {
    /// An API key's, or a user's.
    Caller,
    /// A tenant's, whoever asks.
    Tenant,
    /// Of who shows no credentials.
    Stranger,
}

/// Counters of how often things were done.
///
/// Ordinary limits: a platform may count by place and approximately (Workers), and by a quota of its own configuration. What must be
/// exact is counted in the statement that does it (`voicecore-store`, admission of calls).
pub trait RateLimits: Send + Sync {
    /// Takes one of `quota` from what is left under `key`, which names the limit and an id of ours or a keyed hash: nothing personal.
    fn take<'a>(
        &'a self,
        limit: RateLimit,
        key: &'a str,
        quota: Quota,
    ) -> BoxFuture<'a, Result<RateVerdict, RateLimitError>>;

    /// The network that a request without credentials comes from ([`voicecore_types::network`]), by its headers. Only of a platform that
    /// vouches for the header (no client can set it) and keeps its counters in memory; `None` of every other, where what can be
    /// made up would evade the limit, and what is stored would have to be a hash that can be found by trying every address.
    fn network(&self, _header: &dyn Fn(&str) -> Option<String>) -> Option<[u8; 8]> {
        None
    }
}
