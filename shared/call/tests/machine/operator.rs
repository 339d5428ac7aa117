//! Somebody of the tenant steps into a running call.

use serde_json::json;
use voicecore_call::{
    AfterStream, EndReason, Input, InteractionKind, LiveEvent, OperatorAction, OperatorCommand, Speaker,
};

use crate::world::{World, config, intervention, tag_of};

fn message(text: &str) -> OperatorCommand {
    OperatorCommand::Message { text: text.to_owned() }
}

/// The assistant has been speaking for a second.
fn in_mid_sentence() -> World {
    let mut world = World::greeted();
    world.response_by_itself("r1");
    world.words("r1", "i1", "We are open from nine to five on weekdays.");
    world.audio_in_pieces("r1", "i1", 3_000);
    world.run_for(1_000);
    world
}

#[test]
fn a_message_is_told_once_and_answered() {
    let mut world = World::greeted();
    let before = world.sent("response.create").len();
    for _ in 0..2 {
        world.handle(Input::Operator(intervention("same", message("Offer them a discount."))));
    }
    let told = world.sent("conversation.item.create");
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["item"]["role"], "system");
    let text = told[0]["item"]["content"][0]["text"].as_str().unwrap();
    assert!(text.ends_with("Offer them a discount."), "{text}");
    assert_eq!(world.sent("response.create").len(), before + 1);
    assert_eq!(world.transcript().last().unwrap(), "operator: (Message) Offer them a discount.");
    let seen = world.hub.iter().any(|event| {
        matches!(event, LiveEvent::Interaction(entry) if entry.speaker == Speaker::Operator
            && matches!(&entry.kind, InteractionKind::Intervention { action: OperatorAction::Message, actor_id, .. }
                if actor_id.as_deref() == Some("u1")))
    });
    assert!(seen, "listeners see who did what");
}

#[test]
fn a_message_into_an_answer_waits_for_its_end_and_into_the_callers_words_for_theirs() {
    let mut world = in_mid_sentence();
    let before = world.sent("response.create").len();
    world.operator(message("Mention the holiday."));
    assert_eq!(world.sent("response.create").len(), before, "one answer at a time");
    world.response_done("r1", "completed");
    assert_eq!(world.sent("response.create").len(), before + 1);

    let mut world = World::greeted();
    world.caller_begins("c1");
    let before = world.sent("response.create").len();
    world.operator(message("Mention the holiday."));
    world.caller_ends("c1");
    world.response_by_itself("r1");
    world.response_done("r1", "completed");
    world.run_for(1_000);
    assert_eq!(world.sent("response.create").len(), before, "the server's own answer knows of it");
}

#[test]
fn a_message_while_the_model_is_away_is_told_to_the_next_session() {
    let mut world = World::greeted();
    world.model_breaks();
    world.operator(message("Be brief."));
    world.run_for(2_000);
    let told = world.sent("conversation.item.create");
    let about = |event: &&serde_json::Value| event.to_string().contains("Be brief.");
    assert_eq!(told.into_iter().filter(about).count(), 1);
}

#[test]
fn a_pause_cuts_the_assistant_off_as_an_interruption_does() {
    let mut world = in_mid_sentence();
    world.operator(OperatorCommand::Pause);
    assert_eq!(world.played("clear").len(), 1);
    assert_eq!(world.sent("response.cancel").len(), 1);
    let cut = world.sent("conversation.item.truncate");
    assert_eq!((cut[0]["item_id"].as_str(), cut[0]["audio_end_ms"].as_u64()), (Some("i1"), Some(1_000)));
    let listens = world.sent("session.update").last().unwrap()["session"]["audio"]["input"].clone();
    assert_eq!(listens["turn_detection"]["create_response"], false);
    assert_eq!(listens["transcription"]["model"], "gpt-4o-mini-transcribe");
    assert!(world.hub.contains(&LiveEvent::Interrupted));
    let order: Vec<_> = world.to_model.iter().rev().take(3).map(|(_, event)| event["type"].clone()).collect();
    assert_eq!(
        order,
        [json!("session.update"), json!("conversation.item.truncate"), json!("response.cancel")]
    );
}

#[test]
fn a_silenced_assistant_hears_the_caller_and_answers_when_it_may() {
    let mut world = in_mid_sentence();
    world.operator(OperatorCommand::Pause);
    world.response_done("r1", "cancelled");
    let heard = world.played("media").len();
    world.caller_begins("c1");
    world.frame(200, 0x90);
    world.caller_ends("c1");
    world.caller_said("c1", "Are you there?");
    assert_eq!(world.appended().len(), 1, "the caller's audio goes on to the model");
    // An answer that the server began before it was told.
    world.response_by_itself("r2");
    world.words("r2", "i2", "I am.");
    world.audio_in_pieces("r2", "i2", 400);
    assert_eq!(world.sent("response.cancel").last().unwrap()["response_id"], "r2");
    world.response_done("r2", "cancelled");
    let asked = world.sent("response.create").len();
    world.run_for(60_000);
    assert_eq!(world.played("media").len(), heard, "neither the assistant nor a tone");
    assert_eq!(world.sent("response.create").len(), asked, "nor is it asked whether the caller is there");

    world.operator(OperatorCommand::Resume);
    assert_eq!(world.sent("response.create").len(), asked + 1);
    assert!(world.instructions_of_last_request().contains("silent for a while"));
    let listens = world.sent("session.update").last().unwrap()["session"]["audio"]["input"].clone();
    assert_eq!(listens["turn_detection"]["create_response"], true);
    world.says("r3", "i3", 600, "Thank you for waiting.");
    assert!(world.played("media").len() > heard);
    let transcript = world.transcript();
    let tail: Vec<_> =
        transcript.iter().map(String::as_str).filter(|line| !line.ends_with("assistant.")).collect();
    assert_eq!(tail[0], "assistant: ~We are open");
    assert_eq!(tail[1..4], ["operator: (Pause)", "caller: Are you there?", "operator: (Resume)"]);
}

