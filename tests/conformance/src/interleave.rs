//! Two writers and every way in which their steps may come between one another, decided by a number instead of luck.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

/// Lets the other one go first, once. A backend that really waits interleaves by itself besides.
pub async fn step_aside() {
    let mut waited = false;
    poll_fn(|context| {
        if waited {
            return Poll::Ready(());
        }
        waited = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Steps aside as often as the lowest two bits of `*schedule` say, and uses them up.
pub async fn step_aside_by(schedule: &mut u32) {
    for _ in 0..(*schedule & 3) {
        step_aside().await;
    }
    *schedule >>= 2;
}

/// Runs both, polling in turn, until both are done.
pub async fn both<A, B>(a: impl Future<Output = A>, b: impl Future<Output = B>) -> (A, B) {
    let (mut a, mut b) = (pin!(a), pin!(b));
    let (mut done_a, mut done_b) = (None, None);
    poll_fn(move |context| {
        if done_a.is_none()
            && let Poll::Ready(value) = a.as_mut().poll(context)
        {
            done_a = Some(value);
        }
        if done_b.is_none()
            && let Poll::Ready(value) = b.as_mut().poll(context)
        {
            done_b = Some(value);
        }
        match (done_a.take(), done_b.take()) {
            (Some(a), Some(b)) => Poll::Ready((a, b)),
            (a, b) => {
                (done_a, done_b) = (a, b);
                Poll::Pending
            }
        }
    })
    .await
}
