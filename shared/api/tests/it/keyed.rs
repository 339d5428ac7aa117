//! Every change of the OpenAPI document that is asked for with a permission of a tenant, sent twice with one `Idempotency-Key`.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{Method, Request, header};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use voicecore_api::actors::CallReply;
use voicecore_api::openapi_document;
use voicecore_ports::ActorError;

use crate::conventions::keyed;
use crate::messages::left;
use crate::phone_numbers::owned;
use crate::search::finish;
use crate::world::{ACCOUNT, Reply, Tenant, World};

/// Their answers are not kept; each with its reason.
const NOT_KEPT: [&str; 9] = [
    "PUT /api/v1/setup/progress",     // shows what was entered, which may be a secret
    "PATCH /api/v1/messages/{id}",    // shows a telephone number
    "POST /api/v1/phone-numbers",     // shows a telephone number
    "PUT /api/v1/phone-numbers/{id}", // the same
    "POST /api/v1/api-keys",          // shows a key
    "POST /api/v1/api-keys/{id}/rotate", // the same
    "PUT /api/v1/config/providers/{provider}", // shows the end of a secret
    "POST /api/v1/assistants/{id}/test-calls/{call_id}/messages", // shows what was said
    "POST /api/v1/assistants/{id}/test-calls/{call_id}/end", // the same
];
/// A number that is added.
pub(crate) const NEW_NUMBER: &str = "+15005550042";
/// A ticket opens a stream once, for half a minute: there is nothing to repeat.
const NO_NOTICE: &str = "POST /api/v1/live/tickets";

