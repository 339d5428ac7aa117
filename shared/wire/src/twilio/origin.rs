//! The public address under which Twilio knows this system.

use std::fmt;
use std::str::FromStr;

/// Scheme, host and port of the public address (`PUBLIC_URL`), and nothing else.
///
/// Signatures are checked against this, never against a `Host` header: behind a proxy that header names the proxy, and
/// from an attacker it names anything. Kept as text, because a signature covers the spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    secure: bool,
    host: String,
    port: Option<u16>,
}

/// The text is not an origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an origin: http(s)://host[:port], without user, path, query or fragment")]
pub struct OriginError;

impl Origin {
    /// The base of stream addresses: `wss://host[:port]`. Always `wss`, since Twilio opens media sockets by no other scheme.
    pub fn websocket(&self) -> String {
        format!("wss://{}", self.authority())
    }

    fn authority(&self) -> String {
        self.port.map_or_else(|| self.host.clone(), |port| format!("{}:{port}", self.host))
    }

    /// Every spelling of `scheme://host` that may have been signed: without a port, and with the one in the address or
    /// else the scheme's own. Twilio leaves the port out (openclaw/openclaw#6334); older back ends wrote `:443`.
    pub(super) fn signed_spellings(&self, upgrade: bool) -> [String; 2] {
        let (scheme, usual_port) = match (upgrade, self.secure) {
            (true, _) => ("wss", 443),
            (false, true) => ("https", 443),
            (false, false) => ("http", 80),
        };
        let port = self.port.unwrap_or(usual_port);
        [format!("{scheme}://{}", self.host), format!("{scheme}://{}:{port}", self.host)]
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.secure { "https" } else { "http" }, self.authority())
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let (secure, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            (None, None) => return Err(OriginError),
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        // A colon starts the port only behind the bracket of an IPv6 literal.
        let bracket = authority.rfind(']').unwrap_or(0);
        let (host, port) = match authority.rfind(':') {
            Some(colon) if colon > bracket => {
                let (host, port) = authority.split_at(colon);
                let digits = port.trim_start_matches(':');
                (host, Some(digits.parse().map_err(|_| OriginError)?))
            }
            _ => (authority, None),
        };
        let allowed =
            |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'[' | b']' | b':');
        if host.is_empty() || !host.bytes().all(allowed) {
            return Err(OriginError);
        }
        Ok(Self { secure, host: host.to_owned(), port })
    }
}

#[cfg(test)]
mod tests {
    use super::Origin;

    #[test]
    fn keeps_its_spelling() {
        for text in [
            "https://voice.example.com",
            "http://127.0.0.1:8787",
            "https://h:8443",
            "http://[::1]:80",
            "http://[::1]",
        ] {
            assert_eq!(text.parse::<Origin>().unwrap().to_string(), text);
        }
        assert_eq!("https://h/".parse::<Origin>().unwrap().to_string(), "https://h");
    }

    #[test]
    fn refuses_everything_that_is_more_than_an_origin() {
        for bad in [
            "",
            "h",
            "wss://h",
            "https://",
            "https://h/path",
            "https://h?q",
            "https://h#f",
            "https://u:p@h",
            "https://h:port",
            "https://h:99999",
            "https://h:",
            "https://h h",
        ] {
            assert!(bad.parse::<Origin>().is_err(), "{bad}");
        }
    }

    #[test]
    fn media_sockets_are_always_wss() {
        assert_eq!("http://127.0.0.1:8787".parse::<Origin>().unwrap().websocket(), "wss://127.0.0.1:8787");
    }
}
