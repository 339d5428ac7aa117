//! `X-Twilio-Signature`: is this request from Twilio?
//!
//! `base64(HMAC-SHA1(auth token, URL + every form parameter))`, the parameters sorted by name and each written as name and
//! value without a separator. Sources: twilio.com/docs/usage/webhooks/webhooks-security and the `twilio` package's
//! `webhooks.ts`, which judges this module in `tests/oracles`.
//!
//! What is known beyond that page:
//! - A media socket's upgrade is signed with the scheme `wss`, without parameters (twilio-labs/twilio-aspnet#162).
//! - A fragment (`#rc=3…`, connection overrides) is not part of what is signed; it never reaches a server either
//!   (openclaw/openclaw, `docs/channels/sms.md`; fasthook.io/twilio-webhooks).
//! - Only account auth tokens sign, not API keys. While tokens rotate, either may.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use voicecore_types::Secret;

use super::origin::Origin;
use super::webhook::Form;

/// The header that carries the signature, in lower case.
pub const SIGNATURE_HEADER: &str = "x-twilio-signature";

/// The longest path and query that is looked at, in bytes. Ours are far shorter.
pub const MAX_TARGET_BYTES: usize = 4_096;

/// A query of more pairs than this is not looked at in its legacy spelling, whose making costs their square.
const MAX_LEGACY_PAIRS: usize = 64;

/// What was sent besides the URL.
#[derive(Debug, Clone, Copy)]
pub enum Body<'a> {
    /// Nothing: a `GET`, or a request whose body is empty.
    None,
    /// An `application/x-www-form-urlencoded` body.
    Form(&'a Form),
    /// Any other body, as received: signed through the query parameter `bodySHA256`.
    Raw(&'a [u8]),
}

/// The request is not known to be Twilio's: answer 403, and tell nobody why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is no signature.
    #[error("the request carries no X-Twilio-Signature")]
    Missing,
    /// The signature is not that of this request.
    #[error("the signature does not match the request")]
    Mismatch,
    /// The body is not the one whose hash was signed, or no hash was.
    #[error("the body does not match its signed hash")]
    BodyMismatch,
}

/// Checks signatures of requests that come to one public address.
#[derive(Debug, Clone)]
pub struct Verifier {
    origin: Origin,
    tokens: Vec<Secret<String>>,
}

impl Verifier {
    /// Accepts signatures made with `token`, and with `secondary` while tokens rotate. Empty tokens are ignored: with no
    /// other, nothing is accepted.
    pub fn new(origin: Origin, token: Secret<String>, secondary: Option<Secret<String>>) -> Self {
        let tokens = std::iter::once(token).chain(secondary).filter(|t| !t.expose().is_empty()).collect();
        Self { origin, tokens }
    }

    /// Checks a webhook. `target` is path and query as they stand in the request line.
    pub fn webhook(
        &self,
        target: &str,
        body: Body<'_>,
        signature: Option<&str>,
    ) -> Result<(), SignatureError> {
        self.check(false, target, body, signature)
    }

    /// Checks the upgrade request of a media socket, before it is accepted.
    pub fn upgrade(&self, target: &str, signature: Option<&str>) -> Result<(), SignatureError> {
        self.check(true, target, Body::None, signature)
    }

    fn check(
        &self,
        upgrade: bool,
        target: &str,
        body: Body<'_>,
        signature: Option<&str>,
    ) -> Result<(), SignatureError> {
        let signature = signature.filter(|s| !s.is_empty()).ok_or(SignatureError::Missing)?;
        let signature = STANDARD.decode(signature).map_err(|_| SignatureError::Mismatch)?;
        if target.len() > MAX_TARGET_BYTES {
            return Err(SignatureError::Mismatch);
        }
        let target = target.split('#').next().unwrap_or_default();
        let parameters = match body {
            Body::Form(form) => signed_parameters(form),
            Body::None | Body::Raw(_) => String::new(),
        };
        let targets = signed_targets(target);
        let genuine = self.origin.signed_spellings(upgrade).iter().any(|base| {
            targets.iter().any(|target| {
                self.tokens.iter().any(|token| {
                    let mac = keyed(token.expose(), &[base, target, &parameters]);
                    mac.is_some_and(|mac| mac.verify_slice(&signature).is_ok())
                })
            })
        });
        if !genuine {
            return Err(SignatureError::Mismatch);
        }
        match body {
            Body::Raw(bytes) if !body_matches(target, bytes) => Err(SignatureError::BodyMismatch),
            _ => Ok(()),
        }
    }
}

