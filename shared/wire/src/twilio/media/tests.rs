use std::borrow::Cow;
use std::path::Path;

use proptest::prelude::*;

use super::{CarrierEvent, CarrierFrame, FrameError, MarkName, StreamWriter};
use crate::fixtures;
use crate::payload::Payload;

const SID: &str = "MZ00000000000000000000000000000000";

#[test]
fn every_documented_frame_is_read() {
    let frames = fixtures::read(Path::new("twilio/from"));
    let read: Vec<_> = frames.iter().map(|(name, text)| (name, CarrierFrame::parse(text))).collect();
    insta::assert_debug_snapshot!(read);
}

#[test]
fn every_frame_we_send_is_as_documented() {
    let writer = StreamWriter::new(SID).unwrap();
    let media = writer.media(&Payload::new("f39/f3//f38=").unwrap());
    assert_eq!(media.capacity(), media.len(), "one allocation of the right size");
    fixtures::check("twilio/to/media.json", &media);
    fixtures::check("twilio/to/mark.json", &writer.mark(MarkName { generation: 2, number: 17 }));
    fixtures::check("twilio/to/clear.json", &writer.clear());
}

#[test]
fn audio_and_marks_are_not_copied() {
    let frame = r#"{"event":"media","streamSid":"MZ1","media":{"timestamp":"5","payload":"////"}}"#;
    let frame = CarrierFrame::parse(frame).unwrap();
    assert!(matches!(frame.stream_sid, Cow::Borrowed("MZ1")));
    let mark = CarrierFrame::parse(r#"{"event":"mark","mark":{"name":"0.1"}}"#).unwrap();
    assert!(matches!(mark.event, CarrierEvent::Mark(Cow::Borrowed("0.1"))));
}

#[test]
fn harmless_oddities_are_accepted_and_others_are_not() {
    let numbers =
        r#"{"event":"media","extra":[1,{}],"media":{"timestamp":5,"chunk":1,"payload":"\/\/\/\/"}}"#;
    let CarrierEvent::Media { timestamp, payload } = CarrierFrame::parse(numbers).unwrap().event else {
        panic!()
    };
    assert_eq!((timestamp, payload.as_str()), (Some(5), "////"));
    assert_eq!(CarrierFrame::parse(r#"{"event":"news"}"#).unwrap().event, CarrierEvent::Unknown);
    for text in [
        "",
        "[]",
        "{",
        r#"{"event":"media"}"#,
        r#"{"event":"mark"}"#,
        r#"{"event":"start"}"#,
        r#"{"event":7}"#,
        r#"{"event":"dtmf","dtmf":{"digit":"12"}}"#,
        r#"{"event":"dtmf","dtmf":{"digit":"x"}}"#,
    ] {
        assert_eq!(CarrierFrame::parse(text), Err(FrameError::Malformed), "{text}");
    }
    let quote = r#"{"event":"media","media":{"payload":"ab\"}"}}"#;
    assert_eq!(CarrierFrame::parse(quote), Err(FrameError::BadPayload));
}

#[test]
fn names_of_streams_cannot_break_out() {
    for bad in ["", "MZ\"", "MZ 1", "MZ\\", &"x".repeat(65)] {
        assert_eq!(StreamWriter::new(bad), None, "{bad}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_mark_comes_back_as_it_went(generation: u32, number: u32) {
        let name = MarkName { generation, number };
        let sent: serde_json::Value = serde_json::from_str(&StreamWriter::new(SID).unwrap().mark(name)).unwrap();
        prop_assert_eq!(MarkName::parse(sent["mark"]["name"].as_str().unwrap()), Some(name));
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,200}") {
        let _ = CarrierFrame::parse(&text);
        let _ = crate::openai::ServerEvent::parse(&text);
        let _ = MarkName::parse(&text);
        let _ = Payload::new(text);
    }
}
