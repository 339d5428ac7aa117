//! How calls end, and what is said at the end.

use serde_json::json;
use voicecore_call::{AfterStream, EndReason, Input, JournalEntry, ToolEffect};
use voicecore_types::Millis;

use crate::world::{EPOCH, World, config, tag_of};

#[test]
fn a26_a_call_whose_stream_never_comes_ends() {
    let mut world = World::new(config());
    assert!(world.call.poll_timeout().is_some_and(|at| at > Millis(EPOCH)));
    world.run_for(60_000);
    assert_eq!((world.summary().reason, world.summary().attempts), (EndReason::Abandoned, 0));
    assert_eq!(world.opened, 0);
    // One that comes in time is not disturbed by having been waited for.
    let mut world = World::new(config());
    world.run_for(19_000);
    world.connect();
    world.greet();
    world.run_for(2_000);
    assert!(world.finished.is_empty());
}

#[test]
fn a26_a_call_that_ends_while_the_model_is_away_leaves_its_goodbye_to_the_carrier() {
    let limited = || {
        let mut config = config();
        config.limits.call_length = Millis::from_secs(12);
        World::new(config)
    };
    // The longest length is reached while no session can be had.
    let mut world = limited();
    world.connect();
    world.greet();
    world.model_connects_after = None;
    world.run_for(6_000);
    world.model_breaks();
    world.run_for(5_000);
    assert_eq!((world.summary().reason, world.carrier_closed), (EndReason::LengthLimit, 1));
    assert!(world.summary().farewell_owed);
    assert_eq!(world.summary().after_stream(), AfterStream::Goodbye);
    for _ in 0..2 {
        assert_eq!(world.after_stream(), AfterStream::Goodbye);
    }

    // Nobody is there any more, and the model breaks when it is to say so.
    let mut world = World::greeted();
    for n in 0..3 {
        world.run_for(8_700);
        world.says(&format!("q{n}"), &format!("i{n}"), 500, "Are you still there?");
    }
    world.run_for(8_700);
    assert!(
        world.instructions_of_last_request().contains("hang up"),
        "{}",
        world.instructions_of_last_request()
    );
    world.model_breaks();
    world.run_for(10);
    assert_eq!(world.summary().reason, EndReason::Silence);
    assert_eq!(world.after_stream(), AfterStream::Goodbye);

    // The model is there and says nothing.
    let mut world = World::greeted();
    world.operator_ends();
    world.run_for(15_000);
    assert_eq!(world.summary().reason, EndReason::OperatorEnded);
    assert_eq!(world.after_stream(), AfterStream::Goodbye);

    // It breaks in mid-goodbye: that was one.
    let mut world = World::greeted();
    world.operator_ends();
    world.response_created("r1");
    world.audio("r1", "i1", 400, tag_of("i1"));
    world.model_breaks();
    world.run_for(1_000);
    assert!(!world.summary().farewell_owed);
    assert_eq!(world.after_stream(), AfterStream::Hangup);

    // What was being said already when the end was decided is no goodbye.
    let mut world = limited();
    world.connect();
    world.greet();
    world.run_for(8_000);
    world.response_by_itself("r1");
    world.audio("r1", "i1", 3_000, tag_of("i1"));
    world.run_for(1_900);
    world.audio("r1", "i1", 200, tag_of("i1"));
    world.model_breaks();
    world.run_for(6_000);
    assert_eq!(world.summary().reason, EndReason::LengthLimit);
    assert_eq!(world.after_stream(), AfterStream::Goodbye);
}

#[test]
fn a26_a_process_killed_while_leaving_goes_where_it_was_going_and_says_goodbye_once() {
    let mut world = World::greeted();
    world.operator_ends();
    let mut dead_before = world.resume(config());
    assert_eq!(dead_before.after_stream(), AfterStream::Goodbye);
    dead_before.run_for(1);
    assert_eq!(dead_before.summary().reason, EndReason::OperatorEnded);

    world = World::greeted();
    world.operator_ends();
    world.says("bye", "b1", 2_000, "Goodbye, and thank you for calling.");
    world.run_for(1_500);
    let mut dead_after = world.resume(config());
    assert_eq!(dead_after.after_stream(), AfterStream::Hangup);
}

