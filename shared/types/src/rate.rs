use std::net::IpAddr;

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

/// The network that a client's address belongs to, as far as one client is told from another: an IPv4 address whole, of an IPv6
/// address the first 64 bits, because whoever has one such network has every address in it. `None`: it is no address. Bytes on
/// purpose: nothing shows them, and nothing is made of them but a keyed hash.
#[must_use]
pub fn network(address: &str) -> Option<[u8; 8]> {
    let address = match address.trim().parse().ok()? {
        IpAddr::V6(address) => address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4),
        address @ IpAddr::V4(_) => address,
    };
    Some(match address {
        IpAddr::V4(address) => (u64::from(u32::from(address))).to_be_bytes(),
        IpAddr::V6(address) => ((u128::from(address) >> 64) as u64).to_be_bytes(),
    })
}
