//! Expected signatures here come from the `twilio` package, not from this module.

use proptest::prelude::*;
use voicecore_types::Secret;

use super::{Body, SignatureError, Verifier, sign};
use crate::twilio::webhook::Form;

const TOKEN: &str = "12345";

fn verifier(origin: &str) -> Verifier {
    Verifier::new(origin.parse().unwrap(), Secret::new(TOKEN.to_owned()), None)
}

fn no_form() -> Form {
    Form::default()
}

#[test]
fn the_example_of_twilios_page_holds() {
    let form: Form = [
        ("CallSid", "CA1234567890ABCDE"),
        ("Caller", "+14158675309"),
        ("Digits", "1234"),
        ("From", "+14158675309"),
        ("To", "+18005551212"),
    ]
    .into_iter()
    .collect();
    let signature = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
    assert_eq!(sign(TOKEN, "https://mycompany.com/myapp.php?foo=1&bar=2", &form), signature);
    let verifier = verifier("https://mycompany.com");
    assert_eq!(verifier.webhook("/myapp.php?foo=1&bar=2", Body::Form(&form), Some(signature)), Ok(()));
}

#[test]
fn a_repeated_name_is_signed_with_each_value_once() {
    let form: Form =
        [("Speech", "größer 😀"), ("Digits", "2"), ("Digits", "1"), ("Digits", "2")].into_iter().collect();
    let signature = "H/F9TQV9jusNP0GNoYlzJ3WWmUY=";
    let verifier = verifier("https://voice.example.com");
    assert_eq!(verifier.webhook("/h?call=1", Body::Form(&form), Some(signature)), Ok(()));
}

/// Frameworks show an upgrade as `https`, and Twilio signs it as `wss`.
#[test]
fn pitfall_34_upgrades_are_signed_as_wss() {
    let signature = "zL05K/ptxhgBItCpyG+8xfYszc4=";
    for origin in ["https://voice.example.com", "http://voice.example.com", "https://voice.example.com:8443"]
    {
        assert_eq!(verifier(origin).upgrade("/media/0197", Some(signature)), Ok(()), "{origin}");
    }
    let verifier = verifier("https://voice.example.com");
    let as_https = sign(TOKEN, "https://voice.example.com/media/0197", &no_form());
    assert_eq!(verifier.upgrade("/media/0197", Some(&as_https)), Err(SignatureError::Mismatch));
    assert_eq!(
        verifier.webhook("/media/0197", Body::None, Some(signature)),
        Err(SignatureError::Mismatch),
        "the signature of an upgrade opens nothing else"
    );
}

#[test]
fn ports_may_be_signed_or_not() {
    for (origin, spellings) in [
        ("https://h", ["https://h", "https://h:443"]),
        ("https://h:443", ["https://h", "https://h:443"]),
        ("https://h:8443", ["https://h", "https://h:8443"]),
        ("http://h", ["http://h", "http://h:80"]),
        ("http://h:8787", ["http://h", "http://h:8787"]),
    ] {
        for spelling in spellings {
            let signature = sign(TOKEN, &format!("{spelling}/a?b=c"), &no_form());
            assert_eq!(
                verifier(origin).webhook("/a?b=c", Body::None, Some(&signature)),
                Ok(()),
                "{origin} {spelling}"
            );
        }
        let signature = sign(TOKEN, "https://h:1/a?b=c", &no_form());
        assert!(verifier(origin).webhook("/a?b=c", Body::None, Some(&signature)).is_err());
    }
}

#[test]
fn queries_may_be_signed_in_an_escaped_spelling() {
    let verifier = verifier("https://h");
    for (received, signed) in [
        ("/a?q=it's", "/a?q=it%27s"),
        ("/a?q=it%27s", "/a?q=it's"),
        ("/a?q=a+b&r=%e9", "/a?q=a%20b&r=%EF%BF%BD"),
        ("/a?x=1&y=2&x=3", "/a?x=1&x=3&y=2"),
        ("/a?flag", "/a?flag="),
    ] {
        let signature = sign(TOKEN, &format!("https://h{signed}"), &no_form());
        assert_eq!(verifier.webhook(received, Body::None, Some(&signature)), Ok(()), "{received}");
    }
    let other = sign(TOKEN, "https://h/a?y=2&x=1", &no_form());
    assert!(verifier.webhook("/a?x=1&y=2", Body::None, Some(&other)).is_err(), "order counts");
}

