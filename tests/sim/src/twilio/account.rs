//! The account whose calls are simulated.

use std::hash::{BuildHasher as _, RandomState};
use std::time::SystemTime;

/// The API version in URLs and parameters.
pub(super) const API_VERSION: &str = "2010-04-01";

/// What the simulated Twilio knows of its customer, the product.
#[derive(Clone)]
pub struct Account {
    /// `AC…`.
    pub sid: String,
    /// Signs webhooks and opens the REST API.
    pub auth_token: String,
    /// Origin of the product as Twilio is told it: signatures are computed over it, TwiML names it.
    pub public_url: String,
    /// Origin where the product really listens: requests go there.
    pub app_url: String,
    /// `VoiceUrl` of every number.
    pub voice_url: String,
    /// `VoiceFallbackUrl` of every number.
    pub fallback_url: Option<String>,
    /// `StatusCallback` of every number.
    pub status_url: Option<String>,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account")
            .field("sid", &self.sid)
            .field("app_url", &self.app_url)
            .finish_non_exhaustive()
    }
}

impl Account {
    /// An account whose numbers are set up as the product's README says.
    pub fn new(sid: &str, auth_token: &str, public_url: &str, app_url: &str) -> Self {
        let public_url = public_url.trim_end_matches('/').to_owned();
        let webhook = |path: &str| format!("{public_url}/webhooks/twilio/{path}");
        Self {
            sid: sid.to_owned(),
            auth_token: auth_token.to_owned(),
            voice_url: webhook("voice"),
            fallback_url: Some(webhook("fallback")),
            status_url: Some(webhook("status")),
            public_url,
            app_url: app_url.trim_end_matches('/').to_owned(),
        }
    }

    /// Where a request to `url` is really sent: the product's public origin replaced by its real one. `None` for a
    /// host that is not the product's.
    pub fn route(&self, url: &str) -> Option<String> {
        let (scheme, authority_and_path) = url.split_once("://")?;
        let (app_scheme, app_authority) = self.app_url.split_once("://")?;
        let (_, public_authority) = self.public_url.split_once("://")?;
        let rest = authority_and_path.strip_prefix(public_authority)?;
        if !(rest.is_empty() || rest.starts_with(['/', '?', '#'])) {
            return None;
        }
        let secure = app_scheme == "https";
        let scheme = match (scheme, secure) {
            ("https" | "http", true) => "https",
            ("https" | "http", false) => "http",
            ("wss" | "ws", true) => "wss",
            ("wss" | "ws", false) => "ws",
            _ => return None,
        };
        Some(format!("{scheme}://{app_authority}{rest}"))
    }
}

/// A new identifier: `prefix` and 32 hexadecimal digits.
pub(super) fn new_sid(prefix: &str) -> String {
    let random = || RandomState::new().hash_one(prefix);
    format!("{prefix}{:016x}{:016x}", random(), random())
}

/// The time as Twilio writes it (RFC 2822).
pub(super) fn timestamp() -> String {
    #[expect(clippy::disallowed_methods, reason = "a simulator on a developer's machine shows the real date")]
    let now = SystemTime::now();
    httpdate::fmt_http_date(now).replace("GMT", "+0000")
}

#[cfg(test)]
mod tests {
    use super::{Account, new_sid};

    #[test]
    fn routes_the_public_origin_and_nothing_else() {
        let account = Account::new("AC1", "t", "https://vc.example.com", "http://127.0.0.1:19650");
        let routed = |url: &str| account.route(url);
        assert_eq!(routed("https://vc.example.com/a?b=1").as_deref(), Some("http://127.0.0.1:19650/a?b=1"));
        assert_eq!(routed("wss://vc.example.com/media/1").as_deref(), Some("ws://127.0.0.1:19650/media/1"));
        for bad in [
            "https://vc.example.com.evil.org/a",
            "https://other.example.com/a",
            "ftp://vc.example.com/",
            "/a",
        ] {
            assert_eq!(routed(bad), None, "{bad}");
        }
    }

    #[test]
    fn sids_look_like_twilios_and_differ() {
        let sid = new_sid("CA");
        assert!(sid.len() == 34 && sid.starts_with("CA") && sid[2..].bytes().all(|b| b.is_ascii_hexdigit()));
        assert_ne!(sid, new_sid("CA"));
    }
}
