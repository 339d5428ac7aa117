//! Whether calls to a number would reach us: what the carrier says of it, beside what it should be. Pure.

use voicecore_api_types::{PhoneNumberCheck, PhoneNumberCheckCode as Code, WebhookAddresses};
use voicecore_wire::twilio::rest::{IncomingNumber, Webhook};

use crate::carrier::NumberAtCarrier;

/// All that can be said, in the order in which it is worth looking at.
pub(crate) fn examine(number: &NumberAtCarrier, wanted: &WebhookAddresses) -> Vec<PhoneNumberCheck> {
    match number {
        NumberAtCarrier::Unreachable => {
            vec![bad(Code::Account, "unreachable", "Twilio does not answer. Try again.")]
        }
        NumberAtCarrier::Unexpected => {
            vec![bad(Code::Account, "unexpected", "Twilio answered something else than a number. Try again.")]
        }
        NumberAtCarrier::Refused => vec![bad(
            Code::Account,
            "refused",
            "Twilio does not accept the credentials. Set the account anew under `config/providers/twilio`.",
        )],
        NumberAtCarrier::Unknown => vec![
            good(Code::Account, None),
            bad(
                Code::Owned,
                "another account's, or nobody's",
                "Buy the number for this account at Twilio, or set the account that has it.",
            ),
        ],
        NumberAtCarrier::Ours(number) => of_ours(number, wanted),
    }
}

fn of_ours(number: &IncomingNumber, wanted: &WebhookAddresses) -> Vec<PhoneNumberCheck> {
    let mut checks = vec![good(Code::Account, None), good(Code::Owned, None)];
    for (code, ok, found, advice) in [
        (
            Code::TakesCalls,
            number.takes_calls,
            "no voice",
            "The number cannot take calls. Choose one that can.",
        ),
        (
            Code::NoApplication,
            !number.has_application,
            "a TwiML application",
            "Set \"Configure with\" of the number to webhooks: an application's addresses count instead.",
        ),
        (
            Code::NoTrunk,
            !number.has_trunk,
            "a SIP trunk",
            "Take the number off the SIP trunk: it gets the calls.",
        ),
    ] {
        checks.push(if ok { good(code, None) } else { bad(code, found, advice) });
    }
    let hooks = [
        (Code::VoiceUrl, Code::VoiceMethod, &number.voice, &wanted.voice_url, "A call comes in"),
        (
            Code::StatusCallback,
            Code::StatusCallbackMethod,
            &number.status,
            &wanted.status_callback_url,
            "Call status changes",
        ),
        (
            Code::FallbackUrl,
            Code::FallbackMethod,
            &number.fallback,
            &wanted.fallback_url,
            "Primary handler fails",
        ),
    ];
    for (code, method_code, there, url, name) in hooks {
        checks.extend(of_hook(code, method_code, there, url, name));
    }
    checks
}

fn of_hook(code: Code, method_code: Code, there: &Webhook, url: &str, name: &str) -> [PhoneNumberCheck; 2] {
    let found = (!there.url.is_empty()).then(|| shown(&there.url));
    let ok = there.url == url;
    let advice = (!ok).then(|| format!("Set \"{name}\" to the webhook {url}"));
    let address = PhoneNumberCheck { code, ok, found, advice };
    let ok = there.method.eq_ignore_ascii_case("POST");
    // Twilio knows a handful of words; what is none of them is not passed on.
    let word = ["GET", "POST"].into_iter().find(|word| there.method.eq_ignore_ascii_case(word));
    let advice = (!ok).then(|| format!("Set the method of \"{name}\" to HTTP POST"));
    [address, PhoneNumberCheck { code: method_code, ok, found: word.map(str::to_owned), advice }]
}

/// An address without what may be a secret: credentials, parameters, fragment.
fn shown(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = url.split_once("://") else { return "not an address".to_owned() };
    let (authority, path) =
        rest.split_once('/').map_or((rest, None), |(authority, path)| (authority, Some(path)));
    let host = authority.rsplit('@').next().unwrap_or_default();
    let path = path.map(|path| format!("/{path}")).unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

fn good(code: Code, found: Option<String>) -> PhoneNumberCheck {
    PhoneNumberCheck { code, ok: true, found, advice: None }
}

fn bad(code: Code, found: &str, advice: &str) -> PhoneNumberCheck {
    PhoneNumberCheck { code, ok: false, found: Some(found.to_owned()), advice: Some(advice.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> WebhookAddresses {
        let url = |path: &str| format!("https://voice.example.com/{path}");
        WebhookAddresses {
            voice_url: url("voice"),
            status_callback_url: url("status"),
            fallback_url: url("fallback"),
        }
    }

    fn hook(url: String) -> Webhook {
        Webhook { url, method: "POST".to_owned() }
    }

    fn right() -> IncomingNumber {
        let wanted = wanted();
        IncomingNumber {
            takes_calls: true,
            voice: hook(wanted.voice_url),
            status: hook(wanted.status_callback_url),
            fallback: hook(wanted.fallback_url),
            ..IncomingNumber::default()
        }
    }

    fn wrong(number: IncomingNumber) -> Vec<Code> {
        let checks = examine(&NumberAtCarrier::Ours(number), &wanted());
        assert_eq!(checks.len(), 11);
        assert!(checks.iter().all(|check| check.ok == check.advice.is_none()), "{checks:?}");
        checks.into_iter().filter(|check| !check.ok).map(|check| check.code).collect()
    }

    #[test]
    fn each_fault_is_named_alone() {
        assert_eq!(wrong(right()), []);
        let get = |url: &str| Webhook { url: url.to_owned(), method: "GET".to_owned() };
        for (number, code) in [
            (IncomingNumber { takes_calls: false, ..right() }, Code::TakesCalls),
            (IncomingNumber { has_application: true, ..right() }, Code::NoApplication),
            (IncomingNumber { has_trunk: true, ..right() }, Code::NoTrunk),
            (
                IncomingNumber { voice: hook("https://voice.example.com/voice/".to_owned()), ..right() },
                Code::VoiceUrl,
            ),
            (IncomingNumber { voice: get(&wanted().voice_url), ..right() }, Code::VoiceMethod),
            (IncomingNumber { status: hook(String::new()), ..right() }, Code::StatusCallback),
            (
                IncomingNumber { status: get(&wanted().status_callback_url), ..right() },
                Code::StatusCallbackMethod,
            ),
            (IncomingNumber { fallback: hook(wanted().voice_url), ..right() }, Code::FallbackUrl),
            (IncomingNumber { fallback: get(&wanted().fallback_url), ..right() }, Code::FallbackMethod),
        ] {
            assert_eq!(wrong(number), [code]);
        }
    }

    #[test]
    fn what_may_be_secret_in_an_address_is_not_shown() {
        for (url, seen) in [
            ("https://user:SENTINEL@h.example/a?b=SENTINEL#SENTINEL", "https://h.example/a"),
            ("https://h.example?b=SENTINEL/c", "https://h.example"),
            ("https://a@SENTINEL@h.example", "https://h.example"),
            ("SENTINEL", "not an address"),
        ] {
            assert_eq!(shown(url), seen);
        }
    }
}
