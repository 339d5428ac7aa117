//! Addresses that tell Twilio how hard to try.

use std::fmt;

/// The address of a webhook with "connection overrides": Twilio's patience, in the fragment of the URL
/// (twilio.com/docs/usage/webhooks/webhooks-connection-overrides).
///
/// The fragment is not sent, so it reaches neither a router nor a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackUrl {
    url: String,
    retries: u8,
    connect_ms: u32,
    read_ms: u32,
}

impl CallbackUrl {
    /// The most retries that Twilio makes.
    pub const MAX_RETRIES: u8 = 5;
    /// The longest wait for a connection, in milliseconds.
    pub const MAX_CONNECT_MS: u32 = 10_000;
    /// The longest wait for an answer, and the shortest, in milliseconds.
    pub const READ_MS: std::ops::RangeInclusive<u32> = 100..=15_000;

    /// `url` with its fragment, if there is one, taken off. Twilio's own patience: one connection attempt of 5 s, 15 s for
    /// an answer, and a single retry where the connection failed.
    pub fn new(url: &str) -> Self {
        let url = url.split('#').next().unwrap_or_default().to_owned();
        Self { url, retries: 1, connect_ms: 5_000, read_ms: 15_000 }
    }

    /// How often a request is repeated when it was not answered, or answered with an error.
    #[must_use]
    pub fn retries(mut self, times: u8) -> Self {
        self.retries = times.min(Self::MAX_RETRIES);
        self
    }

    /// How long each attempt waits for a connection.
    #[must_use]
    pub fn connect_timeout_ms(mut self, ms: u32) -> Self {
        self.connect_ms = ms.clamp(100, Self::MAX_CONNECT_MS);
        self
    }

    /// How long each attempt waits for the answer.
    #[must_use]
    pub fn read_timeout_ms(mut self, ms: u32) -> Self {
        self.read_ms = ms.clamp(*Self::READ_MS.start(), *Self::READ_MS.end());
        self
    }
}

impl fmt::Display for CallbackUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, retries, connect_ms, read_ms } = self;
        write!(f, "{url}#rc={retries}&rp=ct,rt,5xx&ct={connect_ms}&rt={read_ms}")
    }
}
