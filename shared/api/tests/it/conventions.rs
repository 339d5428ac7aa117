//! What all changes have in common: carried out once by `Idempotency-Key`, and meant for a version by `If-Match`.

use axum::body::Body;
use axum::http::{Method, Request, header};
use proptest::prelude::*;
use serde_json::{Value, json};
use voicecore_types::Millis;

use crate::world::{Reply, World};

/// A change with a key.
pub(crate) fn keyed(
    world: &World,
    (method, target): (Method, &str),
    credentials: &str,
    key: &str,
    body: Option<&Value>,
) -> Reply {
    let request = Request::builder()
        .method(method)
        .uri(target)
        .header(header::AUTHORIZATION, format!("Bearer {credentials}"))
        .header(header::CONTENT_TYPE, "application/json")
        .header("idempotency-key", key);
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    world.send(request.body(body).unwrap())
}

#[test]
fn a_change_is_made_once_and_answered_alike() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let (_, call) = world.call(&tenant, 1);
    let target = format!("/api/v1/calls/{call}/notes");
    let note = json!({"body": "Ring back", "tags": ["b", "a"]});
    let create =
        |key: &str, body: &Value| keyed(&world, (Method::POST, &target), &tenant.key, key, Some(body));
    let first = create("one", &note);
    assert_eq!((first.status.as_u16(), first.headers.contains_key("idempotency-replayed")), (201, false));
    let again = create("one", &note);
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    assert_eq!(again.headers[header::ETAG], first.headers[header::ETAG]);
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(world.count("select count(*) as n from call_notes"), 1);
    assert_eq!(world.count("select count(*) as n from audit_log where action = 'note.create'"), 1);
    // The same key names another request.
    create("one", &json!({"body": "Something else"})).assert_problem(422, "idempotency_key_reused");
    // Another key, another route, another tenant: another change.
    assert_eq!(create("two", &note).status, 201);
    let other = world.tenant("+15005550002");
    let (_, theirs) = world.call(&other, 2);
    let theirs = format!("/api/v1/calls/{theirs}/notes");
    assert_eq!(keyed(&world, (Method::POST, &theirs), &other.key, "one", Some(&note)).status, 201);
    // Deleted once; the second time it says so again.
    let one = format!("{target}/{}", first.json()["id"].as_str().unwrap());
    for _ in 0..2 {
        assert_eq!(keyed(&world, (Method::DELETE, &one), &tenant.key, "gone", None).status, 204);
    }
    keyed(&world, (Method::DELETE, &one), &tenant.key, "gone again", None).assert_problem(404, "not_found");
    // A day later the key means nothing any more, and the job of every minute clears it away.
    world.doubles.clock.advance(Millis::from_secs(24 * 60 * 60));
    assert_eq!(create("one", &json!({"body": "Something else"})).status, 201);
    world.calls_closed();
    assert_eq!(world.count("select count(*) as n from idempotency_keys"), 1);
}

#[test]
fn what_fails_leaves_its_key_free() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let (_, call) = world.call(&tenant, 1);
    let target = format!("/api/v1/calls/{call}/notes");
    let create = |body: &Value| keyed(&world, (Method::POST, &target), &tenant.key, "k", Some(body));
    assert_eq!(create(&json!({"body": ""})).wrong_fields(), ["body"]);
    world.db.off(true);
    assert_eq!(create(&json!({"body": "x"})).status, 503);
    world.db.off(false);
    assert_eq!(create(&json!({"body": "x"})).status, 201);
    for bad in ["", &"k".repeat(256)] {
        keyed(&world, (Method::POST, &target), &tenant.key, bad, Some(&json!({"body": "x"})))
            .assert_problem(400, "malformed_request");
    }
    let large = json!({"body": "x".repeat(70_000)});
    keyed(&world, (Method::POST, &target), &tenant.key, "l", Some(&large))
        .assert_problem(413, "payload_too_large");
}

