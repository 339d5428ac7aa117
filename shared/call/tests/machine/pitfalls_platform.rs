//! Pitfalls 30 to 37, 43 and 44, as far as they concern the bridge.

use serde_json::json;
use voicecore_call::{AttachRefused, Call, Door, DoorRefused, EndReason, Input, Limits};
use voicecore_types::Millis;

use crate::world::{EPOCH, World, config, tag_of};

fn start_frame() -> serde_json::Value {
    json!({"event": "start", "sequenceNumber": "1", "streamSid": "MZ1", "start": {"streamSid": "MZ1",
        "accountSid": "AC1", "callSid": "CA1", "tracks": ["inbound"], "customParameters": {"token": "t0ken"},
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}}})
}

#[test]
fn pitfall_30_a_second_stream_supersedes_or_is_refused() {
    let mut world = World::greeted();
    assert_eq!(world.call.attach(world.moment(), 1, "MZx"), Err(AttachRefused::AttemptReused));
    assert_eq!(world.call.attach(world.moment(), 0, "MZx"), Err(AttachRefused::AttemptReused));
    assert_eq!(world.call.attach(world.moment(), 2, "MZ\""), Err(AttachRefused::BadStreamSid));
    let beyond = Limits::default().attempts + 1;
    assert_eq!(world.call.attach(world.moment(), beyond, "MZx"), Err(AttachRefused::TooManyAttempts));

    assert!(world.call.attach(world.moment(), 2, "MZ2").unwrap().superseded);
    // A late `stop` of the first stream is not the end of the second.
    world.carrier.begin("MZ2");
    world.carrier_says(&json!({"event": "stop", "streamSid": "MZ1", "stop": {"callSid": "CA1"}}));
    world.run_for(10_000);
    assert_eq!(world.finished.len(), 0);
    assert_eq!(world.call.attach(world.moment(), 1, "MZ1"), Err(AttachRefused::AttemptReused), "the old one");
}

#[test]
fn pitfall_31_a_streaming_call_is_only_left_by_closing_its_stream() {
    // There is no output that would replace the TwiML of a running call. A transfer goes by closing the stream.
    let mut world = World::greeted();
    world.carrier_says(
        &json!({"event": "dtmf", "streamSid": "MZ1", "dtmf": {"track": "inbound_track", "digit": "0"}}),
    );
    assert_eq!(world.carrier_closed, 0, "it is announced first");
    world.says("r1", "i1", 800, "I am putting you through.");
    world.run_for(900);
    assert_eq!(world.carrier_closed, 1);
    world.run_for(4_000);
    assert_eq!(world.summary().reason, EndReason::Transferred);
    assert_eq!(world.after_stream(), voicecore_call::AfterStream::Transfer);
}

#[test]
fn pitfall_33_nothing_is_opened_before_a_stream_with_a_verified_token_is_attached() {
    let mut call = Call::new(config(), Millis(EPOCH));
    call.handle(Millis(EPOCH), Input::CarrierText(&start_frame().to_string()));
    call.handle(Millis(EPOCH + 5_000), Input::Timer);
    assert_eq!(call.poll_output(), None);
    assert!(call.poll_timeout().is_some(), "it is not waited for for ever");
}

