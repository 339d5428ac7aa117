use proptest::prelude::*;

use super::*;

const CALL: &str = "CA0123456789abcdef0123456789abcdef";
const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";

/// What every webhook carries, and `more`.
fn form(more: &str) -> Form {
    Form::parse(format!("CallSid={CALL}&AccountSid={ACCOUNT}&{more}").as_bytes()).unwrap()
}

#[test]
fn an_incoming_call_is_read() {
    let form = form(
        "CallStatus=ringing&From=%2B15005550006&To=%2B15005550001&Direction=inbound&FromCity=Paris&FromZip=75001",
    );
    let hook = VoiceWebhook::read(&form).unwrap();
    assert_eq!(hook.call.sid.as_str(), CALL);
    assert_eq!(hook.call.account_sid.as_str(), ACCOUNT);
    assert_eq!((hook.call.status, hook.direction), (CallStatus::Ringing, Direction::Inbound));
    assert_eq!(hook.from.as_ref().map(E164::expose), Some("+15005550006"));
    assert_eq!(hook.to.as_ref().map(E164::expose), Some("+15005550001"));
    let debug = format!("{hook:?} {form:?}");
    assert!(!debug.contains("Paris") && !debug.contains("555"), "{debug}");
}

#[test]
fn a_withheld_number_is_no_number() {
    for from in [
        "anonymous",
        "Anonymous",
        "RESTRICTED",
        "unavailable",
        "",
        "%2B266696687",
        "%2B7378742833",
        "%2B86282452253",
        "client%3Aalice",
        "sip%3Aalice%40example.com",
        "5005550006",
        "%2B1500555000%00",
    ] {
        let hook = VoiceWebhook::read(&form(&format!("From={from}&To=%2B15005550001"))).unwrap();
        assert_eq!(hook.from, None, "{from}");
        assert!(hook.to.is_some());
    }
}

#[test]
fn withheld_numbers_spell_their_words() {
    let keys = ["ABC", "DEF", "GHI", "JKL", "MNO", "PQRS", "TUV", "WXYZ"];
    let words = ["ANONYMOUS", "RESTRICTED", "BLOCKED", "UNKNOWN", "UNAVAILABLE"];
    for (number, word) in WITHHELD_NUMBERS.iter().zip(words) {
        let typed = word.chars().map(|c| keys.iter().position(|key| key.contains(c)).unwrap() + 2);
        assert_eq!(typed.fold("+".to_owned(), |typed, key| typed + &key.to_string()), *number, "{word}");
    }
}

#[test]
fn a_call_without_identifiers_is_refused() {
    for (body, missing) in [
        (String::new(), "CallSid"),
        (format!("CallSid={CALL}"), "AccountSid"),
        (format!("CallSid=CA1&AccountSid={ACCOUNT}"), "CallSid"),
        (format!("CallSid={CALL}&AccountSid=../x"), "AccountSid"),
        (format!("CallSid={CALL}&CallSid={}&AccountSid={ACCOUNT}", CALL.replace('0', "1")), "CallSid"),
    ] {
        let form = Form::parse(body.as_bytes()).unwrap();
        assert_eq!(VoiceWebhook::read(&form), Err(WebhookError::Parameter(missing)), "{body}");
    }
}

#[test]
fn a_parameter_said_twice_counts_when_it_says_the_same() {
    let twice = form(&format!("CallSid={CALL}&CallStatus=busy&CallStatus=completed"));
    let hook = StatusCallback::read(&twice).unwrap();
    assert_eq!(hook.call.sid.as_str(), CALL);
    assert_eq!(hook.call.status, CallStatus::Unknown);
}

#[test]
fn statuses_are_read() {
    let hook =
        StatusCallback::read(&form("CallStatus=completed&CallDuration=17&Duration=1&SequenceNumber=3"))
            .unwrap();
    assert_eq!(
        (hook.call.status, hook.duration_s, hook.sequence),
        (CallStatus::Completed, Some(17), Some(3))
    );
    for word in ["completed", "busy", "failed", "no-answer", "canceled"] {
        assert!(word.parse::<CallStatus>().unwrap().is_final(), "{word}");
    }
    for word in ["queued", "initiated", "ringing", "in-progress", "teleported"] {
        assert!(!word.parse::<CallStatus>().unwrap().is_final(), "{word}");
    }
    let odd = StatusCallback::read(&form("CallDuration=-1&SequenceNumber=99999999999")).unwrap();
    assert_eq!((odd.call.status, odd.duration_s, odd.sequence), (CallStatus::Unknown, None, None));
}

