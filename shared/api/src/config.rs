//! Configuration: read once, then handed around. It knows what is missing and says so by name.

use voicecore_domain::rate_limits::DEFAULT_REQUESTS_PER_MINUTE;
use voicecore_store::seal::MasterKey;
use voicecore_types::Secret;
use voicecore_wire::twilio::origin::Origin;
use voicecore_wire::twilio::sid::AccountSid;
use voicecore_wire::twilio::signature::Verifier;

/// The fewest bytes of `JWT_SECRET`: as many as HMAC-SHA-256 puts out.
const MIN_JWT_SECRET_BYTES: usize = 32;
/// Where Twilio's REST API is unless `TWILIO_BASE_URL` says otherwise.
const DEFAULT_TWILIO_BASE_URL: &str = "https://api.twilio.com";
/// Where OpenAI's API is unless `OPENAI_BASE_URL` says otherwise.
const DEFAULT_OPENAI_BASE_URL: &str = "https://api.openai.com/v1";
/// The speech-to-speech model unless `OPENAI_REALTIME_MODEL` says otherwise.
const DEFAULT_REALTIME_MODEL: &str = "gpt-realtime-2.1";

/// Where the e-mail API is unless `EMAIL_BASE_URL` says otherwise.
const DEFAULT_EMAIL_BASE_URL: &str = "https://api.resend.com";

/// The model that reads and writes unless `CHAT_MODEL` says otherwise: quick, and it calls tools.
const DEFAULT_CHAT_MODEL: &str = "gpt-4.1-mini";

/// Everything that is configured from outside. Secrets show as `***` in `Debug`.
///
/// A required value that is absent or not valid does not stop the system: `/ready` answers 503 with its name, and so do
/// the routes that need it (`config_missing`). Everything else goes on working.
#[derive(Debug, Clone)]
pub struct Config {
    /// `PUBLIC_URL`: the origin under which Twilio reaches us; `https`, or `http` on a loopback address.
    pub public_url: Required<Origin>,
    /// How to speak with Twilio.
    pub twilio: TwilioConfig,
    /// How to speak with OpenAI.
    pub openai: OpenAiConfig,
    /// How to speak with the model of turn-based calls.
    pub chat: ChatConfig,
    /// How to send mails.
    pub email: EmailConfig,
    /// The keys of our own.
    pub keys: KeyConfig,
    /// `RATE_LIMIT_PER_MIN`: requests to the API in a minute, by one key, one user, or one client without credentials. The multiples of it
    /// are `voicecore_domain::rate_limits`'.
    pub requests_per_minute: u32,
    /// `CORS_ORIGINS`: origins whose pages may speak with the API, with commas between them. None unless it is set.
    pub cors_origins: Required<Vec<String>>,
    /// `DASHBOARD`: `on` where the web application is served below `/app/`. The links of mails lead there, and otherwise to the API's own pages.
    pub dashboard: bool,
    /// `JOURNAL`: calls are journaled, so that they survive the death of their actor. `off` is for the benchmark.
    pub journal: bool,
    /// What only the platform needs and has not got, which it writes here. Calls are answered without it; `/ready` names it.
    pub platform_misses: Option<ConfigMissing>,
}

/// How to speak with Twilio.
#[derive(Debug, Clone)]
pub struct TwilioConfig {
    /// `TWILIO_ACCOUNT_SID`.
    pub account_sid: Required<AccountSid>,
    /// `TWILIO_AUTH_TOKEN`: signs Twilio's requests and ours.
    pub auth_token: Required<Secret<String>>,
    /// `TWILIO_AUTH_TOKEN_SECONDARY`: accepted beside the first while tokens rotate.
    pub auth_token_secondary: Option<Secret<String>>,
    /// `TWILIO_BASE_URL`, without a slash at the end.
    pub base_url: Required<String>,
}

/// How to speak with OpenAI.
#[derive(Debug, Clone)]
pub struct OpenAiConfig {
    /// `OPENAI_API_KEY`.
    pub api_key: Required<Secret<String>>,
    /// `OPENAI_BASE_URL`: http(s), without a slash at the end. Sockets are opened below it, too.
    pub base_url: Required<String>,
    /// `OPENAI_REALTIME_MODEL`.
    pub realtime_model: String,
}

