use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};

/// The operation's outcome, or `None` when it took longer. It is dropped then, which cancels what the host does for it.
pub(crate) async fn within<T>(limit: Duration, operation: impl Future<Output = T>) -> Option<T> {
    match select(pin!(operation), pin!(spin_sdk::time::sleep(limit))).await {
        Either::Left((outcome, _)) => Some(outcome),
        Either::Right(_) => None,
    }
}