#[test]
fn pitfall_33_the_door_gives_the_token_and_nothing_else_gets_through() {
    let mut door = Door::default();
    assert_eq!(door.text(r#"{"event":"connected","protocol":"Call","version":"1.0.0"}"#), Ok(None));
    let opened = door.text(&start_frame().to_string()).unwrap().unwrap();
    assert_eq!((&*opened.stream_sid, &*opened.call_sid, &*opened.account_sid), ("MZ1", "CA1", "AC1"));
    assert_eq!(opened.parameters["token"], "t0ken");

    let mut stranger = Door::default();
    for _ in 0..15 {
        assert_eq!(stranger.text("hello"), Ok(None));
    }
    assert_eq!(stranger.text("hello"), Err(DoorRefused::NoStart));
    assert_eq!(Door::default().text(&"x".repeat(100_000)), Err(DoorRefused::TooLong));

    let mut odd = start_frame();
    odd["start"]["mediaFormat"]["encoding"] = json!("audio/opus");
    assert_eq!(Door::default().text(&odd.to_string()), Err(DoorRefused::WrongFormat));
    let mut odd = start_frame();
    odd["start"]["streamSid"] = json!("MZ\",\"event\":\"clear");
    assert_eq!(Door::default().text(&odd.to_string()), Err(DoorRefused::Malformed));
}

#[test]
fn pitfall_35_binary_frames_are_counted_and_ignored_and_clear_exists() {
    let mut world = World::greeted();
    world.handle(Input::CarrierBinary(160));
    world.handle(Input::ModelBinary(9));
    assert_eq!(world.call.counters().binary, 2);
    assert_eq!(world.finished.len(), 0);
}

/// The end of an answer, with its bill.
fn metered(id: &str, status: &str) -> serde_json::Value {
    json!({"type": "response.done", "response": {"id": id, "status": status, "usage": {
        "total_tokens": 253, "input_tokens": 132, "output_tokens": 121,
        "input_token_details": {"text_tokens": 119, "audio_tokens": 13, "image_tokens": 0, "cached_tokens": 64,
            "cached_tokens_details": {"text_tokens": 60, "audio_tokens": 4, "image_tokens": 0}},
        "output_token_details": {"text_tokens": 30, "audio_tokens": 91}}}})
}

#[test]
fn pitfall_37_an_answer_that_is_being_made_when_the_caller_hangs_up_is_metered() {
    // It is being spoken; it was asked for; it is what the server is about to say by itself.
    type Answer = fn(&mut World);
    let answers: [(Answer, bool); 3] = [
        (
            |world| {
                world.response_by_itself("r1");
                world.audio("r1", "i1", 400, tag_of("i1"));
            },
            true,
        ),
        (|world| world.run_for(9_000), false),
        (
            |world| {
                world.caller_begins("c1");
                world.caller_ends("c1");
                world.caller_said("c1", "Goodbye.");
            },
            false,
        ),
    ];
    for (answer, began) in answers {
        let mut world = World::greeted();
        answer(&mut world);
        world.hang_up();
        assert_eq!(world.finished.len(), 0, "its bill is awaited");
        if !began {
            world.response_created("r1");
        }
        let cancelled = world.sent("response.cancel");
        assert_eq!((cancelled.len(), &cancelled[0]["response_id"]), (1, &json!("r1")));
        world.model_says(&metered("r1", "cancelled"));
        assert_eq!(world.summary().usage.audio_out, 91);
        assert_eq!(world.summary().reason, EndReason::CallerHungUp);
    }

    // A bill that does not come is not waited for for long, and nothing is asked for any more.
    for status in [None, Some("failed")] {
        let mut world = World::greeted();
        world.run_for(9_000);
        let asked = world.sent("response.create").len();
        world.response_created("r1");
        world.hang_up();
        if let Some(status) = status {
            world.response_done("r1", status);
        } else {
            world.run_for(3_000);
        }
        assert_eq!(world.summary().usage.audio_out, 0);
        assert_eq!(world.sent("response.create").len(), asked);
    }
}

#[test]
fn pitfall_37_tokens_are_metered_and_cached_ones_are_not_counted_twice() {
    let mut world = World::greeted();
    for (id, status) in [("r1", "completed"), ("r2", "cancelled")] {
        world.response_by_itself(id);
        world.model_says(&metered(id, status));
    }
    world.hang_up();
    let usage = world.summary().usage;
    assert_eq!((usage.text_in, usage.text_cached, usage.text_out), (2 * 59, 2 * 60, 2 * 30));
    assert_eq!((usage.audio_in, usage.audio_cached, usage.audio_out), (2 * 9, 2 * 4, 2 * 91));
}

#[test]
fn pitfall_43_the_model_is_closed_on_every_way_out() {
    type WayOut = (&'static str, fn(&mut World));
    let ways: [WayOut; 7] = [
        ("hang-up", World::hang_up),
        ("hang-up in mid-word", |world| {
            world.caller_begins("c1");
            world.hang_up();
        }),
        ("status callback", |world| world.handle(Input::CarrierEnded)),
        ("line lost", World::line_breaks),
        ("operator", World::operator_ends),
        ("nobody there", |_| {}),
        ("orphan", World::abandon),
    ];
    for (name, way) in ways {
        let mut world = World::greeted();
        way(&mut world);
        let mut silent = 0;
        while world.finished.is_empty() && silent < 120 {
            world.run_for(1_000);
            silent += 1;
        }
        assert!(!world.model_open, "{name}: the model is closed");
        assert_eq!(world.finished.len(), 1, "{name}: the end comes once");
        assert!(world.carrier_closed <= 1, "{name}");
    }

    // A caller who hangs up is not talked about for five seconds more.
    let mut world = World::greeted();
    world.caller_begins("c1");
    world.hang_up();
    world.run_for(3_100);
    assert!(!world.model_open);

    // The caller hangs up while the socket is being opened.
    let mut world = World::new(config());
    world.model_connects_after = None;
    world.attach(1);
    world.hang_up();
    assert_eq!(world.finished.len(), 1);
}

#[test]
fn pitfall_44_two_calls_know_nothing_of_each_other() {
    let (mut one, mut two) = (World::greeted(), World::greeted());
    two.caller_begins("c1");
    one.audio("r1", "i1", 400, tag_of("i1"));
    two.hang_up();
    two.run_for(5_000);
    assert_eq!(two.finished.len(), 1);
    one.run_for(500);
    assert_eq!(one.finished.len(), 0);
    assert!(one.model_open);
}
