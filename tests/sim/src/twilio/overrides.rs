//! Connection overrides: what a webhook URL's fragment says about time-outs and retries.
//!
//! Source: <https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides>.

use std::time::Duration;

/// How a request to the product is attempted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Overrides {
    /// `ct`: time for the TCP connection.
    pub connect: Duration,
    /// `rt`: time for the answer.
    pub read: Duration,
    /// `tt`: time for all attempts together.
    pub total: Duration,
    /// `rc`: attempts after the first.
    pub retries: u32,
    /// `rp`: which failures are worth another attempt.
    pub policy: Policy,
}

/// Which failures are worth another attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "four independent classes of failure, as in Twilio's list")]
pub(super) struct Policy {
    /// `ct`: no connection.
    pub connect: bool,
    /// `rt`: no answer.
    pub read: bool,
    /// `4xx`.
    pub client_error: bool,
    /// `5xx`.
    pub server_error: bool,
}

/// The longest that all attempts of one request may take.
pub(super) const MAX_TOTAL: Duration = Duration::from_secs(15);

impl Default for Overrides {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            read: Duration::from_secs(15),
            total: MAX_TOTAL,
            retries: 1,
            policy: Policy { connect: true, read: false, client_error: false, server_error: false },
        }
    }
}

/// An override that Twilio does not know or take (errors 11240 to 11250).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("connection override '{0}' is invalid")]
pub(super) struct InvalidOverride(pub String);

impl Overrides {
    /// Reads the fragment of `url`; without one Twilio's defaults hold.
    pub(super) fn of(url: &str) -> Result<Self, InvalidOverride> {
        let mut overrides = Self::default();
        let Some((_, fragment)) = url.split_once('#') else { return Ok(overrides) };
        for pair in fragment.split('&').filter(|pair| !pair.is_empty()) {
            let invalid = || InvalidOverride(pair.to_owned());
            let (key, value) = pair.split_once('=').ok_or_else(invalid)?;
            match key {
                "ct" => overrides.connect = millis(value, 10_000).ok_or_else(invalid)?,
                "rt" => overrides.read = millis(value, 15_000).ok_or_else(invalid)?,
                "tt" => overrides.total = millis(value, 15_000).ok_or_else(invalid)?,
                "rc" => overrides.retries = value.parse().ok().filter(|n| *n <= 5).ok_or_else(invalid)?,
                "rp" => overrides.policy = policy(value).ok_or_else(invalid)?,
                "sni" if matches!(value, "y" | "n") => {}
                "e" if !value.is_empty() => {}
                _ => return Err(invalid()),
            }
        }
        Ok(overrides)
    }
}

fn millis(value: &str, max: u64) -> Option<Duration> {
    value.parse().ok().filter(|ms| (100..=max).contains(ms)).map(Duration::from_millis)
}

fn policy(value: &str) -> Option<Policy> {
    let mut policy = Policy { connect: false, read: false, client_error: false, server_error: false };
    for class in value.split(',') {
        match class {
            "ct" => policy.connect = true,
            "rt" => policy.read = true,
            "4xx" => policy.client_error = true,
            "5xx" => policy.server_error = true,
            "all" => {
                policy = Policy { connect: true, read: true, client_error: true, server_error: true };
            }
            _ => return None,
        }
    }
    Some(policy)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Overrides;

    #[test]
    fn no_fragment_means_the_defaults() {
        assert_eq!(Overrides::of("https://h/a?b=1"), Ok(Overrides::default()));
        assert_eq!(Overrides::of("https://h/a#"), Ok(Overrides::default()));
    }

    #[test]
    fn reads_what_the_fragment_says() {
        let overrides = Overrides::of("https://h/a?b=1#rc=3&rp=all&ct=500&rt=2000").unwrap();
        assert_eq!((overrides.retries, overrides.connect), (3, Duration::from_millis(500)));
        assert_eq!(overrides.read, Duration::from_secs(2));
        assert!(overrides.policy.connect && overrides.policy.read && overrides.policy.server_error);
        let some = Overrides::of("https://h/a#rp=5xx,rt").unwrap().policy;
        assert!(some.server_error && some.read && !some.connect && !some.client_error);
    }

    #[test]
    fn refuses_what_twilio_refuses() {
        for bad in ["rc=6", "rc=x", "ct=99", "ct=10001", "rt=15001", "tt=15001", "rp=never", "xy=1", "rc"] {
            assert!(Overrides::of(&format!("https://h/a#{bad}")).is_err(), "{bad}");
        }
    }
}
