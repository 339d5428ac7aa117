//! What this system signs for itself: HMAC-SHA-256 by a key derived from `JWT_SECRET`, one key for each purpose, so that
//! nothing signed for one can pass for another.

use hmac::digest::generic_array::GenericArray;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use voicecore_types::Secret;

/// Bytes of a signature.
pub(crate) const SIGNATURE_BYTES: usize = 32;

/// What the token in the `<Parameter>` of a media stream is signed for.
pub(crate) const MEDIA_TOKEN: &str = "voicecore media token v1";

/// What the ticket of a live stream is signed for.
pub(crate) const LIVE_TICKET: &str = "voicecore live ticket v1";

/// What an access token is signed for.
pub(crate) const ACCESS_TOKEN: &str = "voicecore access token v1";

/// What makes the next refresh token of one.
pub(crate) const REFRESH_TOKEN: &str = "voicecore refresh token v1";

/// What a refresh token is signed for.
pub(crate) const REFRESH_SIGNATURE: &str = "voicecore refresh signature v1";

/// What the cookie of a device is signed for on which somebody has signed in.
pub(crate) const KNOWN_DEVICE: &str = "voicecore known device v1";

/// What the name of a device is signed for.
pub(crate) const DEVICE_NAME: &str = "voicecore device name v1";

/// What hides the address that somebody tried to sign in with.
pub(crate) const THROTTLE_KEY: &str = "voicecore login throttle v1";

/// What hides the network, or the browser, of a client without credentials.
pub(crate) const CLIENT_KEY: &str = "voicecore client network v1";

/// The key derived for a purpose, for formats that sign in their own way.
pub(crate) fn derived_key(secret: &Secret<String>, purpose: &'static str) -> [u8; SIGNATURE_BYTES] {
    mac(secret.expose().as_bytes(), [purpose.as_bytes()]).finalize().into_bytes().into()
}

/// HMAC-SHA-256 of `message` by `key`, as it is.
pub(crate) fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; SIGNATURE_BYTES] {
    mac(key, [message]).finalize().into_bytes().into()
}

/// Signs `parts`. Each is preceded by its length, so that no two lists of parts are signed alike.
pub(crate) fn sign(secret: &Secret<String>, purpose: &'static str, parts: &[&[u8]]) -> [u8; SIGNATURE_BYTES] {
    let key = mac(secret.expose().as_bytes(), [purpose.as_bytes()]).finalize().into_bytes();
    tagged(&key, parts).finalize().into_bytes().into()
}

/// Whether `signature` is that of `parts`. Takes the same time wherever it differs.
pub(crate) fn verify(
    secret: &Secret<String>,
    purpose: &'static str,
    parts: &[&[u8]],
    signature: &[u8],
) -> bool {
    let key = mac(secret.expose().as_bytes(), [purpose.as_bytes()]).finalize().into_bytes();
    tagged(&key, parts).verify_slice(signature).is_ok()
}

fn tagged(key: &[u8], parts: &[&[u8]]) -> Hmac<Sha256> {
    let mut mac = mac(key, []);
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac
}

fn mac<const N: usize>(key: &[u8], parts: [&[u8]; N]) -> Hmac<Sha256> {
    // HMAC takes keys of every length (RFC 2104 §2), so `KeyInit` never fails; zeros would fail closed: nothing verifies.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|_| Hmac::new(&GenericArray::default()));
    for part in parts {
        mac.update(part);
    }
    mac
}