/// How to speak with the model of turn-based calls: any provider with chat completions like OpenAI's. What is not set is
/// OpenAI's.
#[derive(Debug, Clone)]
pub struct ChatConfig {
    /// `CHAT_API_KEY`, or else `OPENAI_API_KEY` unless `CHAT_BASE_URL` names another provider.
    pub api_key: Required<Secret<String>>,
    /// `CHAT_BASE_URL`, or else `OPENAI_BASE_URL`: http(s), without a slash at the end.
    pub base_url: Required<String>,
    /// `CHAT_MODEL`.
    pub model: String,
    /// The account is OpenAI's, too: neither `CHAT_BASE_URL` nor `CHAT_API_KEY` is set.
    pub is_openais: bool,
}

/// How to send mails. Calls need none, so what is absent is missed only by who would send one.
#[derive(Debug, Clone)]
pub struct EmailConfig {
    /// `EMAIL_API_KEY`.
    pub api_key: Required<Secret<String>>,
    /// `EMAIL_BASE_URL`: http(s), without a slash at the end.
    pub base_url: Required<String>,
    /// `EMAIL_FROM`: the sender, `name@example.com` or `Name <name@example.com>`.
    pub from: Required<String>,
}

/// The keys of our own.
#[derive(Debug, Clone)]
pub struct KeyConfig {
    /// `JWT_SECRET`: what we sign is signed by keys derived from it, one for each purpose.
    pub jwt_secret: Required<Secret<String>>,
    /// `MASTER_KEY`: 32 bytes in base64. Wraps the keys that encrypt what is stored. With `MASTER_KEY_PREVIOUS`, what that one has
    /// wrapped opens, too.
    pub master_key: Required<MasterKey>,
}

/// A required configuration value is absent or not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the configuration value {name} is {}", if *.invalid { "not valid" } else { "missing" })]
pub struct ConfigMissing {
    /// Its name.
    pub name: &'static str,
    /// It is there, but not valid.
    pub invalid: bool,
}

/// A value that something cannot do without.
#[derive(Debug, Clone)]
pub struct Required<T>(Result<T, ConfigMissing>);

impl<T> Required<T> {
    /// The value, or the name of what is missing.
    pub fn get(&self) -> Result<&T, ConfigMissing> {
        self.0.as_ref().map_err(|missing| *missing)
    }

    fn read(name: &'static str, text: Option<&str>, parse: impl FnOnce(&str) -> Option<T>) -> Self {
        let text = text.map(str::trim).filter(|t| !t.is_empty());
        let value = text.ok_or(ConfigMissing { name, invalid: false });
        Self(value.and_then(|text| parse(text).ok_or(ConfigMissing { name, invalid: true })))
    }

    fn missing(&self) -> Option<ConfigMissing> {
        self.0.as_ref().err().copied()
    }
}

