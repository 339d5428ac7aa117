//! Notes of calls (C13).

use axum::body::Body;
use axum::http::{Method, Request, header};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use voicecore_types::Millis;

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

/// The notes of all calls, by their texts.
fn found(world: &World, key: &str, query: &str) -> Vec<String> {
    let list = world.get(&format!("/api/v1/notes?{query}"), key);
    assert_eq!(list.status, 200, "{query}: {}", list.body);
    let list = list.json();
    let items = list["items"].as_array().unwrap();
    items.iter().map(|note| note["body"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn notes_of_all_calls_are_found() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let calls = [world.call(&tenant, 1).1, world.call(&tenant, 2).1];
    let create = |call: usize, body: Value| {
        world.doubles.clock.advance(Millis::from_secs(1));
        let target = format!("/api/v1/calls/{}/notes", calls[call]);
        let note = world.request(Method::POST, &target, Some(&tenant.key), Some(&body));
        assert_eq!(note.status, 201, "{}", note.body);
        (
            note.json()["author"]["id"].as_str().unwrap().to_owned(),
            format!("{target}/{}", note.json()["id"].as_str().unwrap()),
        )
    };
    let long_tag = "t".repeat(30);
    let (author, first) =
        create(0, json!({"body": "Asked for invoice 42", "category": "billing", "tags": ["vip", "Money"]}));
    create(1, json!({"body": "Invoice is paid", "category": "billing", "tags": [&long_tag]}));
    create(1, json!({"body": "Rings back"}));
    let found = |query: &str| found(&world, &tenant.key, query);
    let (one, two, three) = ("Asked for invoice 42", "Invoice is paid", "Rings back");
    for (query, expected) in [
        ("", &[three, two, one][..]),
        ("sort=oldest", &[one, two, three]),
        ("q=INVOICE", &[two, one]),
        ("q=invoice&sort=oldest", &[one, two]),
        ("q=paid+invoice", &[two]),
        ("q=inv", &[]),
        ("tag=vip", &[one]),
        ("tag=Money&q=42", &[one]),
        // Tags are compared as they were written, and are no words.
        ("tag=money", &[]),
        ("q=vip", &[]),
        (&format!("tag={long_tag}"), &[two]),
        ("category=billing", &[two, one]),
        ("category=billing&tag=vip&q=asked", &[one]),
        (&format!("author_id={author}"), &[three, two, one]),
        ("author_id=nobody", &[]),
        (&format!("call_id={}", calls[1]), &[three, two]),
        (&format!("call_id={}&q=invoice", calls[1]), &[two]),
    ] {
        assert_eq!(found(query), expected, "{query}");
    }
    let wrong = world.get("/api/v1/notes?q=-&page_size=0&cursor=x", &tenant.key).wrong_fields();
    assert_eq!(wrong, ["page_size", "cursor", "q"]);
    for query in ["", "&sort=oldest", "&q=invoice"] {
        let mut seen = vec![];
        let mut cursor = String::new();
        loop {
            let page = world.get(&format!("/api/v1/notes?page_size=1{query}{cursor}"), &tenant.key).json();
            seen.extend(
                page["items"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|note| note["body"].as_str().unwrap().to_owned()),
            );
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen, found(query.trim_start_matches('&')), "{query}");
    }
    // What is found is what it says now.
    assert_eq!(
        put(&world, &first, &tenant.key, None, &json!({"body": "Settled", "tags": ["done"]})).status,
        200
    );
    assert_eq!((found("q=asked"), found("tag=vip")), (vec![], vec![]));
    assert_eq!(
        (found("q=settled"), found("tag=done")),
        (vec!["Settled".to_owned()], vec!["Settled".to_owned()])
    );
    assert_eq!(delete(&world, &first, &tenant.key, "*").status, 204);
    assert_eq!(found("q=settled"), [""; 0]);
    assert_eq!(world.count("select count(*) as n from text_words where word = 'settled'"), 0);
    // Of another tenant nothing is found.
    let other = world.tenant("+15005550002");
    for query in ["", "q=invoice", "category=billing", &format!("call_id={}", calls[1])] {
        assert_eq!(super::notes::found(&world, &other.key, query), [""; 0], "{query}");
    }
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
    // a19: those of other departments are not found.
    world.sql("update businesses set department_id = null");
    let (_, hidden) = world.call(&tenant, 2);
    let elsewhere = format!("/api/v1/calls/{hidden}/notes");
    let body = json!({"body": "Rings elsewhere"});
    assert_eq!(world.request(Method::POST, &elsewhere, Some(&tenant.key), Some(&body)).status, 201);
    for query in ["", "q=rings", "sort=oldest"] {
        assert_eq!(found(&world, &two, query), ["Rings back"], "{query}");
        assert_eq!(found(&world, &tenant.key, query).len(), 2, "{query}");
    }
    assert_eq!(found(&world, &two, &format!("call_id={hidden}")), [""; 0]);
    put(&world, &target, &two, None, &json!({"body": "Pays never"})).assert_problem(403, "forbidden");
    assert_eq!(world.get(&target, &one).json()["body"], "Rings back");
    // What it is filed under says nothing in anybody's name.
    let filed = put(&world, &target, &two, None, &json!({"body": "Rings back", "tags": ["vip"]}));
    assert_eq!((filed.status.as_u16(), &filed.json()["tags"]), (200, &json!(["vip"])));
    assert_eq!(put(&world, &target, &one, None, &json!({"body": "Rings back on Friday"})).status, 200);
    assert_eq!(put(&world, &target, &tenant.key, None, &json!({"body": "Moderated"})).status, 200);
}
