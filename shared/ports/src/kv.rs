use crate::BoxFuture;

/// The key-value store cannot be reached.
#[derive(Debug, thiserror::Error)]
#[error("the key-value store is unavailable")]
pub struct KvError;

/// A cache. It may be stale for a minute and has no atomic operation, so it holds content-addressed values only:
/// never authorisation, configuration, tokens, counters or idempotency.
pub trait Kv: Send + Sync {
    /// The value, or `None`.
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Vec<u8>>, KvError>>;
    /// Stores a value for `ttl_secs` (at least 60).
    fn put<'a>(&'a self, key: &'a str, value: Vec<u8>, ttl_secs: u32) -> BoxFuture<'a, Result<(), KvError>>;
}
