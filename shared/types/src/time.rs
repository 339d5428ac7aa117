use serde::{Deserialize, Serialize};

/// Milliseconds: a moment (since the UNIX epoch) or a span, as the name of the variable says.
///
/// `std::time::Instant` panics on wasm32 and cannot be written into a fixture, so time is this number everywhere and
/// comes in through the `Clock` port. Arithmetic saturates: a clock that steps back yields 0, never a panic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Millis(pub u64);

impl Millis {
    /// Zero milliseconds.
    pub const ZERO: Self = Self(0);

    /// A span of whole seconds.
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1_000))
    }

    /// The span from `earlier` to `self`; zero when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Self {
        Self(self.0.saturating_sub(earlier.0))
    }

    /// `self` moved on by `span`.
    #[must_use]
    pub const fn plus(self, span: Self) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

#[cfg(test)]
mod tests {
    use super::Millis;

    #[test]
    fn arithmetic_saturates() {
        assert_eq!(Millis(5).since(Millis(9)), Millis::ZERO);
        assert_eq!(Millis(u64::MAX).plus(Millis(1)), Millis(u64::MAX));
        assert_eq!(Millis::from_secs(2), Millis(2_000));
    }
}
