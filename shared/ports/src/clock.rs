use voicecore_types::Millis;

/// The time of day. Never goes back within one request; on Workers it stands still between two I/O events.
pub trait Clock: Send + Sync {
    /// Milliseconds since the UNIX epoch.
    fn now(&self) -> Millis;
}

/// Randomness from the platform's cryptographic generator.
pub trait Rng: Send + Sync {
    /// Fills `bytes`. Aborts the request rather than returning predictable bytes.
    fn fill(&self, bytes: &mut [u8]);
}