#[test]
fn other_bodies_are_bound_by_their_hash() {
    let target = "/j?bodySHA256=015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862";
    let signature = Some("ZdRuZ7Unj3yBV+9F21HCQQJ72jM=");
    let verifier = verifier("https://voice.example.com");
    assert_eq!(verifier.webhook(target, Body::Raw(br#"{"a":1}"#), signature), Ok(()));
    for other in [&br#"{"a":2}"#[..], b""] {
        assert_eq!(verifier.webhook(target, Body::Raw(other), signature), Err(SignatureError::BodyMismatch));
    }
    let unbound = sign(TOKEN, "https://voice.example.com/j", &no_form());
    assert_eq!(
        verifier.webhook("/j", Body::Raw(b"{}"), Some(&unbound)),
        Err(SignatureError::BodyMismatch),
        "a signature that does not cover the body is none"
    );
}

#[test]
fn both_tokens_count_while_they_rotate() {
    let origin = "https://h".parse().unwrap();
    let [old, new] = ["old", "new"].map(|token| Secret::new(token.to_owned()));
    let verifier = Verifier::new(origin, new, Some(old));
    for (token, expected) in [
        ("new", Ok(())),
        ("old", Ok(())),
        ("older", Err(SignatureError::Mismatch)),
        ("", Err(SignatureError::Mismatch)),
    ] {
        let signature = sign(token, "https://h/a", &no_form());
        assert_eq!(verifier.webhook("/a", Body::None, Some(&signature)), expected, "{token}");
    }
}

#[test]
fn an_empty_token_signs_nothing() {
    let verifier = Verifier::new(
        "https://h".parse().unwrap(),
        Secret::new(String::new()),
        Some(Secret::new(String::new())),
    );
    let signature = sign("", "https://h/a", &no_form());
    assert_eq!(verifier.webhook("/a", Body::None, Some(&signature)), Err(SignatureError::Mismatch));
}

#[test]
fn fragments_are_not_signed() {
    let signature = sign(TOKEN, "https://h/a?call=1#rc=3&rp=all", &no_form());
    assert_eq!(signature, sign(TOKEN, "https://h/a?call=1", &no_form()));
    assert_eq!(verifier("https://h").webhook("/a?call=1", Body::None, Some(&signature)), Ok(()));
}

#[test]
fn what_is_no_signature_is_refused() {
    let verifier = verifier("https://h");
    assert_eq!(verifier.webhook("/a", Body::None, None), Err(SignatureError::Missing));
    assert_eq!(verifier.webhook("/a", Body::None, Some("")), Err(SignatureError::Missing));
    let signature = sign(TOKEN, "https://h/a", &no_form());
    for bad in [&signature[1..], &format!("{signature} "), "é", "AAAA", &format!("{signature}{signature}")] {
        assert_eq!(verifier.webhook("/a", Body::None, Some(bad)), Err(SignatureError::Mismatch), "{bad}");
    }
    let long = format!("/{}", "a".repeat(super::MAX_TARGET_BYTES));
    let signature = sign(TOKEN, &format!("https://h{long}"), &no_form());
    assert!(verifier.webhook(&long, Body::None, Some(&signature)).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever Twilio signs is accepted, in whatever order the parameters arrive; one changed character is not.
    #[test]
    fn a_genuine_request_is_accepted_and_a_changed_one_is_not(
        path in "/[a-z/]{0,12}",
        query in proptest::option::of("[a-zA-Z0-9=&%+'. ]{0,24}"),
        mut pairs in proptest::collection::vec((".{0,8}", ".{0,12}"), 0..8),
        extra in ".{1,4}",
    ) {
        let target = query.map_or_else(|| path.clone(), |query| format!("{path}?{query}"));
        let form: Form = pairs.clone().into_iter().collect();
        let signature = sign(TOKEN, &format!("https://h{target}"), &form);
        let verifier = verifier("https://h");
        pairs.reverse();
        let reversed: Form = pairs.clone().into_iter().collect();
        prop_assert_eq!(verifier.webhook(&target, Body::Form(&reversed), Some(&signature)), Ok(()));
        pairs.push(("Added".to_owned(), extra));
        let changed: Form = pairs.into_iter().collect();
        prop_assert!(verifier.webhook(&target, Body::Form(&changed), Some(&signature)).is_err());
    }

    #[test]
    fn bytes_of_any_kind_are_refused_without_panic(
        target in ".{0,80}",
        body in proptest::collection::vec(any::<u8>(), 0..80),
        signature in ".{0,40}",
    ) {
        let form = Form::parse(&body).unwrap();
        for body in [Body::None, Body::Form(&form), Body::Raw(&body)] {
            prop_assert!(verifier("https://h").webhook(&target, body, Some(&signature)).is_err());
        }
        prop_assert!(verifier("https://h").upgrade(&target, Some(&signature)).is_err());
    }
}
