//! Notes of calls (C13).

use axum::body::Body;
use axum::http::{Method, Request, header};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::world::{Reply, World};

fn put(world: &World, target: &str, key: &str, if_match: Option<&str>, body: &Value) -> Reply {
    let mut request = Request::put(target)
        .header(header::AUTHORIZATION, format!("Bearer {key}"))
        .header(header::CONTENT_TYPE, "application/json");
    if let Some(tag) = if_match {
        request = request.header(header::IF_MATCH, tag);
    }
    world.send(request.body(Body::from(body.to_string())).unwrap())
}

fn delete(world: &World, target: &str, key: &str, if_match: &str) -> Reply {
    let request = Request::delete(target)
        .header(header::AUTHORIZATION, format!("Bearer {key}"))
        .header(header::IF_MATCH, if_match);
    world.send(request.body(Body::empty()).unwrap())
}

#[test]
fn notes_are_written_changed_found_and_deleted() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let (_, call) = world.call(&tenant, 1);
    let target = format!("/api/v1/calls/{call}/notes");
    let create = |body: Value| world.request(Method::POST, &target, Some(&tenant.key), Some(&body));
    let first = create(
        json!({"body": "Asked about **invoice** 42", "category": "billing", "tags": ["vip", "money"]}),
    );
    assert_eq!(first.status, 201, "{}", first.body);
    let first = first.json();
    assert_eq!((&first["tags"], &first["version"]), (&json!(["money", "vip"]), &json!(1)));
    assert_eq!(first["author"]["kind"], "api_key");
    create(json!({"body": "Ring back"}));

    let total = |query: &str| world.get(&format!("{target}?{query}"), &tenant.key).json()["total"].clone();
    for (query, expected) in [
        ("", 2),
        ("tag=vip", 1),
        ("tag=nobody", 0),
        ("category=billing", 1),
        ("q=INVOICE", 1),
        ("q=invoice+back", 0),
        ("q=the+invoice", 0),
        ("author_id=nobody", 0),
        ("page=2&page_size=1", 2),
    ] {
        assert_eq!(total(query), json!(expected), "{query}");
    }
    for query in ["q=!!!", "q=", "q=a+b+c+d+e+f+g+h+i"] {
        assert_eq!(world.get(&format!("{target}?{query}"), &tenant.key).wrong_fields(), ["q"], "{query}");
    }
    let newest = world.get(&format!("{target}?page_size=1"), &tenant.key).json();
    assert_eq!(newest["items"][0]["body"], "Ring back");

    let one = format!("{target}/{}", first["id"].as_str().unwrap());
    assert_eq!(world.get(&one, &tenant.key).headers[header::ETAG], "\"1\"");
    let changed = put(&world, &one, &tenant.key, Some("\"1\""), &json!({"body": "Paid", "tags": []}));
    assert_eq!((changed.status.as_u16(), &changed.headers[header::ETAG]), (200, &"\"2\"".parse().unwrap()));
    assert_eq!((&changed.json()["category"], &changed.json()["tags"]), (&Value::Null, &json!([])));
    put(&world, &one, &tenant.key, Some("\"1\""), &json!({"body": "Late"}))
        .assert_problem(412, "precondition_failed");
    assert_eq!(put(&world, &one, &tenant.key, None, &json!({"body": "Whatever"})).status, 200);

    // It is version 3 by now.
    delete(&world, &one, &tenant.key, "\"2\"").assert_problem(412, "precondition_failed");
    assert_eq!(world.get(&one, &tenant.key).json()["body"], "Whatever");
    assert_eq!(delete(&world, &one, &tenant.key, "\"3\"").status, 204);
    world.get(&one, &tenant.key).assert_problem(404, "not_found");
    let actions = world.sql("select action from audit_log where action like 'note.%' order by id").rows.len();
    assert_eq!(actions, 5, "two made, two changes, one deleted");
}

#[test]
fn wrong_notes_are_refused_field_by_field() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let (_, call) = world.call(&tenant, 1);
    let target = format!("/api/v1/calls/{call}/notes");
    let wrong =
        |body: Value| world.request(Method::POST, &target, Some(&tenant.key), Some(&body)).wrong_fields();
    assert_eq!(
        wrong(json!({"body": " ", "category": "x".repeat(51), "tags": ["a b"], "more": 1})),
        ["body", "category", "tags", "more"]
    );
    assert_eq!(wrong(json!({"body": "x".repeat(4_001)})), ["body"]);
    for hidden in ["\u{0}", "\u{202e}", "\u{2066}", "\u{feff}"] {
        assert_eq!(wrong(json!({"body": format!("a{hidden}b")})), ["body"]);
    }
    assert_eq!(wrong(json!({"body": "x", "tags": ["a", "a"]})), ["tags"]);
    for n in 0..100 {
        world.sql_with(
            "insert into call_notes (id, tenant_id, call_id, author_kind, author_id, body, tags, created_at, updated_at)
            values (?1, ?2, ?3, 'user', 'u', 'b', '', 1, 1)",
            vec![format!("n{n}").into(), tenant.id.as_str().into(), call.to_string().into()],
        );
    }
    let body = json!({"body": "one too many"});
    world.request(Method::POST, &target, Some(&tenant.key), Some(&body)).assert_problem(409, "conflict");
}

