//! `X-Twilio-Signature`, computed as Twilio computes it.
//!
//! Written from Twilio's description alone and on purpose without `voicecore-wire`: a mistake that both sides shared
//! would otherwise go unseen.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use sha1::Sha1;

/// The signature of a form POST to `url`: Base64 of the HMAC-SHA1, keyed by the account's auth token, over the URL
/// followed by every parameter's name and value, ordered by name.
///
/// `url` is the URL as it is configured, with its query and without its fragment. A WebSocket upgrade is signed the
/// same way with its `wss://` URL and no parameters. A name that occurs more than once contributes each of its
/// distinct values, sorted, with the name before each.
pub fn sign(auth_token: &str, url: &str, params: &[(String, String)]) -> String {
    let mut sorted: Vec<(&str, &str)> = params.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    sorted.sort_unstable();
    sorted.dedup();
    // HMAC accepts a key of any length, so this cannot fail; the empty string would simply be refused as a signature.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(auth_token.as_bytes()) else { return String::new() };
    mac.update(without_fragment(url).as_bytes());
    for (name, value) in sorted {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

/// The URL up to its fragment: connection overrides are read by Twilio and neither sent nor signed.
pub(super) fn without_fragment(url: &str) -> &str {
    url.split_once('#').map_or(url, |(before, _)| before)
}

#[cfg(test)]
mod tests {
    use super::sign;

    fn params(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    /// The worked example of <https://www.twilio.com/docs/usage/security#validating-requests>.
    #[test]
    fn matches_the_vector_in_twilios_documentation() {
        let params = params(&[
            ("CallSid", "CA1234567890ABCDE"),
            ("Caller", "+14158675309"),
            ("Digits", "1234"),
            ("From", "+14158675309"),
            ("To", "+18005551212"),
        ]);
        let signature = sign("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", &params);
        assert_eq!(signature, "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
    }

    /// Order of the parameters and the fragment are nothing to the signature.
    #[test]
    fn order_and_fragment_do_not_count() {
        let one = params(&[("To", "+18005551212"), ("CallSid", "CA1"), ("From", "+14158675309")]);
        let other = params(&[("CallSid", "CA1"), ("From", "+14158675309"), ("To", "+18005551212")]);
        let url = "https://example.com/hook?call=1";
        assert_eq!(sign("t", url, &one), sign("t", &format!("{url}#rc=3&rp=all"), &other));
        assert_ne!(sign("t", url, &one), sign("u", url, &one));
        assert_ne!(sign("t", url, &one), sign("t", "https://example.com/hook?call=2", &one));
    }

    /// A repeated name counts once for each distinct value (twilio-node, `webhooks.ts`).
    #[test]
    fn repeated_names_count_their_distinct_values_in_order() {
        let url = "https://example.com/hook";
        let repeated = params(&[("Event", "b"), ("Event", "a"), ("Event", "b")]);
        let distinct = params(&[("Event", "a"), ("Event", "b")]);
        assert_eq!(sign("t", url, &repeated), sign("t", url, &distinct));
    }
}
