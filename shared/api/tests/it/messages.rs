//! Messages that callers left: found, dealt with, deleted.

use axum::body::Body;
use axum::http::{Method, Request, header};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use voicecore_api::live;
use voicecore_call::ToolCall;
use voicecore_conformance::block_on;
use voicecore_types::{CallId, Millis};

use crate::world::{Reply, Tenant, World};

const DEPARTMENT: &str = "00000000-0000-7000-8000-000000000001";

/// Somebody rings and leaves word. The id of the message.
pub(crate) fn left(world: &World, tenant: &Tenant, n: u32, text: &str) -> String {
    let (_, call) = world.call(tenant, n);
    left_in(world, call, text)
}

/// Word is left in a call. The id of the message.
pub(crate) fn left_in(world: &World, call: CallId, text: &str) -> String {
    let setup = block_on(live::load_call(&world.app, call)).unwrap();
    let tool = ToolCall {
        tool_call_id: "tool".to_owned(),
        name: "take_message".to_owned(),
        arguments: json!({"message": text}).to_string(),
    };
    block_on(live::run_tool(&world.app, &setup, &tool));
    let id = world.sql_with("select id from messages where call_id = ?1", vec![call.to_string().into()]);
    let Some(voicecore_ports::Value::Text(id)) = id.rows[0].get("id") else { panic!("no message") };
    id.clone()
}

fn change(world: &World, id: &str, key: &str, if_match: Option<&str>, body: &Value) -> Reply {
    world.send(changing(id, key, if_match, body))
}

fn changing(id: &str, key: &str, if_match: Option<&str>, body: &Value) -> Request<Body> {
    let method = if body.is_null() { Method::DELETE } else { Method::PATCH };
    let mut request = Request::builder()
        .method(method)
        .uri(format!("/api/v1/messages/{id}"))
        .header(header::AUTHORIZATION, format!("Bearer {key}"))
        .header(header::CONTENT_TYPE, "application/json");
    if let Some(tag) = if_match {
        request = request.header(header::IF_MATCH, tag);
    }
    request.body(if body.is_null() { Body::empty() } else { Body::from(body.to_string()) }).unwrap()
}

