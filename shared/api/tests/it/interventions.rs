//! Stepping into a running call.

use axum::http::Method;
use serde_json::{Value, json};
use voicecore_api::actors::CallReply;
use voicecore_ports::HttpResponse;

use crate::conventions::keyed;
use crate::turns::{NUMBER, contains, greeted, said, say, says, stored, turn_based};
use crate::world::{ACCOUNT, Reply, Tenant, World};

/// A call whose actor answers this.
fn running(reply: CallReply) -> (World, Tenant, String) {
    let world = World::new();
    let tenant = world.tenant(NUMBER);
    let (_, id) = world.call(&tenant, 1);
    world.actors_reply(reply);
    world.commands();
    (world, tenant, format!("/api/v1/calls/{id}/intervene"))
}

fn intervene(world: &World, tenant: &Tenant, target: &str, body: &Value) -> Reply {
    world.request(Method::POST, target, Some(&tenant.key), Some(body))
}

/// Each with what its actor is told.
fn actions() -> [(Value, Value); 6] {
    [
        (
            json!({"action": "message", "text": " Offer a table. "}),
            json!({"action": "message", "text": "Offer a table."}),
        ),
        (json!({"action": "pause"}), json!({"action": "pause"})),
        (json!({"action": "resume"}), json!({"action": "resume"})),
        (
            json!({"action": "override", "instructions": "Sing."}),
            json!({"action": "override", "instructions": "Sing."}),
        ),
        (json!({"action": "end"}), json!({"action": "end", "at_once": false})),
        (json!({"action": "end", "at_once": true}), json!({"action": "end", "at_once": true})),
    ]
}

#[test]
fn every_action_reaches_the_actor_with_who_wants_it_and_is_audited() {
    let (world, tenant, target) = running(CallReply::Accepted);
    let call = target.split('/').nth(4).unwrap().to_owned();
    let mut names = vec![];
    for (body, told) in actions() {
        let reply = intervene(&world, &tenant, &target, &body);
        let shown = json!({"call_id": call, "action": body["action"], "takes_effect": "now"});
        assert_eq!((reply.status.as_u16(), reply.json()), (202, shown), "{body}");
        let mut commands = world.commands();
        let [command] = &mut commands[..] else { panic!("{commands:?}") };
        assert_eq!(command["command"], "intervene");
        let mut intervention = command["intervention"].take();
        let fields = intervention.as_object_mut().unwrap();
        names.push(fields.remove("id").unwrap());
        assert_eq!(fields.remove("actor_kind").unwrap(), "api_key");
        assert!(fields.remove("actor_id").unwrap().as_str().is_some_and(|id| !id.is_empty()));
        assert_eq!(intervention, told);
    }
    names.sort_by_key(Value::to_string);
    names.dedup();
    assert_eq!(names.len(), 6, "each is one of its own");
    let audit = world.get(&format!("/api/v1/audit?subject={call}"), &tenant.key).json();
    let mut actions: Vec<_> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["action"].as_str().unwrap().to_owned())
        .collect();
    actions.sort();
    assert_eq!(
        actions,
        ["call.end", "call.end", "call.message", "call.override", "call.pause", "call.resume"]
    );
    assert!(!audit.to_string().contains("Offer a table"), "ids and names, never values");
}

#[test]
fn a_repeated_request_is_the_same_intervention() {
    let (world, tenant, target) = running(CallReply::Accepted);
    let body = json!({"action": "message", "text": "Be brief."});
    let send = |key: &str, body: &Value| keyed(&world, (Method::POST, &target), &tenant.key, key, Some(body));
    let name = |commands: Vec<Value>| {
        commands.iter().map(|command| command["intervention"]["id"].clone()).collect::<Vec<_>>()
    };
    // Nobody has heard whether it was done: the same name makes it one.
    world.doubles.actors.answer_with(|_, _| Err(voicecore_ports::ActorError::Unavailable));
    assert_eq!(send("k", &body).status, 503);
    let first = name(world.commands());
    world.actors_reply(CallReply::Accepted);
    let done = send("k", &body);
    assert_eq!((done.status.as_u16(), name(world.commands())), (202, first.clone()));
    let again = send("k", &body);
    assert_eq!((again.body, world.commands()), (done.body, vec![]));
    send("k", &json!({"action": "pause"})).assert_problem(422, "idempotency_key_reused");
    assert_eq!(send("other", &body).status, 202);
    assert_ne!(name(world.commands()), first);
}

#[test]
fn what_is_wrong_is_named_and_nobody_is_told() {
    let (world, tenant, target) = running(CallReply::Accepted);
    for (body, field) in [
        (json!({}), "action"),
        (json!({"action": "sing"}), "action"),
        (json!({"action": 7}), "action"),
        (json!({"action": "message"}), "text"),
        (json!({"action": "message", "text": " "}), "text"),
        (json!({"action": "message", "text": "x".repeat(2_001)}), "text"),
        (json!({"action": "message", "text": "a\u{0}"}), "text"),
        (json!({"action": "message", "text": "a", "instructions": "b"}), "instructions"),
        (json!({"action": "message", "text": "a", "loud": true}), "loud"),
        (json!({"action": "override", "instructions": "x".repeat(8_001)}), "instructions"),
        (json!({"action": "override"}), "instructions"),
        (json!({"action": "end", "at_once": "yes"}), "at_once"),
        (json!({"action": "pause", "at_once": true}), "at_once"),
    ] {
        let reply = intervene(&world, &tenant, &target, &body);
        reply.assert_problem(422, "invalid_request");
        assert_eq!(reply.json()["errors"][0]["field"], field, "{body}");
    }
    assert!(world.commands().is_empty());
    world.keys_allow("calls:read");
    intervene(&world, &tenant, &target, &json!({"action": "pause"})).assert_problem(403, "forbidden");
}