fn changes() -> Vec<String> {
    let document: Value = serde_json::from_str(&openapi_document().to_json().unwrap()).unwrap();
    let mut changes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if method != "get" && operation["security"][0].get("api_key").is_some() {
                changes.push(format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    changes
}

/// `*`: whatever version it is, which some routes want to be told.
fn send(world: &World, name: &str, target: &str, key: &str, body: &Value) -> Reply {
    let request = Request::builder()
        .method(name.split(' ').next().unwrap())
        .uri(target)
        .header(header::AUTHORIZATION, format!("Bearer {key}"))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::IF_MATCH, "*")
        .header("idempotency-key", "one");
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    world.send(request.body(body).unwrap())
}

/// Where each change goes and what it says.
pub(crate) fn requests(world: &World, tenant: &Tenant) -> BTreeMap<&'static str, (String, Value)> {
    let made = |target: &str, body: &Value| {
        let reply = world.request(Method::POST, target, Some(&tenant.key), Some(body));
        assert_eq!(reply.status, 201, "{target}: {}", reply.body);
        format!("{target}/{}", reply.json()["id"].as_str().unwrap())
    };
    let role = |name: &str| made("/api/v1/roles", &json!({"name": name, "permissions": ["calls:read"]}));
    let department = |name: &str| made("/api/v1/departments", &json!({"name": name}));
    let business = |name: &str| made("/api/v1/config/business", &json!({"name": name}));
    let api_key = || made("/api/v1/api-keys", &json!({"name": "K", "permissions": ["calls:read"]}));
    let user = |name: &str| {
        let id = world.user(&tenant.id, &format!("{name}@example.com"), "viewer");
        format!("/api/v1/users/{id}")
    };
    let invitation =
        made("/api/v1/users/invitations", &json!({"email": "guest@example.com", "role": "viewer"}));
    let (_, call) = world.call(tenant, 1);
    let call = format!("/api/v1/calls/{call}");
    let notes = format!("{call}/notes");
    let (_, over) = world.call(tenant, 3);
    finish(world, over, 3, &["Good morning."]);
    let note = || made(&notes, &json!({"body": "Ring back"}));
    let secret = json!({"api_key": "sk-0123456789abcdef"});
    let chat = "/api/v1/config/providers/chat";
    assert_eq!(world.request(Method::PUT, chat, Some(&tenant.key), Some(&secret)).status, 200);
    // Numbers of the installation's account are not for one tenant of several.
    let own = json!({"account_sid": ACCOUNT, "auth_token": "0123456789abcdef0123456789abcdef"});
    let twilio = "/api/v1/config/providers/twilio";
    assert_eq!(world.request(Method::PUT, twilio, Some(&tenant.key), Some(&own)).status, 200);
    let joined = department("Joined");
    let joined = joined.rsplit('/').next().unwrap();
    let given = role("Given");
    let given = given.rsplit('/').next().unwrap();
    let assistants = "/api/v1/assistants";
    let assistant = |name: &str| made(assistants, &json!({"name": name}));
    let restored = assistant("Restored");
    assert!(
        send(world, "POST first", &format!("{restored}/publish"), &tenant.key, &json!(null))
            .status
            .is_success()
    );
    let tests = format!("{restored}/test-calls");
    let test_call = || made(&tests, &json!({}));
    let hours = format!("/api/v1/businesses/{}/opening-hours", tenant.business_id);
    let open = json!({"time_zone": "Europe/Berlin", "opening_hours": ["wednesday 08:00-12:00"]});
    let numbers = "/api/v1/phone-numbers".to_owned();
    let number = |wanted: &str| {
        let list = world.get(&numbers, &tenant.key).json();
        let number = list["items"].as_array().unwrap().iter().find(|number| number["phone_number"] == wanted);
        format!("{numbers}/{}", number.unwrap()["id"].as_str().unwrap())
    };
    owned(world, "+15005550043", "");
    made(&numbers, &json!({"phone_number": "+15005550043", "business_id": tenant.business_id}));
    let new_number = json!({"phone_number": NEW_NUMBER, "business_id": tenant.business_id});
    for step in ["knowledge", "qa"] {
        let body = json!({"step": step, "state": "skipped"});
        assert_eq!(
            world.request(Method::PUT, "/api/v1/setup/progress", Some(&tenant.key), Some(&body)).status,
            200
        );
    }
    let message = |n: u32| format!("/api/v1/messages/{}", left(world, tenant, n, "Ring back"));
    let agent = |name: &str| made("/api/v1/agents", &json!({"name": name}));
    BTreeMap::from([
        (
            "PUT /api/v1/setup/progress",
            ("/api/v1/setup/progress".to_owned(), json!({"step": "knowledge", "state": "skipped"})),
        ),
        ("POST /api/v1/setup/complete", ("/api/v1/setup/complete".to_owned(), json!(null))),
        ("POST /api/v1/agents", ("/api/v1/agents".to_owned(), json!({"name": "A", "skills": ["b", "a"]}))),
        ("PATCH /api/v1/tenant", ("/api/v1/tenant".to_owned(), json!({"name": "Renamed"}))),
        ("PATCH /api/v1/messages/{id}", (message(201), json!({"handled": true}))),
        ("DELETE /api/v1/messages/{id}", (message(202), json!(null))),
        ("PUT /api/v1/agents/{id}", (agent("B"), json!({"name": "C"}))),
        ("DELETE /api/v1/agents/{id}", (agent("D"), json!(null))),
        (
            "PATCH /api/v1/agents/{id}/availability",
            (agent("E") + "/availability", json!({"availability": "busy"})),
        ),
        ("POST /api/v1/phone-numbers", (numbers.clone(), new_number)),
        (
            "PUT /api/v1/phone-numbers/{id}",
            (number(&tenant.number), json!({"business_id": tenant.business_id})),
        ),
        ("DELETE /api/v1/phone-numbers/{id}", (number("+15005550043"), json!(null))),
        ("POST /api/v1/phone-numbers/{id}/doctor", (number(&tenant.number) + "/doctor", json!(null))),
        ("POST /api/v1/api-keys", ("/api/v1/api-keys".to_owned(), json!({"name": "N", "permissions": []}))),
        ("DELETE /api/v1/api-keys/{id}", (api_key(), json!(null))),
        ("POST /api/v1/api-keys/{id}/rotate", (api_key() + "/rotate", json!({}))),
        ("POST /api/v1/assistants", (assistants.to_owned(), json!({"name": "A"}))),
        ("PUT /api/v1/assistants/{id}", (assistant("B"), json!({"name": "C", "tools": ["end_call"]}))),
        ("DELETE /api/v1/assistants/{id}", (assistant("D"), json!(null))),
        ("POST /api/v1/assistants/{id}/publish", (assistant("E") + "/publish", json!(null))),
        (
            "POST /api/v1/assistants/{id}/versions/{number}/restore",
            (restored.clone() + "/versions/1/restore", json!(null)),
        ),
        ("POST /api/v1/assistants/{id}/test-calls", (tests.clone(), json!({"version": 1}))),
        (
            "POST /api/v1/assistants/{id}/test-calls/{call_id}/messages",
            (test_call() + "/messages", json!({"step": 1})),
        ),
        ("POST /api/v1/assistants/{id}/test-calls/{call_id}/end", (test_call() + "/end", json!(null))),
        ("PUT /api/v1/businesses/{id}/opening-hours", (hours.clone(), open)),
        ("DELETE /api/v1/businesses/{id}/opening-hours", (hours, json!(null))),
        ("POST /api/v1/calls/{id}/end", (call.clone() + "/end", json!(null))),
        ("POST /api/v1/calls/{id}/intervene", (call.clone() + "/intervene", json!({"action": "pause"}))),
        ("POST /api/v1/calls/{id}/qa", (format!("/api/v1/calls/{over}/qa"), json!(null))),
        ("PUT /api/v1/config/qa", ("/api/v1/config/qa".to_owned(), json!({"rules": []}))),
        ("POST /api/v1/calls/{id}/notes", (notes.clone(), json!({"body": "Said hello", "tags": ["b", "a"]}))),
        ("PUT /api/v1/calls/{id}/notes/{note_id}", (note(), json!({"body": "Done"}))),
        ("DELETE /api/v1/calls/{id}/notes/{note_id}", (note(), json!(null))),
        ("POST /api/v1/config/business", ("/api/v1/config/business".to_owned(), json!({"name": "Third"}))),
        ("PUT /api/v1/config/business/{id}", (business("Second"), json!({"name": "Renamed"}))),
        ("DELETE /api/v1/config/business/{id}", (business("Fourth"), json!(null))),
        ("PUT /api/v1/config/providers/{provider}", ("/api/v1/config/providers/openai".to_owned(), secret)),
        ("DELETE /api/v1/config/providers/{provider}", (chat.to_owned(), json!(null))),
        (
            "POST /api/v1/config/test-connection",
            ("/api/v1/config/test-connection".to_owned(), json!({"provider": "twilio"})),
        ),
        ("POST /api/v1/departments", ("/api/v1/departments".to_owned(), json!({"name": "D"}))),
        ("PUT /api/v1/departments/{id}", (department("E"), json!({"name": "F"}))),
        ("DELETE /api/v1/departments/{id}", (department("G"), json!(null))),
        (
            "PUT /api/v1/departments/{id}/businesses/{business_id}",
            (format!("{}/businesses/{}", department("H"), tenant.business_id), json!(null)),
        ),
        (
            "POST /api/v1/roles",
            ("/api/v1/roles".to_owned(), json!({"name": "R", "permissions": ["calls:read"]})),
        ),
        ("PUT /api/v1/roles/{id}", (role("S"), json!({"name": "T", "permissions": []}))),
        ("DELETE /api/v1/roles/{id}", (role("U"), json!(null))),
        (
            "POST /api/v1/users/invitations",
            ("/api/v1/users/invitations".to_owned(), json!({"email": "new@example.com", "role": "viewer"})),
        ),
        ("DELETE /api/v1/users/invitations/{id}", (invitation, json!(null))),
        ("DELETE /api/v1/users/{id}", (user("leaver"), json!(null))),
        (
            "PATCH /api/v1/users/{id}",
            (user("mover"), json!({"role": given, "departments": [joined], "active": false})),
        ),
    ])
}

