use crate::Millis;

/// How often something may be done: `burst` times at once, and the quota comes back evenly over `per`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// How often at once, at least 1.
    pub burst: u32,
    /// In which time all of it comes back.
    pub per: Millis,
}

/// May it be done?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateVerdict {
    /// Yes.
    Allowed,
    /// Not before this time has passed.
    Limited {
        /// At least a millisecond.
        retry_after: Millis,
    },
}

impl Quota {
    /// `times` in each minute.
    #[must_use]
    pub const fn per_minute(times: u32) -> Self {
        Self { burst: if times == 0 { 1 } else { times }, per: Millis::from_secs(60) }
    }

    /// In which time one comes back. Rounded up: a quota is never exceeded for the sake of a fraction.
    #[must_use]
    pub const fn interval(self) -> Millis {
        let burst = if self.burst == 0 { 1 } else { self.burst as u64 };
        Millis(self.per.0.div_ceil(burst))
    }

    /// Takes one at `now`, when all of the quota will be there at `full_at` (generic cell rate algorithm: one number is the whole
    /// state). Gives the verdict and the state after it.
    #[must_use]
    pub fn take(self, full_at: Millis, now: Millis) -> (RateVerdict, Millis) {
        let after = full_at.max(now).plus(self.interval());
        let latest = now.plus(self.interval().max(self.per));
        if after <= latest {
            (RateVerdict::Allowed, after)
        } else {
            (RateVerdict::Limited { retry_after: after.since(latest) }, full_at)
        }
    }
}