impl Config {
    /// Reads every value once through `lookup`, which gives the value of a name if it is set. Blank is not set.
    pub fn from_lookup(lookup: &dyn Fn(&str) -> Option<String>) -> Self {
        let secret = |name| {
            let text = lookup(name);
            Required::read(name, text.as_deref(), |t| Some(Secret::new(t.to_owned())))
        };
        let or_default = |name: &str, default: &str| {
            let text = lookup(name).map(|t| t.trim().to_owned());
            text.filter(|t| !t.is_empty()).unwrap_or_else(|| default.to_owned())
        };
        let base_url = |name, default| Required::read(name, Some(&or_default(name, default)), parse_base_url);
        let is_set = |name| lookup(name).is_some_and(|text| !text.trim().is_empty());
        let openai = OpenAiConfig {
            api_key: secret("OPENAI_API_KEY"),
            base_url: base_url("OPENAI_BASE_URL", DEFAULT_OPENAI_BASE_URL),
            realtime_model: or_default("OPENAI_REALTIME_MODEL", DEFAULT_REALTIME_MODEL),
        };
        let own_provider = is_set("CHAT_BASE_URL");
        let chat = ChatConfig {
            // Another provider must not be sent OpenAI's key.
            api_key: if own_provider || is_set("CHAT_API_KEY") {
                secret("CHAT_API_KEY")
            } else {
                openai.api_key.clone()
            },
            base_url: if own_provider {
                base_url("CHAT_BASE_URL", DEFAULT_OPENAI_BASE_URL)
            } else {
                openai.base_url.clone()
            },
            model: or_default("CHAT_MODEL", DEFAULT_CHAT_MODEL),
            is_openais: !own_provider && !is_set("CHAT_API_KEY"),
        };
        Self {
            public_url: Required::read("PUBLIC_URL", lookup("PUBLIC_URL").as_deref(), parse_public_url),
            twilio: TwilioConfig {
                account_sid: Required::read(
                    "TWILIO_ACCOUNT_SID",
                    lookup("TWILIO_ACCOUNT_SID").as_deref(),
                    |t| t.parse().ok(),
                ),
                auth_token: secret("TWILIO_AUTH_TOKEN"),
                auth_token_secondary: secret("TWILIO_AUTH_TOKEN_SECONDARY").0.ok(),
                base_url: base_url("TWILIO_BASE_URL", DEFAULT_TWILIO_BASE_URL),
            },
            openai,
            chat,
            email: EmailConfig {
                api_key: secret("EMAIL_API_KEY"),
                base_url: base_url("EMAIL_BASE_URL", DEFAULT_EMAIL_BASE_URL),
                from: Required::read("EMAIL_FROM", lookup("EMAIL_FROM").as_deref(), parse_sender),
            },
            keys: KeyConfig {
                jwt_secret: Required::read("JWT_SECRET", lookup("JWT_SECRET").as_deref(), |t| {
                    (t.len() >= MIN_JWT_SECRET_BYTES).then(|| Secret::new(t.to_owned()))
                }),
                master_key: master_key(lookup),
            },
            requests_per_minute: or_default("RATE_LIMIT_PER_MIN", "")
                .parse()
                .ok()
                .filter(|limit| *limit > 0)
                .unwrap_or(DEFAULT_REQUESTS_PER_MINUTE),
            cors_origins: match lookup("CORS_ORIGINS").filter(|text| !text.trim().is_empty()) {
                None => Required(Ok(vec![])),
                Some(text) => Required::read("CORS_ORIGINS", Some(&text), parse_origins),
            },
            dashboard: or_default("DASHBOARD", "off") == "on",
            journal: or_default("JOURNAL", "on") != "off",
            platform_misses: None,
        }
    }

    /// Every required value that is absent or not valid. Empty: everything is there.
    pub fn missing(&self) -> Vec<ConfigMissing> {
        let all = [
            self.public_url.missing(),
            self.twilio.account_sid.missing(),
            self.twilio.auth_token.missing(),
            self.twilio.base_url.missing(),
            self.openai.api_key.missing(),
            self.openai.base_url.missing(),
            // Where they are OpenAI's, they have been named.
            self.chat.api_key.missing().filter(|missing| missing.name == "CHAT_API_KEY"),
            self.chat.base_url.missing().filter(|missing| missing.name == "CHAT_BASE_URL"),
            self.keys.jwt_secret.missing(),
            self.keys.master_key.missing(),
            self.cors_origins.missing(),
        ];
        all.into_iter().flatten().collect()
    }

    /// What checks the signatures of Twilio's requests, of the installation's own account.
    pub(crate) fn verifier(&self) -> Result<Verifier, ConfigMissing> {
        let origin = self.public_url.get()?.clone();
        let token = self.twilio.auth_token.get()?.clone();
        Ok(Verifier::new(origin, token, self.twilio.auth_token_secondary.clone()))
    }

    /// The same, of the account that `token` is of.
    pub(crate) fn verifier_of(&self, token: Secret<String>) -> Result<Verifier, ConfigMissing> {
        Ok(Verifier::new(self.public_url.get()?.clone(), token, None))
    }
}