#[test]
fn every_change_is_made_once_and_answered_alike() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    world.actors_reply(CallReply::Accepted);
    let requests = requests(&world, &tenant);
    let mut tried = 0;
    for name in changes().iter().filter(|name| *name != NO_NOTICE) {
        let (target, body) = requests.get(name.as_str()).unwrap_or_else(|| panic!("{name} is not tried"));
        // Whoever asks for it has this number.
        owned(&world, NEW_NUMBER, "");
        let records = || world.count("select count(*) as n from audit_log");
        let before = records();
        let first = send(&world, name, target, &tenant.key, body);
        assert!(first.status.is_success(), "{name}: {}", first.body);
        assert!(!first.headers.contains_key("idempotency-replayed"), "{name}");
        let again = send(&world, name, target, &tenant.key, body);
        if NOT_KEPT.contains(&name.as_str()) {
            again.assert_problem(409, "conflict");
        } else {
            assert_eq!((again.status, &again.body), (first.status, &first.body), "{name}");
            assert_eq!(again.headers.get(header::ETAG), first.headers.get(header::ETAG), "{name}");
            assert_eq!(again.content_type(), first.content_type(), "{name}");
            assert_eq!(again.headers["idempotency-replayed"], "true", "{name}");
        }
        assert_eq!(records(), before + 1, "{name}");
        tried += 1;
    }
    assert_eq!(tried, requests.len());
}

/// What lies encrypted elsewhere is not kept in an answer.
#[test]
fn no_answer_that_is_kept_shows_a_telephone_number() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let body = json!({"name": "Bella", "fallback_number": "+15005550199"});
    let again =
        || send(&world, "POST /api/v1/config/business", "/api/v1/config/business", &tenant.key, &body);
    let first = again();
    assert_eq!(first.status, 201, "{}", first.body);
    assert!(first.body.contains("+15005550199"));
    again().assert_problem(409, "conflict");
    assert_eq!(world.count("select count(*) as n from idempotency_keys where body like '%5550199%'"), 0);
}

