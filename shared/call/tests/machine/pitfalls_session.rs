//! Pitfalls 1 to 5 and 18: the life of a model's session.

use serde_json::json;
use voicecore_call::{AfterStream, EndReason, Input, LiveEvent};

use crate::world::{World, config, tag_of};

#[test]
fn pitfall_01_a_long_session_is_replaced_in_a_quiet_moment_and_told_what_was_said() {
    let mut config = config();
    config.limits.idle = voicecore_types::Millis::from_secs(120);
    config.limits.call_length = voicecore_types::Millis::from_secs(7_200);
    let mut world = World::new(config);
    world.connect();
    world.greet();
    for minute in 0..52 {
        let (caller, response, item) = (format!("c{minute}"), format!("r{minute}"), format!("i{minute}"));
        world.caller_begins(&caller);
        world.caller_ends(&caller);
        world.caller_said(&caller, "Go on.");
        world.says_by_itself(&response, &item, 3_000, "A very long story goes on and on.");
        world.run_for(60_000);
    }
    assert_eq!(world.opened, 2);
    assert!(!world.hub.contains(&LiveEvent::ModelLost), "nobody noticed");
    let told = world.sent("conversation.item.create");
    assert!(told.len() > 90, "the new session knows the conversation: {}", told.len());
    let last = told.len() - 1;
    assert_eq!(told[last]["item"]["role"], "assistant");
    assert_eq!(told[last - 1]["item"]["role"], "user");
    assert_eq!(told[last - 1]["item"]["content"][0], json!({"type": "input_text", "text": "Go on."}));
    assert_eq!(world.finished.len(), 0);
}

