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
