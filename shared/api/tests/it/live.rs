//! What actors use: a call's set-up, its tools, its end.

use serde_json::{Value, json};
use voicecore_api::actors::CallReply;
use voicecore_api::live::{self, CallSetup, LoadError};
use voicecore_call::{
    CallSummary, EndReason, Interaction, InteractionKind, JournalEntry, Speaker, ToolCall, ToolEffect,
    ToolResult, Usage,
};
use voicecore_conformance::block_on;
use voicecore_ports::Blob as _;
use voicecore_types::{CallId, Millis};

use crate::world::{CALLER, Finish, NOW, Tenant, World, at_once, status};

const NUMBER: &str = "+15005550006";

fn connected(world: &World) -> (Tenant, CallSetup) {
    let tenant = world.tenant(NUMBER);
    let (_, id) = world.call(&tenant, 1);
    (tenant, block_on(live::load_call(&world.app, id)).unwrap())
}

fn run(world: &World, setup: &CallSetup, id: &str, name: &str, arguments: &str) -> (ToolResult, Value) {
    let call =
        ToolCall { tool_call_id: id.to_owned(), name: name.to_owned(), arguments: arguments.to_owned() };
    let result = block_on(live::run_tool(&world.app, setup, &call));
    assert_eq!(result.tool_call_id, id);
    let output = serde_json::from_str(&result.output).unwrap();
    (result, output)
}

fn summary(id: CallId, reason: EndReason) -> CallSummary {
    CallSummary {
        call_id: id,
        started_at: NOW.plus(Millis(500)),
        ended_at: NOW.plus(Millis(60_500)),
        reason,
        farewell_owed: false,
        interactions: vec![Interaction {
            seq: 1,
            speaker: Speaker::Assistant,
            kind: InteractionKind::Speech,
            text: "Hello, you have".to_owned(),
            start_ms: 0,
            end_ms: 900,
            cut_at_ms: Some(900),
            estimated: true,
            latency_ms: None,
        }],
        usage: Usage { audio_in: 600, audio_out: 1_200, ..Usage::default() },
        model_sessions: 1,
        attempts: 2,
    }
}

#[test]
fn call_is_loaded_with_working_defaults() {
    let world = World::new();
    let (tenant, setup) = connected(&world);
    assert_eq!(setup.tenant_id.to_string(), tenant.id);
    assert_eq!(setup.business_id.to_string(), tenant.business_id);
    let session = &setup.call.session;
    assert_eq!((session.model.as_str(), session.voice.as_str()), ("gpt-realtime-2.1", "marin"));
    assert!(session.greeting.contains("Bella's Salon") && session.greeting.contains("AI assistant"));
    assert!(session.greeting.contains("Press 0") && setup.call.transfer_available);
    assert_eq!(session.tools.len(), 3);
    // It is kept with the journal, so nothing in it may need to be sealed.
    let kept = serde_json::to_string(&setup).unwrap();
    assert!(!kept.contains("5005550"), "{kept}");
    assert_eq!(serde_json::from_str::<CallSetup>(&kept).unwrap(), setup);
}

#[test]
fn callers_are_told_of_the_ai_whatever_the_business_wrote() {
    let world = World::new();
    let tenant = world.tenant(NUMBER);
    let (_, id) = world.call(&tenant, 1);
    let greeting = || block_on(live::load_call(&world.app, id)).unwrap().call.session.greeting;
    world.sql("update assistant_versions set greeting = 'Bella, good day!'");
    assert_eq!(greeting(), "You are speaking with an AI assistant. Bella, good day!");
    world.sql("update assistant_versions set greeting = 'Guten Tag, hier Bella!', language = 'de'");
    assert_eq!(greeting(), "Sie sprechen mit einem KI-Assistenten. Guten Tag, hier Bella!");
    world.sql("update assistant_versions set greeting = 'Hier ist die KI von Bella.'");
    assert_eq!(greeting(), "Hier ist die KI von Bella.");
    world.sql("update assistant_versions set greeting = null");
    assert!(greeting().starts_with("Guten Tag, hier ist Bella's Salon. Ich bin ein KI-Assistent."));
}