#[test]
fn a01_notes_of_others_are_not_there() {
    let world = World::new();
    let (owner, thief) = (world.tenant("+15005550001"), world.tenant("+15005550002"));
    let (_, call) = world.call(&owner, 1);
    let (_, own) = world.call(&thief, 2);
    let target = format!("/api/v1/calls/{call}/notes");
    let body = json!({"body": "secret"});
    let note = world.request(Method::POST, &target, Some(&owner.key), Some(&body)).json();
    let id = note["id"].as_str().unwrap();
    // The first use of a key is written down.
    world.get("/api/v1/calls", &thief.key);
    let before = world.doubles.db.dump();
    for (method, target) in [
        (Method::GET, target.clone()),
        (Method::POST, target.clone()),
        (Method::GET, format!("{target}/{id}")),
        (Method::PUT, format!("{target}/{id}")),
        (Method::DELETE, format!("{target}/{id}")),
        // Below a call of their own.
        (Method::GET, format!("/api/v1/calls/{own}/notes/{id}")),
        (Method::PUT, format!("/api/v1/calls/{own}/notes/{id}")),
        (Method::DELETE, format!("/api/v1/calls/{own}/notes/{id}")),
        (Method::GET, format!("/api/v1/calls/{call}/transcript")),
    ] {
        let body = [Method::POST, Method::PUT].contains(&method).then_some(&body);
        world.request(method, &target, Some(&thief.key), body).assert_problem(404, "not_found");
    }
    assert_eq!(world.doubles.db.dump(), before);
}

#[test]
fn change_that_loses_a_race_says_which_precondition_it_had() {
    for (if_match, status, code) in [(None, 409, "conflict"), (Some("\"1\""), 412, "precondition_failed")] {
        let world = World::new();
        let tenant = world.tenant("+15005550001");
        let (_, call) = world.call(&tenant, 1);
        let target = format!("/api/v1/calls/{call}/notes");
        let body = json!({"body": "first"});
        let note = world.request(Method::POST, &target, Some(&tenant.key), Some(&body)).json();
        let one = format!("{target}/{}", note["id"].as_str().unwrap());
        let quicker = Request::put(&one)
            .header(header::AUTHORIZATION, format!("Bearer {}", tenant.key))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(json!({"body": "quicker"}).to_string()))
            .unwrap();
        let router = world.router.clone();
        world.db.before_change(Box::pin(async move {
            assert_eq!(router.oneshot(quicker).await.unwrap().status(), 200);
        }));
        put(&world, &one, &tenant.key, if_match, &json!({"body": "slower"})).assert_problem(status, code);
        assert_eq!(world.get(&one, &tenant.key).json()["body"], "quicker");
    }
}

#[test]
fn words_of_somebody_else_are_changed_by_whoever_sees_all_alone() {
    const DEPARTMENT: &str = "00000000-0000-7000-8000-000000000001";
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    world.sql_with(
        "insert into departments (id, tenant_id, name, created_at, updated_at) values (?1, ?2, 'Sales', 1, 1)",
        vec![DEPARTMENT.into(), tenant.id.as_str().into()],
    );
    world.sql_with("update businesses set department_id = ?1", vec![DEPARTMENT.into()]);
    for email in ["one@example.com", "two@example.com"] {
        let agent = world.user(&tenant.id, email, "agent");
        world.sql_with(
            "insert into membership_departments (tenant_id, user_id, department_id) values (?1, ?2, ?3)",
            vec![tenant.id.as_str().into(), agent.into(), DEPARTMENT.into()],
        );
    }
    let (_, call) = world.call(&tenant, 1);
    let target = format!("/api/v1/calls/{call}/notes");
    let (one, two) = (world.login("one@example.com"), world.login("two@example.com"));
    let note = world.request(Method::POST, &target, Some(&one), Some(&json!({"body": "Rings back"}))).json();
    let target = format!("{target}/{}", note["id"].as_str().unwrap());
    put(&world, &target, &two, None, &json!({"body": "Pays never"})).assert_problem(403, "forbidden");
    assert_eq!(world.get(&target, &one).json()["body"], "Rings back");
    // What it is filed under says nothing in anybody's name.
    let filed = put(&world, &target, &two, None, &json!({"body": "Rings back", "tags": ["vip"]}));
    assert_eq!((filed.status.as_u16(), &filed.json()["tags"]), (200, &json!(["vip"])));
    assert_eq!(put(&world, &target, &one, None, &json!({"body": "Rings back on Friday"})).status, 200);
    assert_eq!(put(&world, &target, &tenant.key, None, &json!({"body": "Moderated"})).status, 200);
}