/// A previous key that is not valid is a fault of its own: without it, what it has wrapped would seem lost.
fn master_key(lookup: &dyn Fn(&str) -> Option<String>) -> Required<MasterKey> {
    let read = |name| Required::read(name, lookup(name).as_deref(), |t| MasterKey::from_base64(t).ok());
    let (current, previous) = (read("MASTER_KEY"), read("MASTER_KEY_PREVIOUS"));
    Required(match previous.0 {
        Ok(previous) => current.0.map(|current| current.with_previous(previous)),
        Err(ConfigMissing { invalid: false, .. }) => current.0,
        Err(invalid) => current.0.and(Err(invalid)),
    })
}

/// Twilio is told this address and sends what callers say to it: in clear only within this machine.
fn parse_public_url(text: &str) -> Option<Origin> {
    let origin: Origin = text.parse().ok()?;
    let text = origin.to_string();
    (text.starts_with("https://") || is_loopback(&text)).then_some(origin)
}

/// Each as browsers write it in `Origin`: scheme, host and port, without a slash at the end.
fn parse_origins(text: &str) -> Option<Vec<String>> {
    let origins = text.split(',').map(str::trim).filter(|origin| !origin.is_empty());
    origins.map(|origin| parse_public_url(origin).map(|_| origin.to_owned())).collect()
}

/// One line that holds an address.
fn parse_sender(text: &str) -> Option<String> {
    let address = match text.split_once('<') {
        Some((_, rest)) => rest.strip_suffix('>')?,
        None => text,
    };
    let whole = !text.contains(char::is_control) && text.len() <= 320;
    (whole && crate::fields::is_email(address)).then(|| text.to_owned())
}

/// Credentials go to this address: in clear only within this machine.
fn parse_base_url(text: &str) -> Option<String> {
    let text = text.trim_end_matches('/');
    let plain = text.bytes().all(|b| b.is_ascii_graphic()) && !text.contains(['?', '#', '@']);
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let trusted = text.starts_with("https://") || is_loopback(text);
    (plain && !host.is_empty() && !host.starts_with('/') && trusted).then(|| text.to_owned())
}

