//! Calls that go on turn by turn when their media streams have failed.

use serde_json::json;
use voicecore_api::actors::CallReply;
use voicecore_api::live;
use voicecore_call::{AfterStream, CallSummary, EndReason, Interaction, Speaker, Usage};
use voicecore_conformance::block_on;
use voicecore_types::{CallId, Millis};

use crate::search::entry;
use crate::turns::{NUMBER, contains, said, say, says, stored};
use crate::world::{NOW, Reply, World, status};

/// The last stream of a call has failed; `log` is what its actor knows. Gives what Twilio is told.
fn last_stream_failed(world: &World, sid: &str, id: CallId, log: &[Interaction]) -> Reply {
    stream_failed(world, sid, id, log, 4)
}

/// The stream of this attempt has, and its actor knows no way to go on.
fn stream_failed(world: &World, sid: &str, id: CallId, log: &[Interaction], attempt: u32) -> Reply {
    let log = log.to_vec();
    world.doubles.actors.answer_with(move |_, command| {
        let reply = match command["command"].as_str() {
            Some("after_stream") => CallReply::AfterStream { after: AfterStream::Apologise },
            Some("transcript") => CallReply::Transcript { interactions: log.clone(), complete: false },
            _ => CallReply::Accepted,
        };
        Ok(serde_json::to_value(reply).unwrap())
    });
    let target = format!("/webhooks/twilio/stream-ended?call={id}&attempt={attempt}");
    world.webhook(&target, &status(sid, "in-progress"))
}

/// What the actor of a call hands over whose streams have failed.
fn summary(id: CallId, said: Vec<Interaction>, reason: EndReason) -> CallSummary {
    CallSummary {
        call_id: id,
        started_at: NOW,
        ended_at: NOW.plus(Millis(30_000)),
        reason,
        interactions: said,
        usage: Usage { audio_in: 300, audio_out: 600, ..Usage::default() },
        model_sessions: 2,
        attempts: 4,
        farewell_owed: false,
    }
}

#[test]
fn call_without_a_stream_goes_on_with_what_was_said() {
    for actor_first in [true, false] {
        let world = World::new();
        let tenant = world.tenant(NUMBER);
        let (sid, id) = world.call(&tenant, 1);
        let setup = block_on(live::load_call(&world.app, id)).unwrap();
        let said_there = vec![
            entry(1, Speaker::Assistant, "Hello, this is Bella's."),
            entry(2, Speaker::Caller, "I want a table."),
        ];
        let finish = || {
            let summary = summary(id, said_there.clone(), EndReason::StreamLost);
            for _ in 0..2 {
                block_on(live::finish_call(&world.app, &setup, &summary)).unwrap();
            }
        };
        if actor_first {
            finish();
        }
        let goes_on = last_stream_failed(&world, &sid, id, &said_there);
        contains(&goes_on, "<Say>I am sorry, the line was interrupted.");
        assert_eq!(last_stream_failed(&world, &sid, id, &said_there).body, goes_on.body);
        says(&world, "Tuesday.");
        let reply = say(&world, &sid, &goes_on, "As I said: a table.");
        contains(&reply, "<Say>Tuesday.</Say>");
        let body = String::from_utf8(world.doubles.http.requests()[0].body.clone()).unwrap();
        assert!(body.contains("I want a table."), "{body}");
        if !actor_first {
            finish();
        }
        assert_eq!(said(&stored(&world, &tenant).1).len(), 5, "while it runs");

        world.webhook("/webhooks/twilio/status", &status(&sid, "completed"));
        finish();
        let (call, transcript) = stored(&world, &tenant);
        assert_eq!((&call["status"], &call["end_reason"]), (&json!("completed"), &json!("caller_hung_up")));
        assert_eq!((said(&transcript).len(), &transcript["complete"]), (5, &json!(true)));
        assert_eq!((&call["attempts"], &call["model_sessions"]), (&json!(4), &json!(2)));
        assert_eq!((&call["usage"]["audio_out"], &call["usage"]["text_out"]), (&json!(600), &json!(10)));
        // 300 × 32 + 600 × 64 for the streams, 60 × 0.4 + 40 × 0.1 + 10 × 1.6 for the chat.
        assert_eq!(call["cost_micros"], 9_600 + 38_400 + 44);
        assert_eq!(world.sql("select day from usage_daily where cost_micros = 48044").rows.len(), 1);
    }
}

/// The rung below streaming: another provider, or another account, may have what this one refuses.
#[test]
fn call_whose_model_is_lost_goes_on_with_another_providers() {
    let elsewhere = [("CHAT_BASE_URL", "https://chat.example.com/v1"), ("CHAT_API_KEY", "key-of-chat")];
    let world = World::with(&elsewhere);
    let tenant = world.tenant(NUMBER);
    let (sid, id) = world.call(&tenant, 1);
    let setup = block_on(live::load_call(&world.app, id)).unwrap();
    let said_there =
        vec![entry(1, Speaker::Assistant, "Hello, this is Bella's."), entry(2, Speaker::Caller, "A table.")];
    let goes_on = stream_failed(&world, &sid, id, &said_there, 1);
    contains(&goes_on, "<Gather ");
    // Its actor says only now what became of the streams.
    let lost = summary(id, said_there, EndReason::ModelUnavailable);
    block_on(live::finish_call(&world.app, &setup, &lost)).unwrap();
    says(&world, "Tuesday.");
    contains(&say(&world, &sid, &goes_on, "As I said: a table."), "<Say>Tuesday.</Say>");
    assert_eq!(world.doubles.http.requests()[0].url, "https://chat.example.com/v1/chat/completions");
    world.webhook("/webhooks/twilio/status", &status(&sid, "completed"));
    let (call, transcript) = stored(&world, &tenant);
    assert_eq!((&call["status"], &call["end_reason"]), (&json!("completed"), &json!("caller_hung_up")));
    assert_eq!((said(&transcript).len(), &transcript["complete"]), (5, &json!(true)));
    assert_eq!((&call["usage"]["audio_out"], &call["usage"]["text_out"]), (&json!(600), &json!(10)));
}

#[test]
fn call_whose_model_is_lost_is_not_put_to_the_same_account() {
    for settings in [
        &[][..],
        // It is not configured.
        &[("CHAT_BASE_URL", "https://chat.example.com/v1")],
        &[("CHAT_BASE_URL", "http://chat.example.com/v1"), ("CHAT_API_KEY", "key-of-chat")],
    ] {
        let world = World::new();
        let tenant = world.tenant(NUMBER);
        let (sid, id) = world.call(&tenant, 1);
        let world = world.restarted(settings);
        let reply = stream_failed(&world, &sid, id, &[], 1);
        contains(&reply, "I am connecting you");
        contains(&reply, "<Dial ");
    }
}
