use crate::BoxFuture;

/// The queue did not take the message.
#[derive(Debug, thiserror::Error)]
#[error("the queue is unavailable")]
pub struct QueueError;

/// Jobs for later: delivered at least once, in no promised order, so every job is idempotent.
pub trait Queue: Send + Sync {
    /// Hands over one job as JSON of at most 64 KiB.
    fn send<'a>(&'a self, job: &'a serde_json::Value) -> BoxFuture<'a, Result<(), QueueError>>;
}
