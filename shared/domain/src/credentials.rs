//! API keys, tokens of mailed links and of browsers: their text, and what is stored of them.
//!
//! All carry 256 random bits, so that a plain SHA-256 is all the hash they need: there is nothing to guess.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use voicecore_types::{Millis, Secret, SessionId};

/// The text is not a credential of this kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a well-formed credential")]
pub struct CredentialError;

/// A setup link is good for this long.
pub const SETUP_TOKEN_LIFETIME: Millis = Millis::from_secs(7 * 86_400);

/// The token of a mailed invitation is good for this long.
pub const INVITATION_LIFETIME: Millis = Millis::from_secs(7 * 86_400);

/// The token of a mail by which somebody chooses a new password is good for this long.
pub const PASSWORD_RESET_LIFETIME: Millis = Millis::from_secs(3_600);

/// Somebody stays signed in for this long, however busy.
pub const SESSION_LIFETIME: Millis = Millis::from_secs(30 * 86_400);

/// A super admin looks into a tenant for this long.
pub const IMPERSONATION_LIFETIME: Millis = Millis::from_secs(3_600);

/// A refresh token that has been used is taken again for this long: two tabs may ask at once, an answer may be lost.
pub const REFRESH_GRACE: Millis = Millis::from_secs(10);

const PREFIX_BYTES: usize = 8;
const SECRET_BYTES: usize = 32;
/// Bytes of the signature of a refresh token: HMAC-SHA-256.
const REFRESH_SIGNATURE_BYTES: usize = 32;

/// A key for programs: `vc_<prefix>_<secret>`, 16 and 64 lower-case hexadecimal digits.
///
/// The prefix is public: it finds the row and may be shown in lists. The whole text is secret, `Debug` hides it.
#[derive(Clone)]
pub struct ApiKey {
    prefix: String,
    text: Secret<String>,
}

impl ApiKey {
    /// A new key from 40 random bytes.
    #[must_use]
    pub fn new(random: &[u8; PREFIX_BYTES + SECRET_BYTES]) -> Self {
        let (prefix, secret) = random.split_at(PREFIX_BYTES);
        let prefix = hex(prefix);
        let text = Secret::new(format!("vc_{prefix}_{}", hex(secret)));
        Self { prefix, text }
    }

    /// What finds the row.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The whole key. It is shown once, to whoever made it.
    pub fn expose(&self) -> &str {
        self.text.expose()
    }

    /// What is stored of it.
    pub fn hash(&self) -> String {
        sha256(self.expose())
    }

    /// This key has that stored hash. Takes the same time whatever differs.
    pub fn matches(&self, stored_hash: &str) -> bool {
        self.hash().as_bytes().ct_eq(stored_hash.as_bytes()).into()
    }
}

impl FromStr for ApiKey {
    type Err = CredentialError;

    fn from_str(text: &str) -> Result<Self, CredentialError> {
        let rest = text.strip_prefix("vc_").ok_or(CredentialError)?;
        let (prefix, secret) = rest.split_once('_').ok_or(CredentialError)?;
        if is_hex(prefix, PREFIX_BYTES) && is_hex(secret, SECRET_BYTES) {
            Ok(Self { prefix: prefix.to_owned(), text: Secret::new(text.to_owned()) })
        } else {
            Err(CredentialError)
        }
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({}…)", self.prefix)
    }
}

macro_rules! one_use_tokens {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $name(Secret<String>);

        impl $name {
            /// A new token from 32 random bytes.
            #[must_use]
            pub fn new(random: &[u8; SECRET_BYTES]) -> Self {
                Self(Secret::new(format!(concat!($prefix, "{}"), hex(random))))
            }

            /// The token itself, for the link.
            pub fn expose(&self) -> &str {
                self.0.expose()
            }

            /// What is stored of it, and what it is looked up by.
            pub fn hash(&self) -> String {
                sha256(self.expose())
            }
        }

        impl FromStr for $name {
            type Err = CredentialError;

            fn from_str(text: &str) -> Result<Self, CredentialError> {
                let secret = text.strip_prefix($prefix).ok_or(CredentialError)?;
                if is_hex(secret, SECRET_BYTES) {
                    Ok(Self(Secret::new(text.to_owned())))
                } else {
                    Err(CredentialError)
                }
            }
        }
    )+};
}

one_use_tokens! {
    /// The token of the one-use link by which a system's first administrator comes in: `vcs_` and 64 hexadecimal digits.
    SetupToken = "vcs_";
    /// The token of the mail that invites somebody to work for a tenant: `vci_` and 64 hexadecimal digits.
    InvitationToken = "vci_";
    /// The token of the mail by which somebody chooses a new password: `vcp_` and 64 hexadecimal digits.
    PasswordResetToken = "vcp_";
}

/// What a browser keeps to stay signed in: `vcr_<session>_<random><signature>`, 64 lower-case hexadecimal digits each. Each is used once; the
/// next one follows from it, so that two tabs that show the same one at once get the same next one.
///
/// The name of a session is no secret. Only the signature tells a token that the session has had from one that somebody made up for it, so
/// it is checked before anything is concluded from a token.
#[derive(Debug, Clone)]
pub struct RefreshToken {
    session: SessionId,
    text: Secret<String>,
}