#[test]
fn a_call_without_an_assistant_says_so() {
    let (world, tenant, target) = running(CallReply::TooLate);
    intervene(&world, &tenant, &target, &json!({"action": "pause"})).assert_problem(409, "call_over");
    intervene(&world, &tenant, &target, &json!({"action": "end"})).assert_problem(409, "call_over");
    let end = target.replace("intervene", "end");
    assert_eq!(world.post(&end, &tenant.key).status, 202, "to end it once more changes nothing");

    world.actors_reply(CallReply::NotRunning);
    intervene(&world, &tenant, &target, &json!({"action": "resume"})).assert_problem(409, "conflict");
    world.doubles.http.answer(Ok(HttpResponse { status: 200, body: vec![] }));
    assert_eq!(intervene(&world, &tenant, &target, &json!({"action": "end"})).status, 202);
    assert_eq!(
        world.doubles.http.requests()[0].body,
        b"Status=completed",
        "the line is cut where nobody speaks"
    );

    let (sid, id) = world.call(&tenant, 2);
    world.actors_reply(CallReply::Accepted);
    let done = [("CallSid", sid.as_str()), ("AccountSid", ACCOUNT), ("CallStatus", "completed")];
    world.webhook("/webhooks/twilio/status", &done);
    world.commands();
    let over =
        intervene(&world, &tenant, &format!("/api/v1/calls/{id}/intervene"), &json!({"action": "end"}));
    over.assert_problem(409, "call_over");
    assert!(world.commands().is_empty());
}

/// The messages that the chat model was last asked with.
fn asked(world: &World) -> Vec<Value> {
    let requests = world.doubles.http.requests();
    let body: Value = serde_json::from_slice(&requests.last().unwrap().body).unwrap();
    body["messages"].as_array().unwrap().clone()
}

#[test]
fn a_call_held_turn_by_turn_takes_it_with_the_next_turn() {
    let world = World::new();
    let tenant = turn_based(&world);
    let (sid, greeting) = greeted(&world);
    let id = stored(&world, &tenant).0["id"].as_str().unwrap().to_owned();
    let target = format!("/api/v1/calls/{id}/intervene");
    let message = json!({"action": "message", "text": "They are a regular."});
    let reply = intervene(&world, &tenant, &target, &message);
    assert_eq!((reply.status.as_u16(), reply.json()["takes_effect"].as_str()), (202, Some("next_turn")));
    let order = json!({"action": "override", "instructions": "You are an opera singer."});
    assert_eq!(intervene(&world, &tenant, &target, &order).status, 202);
    let twice = |key| keyed(&world, (Method::POST, &target), &tenant.key, key, Some(&message)).status;
    assert_eq!((twice("k"), twice("k")), (202.try_into().unwrap(), 202.try_into().unwrap()));
    for action in ["pause", "resume"] {
        intervene(&world, &tenant, &target, &json!({"action": action}))
            .assert_problem(409, "call_turn_based");
    }
    assert!(world.commands().is_empty(), "there is no actor");

    // What the caller says to the greeting, which knows nothing of all this, still counts.
    says(&world, "La donna e mobile.");
    let next = say(&world, &sid, &greeting, "A table, please.");
    contains(&next, "La donna e mobile.");
    let messages = asked(&world);
    assert_eq!(messages[0], json!({"role": "system", "content": "You are an opera singer."}));
    let told = messages[2]["content"].as_str().unwrap();
    assert!(messages[2]["role"] == "system" && told.ends_with("They are a regular."), "{told}");
    let (_, transcript) = stored(&world, &tenant);
    let speakers: Vec<_> = said(&transcript).into_iter().map(|(who, _)| who).collect();
    assert_eq!(speakers, ["assistant", "operator", "operator", "operator", "caller", "assistant"]);
    assert_eq!(transcript["items"][1]["kind"], "intervention");
    assert_eq!(transcript["items"][1]["action"], "message");
    assert!(transcript["items"][1].get("id").is_none());

    // A question of before is late, whatever was done aside.
    let late = say(&world, &sid, &greeting, "A table, please.");
    contains(&late, "La donna e mobile.");
    assert!(world.doubles.http.requests().is_empty());

    world.doubles.http.answer(Ok(HttpResponse { status: 200, body: b"{}".to_vec() }));
    let ended = intervene(&world, &tenant, &target, &json!({"action": "end"}));
    assert_eq!(ended.json()["takes_effect"], "now");
    assert!(world.doubles.http.requests()[0].url.contains(&sid));
    let (call, transcript) = stored(&world, &tenant);
    assert_eq!((&call["end_reason"], &transcript["complete"]), (&json!("operator_ended"), &json!(true)));
    let text = world.get(&format!("/api/v1/calls/{id}/transcript"), &tenant.key).body;
    assert!(text.contains("Operator (to the assistant): They are a regular."), "{text}");
    intervene(&world, &tenant, &target, &message).assert_problem(409, "call_over");
}