#[test]
fn stream_events_are_read() {
    let sid = "MZ0123456789abcdef0123456789abcdef";
    let long = "e".repeat(MAX_ERROR_CHARS + 1);
    let form = form(&format!("StreamSid={sid}&StreamEvent=stream-error&StreamError={long}&Timestamp=x"));
    let hook = StreamStatus::read(&form).unwrap();
    assert_eq!((hook.stream_sid.as_str(), hook.event), (sid, StreamEvent::Error));
    assert_eq!(hook.error.unwrap().len(), MAX_ERROR_CHARS);
}

#[test]
fn the_end_of_a_connect_is_read() {
    let bare = ConnectEnded::read(&form("CallStatus=in-progress")).unwrap();
    assert_eq!((bare.call.status, bare.stream_sid), (CallStatus::InProgress, None));
}

#[test]
fn the_end_of_a_dial_is_read() {
    let hook = DialEnded::read(&form(&format!(
        "DialCallStatus=no-answer&DialCallSid={CALL}&DialCallDuration=0&CallStatus=in-progress"
    )))
    .unwrap();
    assert_eq!((hook.dial_status, hook.duration_s), (DialStatus::NoAnswer, Some(0)));
    assert!(hook.dial_call_sid.is_some() && !hook.dial_status.was_answered());
    assert!(DialStatus::Completed.was_answered() && DialStatus::Answered.was_answered());
    assert_eq!(DialEnded::read(&form("")), Err(WebhookError::Parameter("DialCallStatus")));
}

#[test]
fn a_recorded_message_is_read() {
    let sid = "RE0123456789abcdef0123456789abcdef";
    let read = |url: &str| {
        RecordEnded::read(&form(&format!(
            "RecordingSid={sid}&RecordingUrl={url}&RecordingDuration=9&Digits=hangup"
        )))
        .unwrap()
    };
    let hook = read("https%3A%2F%2Fapi.twilio.com%2Fr");
    assert_eq!((hook.recording_sid.as_str(), hook.duration_s), (sid, Some(9)));
    assert_eq!(hook.url.as_deref(), Some("https://api.twilio.com/r"));
    for bad in ["http%3A%2F%2F169.254.169.254%2F", "file%3A%2F%2F%2Fetc%2Fpasswd", ""] {
        assert_eq!(read(bad).url, None, "{bad}");
    }
}

#[test]
fn what_was_gathered_is_read_and_not_shown() {
    let hook = Gathered::read(&form("SpeechResult=my+card+is&Confidence=0.87&Digits=12*%23")).unwrap();
    assert_eq!(hook.speech.as_deref(), Some("my card is"));
    assert_eq!((hook.confidence, hook.digits.as_deref()), (Some(0.87), Some("12*#")));
    let debug = format!("{hook:?}");
    assert!(!debug.contains("card") && !debug.contains("12*"), "{debug}");
    let odd = Gathered::read(&form("Confidence=NaN&Digits=hangup")).unwrap();
    assert_eq!((odd.speech, odd.confidence, odd.digits), (None, None, None));
    let long =
        Gathered::read(&form(&format!("SpeechResult={}", "%C3%A9".repeat(MAX_SPEECH_CHARS + 1)))).unwrap();
    assert_eq!(long.speech.unwrap().chars().count(), MAX_SPEECH_CHARS);
}

#[test]
fn forms_are_bounded() {
    let large = vec![b'a'; MAX_FORM_BYTES + 1];
    assert_eq!(Form::parse(&large), Err(WebhookError::TooLarge));
    assert!(Form::parse(&large[1..]).is_ok());
    let many = "a&".repeat(MAX_FORM_PARAMETERS + 1);
    assert_eq!(Form::parse(many.as_bytes()), Err(WebhookError::TooManyParameters));
    assert!(Form::parse(&many.as_bytes()[2..]).is_ok());
}

#[test]
fn invalid_utf8_is_replaced() {
    let form = Form::parse(b"a=%FF&b=\xff").unwrap();
    assert_eq!((form.get("a"), form.get("b")), (Some("\u{fffd}"), Some("\u{fffd}")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_bytes_panic(
        mut body in proptest::collection::vec(any::<u8>(), 0..200),
        known in any::<bool>(),
    ) {
        if known {
            body.splice(0..0, format!("CallSid={CALL}&AccountSid={ACCOUNT}&SpeechResult=").into_bytes());
        }
        if let Ok(form) = Form::parse(&body) {
            let _ = VoiceWebhook::read(&form);
            let _ = StatusCallback::read(&form);
            let _ = StreamStatus::read(&form);
            let _ = ConnectEnded::read(&form);
            let _ = DialEnded::read(&form);
            let _ = RecordEnded::read(&form);
            prop_assert_eq!(Gathered::read(&form).is_ok(), known && form.get("CallSid").is_some()
                && form.get("AccountSid").is_some());
        }
    }
}
