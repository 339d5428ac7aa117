//! The conformance suite of [`Clock`]: what the port promises, by every platform's time.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use voicecore_ports::Clock;
use voicecore_types::Millis;

/// 1 January 2024 and 1 January 2100: a clock that says seconds, or microseconds, is outside.
const PAST: Millis = Millis(1_704_067_200_000);
const FUTURE: Millis = Millis(4_102_444_800_000);
/// A sleep that is told apart from none.
const BRIEF: Millis = Millis(80);

/// A backend under test.
pub type SharedClock = Arc<dyn Clock>;

/// Runs every case against a backend, and panics at the first promise that is broken; the output names the case.
pub async fn suite(clock: SharedClock) {
    macro_rules! cases {
        ($($case:ident),+ $(,)?) => {$(
            println!("{}", stringify!($case));
            $case(&*clock).await;
        )+};
    }
    cases!(
        it_counts_milliseconds_and_never_goes_back,
        a_sleep_is_never_shorter_than_it_was_asked_to_be,
        the_shorter_of_two_sleeps_ends_first,
        a_sleep_that_is_dropped_disturbs_no_other,
    );
}

async fn it_counts_milliseconds_and_never_goes_back(clock: &dyn Clock) {
    let mut last = clock.now();
    assert!((PAST..FUTURE).contains(&last), "{last:?}");
    for _ in 0..5 {
        clock.sleep(Millis(2)).await;
        let now = clock.now();
        assert!(now >= last, "{now:?} after {last:?}");
        last = now;
    }
}

async fn a_sleep_is_never_shorter_than_it_was_asked_to_be(clock: &dyn Clock) {
    clock.sleep(Millis(0)).await;
    let began = clock.now();
    clock.sleep(BRIEF).await;
    // Timers count from another moment of the same millisecond.
    let slept = clock.now().0 - began.0;
    assert!(slept + 1 >= BRIEF.0, "{slept} ms");
}

async fn the_shorter_of_two_sleeps_ends_first(clock: &dyn Clock) {
    let (mut long, mut short) = (clock.sleep(Millis(BRIEF.0 * 20)), clock.sleep(BRIEF));
    let first = poll_fn(|context| {
        if short.as_mut().poll(context).is_ready() {
            return Poll::Ready("short");
        }
        long.as_mut().poll(context).map(|()| "long")
    });
    assert_eq!(first.await, "short");
}

async fn a_sleep_that_is_dropped_disturbs_no_other(clock: &dyn Clock) {
    let mut dropped = clock.sleep(BRIEF);
    let mut kept = clock.sleep(BRIEF);
    poll_fn(|context| {
        assert!(dropped.as_mut().poll(context).is_pending() && kept.as_mut().poll(context).is_pending());
        Poll::Ready(())
    })
    .await;
    drop(dropped);
    kept.await;
}