#[test]
fn a_call_without_a_line_ends_at_once_and_the_carrier_says_goodbye() {
    let mut world = World::greeted();
    world.line_breaks();
    world.operator_ends();
    world.run_for(10);
    assert_eq!(world.summary().reason, EndReason::OperatorEnded);
    assert_eq!(world.carrier_closed, 0);
    assert_eq!(world.after_stream(), AfterStream::Goodbye);
}

#[test]
fn the_call_has_a_longest_length_and_ends_politely() {
    let mut config = config();
    config.limits.call_length = Millis::from_secs(30);
    let mut world = World::new(config);
    world.connect();
    world.greet();
    world.run_for(8_000);
    world.says("q", "iq", 500, "Still there?");
    world.run_for(8_000);
    world.says("q2", "iq2", 500, "Still there?");
    world.run_for(8_000);
    world.says("q3", "iq3", 500, "Still there?");
    world.run_for(31_000 - world.now());
    assert!(world.instructions_of_last_request().contains("longest"));
    world.says("bye", "b", 800, "Goodbye.");
    world.run_for(5_000);
    assert_eq!(world.summary().reason, EndReason::LengthLimit);
}

#[test]
fn a_caller_who_hangs_up_in_mid_word_is_still_transcribed() {
    let mut world = World::greeted();
    world.frame(0, 1);
    world.caller_begins("c1");
    world.frame(20, 2);
    world.hang_up();
    assert_eq!(world.finished.len(), 0);
    assert_eq!(world.appended_ms(), [20, 20, 1_000], "silence, so that the end of the word is heard");
    let locked = world.sent("session.update")[1]["session"]["audio"]["input"]["turn_detection"].clone();
    assert_eq!(locked["create_response"], false, "and it does not answer");
    world.run_for(600);
    world.caller_ends("c1");
    world.run_for(300);
    world.caller_said("c1", "I would like to bo");
    assert_eq!(world.summary().reason, EndReason::CallerHungUp);
    assert_eq!(world.transcript()[1..], ["caller: I would like to bo"]);
}

#[test]
fn zero_reaches_a_human_being_only_if_there_is_one() {
    let mut config = config();
    config.transfer_available = false;
    let mut world = World::new(config);
    world.connect();
    world.greet();
    world.carrier_says(&json!({"event": "dtmf", "streamSid": "MZ1", "dtmf": {"digit": "0"}}));
    world.run_for(2_000);
    assert!(!world.journal.iter().any(|entry| matches!(entry, JournalEntry::Leaving { .. })));
    assert_eq!(world.sent("conversation.item.create").len(), 1, "the model is told");
}

#[test]
fn a_transfer_that_the_caller_does_not_wait_for_did_not_take_place() {
    let mut world = World::greeted();
    world.response_by_itself("r1");
    world.wants_tool("r1", "t1", "transfer", "{}");
    world.response_done("r1", "completed");
    world.tool_done("t1", "{}", ToolEffect::Transfer);
    world.hang_up();
    world.run_for(3_000);
    assert_eq!(world.summary().reason, EndReason::CallerHungUp);
}

#[test]
fn after_the_end_nothing_happens_any_more() {
    let mut world = World::greeted();
    world.hang_up();
    assert_eq!(world.finished.len(), 1);
    for input in [
        Input::CarrierClosed,
        Input::ModelOpened,
        Input::ModelText(r#"{"type":"session.created"}"#),
        Input::ModelClosed { code: 1000, reason: "" },
        Input::CarrierEnded,
        Input::Timer,
    ] {
        world.handle(input);
    }
    assert!(world.call.attach(world.moment(), 2, "MZ2").is_err());
    world.abandon();
    world.run_for(60_000);
    assert_eq!(world.finished.len(), 1);
    assert_eq!(world.call.poll_timeout(), None);
}
