//! The only place of this program that reads a clock.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

static START: OnceLock<Instant> = OnceLock::new();

/// Microseconds since the first call.
#[expect(clippy::disallowed_methods, reason = "a native benchmark measures real time")]
pub(crate) fn micros() -> u64 {
    let start = START.get_or_init(Instant::now);
    u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX)
}

/// The tokio instant at `micros` of this clock.
pub(crate) fn at(deadline: u64) -> tokio::time::Instant {
    tokio::time::Instant::now() + Duration::from_micros(deadline.saturating_sub(micros()))
}