#[test]
fn call_that_is_unknown_or_over_is_not_loaded() {
    let world = World::new();
    let (_, setup) = connected(&world);
    let stranger = CallId::new(NOW, &[9; 10]);
    assert!(matches!(block_on(live::load_call(&world.app, stranger)), Err(LoadError::Unknown)));
    let id = setup.call.call_id;
    block_on(live::finish_call(&world.app, &setup, &summary(id, EndReason::CallerHungUp))).unwrap();
    assert!(matches!(block_on(live::load_call(&world.app, id)), Err(LoadError::Over)));
    world.db.off(true);
    assert!(matches!(block_on(live::load_call(&world.app, id)), Err(LoadError::Store(_))));
}

#[test]
fn message_is_taken_once() {
    let world = World::new();
    let (tenant, setup) = connected(&world);
    let arguments = r#"{"message":"Please call back about Friday","caller_name":"Ann Lee"}"#;
    let (first, output) = run(&world, &setup, "call_1", "take_message", arguments);
    assert_eq!(output["ok"], true);
    assert_eq!(first.effect, ToolEffect::None);
    // The actor was restarted and asks again, even with other arguments: same answer, one message.
    let (again, _) = run(&world, &setup, "call_1", "take_message", r#"{"message":"Something else"}"#);
    assert_eq!(again, first);
    let number = r#"{"message":"Other number","callback_number":"+442071838750"}"#;
    run(&world, &setup, "call_2", "take_message", number);

    let messages = world.get("/api/v1/messages", &tenant.key).json();
    assert_eq!(messages["total"], 2, "{messages}");
    let first = &messages["items"][0];
    assert_eq!((&first["kind"], &first["recording_id"]), (&json!("message"), &Value::Null));
    let texts: Vec<_> =
        messages["items"].as_array().unwrap().iter().map(|m| m["text"].as_str().unwrap()).collect();
    assert!(texts.contains(&"Please call back about Friday"), "{texts:?}");
    let numbers: Vec<_> =
        messages["items"].as_array().unwrap().iter().map(|m| &m["callback_number"]).collect();
    assert!(numbers.contains(&&json!(CALLER)) && numbers.contains(&&json!("+442071838750")), "{numbers:?}");
    // Sealed at rest.
    assert!(!world.doubles.db.dump().iter().any(|value| value.contains("442071838750")));
}

#[test]
fn what_is_wrong_with_a_tool_call_is_told_to_the_model() {
    let world = World::new();
    let (tenant, setup) = connected(&world);
    for (name, arguments, error) in [
        ("dance", "{}", "unknown_tool"),
        ("take_message", "{}", "invalid_arguments"),
        ("take_message", "{\"message\": 5}", "invalid_arguments"),
        ("take_message", "not json", "invalid_arguments"),
        ("end_call", "{\"colour\":\"red\"}", "invalid_arguments"),
    ] {
        let (result, output) = run(&world, &setup, "call_1", name, arguments);
        assert_eq!(output["error"], error, "{name} {arguments}");
        assert_eq!(result.effect, ToolEffect::None);
    }
    let (_, output) = run(&world, &setup, "call_1", "take_message", "{}");
    assert_eq!(output["errors"], json!([{"argument": "message", "message": "is missing"}]));
    assert_eq!(world.get("/api/v1/messages", &tenant.key).json()["total"], 0);
    // A refused call of a tool has not been run: corrected arguments may come under the same id.
    let (_, output) = run(&world, &setup, "call_1", "take_message", r#"{"message":"x"}"#);
    assert_eq!(output["ok"], true);
}

#[test]
fn calls_end_and_are_transferred_even_while_the_database_is_away() {
    let world = World::new();
    let (_, setup) = connected(&world);
    for (name, effect) in [("end_call", ToolEffect::EndCall), ("transfer", ToolEffect::Transfer)] {
        for off in [false, true] {
            world.db.off(off);
            let (result, output) = run(&world, &setup, &format!("{name}_1"), name, "");
            assert_eq!((result.effect, &output["ok"]), (effect, &json!(true)), "{name}, database off: {off}");
        }
    }
    let (result, output) = run(&world, &setup, "call_9", "take_message", r#"{"message":"x"}"#);
    assert_eq!((result.effect, &output["error"]), (ToolEffect::None, &json!("unavailable")));
    world.db.off(false);
    let (_, output) = run(&world, &setup, "call_9", "take_message", r#"{"message":"x"}"#);
    assert_eq!(output["ok"], true);
}

#[test]
fn a_database_that_never_answers_keeps_nobody_on_the_line() {
    let world = World::new();
    let (_, setup) = connected(&world);
    let tool = |id: &str, name: &str| ToolCall {
        tool_call_id: id.to_owned(),
        name: name.to_owned(),
        arguments: "{}".to_owned(),
    };
    for (name, effect) in [("end_call", ToolEffect::EndCall), ("transfer", ToolEffect::Transfer)] {
        let call = tool("call_1", name);
        world.db.hangs(true);
        let result =
            at_once(live::run_tool(&world.app, &setup, &call)).expect("the effect waits for nothing");
        assert_eq!(result.effect, effect);
        assert!(at_once(live::record_tool(&world.app, &setup, &call, &result)).is_none(), "the record does");
        world.db.hangs(false);
    }
    // What is stored waits; the call machine answers for it in the end.
    world.db.hangs(true);
    let call = ToolCall { arguments: r#"{"message":"x"}"#.to_owned(), ..tool("call_2", "take_message") };
    assert!(at_once(live::run_tool(&world.app, &setup, &call)).is_none());
}

#[test]
fn a_message_that_the_database_was_slow_to_store_is_stored_once() {
    use Finish::{Late, Lost};
    for (finishes, told) in [
        (&[Late][..], None),
        (&[Lost], None),
        (&[Late, Late], Some("timeout")),
        (&[Lost, Late], Some("timeout")),
    ] {
        let world = World::new();
        let (tenant, setup) = connected(&world);
        world.db.finishes(finishes);
        let (_, output) = run(&world, &setup, "call_1", "take_message", r#"{"message":"x"}"#);
        match told {
            None => assert_eq!(output["ok"], true, "{output}"),
            Some(error) => {
                assert_eq!(output["error"], error);
                assert!(output["message"].as_str().unwrap().contains("do not try again"), "{output}");
            }
        }
        assert_eq!(world.get("/api/v1/messages", &tenant.key).json()["total"], 1);
    }
}

#[test]
fn what_the_call_machine_was_told_is_recorded_once() {
    let world = World::new();
    let (tenant, setup) = connected(&world);
    let call = ToolCall {
        tool_call_id: "call_1".to_owned(),
        name: "end_call".to_owned(),
        arguments: r#"{"reason":"all is said"}"#.to_owned(),
    };
    for _ in 0..2 {
        let result = block_on(live::run_tool(&world.app, &setup, &call));
        block_on(live::record_tool(&world.app, &setup, &call, &result)).unwrap();
    }
    let runs = "select name from tool_runs where effect = 'end_call' and finished_at is not null";
    assert_eq!(world.sql(runs).rows.len(), 1);
    world.db.off(true);
    let result = block_on(live::run_tool(&world.app, &setup, &call));
    assert!(block_on(live::record_tool(&world.app, &setup, &call, &result)).is_err());
    world.db.off(false);
    // A tool that writes has recorded itself, with its rows.
    let call = ToolCall {
        tool_call_id: "call_2".to_owned(),
        name: "take_message".to_owned(),
        arguments: r#"{"message":"x"}"#.to_owned(),
    };
    for _ in 0..2 {
        let result = block_on(live::run_tool(&world.app, &setup, &call));
        block_on(live::record_tool(&world.app, &setup, &call, &result)).unwrap();
    }
    assert_eq!(world.sql("select name from tool_runs").rows.len(), 2);
    assert_eq!(world.get("/api/v1/messages", &tenant.key).json()["total"], 1);
}

#[test]
fn transfer_without_a_human_being_is_no_tool() {
    let world = World::new();
    let tenant = world.tenant(NUMBER);
    world.sql("update businesses set fallback_number = null");
    let (_, id) = world.call(&tenant, 1);
    let setup = block_on(live::load_call(&world.app, id)).unwrap();
    let (result, output) = run(&world, &setup, "call_1", "transfer", "{}");
    assert_eq!(output["error"], "unknown_tool");
    assert_eq!(result.effect, ToolEffect::None);
}

#[test]
fn finished_call_is_stored_once_and_read_from_its_document() {
    let world = World::new();
    let (tenant, setup) = connected(&world);
    let id = setup.call.call_id;
    let summary = summary(id, EndReason::AssistantEnded);
    for _ in 0..3 {
        block_on(live::finish_call(&world.app, &setup, &summary)).unwrap();
    }
    assert_eq!(world.doubles.blob.keys(), [format!("t/{}/calls/{id}/transcript.json", tenant.id)]);
    let call = world.get(&format!("/api/v1/calls/{id}"), &tenant.key).json();
    assert_eq!(call["status"], "completed");
    assert_eq!(call["end_reason"], "assistant_ended");
    assert_eq!(call["from"], CALLER);
    assert_eq!((&call["attempts"], &call["interaction_count"]), (&json!(2), &json!(1)));
    assert_eq!(call["usage"]["audio_out"], 1_200);
    // One minute of each side, by the price list; counted once.
    assert_eq!(call["cost_micros"], 19_200 + 76_800);
    assert_eq!(world.sql("select day from usage_daily where cost_micros = 96000").rows.len(), 1);
    let said = world.get(&format!("/api/v1/calls/{id}/interactions"), &tenant.key).json();
    assert_eq!(said["complete"], true);
    assert_eq!(said["items"][0]["text"], "Hello, you have");
    assert_eq!((&said["items"][0]["cut_at_ms"], &said["items"][0]["estimated"]), (&json!(900), &json!(true)));
}

#[test]
fn summary_that_comes_after_the_call_was_closed_is_not_lost() {
    let world = World::new();
    let (tenant, setup) = connected(&world);
    let id = setup.call.call_id;
    // The carrier reported the end while the actor could not be found.
    world.actors_reply(CallReply::NotRunning);
    world.webhook("/webhooks/twilio/status", &status(&setup.call.carrier_call_id, "completed"));
    let call = || world.get(&format!("/api/v1/calls/{id}"), &tenant.key).json();
    assert_eq!((&call()["attempts"], &call()["cost_micros"]), (&json!(0), &json!(0)));
    for _ in 0..2 {
        block_on(live::finish_call(&world.app, &setup, &summary(id, EndReason::AssistantEnded))).unwrap();
    }
    let call = call();
    assert_eq!((&call["end_reason"], &call["status"]), (&json!("assistant_ended"), &json!("completed")));
    assert_eq!((&call["interaction_count"], &call["attempts"]), (&json!(1), &json!(2)));
    assert_eq!(call["cost_micros"], 96_000);
    assert_eq!(world.sql("select day from usage_daily where cost_micros = 96000").rows.len(), 1);
    let said = world.get(&format!("/api/v1/calls/{id}/interactions"), &tenant.key).json();
    assert_eq!(said["items"][0]["text"], "Hello, you have");
}

#[test]
fn transferred_call_keeps_its_line_until_the_carrier_says_otherwise() {
    let world = World::new();
    let (tenant, setup) = connected(&world);
    let id = setup.call.call_id;
    block_on(live::finish_call(&world.app, &setup, &summary(id, EndReason::Transferred))).unwrap();
    let call = world.get(&format!("/api/v1/calls/{id}"), &tenant.key).json();
    assert_eq!((&call["end_reason"], &call["ended_at"]), (&json!("transferred"), &Value::Null));
    // Without any report it is closed in the end, at the carrier as well.
    world.doubles.clock.advance(Millis::from_secs(6 * 3_600));
    world.doubles.http.answer(Ok(voicecore_ports::HttpResponse { status: 200, body: b"{}".to_vec() }));
    assert_eq!(world.calls_closed(), (1, 0));
    let requests = world.doubles.http.requests();
    assert_eq!(requests.len(), 1);
    assert!(
        requests[0].url.ends_with(&format!("/Calls/{}.json", setup.call.carrier_call_id)),
        "{}",
        requests[0].url
    );
    assert_eq!(requests[0].body, b"Status=completed");
    assert!(world.get(&format!("/api/v1/calls/{id}"), &tenant.key).json()["ended_at"].is_u64());
}

#[test]
fn end_that_cannot_be_stored_is_an_error_and_can_be_repeated() {
    let world = World::new();
    let (tenant, setup) = connected(&world);
    let summary = summary(setup.call.call_id, EndReason::CallerHungUp);
    world.db.off(true);
    assert!(block_on(live::finish_call(&world.app, &setup, &summary)).is_err());
    world.db.off(false);
    block_on(live::finish_call(&world.app, &setup, &summary)).unwrap();
    let call = world.get(&format!("/api/v1/calls/{}", setup.call.call_id), &tenant.key).json();
    assert_eq!(call["end_reason"], "caller_hung_up");
}

#[test]
fn running_call_is_read_from_its_actor() {
    let world = World::new();
    let (tenant, setup) = connected(&world);
    let interactions = summary(setup.call.call_id, EndReason::Silence).interactions;
    world.actors_reply(CallReply::Transcript { interactions, complete: false });
    let target = format!("/api/v1/calls/{}/interactions", setup.call.call_id);
    let said = world.get(&target, &tenant.key).json();
    assert_eq!((&said["complete"], &said["items"][0]["seq"]), (&json!(false), &json!(1)));
    assert_eq!(world.commands(), [json!({"command": "transcript"})]);
    world.actors_reply(CallReply::NotRunning);
    assert_eq!(world.get(&target, &tenant.key).json()["items"], json!([]));
    world.doubles.actors.answer_with(|_, _| Err(voicecore_ports::ActorError::Unavailable));
    world.get(&target, &tenant.key).assert_problem(503, "unavailable");
}

#[test]
fn what_the_caller_told_a_tool_is_sealed_in_the_running_journal() {
    let world = World::new();
    let (_, setup) = connected(&world);
    let tool = JournalEntry::Tool(ToolCall {
        tool_call_id: "call_1".to_owned(),
        name: "take_message".to_owned(),
        arguments: r#"{"message":"x","callback_number":"+442071838750"}"#.to_owned(),
    });
    let attempt = JournalEntry::Attempt { attempt: 2, at: NOW };
    let lines = live::JournalLines::new(&world.app, &setup);
    let sealed = lines.write(&tool).unwrap();
    assert!(!sealed.contains("442071838750") && !sealed.contains("take_message") && !sealed.contains('\n'));
    assert_ne!(lines.write(&tool).unwrap(), sealed, "with a nonce of its own");
    // After a restart, when only what was kept is known.
    let kept: CallSetup = serde_json::from_str(&serde_json::to_string(&setup).unwrap()).unwrap();
    let restarted = live::JournalLines::new(&world.restarted(&[]).app, &kept);
    assert_eq!(restarted.read(&sealed), Some(tool.clone()));
    assert_eq!(restarted.read(&lines.write(&attempt).unwrap()), Some(attempt.clone()));
    // What an older version wrote.
    assert_eq!(restarted.read(&serde_json::to_string(&tool).unwrap()), Some(tool.clone()));
    for odd in ["", "{}", "null", r#"{"sealed":"v1.AAAA"}"#, r#"{"entry":"of_tomorrow"}"#] {
        assert_eq!(restarted.read(odd), None, "{odd}");
    }
    // Without the key, or with another tenant's, nothing of it is written or read; the rest of the journal is.
    let other = world.tenant("+15005550007");
    let (_, id) = world.call(&other, 2);
    let other = block_on(live::load_call(&world.app, id)).unwrap();
    assert_eq!(live::JournalLines::new(&world.app, &other).read(&sealed), None);
    let keyless = live::JournalLines::new(&world.app, &CallSetup { wrapped_key: None, ..kept });
    assert_eq!((keyless.write(&tool), keyless.read(&sealed)), (None, None));
    assert_eq!(keyless.read(&keyless.write(&attempt).unwrap()), Some(attempt));
}

#[test]
fn journal_is_archived_encrypted() {
    let world = World::new();
    let (tenant, setup) = connected(&world);
    block_on(live::archive_journal(&world.app, &setup, b"what the caller said")).unwrap();
    let key = format!("t/{}/calls/{}/journal.sealed", tenant.id, setup.call.call_id);
    let stored = block_on(world.doubles.blob.get(&key)).unwrap().unwrap();
    assert!(!stored.windows(6).any(|window| window == b"caller"));
}
