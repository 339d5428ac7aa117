//! A panic ends one case, not the run: what it said, and where, is the case's problem.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, set_hook};

use futures_util::FutureExt as _;
use voicecore_conformance::http_api::message;

thread_local! {
    /// Where the last panic of this thread was.
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// From now on a panic takes one line of the output, and no backtrace: the summary at the end says the rest.
pub(crate) fn install() {
    set_hook(Box::new(note));
}

fn note(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map_or_else(String::new, ToString::to_string);
    let first_line = panic.payload_as_str().unwrap_or_default().lines().next().unwrap_or_default();
    eprintln!("panic at {place}: {first_line}");
    PLACE.replace(place);
}

/// What `work` gives; its panic is an error with the message and the place. Needs [`install`].
pub(crate) async fn caught<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(result) => result,
        // It was caught by the thread on which it happened, before anything else could run there.
        Err(panic) => Err(anyhow::anyhow!("{} ({})", message(&*panic), PLACE.take())),
    }
}
