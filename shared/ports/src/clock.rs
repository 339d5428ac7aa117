use voicecore_types::Millis;

use crate::BoxFuture;

/// The time of day. Never goes back within one request; on Workers it stands still between two I/O events.
pub trait Clock: Send + Sync {
    /// Milliseconds since the UNIX epoch.
    fn now(&self) -> Millis;

    /// Is ready when `span` has passed, or a little later. Whoever does not want to wait any longer drops it.
    fn sleep(&self, span: Millis) -> BoxFuture<'static, ()>;
}

/// Randomness from the platform's cryptographic generator.
pub trait Rng: Send + Sync {
    /// Fills `bytes`. Aborts the request rather than returning predictable bytes.
    fn fill(&self, bytes: &mut [u8]);
}
