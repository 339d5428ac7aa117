use std::time::Duration;

use voicecore_ports::{BoxFuture, Clock};
use voicecore_types::Millis;
use worker::Delay;
use worker::send::SendFuture;

/// `Date.now()`. On Workers it stands still between two I/O events, so it cannot be used to measure CPU time.
pub(crate) struct Date;

impl Clock for Date {
    fn now(&self) -> Millis {
        now()
    }

    fn sleep(&self, span: Millis) -> BoxFuture<'static, ()> {
        Box::pin(SendFuture::new(Delay::from(Duration::from_millis(span.0))))
    }
}

/// The time of day, for code that holds no ports.
pub fn now() -> Millis {
    Millis(js_sys::Date::now() as u64)
}
