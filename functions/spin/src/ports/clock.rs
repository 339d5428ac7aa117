use std::time::{Duration, SystemTime};

use voicecore_ports::{BoxFuture, Clock};
use voicecore_types::Millis;

/// The host's time of day.
pub(crate) struct Wall;

impl Clock for Wall {
    #[expect(clippy::disallowed_methods, reason = "this is the `Clock` port, and wasm32-wasip2 has a clock")]
    fn now(&self) -> Millis {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Millis(since.as_millis() as u64)
    }

    fn sleep(&self, span: Millis) -> BoxFuture<'static, ()> {
        Box::pin(spin_sdk::time::sleep(Duration::from_millis(span.0)))
    }
}
