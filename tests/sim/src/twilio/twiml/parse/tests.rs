use super::super::{Action, Callee, Fault, Method, Prompt, Verb};
use super::parse;

fn verbs(body: &str) -> Vec<Verb> {
    parse(&format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response>{body}</Response>")).unwrap()
}

/// The error code with which the body is refused; 0 for what is not simulated.
fn refused(body: &str) -> u32 {
    match parse(&format!("<Response>{body}</Response>")) {
        Err(Fault::Refused { code, .. }) => code,
        Err(Fault::NotSimulated(_)) => 0,
        Ok(verbs) => panic!("accepted: {verbs:?}"),
    }
}

#[test]
fn reads_a_stream_with_everything() {
    let body = "<Connect action=\"https://h/after?call=1&amp;x=2#rc=3\" method=\"GET\">
        <Stream url=\"wss://h/media/1\" name=\"n\" statusCallback=\"https://h/s\"><Parameter name=\"token\" value=\"v\"/>
        </Stream></Connect>";
    let [Verb::Connect(connect)] = &verbs(body)[..] else { panic!() };
    let action = Action { url: "https://h/after?call=1&x=2#rc=3".into(), method: Method::Get };
    assert_eq!(connect.action, Some(action));
    assert_eq!(connect.status, Some(Action { url: "https://h/s".into(), method: Method::Post }));
    assert_eq!((connect.url.as_str(), connect.name.as_deref()), ("wss://h/media/1", Some("n")));
    assert_eq!(connect.parameters, [("token".to_owned(), "v".to_owned())]);
}

#[test]
fn reads_prompts_with_entities_and_defaults() {
    let body = "<Say language=\"en-US\">Fish &amp; chips</Say><Pause/><Play digits=\"1w#\"/><Hangup/>";
    let expected = [
        Verb::Prompt(Prompt::Say { text: "Fish & chips".into(), times: 1 }),
        Verb::Prompt(Prompt::Pause(1)),
        Verb::Prompt(Prompt::PlayDigits("1w#".into())),
        Verb::Hangup,
    ];
    assert_eq!(verbs(body), expected);
}

#[test]
fn reads_a_dial_by_text_and_by_noun() {
    let number = |n: &str| Callee { number: n.into(), status: None, events: vec!["completed".into()] };
    let [Verb::Dial(by_text)] = &verbs("<Dial>+15005550006</Dial>")[..] else { panic!() };
    assert_eq!(by_text.numbers, [Callee { events: vec![], ..number("+15005550006") }]);
    let body = "<Dial timeout=\"20\"><Number>+15005550006</Number><Number>+15005550007</Number></Dial>";
    let [Verb::Dial(by_noun)] = &verbs(body)[..] else { panic!() };
    assert_eq!(by_noun.numbers, [number("+15005550006"), number("+15005550007")]);
    assert_eq!(by_noun.timeout, 20);
}

#[test]
fn gather_and_record_have_twilios_defaults() {
    let [Verb::Gather(gather), Verb::Record(record)] =
        &verbs("<Gather><Say>Press 1</Say></Gather><Record/>")[..]
    else {
        panic!()
    };
    assert!(gather.dtmf && !gather.speech && !gather.action_on_empty);
    assert_eq!((gather.timeout, gather.finish_on_key, gather.num_digits), (5, Some('#'), None));
    assert_eq!((record.max_length, record.timeout, record.beep), (3_600, 5, true));
    assert_eq!(record.finish_on_key, "1234567890*#");
}

#[test]
fn refuses_what_is_not_well_formed() {
    for bad in ["<Say>", "<Say>a & b</Say>", "</Response>", "<Say a=1>x</Say>"] {
        assert_eq!(refused(bad), 12100, "{bad}");
    }
    assert!(parse("").is_err() && parse("not xml").is_err());
    assert!(parse("<!DOCTYPE Response [<!ENTITY a \"b\">]><Response><Say>&a;</Say></Response>").is_err());
}

#[test]
fn refuses_what_breaks_the_schema() {
    let long = format!(
        "<Connect><Stream url='wss://h/m'><Parameter name='t' value='{}'/></Stream></Connect>",
        "x".repeat(500)
    );
    for bad in [
        "<Speak>hello</Speak>",
        "<say>hello</say>",
        "<Say colour=\"red\">hello</Say>",
        "<Say>hello<Pause/></Say>",
        "stray text",
        "<Connect>text<Stream url='wss://h/m'/></Connect>",
        "<Connect/>",
        "<Connect><Stream/></Connect>",
        "<Connect><Stream url='wss://h/m'/><Stream url='wss://h/n'/></Connect>",
        "<Connect><Stream url='wss://h/m' track='both_tracks'/></Connect>",
        "<Connect><Stream url='wss://h/m'><Parameter name='t'/></Stream></Connect>",
        "<Connect><Stream url='wss://h/m'><Say>x</Say></Stream></Connect>",
        "<Gather numDigits='0'/>",
        "<Gather input='voice'/>",
        "<Gather><Hangup/></Gather>",
        "<Pause length='1.5'/>",
        "<Pause length='-1'/>",
        "<Record playBeep='yes'/>",
        "<Hangup>now</Hangup>",
        "<Play/>",
        "<Play digits='abc'/>",
        "<Dial><Number statusCallbackEvent='begun'>+15005550006</Number></Dial>",
        &long,
    ] {
        assert_eq!(refused(bad), 12200, "{bad}");
    }
    assert!(matches!(parse("<Twiml/>"), Err(Fault::Refused { code: 12200, .. })));
}

#[test]
fn refuses_bad_stream_urls_numbers_and_sizes_with_their_own_codes() {
    assert_eq!(refused("<Connect><Stream url='https://h/m'/></Connect>"), 31922);
    assert_eq!(refused("<Connect><Stream url='ws://h/m'/></Connect>"), 31922);
    assert_eq!(refused("<Connect><Stream url='wss://h/m?token=1'/></Connect>"), 31920);
    assert_eq!(refused("<Dial>555-0006</Dial>"), 13223);
    assert_eq!(refused("<Say></Say>"), 13520);
    assert_eq!(refused(&format!("<Say>{}</Say>", "x".repeat(70_000))), 11750);
}

#[test]
fn says_what_it_does_not_simulate() {
    for known in [
        "<Enqueue>q</Enqueue>",
        "<Dial><Conference>c</Conference></Dial>",
        "<Dial record='true'>+15005550006</Dial>",
    ] {
        assert_eq!(refused(known), 0, "{known}");
    }
}
