//! Businesses as people configure them.

use axum::body::Body;
use axum::http::{Method, Request, header};
use serde_json::{Value, json};
use voicecore_api::live;
use voicecore_conformance::block_on;
use voicecore_types::Millis;

use crate::world::{Reply, World, status};

const TARGET: &str = "/api/v1/config/business";

pub(crate) fn change(
    world: &World,
    method: Method,
    target: &str,
    key: &str,
    tag: Option<&str>,
    body: Option<&Value>,
) -> Reply {
    let mut request = Request::builder()
        .method(method)
        .uri(target)
        .header(header::AUTHORIZATION, format!("Bearer {key}"))
        .header(header::CONTENT_TYPE, "application/json");
    if let Some(tag) = tag {
        request = request.header(header::IF_MATCH, tag);
    }
    world.send(request.body(body.map_or_else(Body::empty, |body| Body::from(body.to_string()))).unwrap())
}

#[test]
fn businesses_are_made_changed_and_deleted() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let key = tenant.key.as_str();
    let assistant = world.get("/api/v1/assistants", key).json()["items"][0]["id"].clone();
    let body = json!({
        "name": "Night desk", "kind": "sales", "assistant_id": assistant, "voice_mode": "turn_based",
        "fallback_number": "+15005550177", "call_length_seconds": 600,
    });
    let made = change(&world, Method::POST, TARGET, key, None, Some(&body));
    assert_eq!(made.status, 201, "{}", made.body);
    for (field, value) in body.as_object().unwrap() {
        assert_eq!(&made.json()[field], value, "{field}");
    }
    assert!(world.doubles.db.dump().iter().all(|text| !text.contains("5005550177")), "numbers are sealed");
    let one = format!("{TARGET}/{}", made.json()["id"].as_str().unwrap());
    assert_eq!(world.get(&one, key).json(), made.json());
    let list = world.get(&format!("{TARGET}?page_size=1&page=2"), key).json();
    assert_eq!((&list["total"], &list["items"][0]), (&json!(2), &made.json()));

    // Which version a change is meant for has to be said, and be right.
    let put = |tag| change(&world, Method::PUT, &one, key, tag, Some(&json!({"name": "Day desk"})));
    put(None).assert_problem(428, "precondition_required");
    put(Some("\"2\"")).assert_problem(412, "precondition_failed");
    let changed = put(Some("\"1\""));
    assert_eq!((changed.status.as_u16(), &changed.headers[header::ETAG]), (200, &"\"2\"".parse().unwrap()));
    let shown = changed.json();
    assert_eq!(
        (&shown["kind"], &shown["assistant_id"], &shown["call_length_seconds"]),
        (&json!("custom"), &Value::Null, &json!(3_600))
    );
    put(Some("\"1\"")).assert_problem(412, "precondition_failed");

    change(&world, Method::DELETE, &one, key, Some("\"1\""), None).assert_problem(412, "precondition_failed");
    assert_eq!(change(&world, Method::DELETE, &one, key, None, None).status, 204);
    world.get(&one, key).assert_problem(404, "not_found");
    assert_eq!(world.count("select count(*) as n from audit_log where action like 'business.%'"), 3);
    let updates = world.sql("select fields from audit_log where action = 'business.update'").rows;
    let fields = "name kind assistant_id voice_mode fallback_number call_length_seconds";
    assert_eq!(updates[0].get("fields"), Some(&fields.into()));
}

/// A change is seen by the next call, and never by a running one.
#[test]
fn the_next_call_sees_a_change() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let one = format!("{TARGET}/{}", tenant.business_id);
    let (sid, before) = world.call(&tenant, 1);
    let loaded = block_on(live::load_call(&world.app, before)).unwrap();
    let usage = world.get(&format!("{one}/usage"), &tenant.key).json();
    assert_eq!(
        (&usage["phone_numbers"], &usage["active_calls"], &usage["deletable"]),
        (&json!(1), &json!(1), &json!(false))
    );
    let body = json!({"name": "Renamed", "fallback_number": null, "call_length_seconds": 60});
    assert_eq!(change(&world, Method::PUT, &one, &tenant.key, Some("*"), Some(&body)).status, 200);
    assert_ne!(loaded.call.limits.call_length, Millis::from_secs(60));
    world.webhook("/webhooks/twilio/status", &status(&sid, "completed"));
    let (_, next) = world.call(&tenant, 2);
    let next = block_on(live::load_call(&world.app, next)).unwrap().call;
    assert_eq!((next.limits.call_length, next.transfer_available), (Millis::from_secs(60), false));
    assert!(next.session.greeting.contains("Renamed"), "{}", next.session.greeting);
    // A number rings there.
    change(&world, Method::DELETE, &one, &tenant.key, None, None).assert_problem(409, "conflict");
    let usage = world.get(&format!("{one}/usage"), &tenant.key).json();
    assert_eq!((&usage["calls"], &usage["calls_capped"]), (&json!(2), &json!(false)));
}

#[test]
fn wrong_businesses_are_refused_field_by_field() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let wrong =
        |body: Value| change(&world, Method::POST, TARGET, &tenant.key, None, Some(&body)).wrong_fields();
    let all = json!({
        "name": "", "kind": "zoo", "assistant_id": "me", "voice_mode": "loud", "fallback_number": "12", "call_length_seconds": 29,
        "version": 1,
    });
    let named = wrong(all);
    for field in
        ["name", "kind", "assistant_id", "voice_mode", "fallback_number", "call_length_seconds", "version"]
    {
        assert!(named.iter().any(|name| name == field), "{field}: {named:?}");
    }
    // It would ring here again.
    assert_eq!(wrong(json!({"name": "x", "fallback_number": "+15005550001"})), ["fallback_number"]);
}

#[test]
fn a01_businesses_of_others_are_not_there() {
    let world = World::new();
    let (owner, thief) = (world.tenant("+15005550001"), world.tenant("+15005550002"));
    let one = format!("{TARGET}/{}", owner.business_id);
    let body = json!({"name": "Mine"});
    // The first use of a key is written down.
    world.get(TARGET, &thief.key);
    let before = world.doubles.db.dump();
    for (method, target) in [
        (Method::GET, one.clone()),
        (Method::PUT, one.clone()),
        (Method::DELETE, one.clone()),
        (Method::GET, format!("{one}/usage")),
    ] {
        let body = (method == Method::PUT).then_some(&body);
        change(&world, method, &target, &thief.key, Some("*"), body).assert_problem(404, "not_found");
    }
    assert_eq!(world.get(TARGET, &thief.key).json()["total"], 1);
    assert_eq!(world.doubles.db.dump(), before);
}
