//! Two cookies. One keeps a browser signed in: scripts cannot read it, other sites cannot send it. The other one says that
//! somebody has signed in on this device before, so that whoever guesses their password elsewhere does not stand in their way.

use axum::http::{HeaderMap, HeaderValue, header};
use voicecore_domain::RefreshToken;
use voicecore_domain::credentials::SESSION_LIFETIME;
use voicecore_types::{Secret, SessionId};

use crate::sign::{self, DEVICE_NAME, KNOWN_DEVICE, REFRESH_SIGNATURE, REFRESH_TOKEN, THROTTLE_KEY};
use crate::{ApiError, AppState, hex};

const REFRESH: &str = "voicecore_refresh";
const DEVICE: &str = "voicecore_device";
/// Where cookies are sent.
const PATH: &str = "/api/v1/auth";
/// The longest that browsers keep one: 400 days.
const DEVICE_SECONDS: u64 = 400 * 86_400;
/// Random bytes in the name of a device; their signature follows.
const DEVICE_BYTES: usize = 16;

/// The value of a cookie, if it was sent once.
fn get<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut found = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(known, _)| *known == name)
        .map(|(_, value)| value);
    let value = found.next()?;
    found.next().is_none().then_some(value)
}

/// Browsers send `Secure` cookies over TLS only; `http` is for loopback (see `Config::public_url`).
fn set(app: &AppState, name: &str, value: &str, seconds: u64) -> Result<HeaderValue, ApiError> {
    let secure =
        if app.config.public_url.get()?.to_string().starts_with("https://") { "; Secure" } else { "" };
    let cookie = format!("{name}={value}; Path={PATH}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::from_str(&cookie).map_err(|_| ApiError::Internal("a cookie is not a header".to_owned()))
}

/// What the browser shows to stay signed in, if it is one that this system has made. Whatever else names a session says nothing of it.
pub(crate) fn refresh_token(secret: &Secret<String>, headers: &HeaderMap) -> Option<RefreshToken> {
    let token: RefreshToken = get(headers, REFRESH)?.parse().ok()?;
    let signature = unhex(token.signature())?;
    sign::verify(secret, REFRESH_SIGNATURE, &[token.signed().as_bytes()], &signature).then_some(token)
}

/// A token of the session with these random bytes, signed.
pub(crate) fn signed_token(
    secret: &Secret<String>,
    session: SessionId,
    random: &[u8; sign::SIGNATURE_BYTES],
) -> RefreshToken {
    let unsigned = RefreshToken::new(session, random, &[0; sign::SIGNATURE_BYTES]);
    let signature = sign::sign(secret, REFRESH_SIGNATURE, &[unsigned.signed().as_bytes()]);
    RefreshToken::new(session, random, &signature)
}

/// Keeps a browser signed in.
pub(crate) fn keep(app: &AppState, token: &RefreshToken) -> Result<HeaderValue, ApiError> {
    set(app, REFRESH, token.expose(), SESSION_LIFETIME.0 / 1_000)
}

/// Forgets that it was.
pub(crate) fn forget(app: &AppState) -> Result<HeaderValue, ApiError> {
    set(app, REFRESH, "", 0)
}

/// The token that follows one: always the same, and nobody else can tell which.
pub(crate) fn successor(secret: &Secret<String>, token: &RefreshToken) -> RefreshToken {
    let random = sign::sign(secret, REFRESH_TOKEN, &[token.expose().as_bytes()]);
    signed_token(secret, token.session(), &random)
}

/// Remembers that somebody has signed in as `email` on this device, by the name that it has or a new one.
pub(crate) fn remember(app: &AppState, headers: &HeaderMap, email: &str) -> Result<HeaderValue, ApiError> {
    let secret = app.config.keys.jwt_secret.get()?;
    let known = known_device(secret, headers, email).filter(|device| is_named_by_us(secret, device));
    let device = known.unwrap_or_else(|| device_name(secret, &app.random()));
    let signature = sign::sign(secret, KNOWN_DEVICE, &[device.as_bytes(), email.as_bytes()]);
    set(app, DEVICE, &format!("{device}.{}", hex(&signature)), DEVICE_SECONDS)
}

/// A name for a device: random digits and what they are signed with. So it can be told from one that was made up before it is known who
/// wants to sign in.
fn device_name(secret: &Secret<String>, random: &[u8; DEVICE_BYTES]) -> String {
    let random = hex(random);
    let signature = sign::sign(secret, DEVICE_NAME, &[random.as_bytes()]);
    random + &hex(&signature)
}

fn is_named_by_us(secret: &Secret<String>, device: &str) -> bool {
    device.split_at_checked(DEVICE_BYTES * 2).is_some_and(|(random, signature)| {
        unhex(signature)
            .is_some_and(|signature| sign::verify(secret, DEVICE_NAME, &[random.as_bytes()], &signature))
    })
}

/// What tells a browser on which somebody has signed in from all others, by its cookies (`voicecore_device`, else `voicecore_refresh`) and
/// without any store. Nobody can make one up. It is for counters: it says neither who has signed in nor whether they still may.
pub(crate) fn browser(secret: &Secret<String>, headers: &HeaderMap) -> Option<String> {
    let device = get(headers, DEVICE).and_then(|cookie| cookie.split_once('.')).map(|(device, _)| device);
    let device = device.filter(|device| is_named_by_us(secret, device)).map(str::to_owned);
    device.or_else(|| refresh_token(secret, headers).map(|token| token.session().to_string()))
}

/// The device, if somebody has signed in as `email` on it before.
fn known_device(secret: &Secret<String>, headers: &HeaderMap, email: &str) -> Option<String> {
    let (device, signature) = get(headers, DEVICE)?.split_once('.')?;
    let signature = unhex(signature)?;
    let known = sign::verify(secret, KNOWN_DEVICE, &[device.as_bytes(), email.as_bytes()], &signature);
    known.then(|| device.to_owned())
}

/// What tries to sign in as `email` are counted by, and whether it is a known device.
pub(crate) fn throttle_key(secret: &Secret<String>, headers: &HeaderMap, email: &str) -> (String, bool) {
    let device = known_device(secret, headers, email);
    let parts: [&[u8]; 2] = [email.as_bytes(), device.as_deref().unwrap_or_default().as_bytes()];
    (hex(&sign::sign(secret, THROTTLE_KEY, &parts)), device.is_some())
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits.filter(|digits| digits.len() == sign::SIGNATURE_BYTES * 2)?;
    let (pairs, _) = digits.as_chunks::<2>();
    Some(pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests {
    use voicecore_types::Millis;

    use super::*;

    fn headers(cookies: &[&str]) -> HeaderMap {
        cookies.iter().map(|cookie| (header::COOKIE, HeaderValue::from_str(cookie).unwrap())).collect()
    }

    #[test]
    fn a_cookie_is_found_among_others_and_once() {
        assert_eq!(get(&headers(&["a=1; voicecore_device=x.y; b=2"]), DEVICE), Some("x.y"));
        assert_eq!(get(&headers(&["a=1", "voicecore_device=x"]), DEVICE), Some("x"));
        assert_eq!(get(&headers(&["voicecore_device=x; voicecore_device=y"]), DEVICE), None);
        assert_eq!(get(&headers(&["xvoicecore_device=x"]), DEVICE), None);
    }

    #[test]
    fn a_device_is_known_for_the_address_it_was_signed_for() {
        let secret = Secret::new("0123456789abcdef0123456789abcdef".to_owned());
        let signature = sign::sign(&secret, KNOWN_DEVICE, &[b"ab", b"a@example.com"]);
        let cookies = headers(&[&format!("{DEVICE}=ab.{}", hex(&signature))]);
        assert_eq!(known_device(&secret, &cookies, "a@example.com").as_deref(), Some("ab"));
        assert_eq!(known_device(&secret, &cookies, "b@example.com"), None);
        let other = Secret::new("another-0123456789abcdef01234567".to_owned());
        assert_eq!(known_device(&other, &cookies, "a@example.com"), None);
        let (device, _) = throttle_key(&secret, &cookies, "a@example.com");
        assert_ne!(device, throttle_key(&secret, &headers(&[]), "a@example.com").0);
    }

    #[test]
    fn a_browser_is_known_by_what_this_system_has_named() {
        let secret = Secret::new("0123456789abcdef0123456789abcdef".to_owned());
        let other = Secret::new("another-0123456789abcdef01234567".to_owned());
        let device = device_name(&secret, &[7; DEVICE_BYTES]);
        let cookie = |value: &str| headers(&[&format!("{DEVICE}={value}")]);
        assert_eq!(browser(&secret, &cookie(&format!("{device}.x"))).as_deref(), Some(device.as_str()));
        assert_eq!(browser(&other, &cookie(&format!("{device}.x"))), None);
        let made_up = format!("{}{}.x", "0".repeat(32), &device[32..]);
        for value in [device.as_str(), "ab.x", ".", "é.é", &made_up, &format!("{device}0.x")] {
            assert_eq!(browser(&secret, &cookie(value)), None, "{value}");
        }
        let session = SessionId::new(Millis(7), &[7; 10]);
        let token = signed_token(&secret, session, &[1; 32]);
        let kept = headers(&[&format!("{REFRESH}={}", token.expose())]);
        assert_eq!(browser(&secret, &kept), Some(session.to_string()));
        assert_eq!(browser(&other, &kept), None);
    }

    #[test]
    fn hexadecimal_digits_are_read_whole() {
        assert_eq!(unhex(&"ab".repeat(32)), Some(vec![0xab; 32]));
        assert!(unhex("ab").is_none() && unhex(&"zz".repeat(32)).is_none());
    }
}