#[test]
fn a_pause_ends_by_itself_and_says_so() {
    let mut world = World::greeted();
    world.operator(OperatorCommand::Pause);
    world.run_for(60_000);
    world.operator(OperatorCommand::Pause);
    let asked = world.sent("response.create").len();
    world.run_for(119_000);
    assert_eq!(world.sent("response.create").len(), asked, "whoever asks again begins it again");
    world.run_for(1_100);
    assert_eq!(world.sent("response.create").len(), asked + 1);
    assert_eq!(world.transcript().last().unwrap(), "system: (Resume)");
}

#[test]
fn a_key_that_leads_to_a_human_being_does_so_during_a_pause() {
    let mut world = World::greeted();
    world.operator(OperatorCommand::Pause);
    let sid = world.carrier.sid().to_owned();
    world.carrier_says(&json!({"event": "dtmf", "streamSid": sid, "dtmf": {"digit": "0"}}));
    world.says("r1", "i1", 400, "I am putting you through.");
    world.run_for(2_000);
    assert_eq!(world.summary().reason, EndReason::Transferred);
    assert!(world.transcript().contains(&"assistant: I am putting you through.".to_owned()));
}

#[test]
fn other_instructions_hold_for_every_answer_from_then_on() {
    let mut world = World::greeted();
    world.operator(OperatorCommand::Override { instructions: "You speak of nothing but opera.".to_owned() });
    let update = world.sent("session.update").last().unwrap()["session"].clone();
    assert_eq!(update, json!({"type": "realtime", "instructions": "You speak of nothing but opera."}));
    world.run_for(9_000);
    assert!(world.instructions_of_last_request().starts_with("You speak of nothing but opera."));
    world.model_breaks();
    world.run_for(2_000);
    let update = world.sent("session.update").last().unwrap()["session"].clone();
    assert_eq!(update["instructions"], "You speak of nothing but opera.");
}

#[test]
fn a26_another_process_finds_the_assistant_silenced_instructed_and_told() {
    let mut world = in_mid_sentence();
    world.operator(OperatorCommand::Override { instructions: "You are an opera singer.".to_owned() });
    world.operator(message("They are a regular."));
    world.operator(OperatorCommand::Pause);
    let mut next = world.resume(config());
    let AfterStream::Reconnect { attempt } = next.after_stream() else { panic!("it goes on") };
    next.attach(attempt);
    next.run_for(5_000);
    assert!(next.played("media").is_empty(), "not even a tone");
    let session = next.sent("session.update")[0]["session"].clone();
    assert_eq!(session["instructions"], "You are an opera singer.");
    assert_eq!(session["audio"]["input"]["turn_detection"]["create_response"], false);
    assert!(next.sent("conversation.item.create").iter().any(|item| item.to_string().contains("regular")));
    assert!(next.sent("response.create").is_empty());
    let entries = next.transcript().len();
    next.handle(Input::Operator(intervention("o2", message("They are a regular."))));
    assert_eq!(next.transcript().len(), entries, "it was taken before");
    next.operator(OperatorCommand::Resume);
    assert!(next.instructions_of_last_request().starts_with("You are an opera singer."));
}

#[test]
fn an_end_at_once_says_nothing_more() {
    let mut world = in_mid_sentence();
    let asked = world.sent("response.create").len();
    world.operator(OperatorCommand::End { at_once: true });
    assert_eq!(world.carrier_closed, 1);
    world.response_done("r1", "cancelled");
    world.run_for(4_000);
    assert_eq!(world.sent("response.create").len(), asked);
    assert_eq!(world.summary().reason, EndReason::OperatorEnded);
    assert_eq!(world.after_stream(), AfterStream::Hangup);
}

#[test]
fn an_end_at_once_stops_a_transfer_that_is_being_announced() {
    let mut world = World::greeted();
    let sid = world.carrier.sid().to_owned();
    world.carrier_says(&json!({"event": "dtmf", "streamSid": sid, "dtmf": {"digit": "0"}}));
    world.response_created("r1");
    world.audio("r1", "i1", 400, tag_of("i1"));
    assert!(!world.call.takes(&intervention("late", message("Too late."))));
    world.operator(message("Too late."));
    world.operator(OperatorCommand::End { at_once: true });
    world.response_done("r1", "cancelled");
    world.run_for(4_000);
    assert_eq!(world.summary().reason, EndReason::OperatorEnded);
    assert!(!world.transcript().iter().any(|line| line.contains("Too late")));
    assert_eq!(world.after_stream(), AfterStream::Hangup);
}