impl RefreshToken {
    /// A token of `session` with 32 secret bytes, and what session and bytes are signed with.
    #[must_use]
    pub fn new(
        session: SessionId,
        random: &[u8; SECRET_BYTES],
        signature: &[u8; REFRESH_SIGNATURE_BYTES],
    ) -> Self {
        Self { session, text: Secret::new(format!("vcr_{session}_{}{}", hex(random), hex(signature))) }
    }

    /// Whose token it is, by its own account.
    pub fn session(&self) -> SessionId {
        self.session
    }

    /// The hexadecimal digits of what it was signed with.
    pub fn signature(&self) -> &str {
        self.parts().1
    }

    /// What was signed: all that stands before the signature.
    pub fn signed(&self) -> &str {
        self.parts().0
    }

    fn parts(&self) -> (&str, &str) {
        let text = self.text.expose();
        // Both ways to make one see to the length, and to digits at the end.
        text.split_at_checked(text.len().saturating_sub(REFRESH_SIGNATURE_BYTES * 2)).unwrap_or((text, ""))
    }

    /// The token itself, for the cookie.
    pub fn expose(&self) -> &str {
        self.text.expose()
    }

    /// What is stored of it.
    pub fn hash(&self) -> String {
        sha256(self.expose())
    }
}

impl FromStr for RefreshToken {
    type Err = CredentialError;

    fn from_str(text: &str) -> Result<Self, CredentialError> {
        let rest = text.strip_prefix("vcr_").ok_or(CredentialError)?;
        let (session, secret) = rest.split_once('_').ok_or(CredentialError)?;
        let id: SessionId = session.parse().map_err(|_| CredentialError)?;
        if id.to_string() == session && is_hex(secret, SECRET_BYTES + REFRESH_SIGNATURE_BYTES) {
            Ok(Self { session: id, text: Secret::new(text.to_owned()) })
        } else {
            Err(CredentialError)
        }
    }
}

fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn is_hex(text: &str, bytes: usize) -> bool {
    text.len() == bytes * 2 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn keys_are_read_back_and_told_apart(
            random in prop::array::uniform32(any::<u8>()),
            more in prop::array::uniform8(any::<u8>()),
            flip in 0_usize..40,
        ) {
            let mut bytes = [0; 40];
            bytes[..8].copy_from_slice(&more);
            bytes[8..].copy_from_slice(&random);
            let key = ApiKey::new(&bytes);
            let again: ApiKey = key.expose().parse().unwrap();
            prop_assert_eq!(again.prefix(), key.prefix());
            prop_assert!(again.matches(&key.hash()));

            bytes[flip] ^= 1;
            prop_assert!(!ApiKey::new(&bytes).matches(&key.hash()));
        }

        #[test]
        fn any_text_is_refused_or_kept_as_it_is(text in ".{0,100}|vc_[0-9a-f]{16}_[0-9a-f]{64}|vcs_[0-9a-f]{64}|vcr_[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}_[0-9a-f]{128}") {
            if let Ok(key) = text.parse::<ApiKey>() {
                prop_assert_eq!(key.expose(), &text);
            }
            if let Ok(token) = text.parse::<RefreshToken>() {
                prop_assert_eq!(token.expose(), &text);
            }
            if let Ok(token) = text.parse::<SetupToken>() {
                prop_assert_eq!(token.expose(), &text);
            }
        }
    }

    #[test]
    fn only_the_exact_form_is_a_key() {
        let good = format!("vc_{}_{}", "0".repeat(16), "a".repeat(64));
        assert!(good.parse::<ApiKey>().is_ok());
        for bad in ["", "vc_", "vc__", &good.to_uppercase(), &good[..good.len() - 1], &format!("{good}0")] {
            assert!(bad.parse::<ApiKey>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_refresh_token_names_its_session() {
        let session = SessionId::new(Millis(7), &[0xab; 10]);
        let token: RefreshToken = RefreshToken::new(session, &[2; 32], &[3; 32]).expose().parse().unwrap();
        assert_eq!(token.session(), session);
        assert_eq!(token.signed(), format!("vcr_{session}_{}", "02".repeat(32)));
        assert_eq!(token.signature(), "03".repeat(32));
        // As tokens were before they were signed.
        assert!(token.signed().parse::<RefreshToken>().is_err());
        let upper = token.expose().to_uppercase().replacen("VCR", "vcr", 1);
        assert!(upper.parse::<RefreshToken>().is_err());
    }

    #[test]
    fn a_token_of_one_kind_is_none_of_another() {
        let invitation = InvitationToken::new(&[1; 32]);
        assert!(invitation.expose().parse::<PasswordResetToken>().is_err());
        assert!(invitation.expose().parse::<SetupToken>().is_err());
    }

    #[test]
    fn debug_hides_the_secret() {
        let key = ApiKey::new(&[7; 40]);
        assert_eq!(format!("{key:?}"), "ApiKey(0707070707070707…)");
        assert_eq!(format!("{:?}", SetupToken::new(&[7; 32])), "SetupToken(***)");
    }
}