#[test]
fn pitfall_02_quota_and_key_errors_end_in_an_apology_at_once() {
    for (status, body) in [(401, "invalid_api_key"), (429, r#"{"error":{"code":"insufficient_quota"}}"#)] {
        let mut world = World::new(config());
        world.model_connects_after = None;
        world.attach(1);
        world.handle(Input::ModelRefused { status, body });
        assert_eq!(world.opened, 1, "no second try");
        assert_eq!(world.carrier_closed, 1);
        assert_eq!(world.summary().reason, EndReason::ModelUnavailable);
        assert_eq!(world.after_stream(), AfterStream::Apologise);
    }

    let mut world = World::greeted();
    world.model_says(
        &json!({"type": "error", "error": {"type": "x", "code": "insufficient_quota", "message": ""}}),
    );
    world.run_for(10);
    assert!(!world.model_open);
    assert_eq!(world.summary().reason, EndReason::ModelUnavailable);
}

#[test]
fn pitfall_02_an_unreachable_model_is_tried_again_a_few_times_and_no_more() {
    let mut world = World::new(config());
    world.model_connects_after = None;
    world.attach(1);
    for _ in 0..10 {
        if world.finished.is_empty() {
            world.handle(Input::ModelRefused { status: 503, body: "" });
            world.run_for(3_000);
        }
    }
    assert_eq!(world.opened, 1 + config().limits.model_retries);
    assert_eq!(world.summary().reason, EndReason::ModelUnavailable);
}

#[test]
fn pitfall_03_after_a_reconnect_nothing_of_the_old_session_hangs() {
    let mut world = World::greeted();
    world.caller_begins("c1");
    world.caller_ends("c1");
    world.caller_said("c1", "When are you open?");
    world.response_by_itself("r1");
    world.words("r1", "i1", "We are open from nine");
    world.audio("r1", "i1", 600, tag_of("i1"));
    world.run_for(600);
    world.model_breaks();
    world.run_for(100);
    assert_eq!(world.opened, 2);
    let roles: Vec<_> =
        world.sent("conversation.item.create").iter().map(|e| e["item"]["role"].clone()).collect();
    assert_eq!(roles, ["assistant", "user", "assistant"], "what was said and heard");
    assert!(world.instructions_of_last_request().contains("interrupted"), "it goes on by itself");
    // What the old socket still had to say comes from nowhere: the adapter feeds no old socket, and the new session
    // has names of its own.
    world.says("r2", "i2", 500, "Sorry. From nine to five.");
    world.run_for(1_000);
    assert_eq!(world.transcript()[2..], ["assistant: ~We are", "assistant: Sorry. From nine to five."]);
}

#[test]
fn pitfall_03_the_callers_unfinished_words_are_heard_again_by_the_next_session() {
    let mut world = World::greeted();
    for n in 0..50_u64 {
        world.frame(n * 20, 0);
    }
    world.caller_begins("c1");
    for n in 50..100_u64 {
        world.frame(n * 20, n as u8);
    }
    let before = world.appended().len();
    world.model_breaks();
    for n in 100..110_u64 {
        world.frame(n * 20, n as u8);
    }
    world.run_for(100);
    let again: Vec<u8> = world.appended()[before..].iter().map(|bytes| bytes[0]).collect();
    assert_eq!(again[25..], (50..110).collect::<Vec<u8>>(), "the prefix, then all of the utterance");
    world.caller_begins("c1b");
    world.caller_ends("c1b");
    world.caller_said("c1b", "A table for two.");
    world.hang_up();
    world.run_for(10);
    assert_eq!(world.transcript()[1..], ["caller: A table for two."], "one turn, not two");
}

#[test]
fn pitfall_04_two_failed_answers_in_a_row_mean_a_new_session() {
    let mut world = World::greeted();
    world.caller_begins("c1");
    world.caller_ends("c1");
    let failed = |id: &str| {
        json!({"type": "response.done", "response": {"id": id, "status": "failed",
            "status_details": {"type": "failed", "error": {"type": "server_error", "code": "oops"}}}})
    };
    world.response_by_itself("r1");
    world.model_says(&failed("r1"));
    world.run_for(300);
    assert_eq!(world.sent("response.create").len(), 2, "asked again once");
    assert_eq!(world.opened, 1);
    world.response_created("r2");
    world.model_says(&failed("r2"));
    world.run_for(100);
    assert_eq!(world.opened, 2);
    assert_eq!(world.finished.len(), 0, "the call lives");
}

#[test]
fn pitfall_04_an_expired_session_and_two_server_errors_are_replaced() {
    let error = |code: &str| json!({"type": "error", "error": {"type": code, "code": code, "message": ""}});
    let mut world = World::greeted();
    world.model_says(&error("session_expired"));
    world.run_for(100);
    assert_eq!(world.opened, 2);
    world.model_says(&error("server_error"));
    assert_eq!(world.opened, 2);
    world.model_says(&error("server_error"));
    world.run_for(1_000);
    assert_eq!(world.opened, 3);
}

#[test]
fn pitfall_04_a_session_that_cannot_be_configured_is_not_used() {
    let mut world = World::new(config());
    world.model_connects_after = None;
    world.attach(1);
    world.model_opens();
    world.model_says(&json!({"type": "session.created"}));
    let name = world.sent("session.update")[0]["event_id"].clone();
    world.model_says(
        &json!({"type": "error", "error": {"type": "invalid_request_error", "code": "invalid_value",
        "message": "voice", "event_id": name}}),
    );
    assert_eq!(world.summary().reason, EndReason::ModelUnavailable);
}

#[test]
fn pitfall_05_a_rate_limit_is_waited_for() {
    let mut world = World::new(config());
    world.connect();
    world.model_says(&json!({"type": "rate_limits.updated", "rate_limits":
        [{"name": "requests", "limit": 10, "remaining": 0, "reset_seconds": 1.5}]}));
    let name = world.sent("response.create")[0]["event_id"].clone();
    world
        .model_says(&json!({"type": "error", "error": {"type": "x", "code": "inference_rate_limit_exceeded",
        "message": "", "event_id": name}}));
    world.run_for(1_400);
    assert_eq!(world.sent("response.create").len(), 1);
    world.run_for(200);
    assert_eq!(world.sent("response.create").len(), 2);
    assert_eq!(world.opened, 1);
}

#[test]
fn pitfall_18_a_request_that_crosses_an_answer_waits_for_its_end() {
    let mut world = World::new(config());
    world.connect();
    world.response_by_itself_named("auto", "not-ours");
    let name = world.sent("response.create")[0]["event_id"].clone();
    world.model_says(&json!({"type": "error", "error": {"type": "invalid_request_error",
        "code": "conversation_already_has_active_response", "message": "", "event_id": name}}));
    assert_eq!(world.sent("response.create").len(), 1);
    world.audio("auto", "i1", 200, 9);
    world.response_done("auto", "completed");
    assert_eq!(world.sent("response.create").len(), 2, "the greeting is still owed");
    assert_eq!(world.opened, 1);
}

#[test]
fn the_session_is_configured_before_anything_is_asked_for() {
    let mut world = World::new(config());
    world.model_connects_after = None;
    world.attach(1);
    world.model_opens();
    assert!(world.to_model.is_empty(), "the server speaks first");
    world.model_says(&json!({"type": "session.created"}));
    assert_eq!(world.to_model.len(), 1);
    let session = &world.sent("session.update")[0]["session"];
    assert_eq!(session["type"], "realtime");
    assert_eq!(session["audio"]["output"]["voice"], "marin");
    assert_eq!(
        session["audio"]["input"]["transcription"],
        json!({"model": "gpt-4o-mini-transcribe", "language": "en"})
    );
    assert_eq!(session["tools"].as_array().unwrap().len(), 3);
    world.model_says(&json!({"type": "session.updated"}));
    let create = world.sent("response.create")[0];
    let instructions = create["response"]["instructions"].as_str().unwrap();
    assert!(instructions.starts_with("You answer for Bob's Barbers."), "they replace the session's");
    assert!(instructions.ends_with("Hello, this is Bob's AI assistant."));
    assert_eq!(create["response"]["tool_choice"], "none");
}

#[test]
fn the_older_dialect_is_understood() {
    let mut world = World::new(config());
    world.connect();
    world.response_created("r1");
    world
        .model_says(&json!({"type": "response.audio_transcript.delta", "response_id": "r1", "item_id": "i1",
        "delta": "Hello."}));
    world.model_says(&json!({"type": "response.audio.delta", "response_id": "r1", "item_id": "i1",
        "delta": "/////w=="}));
    world.model_says(&json!({"type": "response.audio.done", "response_id": "r1", "item_id": "i1"}));
    world.model_says(&json!({"type": "response.audio_transcript.done", "response_id": "r1", "item_id": "i1",
        "transcript": "Hello."}));
    world.response_done("r1", "completed");
    world.run_for(100);
    assert_eq!(world.transcript(), ["assistant: Hello."]);
}
