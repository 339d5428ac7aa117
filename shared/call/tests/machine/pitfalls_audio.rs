//! Pitfalls 6 to 17 and 40 to 42: barge-in and audio.

use serde_json::json;
use voicecore_call::{EndReason, LiveEvent, ToolEffect};

use crate::world::{World, config, tag_of};

/// An answer of two seconds of which the caller has heard `heard` milliseconds.
fn answering(heard: u64) -> World {
    let mut world = World::greeted();
    world.caller_begins("c1");
    world.caller_ends("c1");
    world.response_by_itself("r1");
    world.words("r1", "i1", "We are open from nine to five on weekdays.");
    world.audio("r1", "i1", 2_000, tag_of("i1"));
    world.run_for(heard);
    world
}

#[test]
fn pitfall_06_clear_is_sent_also_when_the_model_has_finished() {
    let mut world = World::greeted();
    world.caller_begins("c1");
    world.caller_ends("c1");
    world.response_by_itself("r1");
    world.words("r1", "i1", "We are open from nine to five on weekdays.");
    world.audio("r1", "i1", 3_000, tag_of("i1"));
    world.item_done("r1", "i1", "We are open from nine to five on weekdays.");
    world.response_done("r1", "completed");
    world.run_for(1_000);
    world.caller_begins("c2");
    assert_eq!(world.played("clear").len(), 1);
    assert_eq!(world.sent("conversation.item.truncate").len(), 1);
    assert!(world.hub.contains(&LiveEvent::Interrupted));
}

#[test]
fn pitfall_07_truncation_is_by_what_was_heard_not_by_what_was_sent() {
    let mut world = answering(700);
    world.caller_begins("c2");
    let truncate = world.sent("conversation.item.truncate")[0].clone();
    assert_eq!(truncate["item_id"], "i1");
    assert_eq!(truncate["content_index"], 0);
    assert_eq!(truncate["audio_end_ms"], 700);
}

#[test]
fn pitfall_08_truncation_is_a_whole_number_and_nothing_heard_means_delete() {
    let mut world = answering(333);
    world.caller_begins("c2");
    assert_eq!(world.sent("conversation.item.truncate")[0]["audio_end_ms"], json!(333));

    let mut world = answering(0);
    world.caller_begins("c2");
    assert!(world.sent("conversation.item.truncate").is_empty());
    assert_eq!(world.sent("conversation.item.delete")[0]["item_id"], "i1");
}

#[test]
fn pitfall_09_nothing_is_cleared_when_there_is_nothing_to_interrupt() {
    let mut world = World::greeted();
    world.caller_begins("c1");
    assert!(world.played("clear").is_empty());
    assert!(world.sent("conversation.item.truncate").is_empty());
    assert!(world.sent("response.cancel").is_empty());
    assert!(!world.hub.contains(&LiveEvent::Interrupted));
}

#[test]
fn pitfall_09_a_greeting_of_which_nothing_was_heard_is_said_again() {
    let mut world = World::new(config());
    world.connect();
    world.response_created("greeting");
    world.words("greeting", "hello", "Hello, this is Bob's AI assistant.");
    // The caller says "hello?" before the first sound of the greeting has left.
    world.caller_begins("c1");
    world.response_done("greeting", "cancelled");
    world.caller_ends("c1");
    world.says_by_itself("r1", "i1", 500, "Yes, hello.");
    world.run_for(600);
    assert_eq!(world.sent("response.create").len(), 2, "greeted again");
    assert!(world.instructions_of_last_request().contains("Bob's AI assistant"));
}

#[test]
fn pitfall_10_speech_detection_is_passed_on_as_configured_and_stops_interrupting_for_the_goodbye() {
    // How loud and how long speech must be is the session's configuration; whether coughs are kept out by it is not tested.
    let world = World::greeted();
    let detection = &world.sent("session.update")[0]["session"]["audio"]["input"]["turn_detection"];
    assert_eq!(detection["threshold"], 0.5);
    assert_eq!(detection["interrupt_response"], true);

    let mut world = World::greeted();
    world.operator_ends();
    let locked = world.sent("session.update")[1]["session"]["audio"]["input"]["turn_detection"].clone();
    assert_eq!(locked["interrupt_response"], false);
    assert_eq!(locked["create_response"], false);
    assert_eq!(locked["threshold"], 0.5, "it listens as before");
}

