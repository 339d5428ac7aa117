//! Access tokens: JSON Web Tokens (RFC 7519) signed with HMAC-SHA-256 (`HS256`, RFC 7515), which name a session and nothing else.
//!
//! What a session may do is read with every request, so a token says nothing that could be out of date. The algorithm is not
//! read from the token: one header is accepted, byte for byte, so there is nothing to be talked into.
//!
//! Written here because `jsonwebtoken` reaches for a clock of its own (`js-sys` on wasm, which shared/ must not reach) and
//! brings every algorithm with its provider (P-256, RSA, Ed25519), where one HMAC is all that is needed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use voicecore_types::{Millis, Secret, SessionId};

use crate::sign::{self, ACCESS_TOKEN};

/// An access token is good for this long; then it is refreshed.
pub(crate) const ACCESS_LIFETIME: Millis = Millis::from_secs(900);

/// `{"alg":"HS256","typ":"JWT"}`
const HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";
const ISSUER: &str = "voicecore";
const AUDIENCE: &str = "voicecore-api";
/// The longest token that is looked at.
const MAX_BYTES: usize = 1_024;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    iss: String,
    aud: String,
    /// The session.
    sid: SessionId,
    /// Seconds since 1970, as RFC 7519 has it.
    iat: u64,
    exp: u64,
}

/// A token of this session, good from now on.
pub(crate) fn issue(secret: &Secret<String>, session: SessionId, now: Millis) -> String {
    let claims = Claims {
        iss: ISSUER.to_owned(),
        aud: AUDIENCE.to_owned(),
        sid: session,
        iat: now.0 / 1_000,
        exp: now.plus(ACCESS_LIFETIME).0 / 1_000,
    };
    // Strings, numbers and an id: they always have a JSON form.
    let payload = serde_json::to_vec(&claims).unwrap_or_default();
    let signed = format!("{HEADER}.{}", URL_SAFE_NO_PAD.encode(payload));
    let key = sign::derived_key(secret, ACCESS_TOKEN);
    let signature = sign::hmac_sha256(&key, signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// The session of a token that is ours and good now.
pub(crate) fn verify(secret: &Secret<String>, token: &str, now: Millis) -> Option<SessionId> {
    if token.len() > MAX_BYTES {
        return None;
    }
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, payload) = signed.split_once('.')?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    let key = sign::derived_key(secret, ACCESS_TOKEN);
    let ours = sign::hmac_sha256(&key, signed.as_bytes());
    if header != HEADER || !bool::from(ours.as_slice().ct_eq(&signature)) {
        return None;
    }
    let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    let good = claims.iss == ISSUER && claims.aud == AUDIENCE && claims.exp > now.0 / 1_000;
    good.then_some(claims.sid)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Millis = Millis(1_795_000_000_000);

    fn secret(text: &str) -> Secret<String> {
        Secret::new(format!("{text}-0123456789abcdef0123456789abcdef"))
    }

    fn session() -> SessionId {
        SessionId::new(NOW, &[7; 10])
    }

    /// RFC 7515, appendix A.1: the key, what is signed, and its signature.
    #[test]
    fn the_signature_is_that_of_the_standard() {
        let key = URL_SAFE_NO_PAD
            .decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
            .unwrap();
        let signed = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let signature = URL_SAFE_NO_PAD.encode(sign::hmac_sha256(&key, signed.as_bytes()));
        assert_eq!(signature, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(URL_SAFE_NO_PAD.decode(HEADER).unwrap(), br#"{"alg":"HS256","typ":"JWT"}"#);
    }

    #[test]
    fn a_token_is_good_for_a_while_and_under_one_secret() {
        let token = issue(&secret("a"), session(), NOW);
        assert_eq!(verify(&secret("a"), &token, NOW), Some(session()));
        let last = Millis(NOW.plus(ACCESS_LIFETIME).0 - 1);
        assert_eq!(verify(&secret("a"), &token, last), Some(session()));
        assert_eq!(verify(&secret("a"), &token, NOW.plus(ACCESS_LIFETIME)), None);
        assert_eq!(verify(&secret("b"), &token, NOW), None);
    }

    #[test]
    fn only_one_header_is_accepted() {
        let token = issue(&secret("a"), session(), NOW);
        let payload = token.split('.').nth(1).unwrap();
        let key = sign::derived_key(&secret("a"), ACCESS_TOKEN);
        for header in
            [r#"{"alg":"none","typ":"JWT"}"#, r#"{"typ":"JWT","alg":"HS256"}"#, r#"{"alg":"HS512"}"#]
        {
            let signed = format!("{}.{payload}", URL_SAFE_NO_PAD.encode(header));
            let signature = URL_SAFE_NO_PAD.encode(sign::hmac_sha256(&key, signed.as_bytes()));
            assert_eq!(verify(&secret("a"), &format!("{signed}.{signature}"), NOW), None, "{header}");
            assert_eq!(verify(&secret("a"), &format!("{signed}."), NOW), None, "{header}");
        }
    }

    proptest! {
        #[test]
        fn b26_a_token_that_was_touched_opens_nothing(at in any::<prop::sample::Index>(), with in any::<u8>()) {
            let token = issue(&secret("a"), session(), NOW);
            let mut bytes = token.clone().into_bytes();
            let at = at.index(bytes.len());
            prop_assume!(bytes[at] != with);
            bytes[at] = with;
            let touched = String::from_utf8_lossy(&bytes).into_owned();
            prop_assert_eq!(verify(&secret("a"), &touched, NOW), None);
        }

        #[test]
        fn any_text_is_refused(text in ".{0,200}|[A-Za-z0-9_-]{0,60}\\.[A-Za-z0-9_-]{0,60}\\.[A-Za-z0-9_-]{0,60}") {
            prop_assert_eq!(verify(&secret("a"), &text, NOW), None);
        }
    }
}
