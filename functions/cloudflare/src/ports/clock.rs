use voicecore_ports::Clock;
use voicecore_types::Millis;

/// `Date.now()`. On Workers it stands still between two I/O events, so it cannot be used to measure CPU time.
pub(crate) struct Date;

impl Clock for Date {
    fn now(&self) -> Millis {
        now()
    }
}

/// The time of day, for code of this crate that holds no ports.
pub(crate) fn now() -> Millis {
    Millis(js_sys::Date::now() as u64)
}