/// What is answered before the change is made is what is read afterwards.
#[test]
fn a_change_of_a_user_is_answered_as_it_is_read() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let requests = requests(&world, &tenant);
    let name = "PATCH /api/v1/users/{id}";
    let (target, body) = &requests[name];
    let changed = send(&world, name, target, &tenant.key, body);
    assert_eq!(changed.status, 200, "{}", changed.body);
    assert_eq!(changed.json()["role_name"], "Given");
    assert_eq!(changed.json()["active"], false);
    assert_eq!(changed.json(), world.get(target, &tenant.key).json());
}

/// A call that could not be ended is ended by the repetition, and only then is the key taken.
#[test]
fn a_call_that_was_not_ended_leaves_its_key_free() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let (_, call) = world.call(&tenant, 1);
    let target = format!("/api/v1/calls/{call}/end");
    let end = || keyed(&world, (Method::POST, &target), &tenant.key, "k", None);
    world.doubles.actors.answer_with(|_, _| Err(ActorError::Unavailable));
    assert_eq!(end().status, 503);
    world.actors_reply(CallReply::Accepted);
    world.commands();
    let ended = end();
    let commands = world.commands();
    assert_eq!((ended.status.as_u16(), &commands[0]["intervention"]["action"]), (202, &json!("end")));
    assert_eq!((end().body, world.commands()), (ended.body, vec![]));
}

/// What one key has done: with which body, and how that was answered.
type Carried = BTreeMap<(String, u8), (usize, Reply)>;

/// A request whose body is the same but for blanks at its end: to everybody but the key it means the same.
fn spaced(
    world: &World,
    name: &str,
    (target, body): &(String, Value),
    key: &str,
    (named, blanks): (u8, usize),
) -> Reply {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let request = Request::builder()
        .method(name.split(' ').next().unwrap())
        .uri(target)
        .header(header::AUTHORIZATION, format!("Bearer {key}"))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::IF_MATCH, "*")
        .header("idempotency-key", format!("key {named}"));
    world.send(request.body(Body::from(body + &" ".repeat(blanks))).unwrap())
}

/// A22: whatever is sent to whichever operation, by which key, how often and in which order: each key makes one change, or none as
/// long as it is refused; it is answered alike, and a key is not taken for another request. One world for all cases.
#[test]
fn a22_each_key_makes_one_change_of_every_operation() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    world.actors_reply(CallReply::Accepted);
    let requests = requests(&world, &tenant);
    let changes: Vec<_> = changes().into_iter().filter(|name| name != NO_NOTICE).collect();
    let carried = std::cell::RefCell::new(Carried::new());
    let asks = prop::collection::vec((any::<Index>(), 0_u8..2, 0_usize..2), 8..16);
    let records = || world.count("select count(*) as n from audit_log");
    let mut runner = TestRunner::new(ProptestConfig::with_cases(100));
    let tried = runner.run(&asks, |asks| {
        for (index, named, blanks) in asks {
            let name = index.get(&changes).as_str();
            owned(&world, NEW_NUMBER, "");
            let before = records();
            let reply = spaced(&world, name, &requests[name], &tenant.key, (named, blanks));
            let mut carried = carried.borrow_mut();
            match carried.get(&(name.to_owned(), named)) {
                // What another key has done, and is done, needs no change (a call that was ended).
                None if reply.status.is_success() && records() == before => {
                    let others = carried.keys().any(|(known, _)| known == name);
                    prop_assert!(others, "{}: {}", name, reply.body);
                }
                None if reply.status.is_success() => {
                    prop_assert_eq!(records(), before + 1, "{}", name);
                    prop_assert!(!reply.headers.contains_key("idempotency-replayed"), "{}", name);
                    carried.insert((name.to_owned(), named), (blanks, reply));
                }
                None => {
                    prop_assert!(reply.status.is_client_error(), "{}: {}", name, reply.body);
                    prop_assert_eq!(records(), before, "{}", name);
                }
                Some((same, first)) => {
                    prop_assert_eq!(records(), before, "{}", name);
                    if *same != blanks {
                        reply.assert_problem(422, "idempotency_key_reused");
                    } else if NOT_KEPT.contains(&name) {
                        reply.assert_problem(409, "conflict");
                    } else {
                        prop_assert_eq!((reply.status, &reply.body), (first.status, &first.body), "{}", name);
                        prop_assert!(reply.headers.contains_key("idempotency-replayed"), "{}", name);
                    }
                }
            }
        }
        Ok(())
    });
    tried.unwrap();
    // Of nearly all of them, one has made a change: few depend on what another has done before.
    let carried = carried.into_inner();
    let made = changes.iter().filter(|name| carried.keys().any(|(known, _)| known == *name)).count();
    assert!(made + 3 >= changes.len(), "{made} of {}", changes.len());
}