fn found(world: &World, key: &str, query: &str) -> Vec<String> {
    let list = world.get(&format!("/api/v1/messages?{query}"), key);
    assert_eq!(list.status, 200, "{query}: {}", list.body);
    let list = list.json();
    let items = list["items"].as_array().unwrap();
    assert_eq!(list["total"], items.len(), "{query}");
    items.iter().map(|message| message["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn messages_are_found_dealt_with_and_deleted() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let user = world.user(&tenant.id, "agent@example.com", "agent");
    let started = world.app.ports.clock.now();
    let one = left(&world, &tenant, 1, "My PARCEL has not come. Call me about the parcel!");
    world.doubles.clock.advance(Millis::from_secs(60));
    let two = left(&world, &tenant, 2, "The invoice of Müller is wrong, and my parcel is late");
    let later = started.plus(Millis::from_secs(30)).0;
    let both = [two.as_str(), one.as_str()];
    let found = |query: &str| found(&world, &tenant.key, query);
    for (query, expected) in [
        ("", &both[..]),
        ("sort=oldest", &[both[1], both[0]]),
        ("q=Parcel", &both),
        ("q=parcel&sort=oldest", &[both[1], both[0]]),
        ("q=parcel+m%C3%BCller", &both[..1]),
        ("q=parc", &[]),
        ("handled=false", &both),
        ("handled=true", &[]),
        (&format!("since={later}"), &both[..1]),
        (&format!("until={later}&q=parcel"), &both[1..]),
        (&format!("department_id={DEPARTMENT}"), &[]),
        (&format!("assignee_id={user}"), &[]),
    ] {
        assert_eq!(found(query), expected, "{query}");
    }
    let wrong = world.get("/api/v1/messages?q=-&page=0&cursor=x", &tenant.key).wrong_fields();
    assert_eq!(wrong, ["page", "cursor", "q"]);

    let first = world.get(&format!("/api/v1/messages/{one}"), &tenant.key);
    assert_eq!(
        (&first.json()["version"], &first.headers[header::ETAG]),
        (&json!(1), &"\"1\"".parse().unwrap())
    );
    let change = |if_match: Option<&str>, body: Value| change(&world, &one, &tenant.key, if_match, &body);
    let done = change(Some("\"1\""), json!({"handled": true, "assignee_id": user}));
    assert_eq!((done.status.as_u16(), &done.headers[header::ETAG]), (200, &"\"2\"".parse().unwrap()));
    assert_eq!(done.json(), world.get(&format!("/api/v1/messages/{one}"), &tenant.key).json());
    assert_eq!(done.json()["handled_at"], world.app.ports.clock.now().0);
    for query in ["handled=true", &format!("assignee_id={user}"), "handled=true&q=parcel"] {
        assert_eq!(found(query), [one.as_str()], "{query}");
    }
    change(Some("\"1\""), json!({"handled": false})).assert_problem(412, "precondition_failed");
    // What is absent stays; since when it is done is not told anew.
    world.doubles.clock.advance(Millis::from_secs(60));
    let again = change(None, json!({"handled": true})).json();
    assert_eq!((&again["handled_at"], &again["assignee_id"]), (&done.json()["handled_at"], &json!(user)));
    let undone = change(None, json!({"handled": false, "assignee_id": null})).json();
    assert_eq!((&undone["handled_at"], &undone["assignee_id"]), (&Value::Null, &Value::Null));
    assert_eq!(
        change(None, json!({"handled": 1, "assignee_id": "x", "more": 1})).wrong_fields(),
        ["handled", "assignee_id", "more"]
    );
    assert_eq!(change(None, json!({"assignee_id": DEPARTMENT})).wrong_fields(), ["assignee_id"]);

    // Who leaves has no tasks any more.
    assert_eq!(change(None, json!({"assignee_id": user})).status, 200);
    assert_eq!(
        world.request(Method::DELETE, &format!("/api/v1/users/{user}"), Some(&tenant.key), None).status,
        204
    );
    assert_eq!(found(&format!("assignee_id={user}")), [""; 0]);
    let now = world.get(&format!("/api/v1/messages/{one}"), &tenant.key).json();
    change(Some("\"2\""), Value::Null).assert_problem(412, "precondition_failed");
    assert_eq!(change(Some(&format!("\"{}\"", now["version"])), Value::Null).status, 204);
    assert_eq!(found("q=parcel"), [two.as_str()]);
    assert_eq!(world.count("select count(*) as n from text_words where word = 'call'"), 0);
    change(None, Value::Null).assert_problem(404, "not_found");
    assert_eq!(world.count("select count(*) as n from audit_log where action like 'message.%'"), 5);
}

#[test]
fn pages_by_cursor_give_every_message_once() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    for n in 1..=7 {
        left(&world, &tenant, n, "Hello");
        world.doubles.clock.advance(Millis((u64::from(n) % 2) * 1_000));
    }
    for query in ["sort=newest", "sort=oldest", "q=hello", "q=hello&sort=oldest"] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let list =
                world.get(&format!("/api/v1/messages?{query}&page_size=3{cursor}"), &tenant.key).json();
            assert_eq!(list["total"], 7, "{query}");
            seen.extend(
                list["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()),
            );
            let Some(next) = list["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen, found(&world, &tenant.key, query), "{query}");
    }
}

#[test]
fn a01_messages_of_others_are_not_there() {
    let world = World::new();
    let (owner, thief) = (world.tenant("+15005550001"), world.tenant("+15005550002"));
    let id = left(&world, &owner, 1, "secret");
    let stranger = world.user(&thief.id, "stranger@example.com", "agent");
    world.get("/api/v1/calls", &thief.key);
    let before = world.doubles.db.dump();
    world.get(&format!("/api/v1/messages/{id}"), &thief.key).assert_problem(404, "not_found");
    change(&world, &id, &thief.key, None, &json!({"handled": true})).assert_problem(404, "not_found");
    change(&world, &id, &thief.key, None, &Value::Null).assert_problem(404, "not_found");
    for query in ["", "q=secret", "handled=false"] {
        assert_eq!(found(&world, &thief.key, query), [""; 0]);
    }
    assert_eq!(world.doubles.db.dump(), before);
    // Nor is it the task of anybody who works elsewhere.
    let reply = change(&world, &id, &owner.key, None, &json!({"assignee_id": stranger}));
    assert_eq!(reply.wrong_fields(), ["assignee_id"]);
}

#[test]
fn a19_messages_of_other_departments_are_not_there() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    world.sql_with(
        "insert into departments (id, tenant_id, name, created_at, updated_at) values (?1, ?2, 'Sales', 1, 1)",
        vec![DEPARTMENT.into(), tenant.id.as_str().into()],
    );
    let hidden = left(&world, &tenant, 1, "Hello, this is of nobody");
    world.sql_with("update businesses set department_id = ?1", vec![DEPARTMENT.into()]);
    let seen = left(&world, &tenant, 2, "Hello, this is for sales");
    let user = world.user(&tenant.id, "agent@example.com", "agent");
    world.sql_with(
        "insert into membership_departments (tenant_id, user_id, department_id) values (?1, ?2, ?3)",
        vec![tenant.id.as_str().into(), user.into(), DEPARTMENT.into()],
    );
    world.user(&tenant.id, "viewer@example.com", "viewer");
    let (agent, viewer) = (world.login("agent@example.com"), world.login("viewer@example.com"));
    for query in ["", "q=hello", "handled=false&sort=oldest", &format!("department_id={DEPARTMENT}")] {
        assert_eq!(found(&world, &agent, query), [seen.as_str()], "{query}");
    }
    assert_eq!(found(&world, &viewer, "q=hello").len(), 2);
    let done = json!({"handled": true});
    world.get(&format!("/api/v1/messages/{hidden}"), &agent).assert_problem(404, "not_found");
    change(&world, &hidden, &agent, None, &done).assert_problem(404, "not_found");
    assert_eq!(change(&world, &seen, &agent, None, &done).status, 200);
    change(&world, &seen, &viewer, None, &done).assert_problem(403, "forbidden");
    // To delete them is for those who see all.
    change(&world, &seen, &agent, None, &Value::Null).assert_problem(403, "forbidden");
}

#[test]
fn change_of_a_message_that_loses_a_race_is_not_made() {
    for (body, if_match, status, code) in [
        (json!({"handled": true}), None, 409, "conflict"),
        (json!({"handled": true}), Some("\"1\""), 412, "precondition_failed"),
        (Value::Null, None, 409, "conflict"),
        (Value::Null, Some("\"1\""), 412, "precondition_failed"),
    ] {
        let world = World::new();
        let tenant = world.tenant("+15005550001");
        let user = world.user(&tenant.id, "agent@example.com", "agent");
        let id = left(&world, &tenant, 1, "Hello");
        let quicker = changing(&id, &tenant.key, None, &json!({"assignee_id": user}));
        let router = world.router.clone();
        world.db.before_change(Box::pin(async move {
            assert_eq!(router.oneshot(quicker).await.unwrap().status(), 200);
        }));
        change(&world, &id, &tenant.key, if_match, &body).assert_problem(status, code);
        let now = world.get(&format!("/api/v1/messages/{id}"), &tenant.key).json();
        assert_eq!((&now["assignee_id"], &now["handled_at"]), (&json!(user), &Value::Null));
    }
}
