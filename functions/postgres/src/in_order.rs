use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

/// Runs futures side by side, each polled for the first time in its turn. The client sends a request when its future is
/// first polled, so requests go out in this order, without waiting for one another's answers.
pub(crate) async fn in_order<T>(futures: Vec<Pin<Box<dyn Future<Output = T> + Send + '_>>>) -> Vec<T> {
    let mut running: Vec<_> = futures.into_iter().map(|future| (Some(future), None)).collect();
    poll_fn(|context| {
        let mut waits = false;
        for (future, output) in &mut running {
            match future.as_mut().map(|future| future.as_mut().poll(context)) {
                Some(Poll::Ready(value)) => {
                    *output = Some(value);
                    *future = None;
                }
                Some(Poll::Pending) => waits = true,
                None => {}
            }
        }
        if waits { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    running.into_iter().filter_map(|(_, output)| output).collect()
}
