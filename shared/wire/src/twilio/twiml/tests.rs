use proptest::prelude::*;
use voicecore_types::E164;

use super::*;

fn number() -> E164 {
    "+15005550006".parse().unwrap()
}

#[test]
fn a_call_is_connected_to_its_stream() {
    let action = CallbackUrl::new("https://h/after?call=1&x=2").retries(3).read_timeout_ms(4_000).to_string();
    let stream = Stream::new("wss://h/media/1")
        .and_then(|stream| stream.status_callback("https://h/status").parameter("token", r#"a"b&c"#))
        .unwrap();
    let document = Response::new().connect(Connect::new(stream).action(&action));
    insta::assert_snapshot!(document.to_xml(), @r#"<?xml version="1.0" encoding="UTF-8"?><Response><Connect action="https://h/after?call=1&amp;x=2#rc=3&amp;rp=ct,rt,5xx&amp;ct=5000&amp;rt=4000"><Stream url="wss://h/media/1" statusCallback="https://h/status"><Parameter name="token" value="a&quot;b&amp;c"/></Stream></Connect></Response>"#);
}

#[test]
fn an_apology_is_spoken_and_somebody_is_dialled() {
    let document = Response::new()
        .say(Say::new("Sorry – it's <us> & not \"you\".\n").voice("Polly.Joanna-Neural").language("en-US"))
        .pause(1)
        .dial(
            Dial::number(&number())
                .action("https://h/dial")
                .timeout(20)
                .time_limit(3600)
                .caller_id(&number())
                .answer_on_bridge(),
        );
    insta::assert_snapshot!(document.to_xml(), @r#"<?xml version="1.0" encoding="UTF-8"?><Response><Say voice="Polly.Joanna-Neural" language="en-US">Sorry – it&apos;s &lt;us&gt; &amp; not &quot;you&quot;.&#xA;</Say><Pause length="1"/><Dial action="https://h/dial" timeout="20" timeLimit="3600" callerId="+15005550006" answerOnBridge="true"><Number>+15005550006</Number></Dial></Response>"#);
}

#[test]
fn speech_and_keys_are_gathered() {
    let gather = Gather::new(GatherInput::Both, "https://h/gather")
        .timeout(4)
        .num_digits(1)
        .finish_on_key("")
        .speech_timeout_auto()
        .language("en-GB")
        .hints("booking, opening hours")
        .action_on_empty_result()
        .say(Say::new("How can I help?"))
        .play(Play::url("https://h/beep.wav"));
    let document = Response::new().gather(gather).redirect("https://h/again?a=1&b=2");
    insta::assert_snapshot!(document.to_xml(), @r#"<?xml version="1.0" encoding="UTF-8"?><Response><Gather input="dtmf speech" action="https://h/gather" timeout="4" numDigits="1" finishOnKey="" speechTimeout="auto" language="en-GB" hints="booking, opening hours" actionOnEmptyResult="true"><Say>How can I help?</Say><Play>https://h/beep.wav</Play></Gather><Redirect>https://h/again?a=1&amp;b=2</Redirect></Response>"#);
}

#[test]
fn a_message_is_recorded() {
    let record = Record::new("https://h/voicemail")
        .max_length(120)
        .timeout(5)
        .finish_on_key("#")
        .no_beep()
        .recording_status_callback("https://h/recording");
    let document = Response::new().play(Play::digits("1w#")).record(record).hangup();
    insta::assert_snapshot!(document.to_xml(), @r##"<?xml version="1.0" encoding="UTF-8"?><Response><Play digits="1w#"/><Record action="https://h/voicemail" maxLength="120" timeout="5" finishOnKey="#" playBeep="false" recordingStatusCallback="https://h/recording"/><Hangup/></Response>"##);
}

#[test]
fn a_call_is_declined() {
    assert!(
        Response::new()
            .reject(RejectReason::Busy)
            .to_xml()
            .ends_with(r#"<Response><Reject reason="busy"/></Response>"#)
    );
    assert!(Response::default().to_xml().ends_with("<Response/>"));
}

#[test]
fn a_stream_needs_a_plain_secure_address() {
    for (url, error) in [
        ("ws://h/media", TwimlError::StreamNotSecure),
        ("https://h/media", TwimlError::StreamNotSecure),
        ("", TwimlError::StreamNotSecure),
        ("wss://h/media?t=1", TwimlError::StreamQuery),
        ("wss://h/media#rc=1", TwimlError::StreamQuery),
    ] {
        assert_eq!(Stream::new(url), Err(error), "{url}");
    }
    assert!(Stream::new("wss://h:8443/media/1").is_ok());
}

#[test]
fn a_parameter_has_room_for_500_characters() {
    let stream = Stream::new("wss://h/media").unwrap();
    assert!(stream.clone().parameter("token", &"é".repeat(495)).is_ok());
    assert_eq!(stream.parameter("token", &"é".repeat(496)), Err(TwimlError::ParameterTooLong));
}

#[test]
fn an_attribute_set_twice_stands_once() {
    let xml = Response::new().say(Say::new("a").voice("alice").voice("man")).to_xml();
    assert!(xml.ends_with(r#"<Response><Say voice="man">a</Say></Response>"#), "{xml}");
}

#[test]
fn long_speech_is_cut_at_a_character() {
    let xml = Response::new().say(Say::new(&"é".repeat(MAX_SAY_CHARS + 5))).to_xml();
    assert_eq!(xml.matches('é').count(), MAX_SAY_CHARS);
}

#[test]
fn overrides_stay_within_twilios_limits() {
    let url = CallbackUrl::new("https://h/a#old").retries(99).connect_timeout_ms(1).read_timeout_ms(60_000);
    assert_eq!(url.to_string(), "https://h/a#rc=5&rp=ct,rt,5xx&ct=100&rt=15000");
}

/// Of the characters that Rust knows; surrogates are not among them.
fn is_xml(c: char) -> bool {
    c >= ' ' && c != '\u{fffe}' && c != '\u{ffff}'
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// No text leaves its place: neither markup nor characters that XML cannot hold come through.
    #[test]
    fn text_stays_text(text in any::<String>()) {
        let xml = Response::new().say(Say::new(&text).voice(&text)).to_xml();
        prop_assert_eq!(xml.matches('<').count(), 5);
        prop_assert_eq!(xml.matches('>').count(), 5);
        prop_assert_eq!(xml.matches('"').count(), 6);
        prop_assert!(xml.chars().all(is_xml), "{xml}");
    }
}