/// Signs as Twilio does: `url` exactly as it was configured (a fragment is left out), `form` empty where there is none.
///
/// For tests and tools; the simulator of Twilio has code of its own, so that both cannot share one mistake.
pub fn sign(token: &str, url: &str, form: &Form) -> String {
    let url = url.split('#').next().unwrap_or_default();
    let mac = keyed(token, &[url, &signed_parameters(form)]);
    mac.map(|mac| STANDARD.encode(mac.finalize().into_bytes())).unwrap_or_default()
}

/// `None` never happens: HMAC takes keys of every length. The type says otherwise, and panics are not for wasm.
fn keyed(token: &str, parts: &[&str]) -> Option<Hmac<Sha1>> {
    let mut mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).ok()?;
    for part in parts {
        mac.update(part.as_bytes());
    }
    Some(mac)
}

/// Names sorted, values of a repeated name sorted and each written once. UTF-16 order, as in Twilio's own validators.
fn signed_parameters(form: &Form) -> String {
    // A heap, because it is eight kilobytes less in a script than `sort` is, and as quick for the thirty pairs that come.
    let mut pairs = BinaryHeap::new();
    pairs.extend(form.pairs().map(|(name, value)| (Utf16(name), Utf16(value))));
    let mut pairs = pairs.into_sorted_vec();
    pairs.dedup();
    pairs.into_iter().flat_map(|(name, value)| [name.0, value.0]).collect()
}

/// A text, in the order of its UTF-16 units.
#[derive(PartialEq, Eq)]
struct Utf16<'a>(&'a str);

impl Ord for Utf16<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.encode_utf16().cmp(other.0.encode_utf16())
    }
}

impl PartialOrd for Utf16<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What the URL parser of browsers (and Node.js) escapes in a query.
const QUERY_ESCAPES: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\'');

/// What Node.js' old `querystring` leaves unescaped.
const LEGACY_ESCAPES: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// The spellings of a path and query that Twilio's validators accept: as received; its query escaped like a browser's;
/// its query parsed and written anew, as some of Twilio's back ends do.
fn signed_targets(target: &str) -> Vec<Cow<'_, str>> {
    let Some((path, query)) = target.split_once('?').filter(|(_, query)| !query.is_empty()) else {
        return vec![Cow::Borrowed(target)];
    };
    let escaped = utf8_percent_encode(query, QUERY_ESCAPES).to_string();
    let legacy = (query.split('&').count() <= MAX_LEGACY_PAIRS).then(|| legacy_query(&escaped));
    let mut targets = vec![Cow::Borrowed(target)];
    for spelling in [Some(escaped), legacy].into_iter().flatten() {
        let spelling = Cow::Owned(format!("{path}?{spelling}"));
        if !targets.contains(&spelling) {
            targets.push(spelling);
        }
    }
    targets
}

/// Pairs of one name come together, in the place of the first; everything is escaped anew.
fn legacy_query(query: &str) -> String {
    let mut names: Vec<(Cow<'_, str>, Vec<Cow<'_, str>>)> = Vec::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match names.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(value),
            None => names.push((name, vec![value])),
        }
    }
    let escape = |text: &str| utf8_percent_encode(text, LEGACY_ESCAPES).to_string();
    let pairs = names.iter().flat_map(|(name, values)| {
        values.iter().map(move |value| format!("{}={}", escape(name), escape(value)))
    });
    pairs.collect::<Vec<_>>().join("&")
}

/// The hash is not a secret (it stands in the URL, which is signed), so an ordinary comparison will do.
fn body_matches(target: &str, body: &[u8]) -> bool {
    let query = target.split_once('?').map_or("", |(_, query)| query);
    let claimed = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "bodySHA256");
    claimed.is_some_and(|(_, hash)| {
        hash.len() == 64
            && Sha256::digest(body)
                .iter()
                .zip(hash.as_bytes().chunks(2))
                .all(|(byte, hex)| format!("{byte:02x}").as_bytes() == hex)
    })
}

#[cfg(test)]
mod tests;
