//! Ways to look at a list that users have kept.

use axum::body::Body;
use axum::http::{Method, Request, header};
use serde_json::{Value, json};

use crate::world::{Reply, World};

const TARGET: &str = "/api/v1/saved-views";

fn change(
    world: &World,
    method: Method,
    target: &str,
    token: &str,
    tag: Option<&str>,
    body: &Value,
) -> Reply {
    let mut request = Request::builder()
        .method(method)
        .uri(target)
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "application/json");
    if let Some(tag) = tag {
        request = request.header(header::IF_MATCH, tag);
    }
    world.send(
        request.body(if body.is_null() { Body::empty() } else { Body::from(body.to_string()) }).unwrap(),
    )
}

fn view() -> Value {
    json!({
        "name": "Missed", "noun": "calls", "shared": false, "columns": ["started_at", "from", "status"], "sort": "longest",
        "filters": {"status": "no_answer", "from": "+15005550111", "since": 1_795_000_000_000_u64, "q": "parcel"},
    })
}

#[test]
fn views_are_kept_shared_changed_and_deleted() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    for (email, role) in [("anna@example.com", "viewer"), ("ben@example.com", "agent")] {
        world.user(&tenant.id, email, role);
    }
    let (anna, ben) = (world.login("anna@example.com"), world.login("ben@example.com"));
    let made = change(&world, Method::POST, TARGET, &anna, None, &view());
    assert_eq!(made.status, 201, "{}", made.body);
    for (field, value) in view().as_object().unwrap() {
        assert_eq!(&made.json()[field], value, "{field}");
    }
    let one = format!("{TARGET}/{}", made.json()["id"].as_str().unwrap());
    assert_eq!(world.get(&one, &anna).json(), made.json());
    assert!(world.doubles.db.dump().iter().all(|text| !text.contains("5005550111")), "a filter is sealed");
    // It is hers alone until she shares it.
    world.get(&one, &ben).assert_problem(404, "not_found");
    assert_eq!(world.get(TARGET, &ben).json()["total"], 0);
    let mut shared = view();
    shared["shared"] = json!(true);
    change(&world, Method::PUT, &one, &anna, None, &shared).assert_problem(428, "precondition_required");
    let changed = change(&world, Method::PUT, &one, &anna, Some("\"1\""), &shared);
    assert_eq!((changed.status.as_u16(), &changed.json()["version"]), (200, &json!(2)));
    assert_eq!(world.get(TARGET, &ben).json()["items"], json!([changed.json()]));
    // Seen by others, and changed by nobody else.
    change(&world, Method::PUT, &one, &ben, Some("*"), &view()).assert_problem(409, "conflict");
    change(&world, Method::DELETE, &one, &ben, None, &Value::Null).assert_problem(409, "conflict");
    change(&world, Method::DELETE, &one, &anna, Some("\"1\""), &Value::Null)
        .assert_problem(412, "precondition_failed");
    assert_eq!(change(&world, Method::DELETE, &one, &anna, None, &Value::Null).status, 204);
    world.get(&one, &anna).assert_problem(404, "not_found");
    assert_eq!(world.count("select count(*) as n from audit_log where action like 'saved_view.%'"), 3);
}

/// What a view filters by is what the list takes.
#[test]
fn what_the_list_does_not_take_is_refused() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    world.user(&tenant.id, "anna@example.com", "viewer");
    let anna = world.login("anna@example.com");
    let keep = |field: &str, value: Value| {
        let mut body = view();
        body[field] = value;
        change(&world, Method::POST, TARGET, &anna, None, &body)
    };
    for filters in [
        json!({"colour": "red"}),
        json!({"status": "asleep"}),
        json!({"status": ["completed"]}),
        json!({"from": "12"}),
        json!({"since": "yesterday"}),
        json!({"q": "?"}),
        json!({"business_id": "x"}),
        json!({"page": 2}),
        json!({"cursor": "1.00000000-0000-7000-8000-000000000000"}),
        json!({"sort": "newest"}),
    ] {
        assert_eq!(keep("filters", filters.clone()).wrong_fields(), ["filters"], "{filters}");
    }
    for (field, value) in [
        ("sort", json!("loudest")),
        ("noun", json!("dogs")),
        ("columns", json!(["a", "a"])),
        ("columns", json!(["<b>"])),
        ("shared", json!("yes")),
        ("name", json!("x".repeat(101))),
    ] {
        assert_eq!(keep(field, value).wrong_fields(), [field]);
    }
    assert_eq!(keep("filters", Value::Null).status, 201);
}

#[test]
fn a01_views_are_the_tenants_alone_and_go_with_their_user() {
    let world = World::new();
    let (tenant, other) = (world.tenant("+15005550001"), world.tenant("+15005550002"));
    let user = world.user(&tenant.id, "anna@example.com", "viewer");
    world.user(&other.id, "thief@example.com", "tenant_admin");
    let (anna, thief) = (world.login("anna@example.com"), world.login("thief@example.com"));
    let mut body = view();
    body["shared"] = json!(true);
    let made = change(&world, Method::POST, TARGET, &anna, None, &body);
    let one = format!("{TARGET}/{}", made.json()["id"].as_str().unwrap());
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        change(&world, method, &one, &thief, Some("*"), &body).assert_problem(404, "not_found");
    }
    assert_eq!(world.get(TARGET, &thief).json()["total"], 0);
    let target = format!("/api/v1/users/{user}");
    assert_eq!(world.request(Method::DELETE, &target, Some(&tenant.key), None).status, 204);
    assert_eq!(world.count("select count(*) as n from saved_views"), 0);
}
