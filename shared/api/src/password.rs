//! Passwords: argon2id with 19 MiB, two passes, one lane (OWASP's recommendation), as PHC strings.
//!
//! A hash takes tens of milliseconds of the processor. It is computed in the handler of a request, never in an actor: objects
//! that share an isolate share its thread, and audio would stall.

use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::ApiError;

/// The fewest characters of a password.
pub(crate) const MIN_CHARS: usize = 12;
/// The most bytes: what is hashed must have an end.
pub(crate) const MAX_BYTES: usize = 256;
/// Bytes of a salt.
pub(crate) const SALT_BYTES: usize = 16;

const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// A hash of no password that anybody has: whoever is not there is refused in the time that a wrong password takes.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn argon2() -> Result<Argon2<'static>, ApiError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(failed)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn failed(error: impl std::fmt::Display) -> ApiError {
    ApiError::Internal(format!("hashing a password: {error}"))
}

/// What is stored of a password.
pub(crate) fn hash(password: &str, salt: &[u8; SALT_BYTES]) -> Result<String, ApiError> {
    let salt = SaltString::encode_b64(salt).map_err(failed)?;
    Ok(argon2()?.hash_password(password.as_bytes(), &salt).map_err(failed)?.to_string())
}

/// Whether it is the password of that stored hash. Without one it is not, and takes as long.
pub(crate) fn verify(password: &str, stored: Option<&str>) -> Result<bool, ApiError> {
    let parsed = PasswordHash::new(stored.unwrap_or(NOBODY)).map_err(failed)?;
    let right = argon2()?.verify_password(password.as_bytes(), &parsed).is_ok();
    Ok(right && stored.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_again_and_no_other() {
        let stored = hash("correct horse battery", &[7; SALT_BYTES]).unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(verify("correct horse battery", Some(&stored)).unwrap());
        assert!(!verify("correct horse batterz", Some(&stored)).unwrap());
        assert!(!verify("correct horse battery", None).unwrap());
        assert_ne!(stored, hash("correct horse battery", &[8; SALT_BYTES]).unwrap());
    }

    #[test]
    fn what_is_stored_must_be_a_hash() {
        assert!(verify("x", Some("plain")).is_err());
    }

    /// The work is that of a real hash: the same parameters are named.
    #[test]
    fn nobodys_hash_costs_as_much() {
        let nobody = PasswordHash::new(NOBODY).unwrap();
        let params = Params::try_from(&nobody).unwrap();
        assert_eq!((params.m_cost(), params.t_cost(), params.p_cost()), (MEMORY_KIB, PASSES, LANES));
        assert_eq!(nobody.hash.unwrap().len(), 32);
    }
}
