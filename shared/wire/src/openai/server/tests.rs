use std::path::Path;

use super::{EventError, ServerEvent};
use crate::fixtures;

#[test]
fn every_documented_event_is_read() {
    let events = fixtures::read(Path::new("openai/server"));
    assert!(events.len() >= 38, "{}", events.len());
    let read: Vec<_> = events.iter().map(|(name, text)| (name, ServerEvent::parse(text))).collect();
    insta::assert_debug_snapshot!(read);
}

#[test]
fn older_and_newer_dialects_are_read() {
    let events = fixtures::read(Path::new("openai/server/odd"));
    let read: Vec<_> = events.iter().map(|(name, text)| (name, ServerEvent::parse(text))).collect();
    insta::assert_debug_snapshot!(read);
}

#[test]
fn what_is_not_an_event_is_refused() {
    for text in [
        "",
        "null",
        "[]",
        "1",
        "{}",
        r#"{"type":1}"#,
        r#"{"type":"response.created"}"#,
        "{\"type\":\"error\"",
        "\u{0}",
    ] {
        assert_eq!(ServerEvent::parse(text), Err(EventError::Malformed), "{text}");
    }
    for delta in [r#""abc""#, r#""ab\"c""#, r#""a\u0000bc""#, r#""ab c""#] {
        let text = format!(r#"{{"type":"response.output_audio.delta","delta":{delta}}}"#);
        assert_eq!(ServerEvent::parse(&text), Err(EventError::BadPayload), "{text}");
    }
}

#[test]
fn cached_tokens_without_details_are_part_of_the_input_all_the_same() {
    let text = r#"{"type":"response.done","response":{"id":"r","usage":{"input_token_details":
        {"text_tokens":100,"audio_tokens":50,"cached_tokens":120},"output_token_details":{"audio_tokens":"7"}}}}"#;
    let Ok(ServerEvent::ResponseDone(result)) = ServerEvent::parse(text) else { panic!() };
    let usage = result.usage;
    assert_eq!((usage.text_cached, usage.audio_cached, usage.audio_out), (100, 20, 7));
}

#[test]
fn an_escaped_slash_is_a_slash() {
    let text = r#"{"type":"response.output_audio.delta","response_id":"r","item_id":"i","delta":"\/\/\/\/"}"#;
    let Ok(ServerEvent::AudioDelta { delta, .. }) = ServerEvent::parse(text) else { panic!() };
    assert_eq!(delta.as_str(), "////");
}