#[test]
fn pitfall_11_noise_reduction_is_passed_on_as_configured() {
    // Echo is not looked for here, since audio is not decoded: what there is against it is the model's own reduction.
    let mut config = config();
    config.session.noise_reduction = Some(voicecore_call::NoiseReduction::FarField);
    let mut world = World::new(config);
    world.connect();
    let input = &world.sent("session.update")[0]["session"]["audio"]["input"];
    assert_eq!(input["noise_reduction"], json!({"type": "far_field"}));
}

#[test]
fn pitfall_12_an_interruption_during_a_tool_does_not_leave_the_assistant_mute() {
    let mut world = World::greeted();
    world.caller_begins("c1");
    world.caller_ends("c1");
    world.response_by_itself("r1");
    world.words("r1", "i1", "One moment.");
    world.audio("r1", "i1", 800, tag_of("i1"));
    world.wants_tool("r1", "t1", "book", "{}");
    world.response_done("r1", "completed");
    world.run_for(300);
    world.caller_begins("c2");
    world.tool_done("t1", r#"{"ok":true}"#, ToolEffect::None);
    assert_eq!(world.sent("conversation.item.create").len(), 1, "the tool is answered at once");
    assert_eq!(world.sent("response.create").len(), 1, "but not into the caller's words");
    world.caller_ends("c2");
    // The server ought to answer by itself. If it does not, somebody must speak.
    world.run_for(3_000);
    assert_eq!(world.sent("response.create").len(), 2);
}

#[test]
fn pitfall_12_a_caller_who_never_stops_speaking_does_not_stop_the_watch() {
    let mut world = World::greeted();
    let asked = world.sent("response.create").len();
    let mut timestamp = 0;
    let mut talks = |world: &mut World, ms: u64| {
        for _ in 0..ms / 20 {
            world.frame(timestamp, 0x90);
            timestamp += 20;
            world.run_for(20);
        }
    };
    world.caller_begins("television");
    talks(&mut world, 59_000);
    assert_eq!((world.sent("response.create").len(), world.tones()), (asked, vec![]), "it may be the caller");
    talks(&mut world, 11_000);
    assert_eq!(world.sent("response.create").len(), asked + 1, "is anybody there?");
    assert!(world.instructions_of_last_request().contains("still there"));
    // The question is not answered either.
    talks(&mut world, 4_000);
    assert!(!world.tones().is_empty());
}

#[test]
fn pitfall_13_audio_is_mu_law_end_to_end_and_passes_untouched() {
    let mut world = World::greeted();
    let audio = &world.sent("session.update")[0]["session"]["audio"];
    assert_eq!(audio["input"]["format"], json!({"type": "audio/pcmu"}));
    assert_eq!(audio["output"]["format"], json!({"type": "audio/pcmu"}));

    let odd = "AAECAwQFBgcICf8=";
    world.model_says(&json!({"type": "response.output_audio.delta", "response_id": "r", "item_id": "i",
        "delta": odd}));
    let last = world.played("media").into_iter().next_back().unwrap();
    assert_eq!(last["media"]["payload"], odd);

    world.carrier_says(
        &json!({"event": "media", "streamSid": "MZ1", "media": {"timestamp": "20", "payload": odd}}),
    );
    assert_eq!(world.sent("input_audio_buffer.append").into_iter().next_back().unwrap()["audio"], odd);
}

#[test]
fn pitfall_14_a_model_that_stops_in_mid_sentence_is_noticed() {
    let mut world = answering(2_000);
    // Its audio has run out, its answer has not ended.
    world.run_for(2_600);
    assert_eq!(world.tones().len(), 1, "the line is alive");
    world.run_for(8_000);
    assert_eq!(world.opened, 2, "another session takes over");
    assert!(world.hub.contains(&LiveEvent::ModelLost));
    world.run_for(100);
    assert!(world.instructions_of_last_request().contains("interrupted"));
}

#[test]
fn pitfall_15_missing_audio_is_filled_so_that_the_end_of_speech_is_heard() {
    let mut world = World::greeted();
    world.frame(0, 1);
    world.frame(20, 2);
    // Three frames are lost.
    world.frame(100, 3);
    let sent = world.appended_ms();
    assert_eq!(sent, [20, 20, 60, 20]);
    assert_eq!(world.sent("input_audio_buffer.append")[2]["audio"].as_str().unwrap().trim_matches('/'), "");
    assert_eq!(world.call.counters().padded_ms, 60);

    // The carrier falls silent in the middle of a word: once, a second of silence.
    world.caller_begins("c1");
    world.run_for(700);
    assert_eq!(world.appended_ms().len(), 4);
    world.run_for(5_000);
    assert_eq!(world.appended_ms()[4..], [1_000]);

    // When it comes back after 30 s, what was filled in is not filled in again, and there is a cap.
    world.frame(120 + 1_500, 4);
    assert_eq!(world.appended_ms()[5..], [500, 20]);
    world.frame(60_000, 5);
    assert_eq!(world.appended_ms()[7..], [10_000, 20]);
}

#[test]
fn pitfall_15_frames_that_wait_because_we_are_late_are_not_torn_apart() {
    let mut world = World::greeted();
    world.frame(0, 1);
    world.caller_begins("c1");
    world.stand_still(1_200);
    world.run_for(1);
    for n in 1..60 {
        world.frame(n * 20, 1);
    }
    world.run_for(700);
    assert!(world.appended_ms().iter().all(|ms| *ms == 20), "nothing was filled in");
    world.run_for(2_000);
    assert_eq!(world.appended_ms().last(), Some(&1_000), "now the carrier is silent");
}

#[test]
fn pitfall_15_the_stall_timer_does_not_move_with_every_frame() {
    let mut world = World::greeted();
    world.caller_begins("c1");
    let armed = world.call.poll_timeout();
    for n in 0..20 {
        world.run_for(20);
        world.frame(n * 20, 1);
        assert_eq!(world.call.poll_timeout(), armed);
    }
}

#[test]
fn pitfall_16_the_goodbye_is_heard_to_its_last_mark_before_the_line_is_closed() {
    let mut world = World::greeted();
    world.operator_ends();
    world.response_created("bye");
    world.words("bye", "b1", "Thank you, goodbye.");
    world.audio("bye", "b1", 1_500, tag_of("b1"));
    world.item_done("bye", "b1", "Thank you, goodbye.");
    world.response_done("bye", "completed");
    world.run_for(500);
    world.caller_begins("c1");
    assert!(world.played("clear").is_empty(), "nothing interrupts it");
    world.run_for(990);
    assert_eq!(world.carrier_closed, 0);
    world.run_for(20);
    assert_eq!(world.carrier_closed, 1);
    assert_eq!(world.carrier.heard[&tag_of("b1")], 1_500 * 8, "all of it was heard");
    world.run_for(5_000);
    assert_eq!(world.summary().reason, EndReason::OperatorEnded);
}

#[test]
fn pitfall_16_a_carrier_that_echoes_no_marks_cannot_hold_the_call_open() {
    let mut world = World::greeted();
    world.carrier.deaf = true;
    world.operator_ends();
    world.says("bye", "b1", 1_500, "Thank you, goodbye.");
    world.run_for(1_500);
    assert_eq!(world.carrier_closed, 0);
    world.run_for(3_100);
    assert_eq!(world.carrier_closed, 1);
}

#[test]
fn pitfall_16_a_goodbye_that_never_comes_does_not_hold_the_call_open() {
    let mut world = World::greeted();
    world.operator_ends();
    world.run_for(9_900);
    assert_eq!(world.carrier_closed, 0);
    assert!(!world.tones().is_empty(), "meanwhile the line is alive");
    world.run_for(4_000);
    assert_eq!(world.carrier_closed, 1);
    world.run_for(5_000);
    assert_eq!(world.summary().reason, EndReason::OperatorEnded);
}

#[test]
fn pitfall_17_silence_is_counted_from_the_end_of_playback_and_not_during_tools() {
    let mut world = World::greeted();
    let heard_at = world.now() - 200;
    world.run_for(heard_at + 8_000 - world.now() - 1);
    assert_eq!(world.sent("response.create").len(), 1);
    world.run_for(2);
    assert_eq!(world.sent("response.create").len(), 2);
    assert!(world.instructions_of_last_request().contains("still there"));

    let mut world = World::greeted();
    world.caller_begins("c1");
    world.caller_ends("c1");
    world.response_by_itself("r1");
    world.wants_tool("r1", "t1", "book", "{}");
    world.response_done("r1", "completed");
    world.run_for(15_000);
    assert_eq!(world.sent("response.create").len(), 1, "nobody is asked while a tool runs");
    assert!(world.tones().len() >= 3, "but the line is alive");

    // An answer of 20 s that was made within a moment: the caller is listening.
    let mut world = World::greeted();
    world.caller_begins("c1");
    world.caller_ends("c1");
    world.says_by_itself("r1", "i1", 20_000, "A long story.");
    world.run_for(27_000);
    assert_eq!(world.sent("response.create").len(), 1);
    world.run_for(2_000);
    assert_eq!(world.sent("response.create").len(), 2);
}

#[test]
fn pitfall_17_after_the_last_unanswered_question_the_call_is_ended_politely() {
    let mut world = World::greeted();
    for question in 1..=3 {
        world.run_for(9_500);
        let (response, item) = (format!("q{question}"), format!("iq{question}"));
        world.says(&response, &item, 1_000, "Are you still there?");
    }
    world.run_for(9_500);
    assert!(world.instructions_of_last_request().contains("hang up"));
    world.says("bye", "b1", 1_000, "Goodbye.");
    world.run_for(5_000);
    assert_eq!(world.carrier_closed, 1);
    assert_eq!(world.summary().reason, EndReason::Silence);
}

#[test]
fn pitfall_40_audio_before_the_model_is_ready_goes_first_and_in_order() {
    let mut world = World::new(config());
    world.model_connects_after = None;
    world.attach(1);
    for n in 0..250_u64 {
        world.frame(n * 20, n as u8);
        world.run_for(20);
    }
    assert!(world.to_model.is_empty());
    world.model_opens();
    world.model_says(&json!({"type": "session.created"}));
    world.frame(250 * 20, 250);
    assert!(world.sent("input_audio_buffer.append").is_empty(), "not before the session has our format");
    world.model_says(&json!({"type": "session.updated"}));
    world.frame(251 * 20, 251);
    let frames: Vec<u8> = world.appended().iter().map(|bytes| bytes[0]).collect();
    assert_eq!(frames, (0..=251).collect::<Vec<u8>>());
    assert_eq!(world.call.counters().lost_ms, 0);
    let kinds: Vec<_> = world.to_model.iter().map(|(_, event)| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds[0], "session.update");
    assert_eq!(kinds[1], "input_audio_buffer.append", "audio before anything is asked for");
}

#[test]
fn pitfall_40_the_limit_is_named_and_what_is_lost_is_counted() {
    let mut world = World::new(config());
    world.model_connects_after = None;
    world.attach(1);
    for n in 0..1_600_u64 {
        world.frame(n * 20, 1);
    }
    assert_eq!(world.call.counters().lost_ms, 2_000);
}

#[test]
fn pitfall_41_deltas_after_the_interruption_are_not_played() {
    let mut world = answering(500);
    world.caller_begins("c2");
    let played = world.played("media").len();
    for _ in 0..5 {
        world.audio("r1", "i1", 200, tag_of("i1"));
    }
    world.item_done("r1", "i1", "We are open from nine to five on weekdays.");
    world.response_done("r1", "cancelled");
    assert_eq!(world.played("media").len(), played);
    world.caller_ends("c2");
    world.says_by_itself("r2", "i2", 400, "Sorry?");
    assert_eq!(world.played("media").len(), played + 2, "the next answer is");
}

#[test]
fn pitfall_42_truncation_is_reckoned_from_the_start_of_the_item() {
    let mut world = World::greeted();
    world.caller_begins("c1");
    world.caller_ends("c1");
    world.says_by_itself("r1", "i1", 5_400, "An answer that was not interrupted.");
    world.run_for(6_000);
    world.caller_begins("c2");
    world.caller_ends("c2");
    assert!(world.sent("conversation.item.truncate").is_empty(), "it was heard whole");
    world.response_by_itself("r2");
    world.words("r2", "i2", "And another one.");
    world.audio("r2", "i2", 2_000, tag_of("i2"));
    world.run_for(450);
    world.caller_begins("c3");
    let truncate = world.sent("conversation.item.truncate")[0].clone();
    assert_eq!((truncate["item_id"].as_str(), truncate["audio_end_ms"].as_u64()), (Some("i2"), Some(450)));
}

#[test]
fn two_items_in_the_buffer_are_cut_each_for_itself() {
    let mut world = World::greeted();
    world.caller_begins("c1");
    world.caller_ends("c1");
    world.response_by_itself("r1");
    world.words("r1", "i1", "First.");
    world.audio("r1", "i1", 1_000, tag_of("i1"));
    world.words("r1", "i2", "Second.");
    world.audio("r1", "i2", 1_000, tag_of("i2"));
    world.words("r1", "i3", "Third.");
    world.audio("r1", "i3", 1_000, tag_of("i3"));
    world.item_done("r1", "i1", "First.");
    world.run_for(1_300);
    world.caller_begins("c2");
    let cuts: Vec<_> = world
        .sent("conversation.item.truncate")
        .iter()
        .map(|cut| cut["audio_end_ms"].as_u64().unwrap())
        .collect();
    assert_eq!(cuts, [300], "the first was heard whole");
    let gone: Vec<_> =
        world.sent("conversation.item.delete").iter().map(|cut| cut["item_id"].clone()).collect();
    assert_eq!(gone, ["i3"]);
}
