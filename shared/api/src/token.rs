//! Access tokens: JSON Web Tokens (RFC 7519) signed with HMAC-SHA-256 (`HS256`, RFC 7515), which name a session and nothing else.
//!
//! What a session may do is read with every request, so a token says nothing that could be out of date.
//!
//! `jsonwebtoken` reads and writes them, with a provider of its cryptography that knows `HS256` and nothing else: those it brings link
//! P-256, RSA and Ed25519 along. One header is accepted, byte for byte, instead of a choice of algorithms: there is nothing to be talked
//! into, and the worker carries no reader of headers and of the keys they may hold (15 kB). The crate's clock is not asked either (on
//! wasm it is JavaScript's, and time is an input everywhere in shared/), so the claims are checked here.

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::signature::{Error as SignatureError, Signer, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, crypto, dangerous};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use voicecore_types::{Millis, Secret, SessionId};

use crate::sign::{self, ACCESS_TOKEN};

/// An access token is good for this long; then it is refreshed.
pub(crate) const ACCESS_LIFETIME: Millis = Millis::from_secs(900);

/// `{"typ":"JWT","alg":"HS256"}`, as [`issue`] has it written.
const HEADER: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9";
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

/// A token of this session, good from now on for so long; empty should it have no form, which opens nothing.
pub(crate) fn issue(secret: &Secret<String>, session: SessionId, now: Millis, lifetime: Millis) -> String {
    let claims = Claims {
        iss: ISSUER.to_owned(),
        aud: AUDIENCE.to_owned(),
        sid: session,
        iat: now.0 / 1_000,
        exp: now.plus(lifetime).0 / 1_000,
    };
    let key = EncodingKey::from_secret(&sign::derived_key(secret, ACCESS_TOKEN));
    provide();
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key).unwrap_or_default()
}

/// The session of a token that is ours and good now.
#[cfg(test)]
fn verify(secret: &Secret<String>, token: &str, now: Millis) -> Option<SessionId> {
    read(secret, token, now).and_then(|(session, good)| good.then_some(session))
}

/// The session of a token that is ours, and whether it is good now: one that has run out is nobody's invention.
pub(crate) fn read(secret: &Secret<String>, token: &str, now: Millis) -> Option<(SessionId, bool)> {
    if token.len() > MAX_BYTES {
        return None;
    }
    let (signed, signature) = token.rsplit_once('.')?;
    let key = DecodingKey::from_secret(&sign::derived_key(secret, ACCESS_TOKEN));
    provide();
    let ours = crypto::verify(signature, signed.as_bytes(), &key, Algorithm::HS256).is_ok_and(|ours| ours);
    if !ours || signed.split_once('.')?.0 != HEADER {
        return None;
    }
    let claims: Claims = dangerous::insecure_decode_claims(token).ok()?;
    let ours = claims.iss == ISSUER && claims.aud == AUDIENCE;
    ours.then_some((claims.sid, claims.exp > now.0 / 1_000))
}

/// Tells `jsonwebtoken` what signs; all but the first time it knows.
fn provide() {
    static HS256_ALONE: CryptoProvider = CryptoProvider {
        signer_factory: |algorithm, key| match algorithm {
            Algorithm::HS256 => Ok(Box::new(Hs256(key.as_bytes().to_vec()))),
            _ => Err(ErrorKind::InvalidAlgorithm.into()),
        },
        verifier_factory: |algorithm, key| match algorithm {
            Algorithm::HS256 => Ok(Box::new(Hs256(key.try_get_as_bytes()?.to_vec()))),
            _ => Err(ErrorKind::InvalidAlgorithm.into()),
        },
        // Of keys in JSON (JWK), of which there are none.
        key_utils: KeyUtils::new_unimplemented(),
    };
    let _ = HS256_ALONE.install_default();
}

/// HMAC-SHA-256 by this key.
struct Hs256(Vec<u8>);

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, SignatureError> {
        Ok(sign::hmac_sha256(&self.0, message).to_vec())
    }
}

impl Verifier<Vec<u8>> for Hs256 {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), SignatureError> {
        let ours = sign::hmac_sha256(&self.0, message);
        if ours.as_slice().ct_eq(signature).into() { Ok(()) } else { Err(SignatureError::new()) }
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl JwtVerifier for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
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
        assert_eq!(URL_SAFE_NO_PAD.decode(HEADER).unwrap(), br#"{"typ":"JWT","alg":"HS256"}"#);
    }

    #[test]
    fn a_token_is_good_for_a_while_and_under_one_secret() {
        let token = issue(&secret("a"), session(), NOW, ACCESS_LIFETIME);
        assert_eq!(verify(&secret("a"), &token, NOW), Some(session()));
        let last = Millis(NOW.plus(ACCESS_LIFETIME).0 - 1);
        assert_eq!(verify(&secret("a"), &token, last), Some(session()));
        assert_eq!(verify(&secret("a"), &token, NOW.plus(ACCESS_LIFETIME)), None);
        assert_eq!(verify(&secret("b"), &token, NOW), None);
    }

    #[test]
    fn only_one_header_is_accepted() {
        let token = issue(&secret("a"), session(), NOW, ACCESS_LIFETIME);
        let payload = token.split('.').nth(1).unwrap();
        let key = sign::derived_key(&secret("a"), ACCESS_TOKEN);
        for header in
            [r#"{"alg":"none","typ":"JWT"}"#, r#"{"alg":"HS256","typ":"JWT"}"#, r#"{"alg":"HS512"}"#]
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
            let token = issue(&secret("a"), session(), NOW, ACCESS_LIFETIME);
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