/// A key that is shown once is not kept anywhere: who lost it makes another.
#[test]
fn answers_with_secrets_are_not_kept() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let body = json!({"name": "Program", "permissions": ["calls:read"]});
    let create = || keyed(&world, (Method::POST, "/api/v1/api-keys"), &tenant.key, "k", Some(&body));
    let first = create();
    assert_eq!(first.status, 201, "{}", first.body);
    let secret = first.json()["api_key"].as_str().unwrap().to_owned();
    create().assert_problem(409, "conflict");
    assert_eq!(world.count("select count(*) as n from api_keys where name = 'Program'"), 1);
    assert!(world.doubles.db.dump().iter().all(|text| !text.contains(&secret)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Whatever is sent how often in which order: each key makes one note, or none if its first request was refused.
    #[test]
    fn keys_make_one_change_each(requests in prop::collection::vec((0_u8..3, 0_u8..2), 1..8)) {
        let world = World::new();
        let tenant = world.tenant("+15005550001");
        let (_, call) = world.call(&tenant, 1);
        let target = format!("/api/v1/calls/{call}/notes");
        let mut made: Vec<Option<(u8, String)>> = vec![None; 3];
        for (key, text) in requests {
            let body = json!({"body": format!("text {text}")});
            let reply = keyed(&world, (Method::POST, &target), &tenant.key, &format!("key {key}"), Some(&body));
            match &made[usize::from(key)] {
                None => {
                    prop_assert_eq!(reply.status.as_u16(), 201);
                    made[usize::from(key)] = Some((text, reply.body));
                }
                Some((before, answer)) if *before == text => prop_assert_eq!(&reply.body, answer),
                Some(_) => reply.assert_problem(422, "idempotency_key_reused"),
            }
        }
        let notes = made.iter().flatten().count();
        prop_assert_eq!(&world.get(&target, &tenant.key).json()["total"], &json!(notes));
    }
}

/// Whose id nobody knows before: its key lies with the tenant that is made, and counts for the super admin who has named it.
#[test]
fn a_tenant_is_made_once() {
    let world = World::new();
    let body = |number: &str| json!({"name": "Bella & Sons", "owner_email": "bella@example.com", "phone_number": number});
    let create = |by: &str, key: &str, body: &Value| {
        keyed(&world, (Method::POST, "/api/v1/tenants"), by, key, Some(body))
    };
    let [root, other] = ["root@example.com", "other@example.com"].map(|email| {
        world.super_admin(email);
        world.login(email)
    });
    let (wanted, elsewhere) = (body("+15005550001"), body("+15005550002"));
    // What fails leaves the key free.
    assert_eq!(create(&root, "one", &json!({"name": ""})).status, 422);
    let first = create(&root, "one", &wanted);
    assert_eq!((first.status.as_u16(), first.headers.contains_key("idempotency-replayed")), (201, false));
    let again = create(&root, "one", &wanted);
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!((world.count("select count(*) as n from tenants"), world.mails().len()), (1, 1));
    create(&root, "one", &elsewhere).assert_problem(422, "idempotency_key_reused");
    // Another key, or somebody else's: another change.
    create(&root, "two", &wanted).assert_problem(409, "conflict");
    assert_eq!(create(&other, "one", &elsewhere).status, 201);
    // A day later the key means nothing any more, and lies with the next tenant.
    world.doubles.clock.advance(Millis::from_secs(24 * 60 * 60));
    let root = world.login("root@example.com");
    let third = create(&root, "one", &body("+15005550003"));
    assert_eq!(third.status, 201, "{}", third.body);
    let id = third.json()["tenant_id"].as_str().unwrap().into();
    let kept = world.sql_with("select key_hash from idempotency_keys where tenant_id = ?1", vec![id]);
    assert_eq!((kept.rows.len(), world.count("select count(*) as n from idempotency_keys")), (1, 2));
}

/// Lists without filters that grow without a limit: of rows of one moment, too, each is there once.
#[test]
fn pages_by_cursor_give_every_row_once() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    world.super_admin("root@example.com");
    let root = world.login("root@example.com");
    for n in 2..=6 {
        let other = world.tenant(&format!("+1500555000{n}"));
        world.user(&other.id, &format!("theirs{n}@example.com"), "viewer");
        world.user(&tenant.id, &format!("user{n}@example.com"), "viewer");
        if n == 4 {
            world.doubles.clock.advance(Millis(1));
        }
        let invited = json!({"email": format!("guest{n}@example.com"), "role": "viewer"});
        let key = json!({"name": "K", "permissions": ["calls:read"]});
        for (target, body) in [("/api/v1/users/invitations", invited), ("/api/v1/api-keys", key)] {
            assert_eq!(world.request(Method::POST, target, Some(&tenant.key), Some(&body)).status, 201);
        }
    }
    for (target, credentials) in [
        ("/api/v1/users", &tenant.key),
        ("/api/v1/users/invitations", &tenant.key),
        ("/api/v1/api-keys", &tenant.key),
        ("/api/v1/tenants", &root),
    ] {
        let all = world.get(target, credentials).json();
        let ids = |list: &Value| -> Vec<Value> {
            list["items"].as_array().unwrap().iter().map(|item| item["id"].clone()).collect()
        };
        assert!(ids(&all).len() >= 5 && all["next_cursor"].is_null(), "{target}: {all}");
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let list = world.get(&format!("{target}?page_size=2{cursor}"), credentials).json();
            assert_eq!(list["total"], all["total"], "{target}");
            seen.extend(ids(&list));
            assert!(seen.len() <= ids(&all).len(), "{target}: {seen:?}");
            let Some(next) = list["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen, ids(&all), "{target}");
        let wrong = world.get(&format!("{target}?page=1&cursor=x"), credentials).wrong_fields();
        assert_eq!(wrong, ["cursor"], "{target}");
    }
}