/// `text` is an `http://` address on the loopback interface.
fn is_loopback(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("http://") else { return false };
    let authority = rest.split('/').next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(literal) => literal.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPLETE: [(&str, &str); 6] = [
        ("PUBLIC_URL", "https://voice.example.com"),
        ("TWILIO_ACCOUNT_SID", "AC00000000000000000000000000000001"),
        ("TWILIO_AUTH_TOKEN", "token-of-twilio"),
        ("OPENAI_API_KEY", "sk-of-openai"),
        ("JWT_SECRET", "0123456789abcdef0123456789abcdef"),
        ("MASTER_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
    ];

    fn config(change: &[(&str, Option<&str>)]) -> Config {
        Config::from_lookup(&|name| match change.iter().find(|(n, _)| *n == name) {
            Some((_, value)) => value.map(str::to_owned),
            None => COMPLETE.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()),
        })
    }

    #[test]
    fn complete_configuration_misses_nothing() {
        let config = config(&[]);
        assert_eq!(config.missing(), []);
        assert_eq!(config.twilio.base_url.get().unwrap(), DEFAULT_TWILIO_BASE_URL);
        assert_eq!(config.openai.realtime_model, DEFAULT_REALTIME_MODEL);
        assert!(config.journal);
    }

    #[test]
    fn each_required_value_is_named_when_it_is_absent_or_blank() {
        for (name, _) in COMPLETE {
            for absent in [None, Some(""), Some("  ")] {
                assert_eq!(config(&[(name, absent)]).missing(), [ConfigMissing { name, invalid: false }]);
            }
        }
    }

    #[test]
    fn values_that_are_not_valid_are_named_and_not_used() {
        for (name, value) in [
            ("PUBLIC_URL", "http://voice.example.com"),
            ("PUBLIC_URL", "https://voice.example.com/path"),
            ("PUBLIC_URL", "http://127.0.0.1.example.com"),
            ("TWILIO_ACCOUNT_SID", "SK00000000000000000000000000000001"),
            ("TWILIO_BASE_URL", "http://twilio.example.com"),
            ("OPENAI_BASE_URL", "ftp://x"),
            ("OPENAI_BASE_URL", "https://user@example.com/v1"),
            ("JWT_SECRET", "too short"),
            ("MASTER_KEY", "AAEC"),
            ("MASTER_KEY", "not base64!"),
            ("MASTER_KEY_PREVIOUS", "AAEC"),
            ("CORS_ORIGINS", "https://app.example.com, *"),
            ("CORS_ORIGINS", "http://app.example.com"),
        ] {
            assert_eq!(
                config(&[(name, Some(value))]).missing(),
                [ConfigMissing { name, invalid: true }],
                "{value}"
            );
        }
    }

    #[test]
    fn loopback_needs_no_tls() {
        for url in ["http://127.0.0.1:8787", "http://localhost:1", "http://[::1]:80"] {
            assert_eq!(
                config(&[("PUBLIC_URL", Some(url)), ("OPENAI_BASE_URL", Some(url))]).missing(),
                [],
                "{url}"
            );
        }
    }

    #[test]
    fn chat_is_openais_unless_it_is_set() {
        let own = config(&[]).chat;
        assert_eq!(own.base_url.get().unwrap(), DEFAULT_OPENAI_BASE_URL);
        assert_eq!(own.api_key.get().unwrap().expose(), "sk-of-openai");
        assert_eq!(own.model, DEFAULT_CHAT_MODEL);
        let other = config(&[
            ("CHAT_BASE_URL", Some("https://api.groq.com/openai/v1/")),
            ("CHAT_API_KEY", Some("gsk-1")),
            ("CHAT_MODEL", Some("llama-3.3-70b-versatile")),
        ]);
        assert_eq!(other.missing(), []);
        assert_eq!(other.chat.base_url.get().unwrap(), "https://api.groq.com/openai/v1");
        assert_eq!(other.chat.api_key.get().unwrap().expose(), "gsk-1");
        assert_eq!(other.chat.model, "llama-3.3-70b-versatile");
        assert_eq!(other.openai.base_url.get().unwrap(), DEFAULT_OPENAI_BASE_URL);
        let clear =
            config(&[("CHAT_BASE_URL", Some("http://chat.example.com/v1")), ("CHAT_API_KEY", Some("k"))]);
        assert_eq!(clear.missing(), [ConfigMissing { name: "CHAT_BASE_URL", invalid: true }]);
    }

    #[test]
    fn openais_key_is_sent_to_nobody_else() {
        let url = ("CHAT_BASE_URL", Some("https://api.groq.com/openai/v1"));
        let keyless = ConfigMissing { name: "CHAT_API_KEY", invalid: false };
        for absent in [None, Some(" ")] {
            let other = config(&[url, ("CHAT_API_KEY", absent)]);
            assert_eq!(other.chat.api_key.get().err(), Some(keyless));
            assert_eq!(other.missing(), [keyless]);
        }
        // Another key for OpenAI itself.
        let own = config(&[("CHAT_API_KEY", Some("sk-of-chat"))]);
        assert_eq!(own.chat.api_key.get().unwrap().expose(), "sk-of-chat");
        assert_eq!(own.missing(), []);
    }

    #[test]
    fn without_mails_calls_are_answered_all_the_same() {
        let without = config(&[]);
        assert_eq!(without.missing(), []);
        assert!(without.email.api_key.get().is_err() && without.email.from.get().is_err());
        for (from, good) in [
            ("hello@example.com", true),
            ("VoiceCore <hello@example.com>", true),
            ("VoiceCore <hello@example.com", false),
            ("nobody", false),
            ("a@example.com\r\nBcc: b@example.com", false),
        ] {
            assert_eq!(config(&[("EMAIL_FROM", Some(from))]).email.from.get().is_ok(), good, "{from}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let shown = format!("{:?}", config(&[("TWILIO_AUTH_TOKEN_SECONDARY", Some("second-token"))]));
        for secret in ["token-of-twilio", "second-token", "sk-of-openai", "0123456789abcdef", "AAECAwQ"] {
            assert!(!shown.contains(secret), "{secret}");
        }
    }
}
