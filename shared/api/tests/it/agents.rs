//! Human beings who take calls.

use axum::body::Body;
use axum::http::{Method, Request, header};
use serde_json::{Value, json};
use voicecore_types::Millis;

use crate::world::{NOW, Reply, World, human};

const TARGET: &str = "/api/v1/agents";

fn change(world: &World, method: Method, target: &str, key: &str, tag: Option<&str>, body: &Value) -> Reply {
    let mut request = Request::builder()
        .method(method)
        .uri(target)
        .header(header::AUTHORIZATION, format!("Bearer {key}"))
        .header(header::CONTENT_TYPE, "application/json");
    if let Some(tag) = tag {
        request = request.header(header::IF_MATCH, tag);
    }
    world.send(
        request.body(if body.is_null() { Body::empty() } else { Body::from(body.to_string()) }).unwrap(),
    )
}

fn id(reply: &Reply) -> String {
    reply.json()["id"].as_str().unwrap_or_else(|| panic!("{}", reply.body)).to_owned()
}

#[test]
fn agents_are_added_changed_and_removed() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let key = tenant.key.as_str();
    let user = world.user(&tenant.id, "anna@example.com", "agent");
    let department =
        id(&world.request(Method::POST, "/api/v1/departments", Some(key), Some(&json!({"name": "Sales"}))));
    let body = json!({
        "name": "Anna", "user_id": user, "email": "anna@example.com", "extension": "042", "phone_number": "+15005550188",
        "skills": ["billing", "returns"], "languages": ["de", "en"], "departments": [department], "max_concurrent_calls": 2,
    });
    let made = change(&world, Method::POST, TARGET, key, None, &body);
    assert_eq!(made.status, 201, "{}", made.body);
    for (field, value) in body.as_object().unwrap() {
        assert_eq!(&made.json()[field], value, "{field}");
    }
    assert_eq!((&made.json()["availability"], &made.json()["version"]), (&json!("offline"), &json!(1)));
    assert!(world.doubles.db.dump().iter().all(|text| !text.contains("5005550188")), "numbers are sealed");
    let one = format!("{TARGET}/{}", id(&made));
    assert_eq!(world.get(&one, key).json(), made.json());
    // One user is one agent.
    assert_eq!(change(&world, Method::POST, TARGET, key, None, &body).wrong_fields(), ["user_id"]);

    let put = |tag, body: &Value| change(&world, Method::PUT, &one, key, tag, body);
    put(None, &json!({"name": "Ann"})).assert_problem(428, "precondition_required");
    put(Some("\"2\""), &json!({"name": "Ann"})).assert_problem(412, "precondition_failed");
    let changed = put(Some("\"1\""), &json!({"name": "Ann", "skills": ["returns"]}));
    assert_eq!((changed.status.as_u16(), &changed.headers[header::ETAG]), (200, &"\"2\"".parse().unwrap()));
    assert_eq!((&changed.json()["user_id"], &changed.json()["departments"]), (&Value::Null, &json!([])));
    assert_eq!(world.get(&one, key).json(), changed.json());
    for (bad, field) in [
        (json!({"name": "A", "user_id": "00000000-0000-7000-8000-000000000000"}), "user_id"),
        (json!({"name": "A", "departments": ["00000000-0000-7000-8000-000000000000"]}), "departments"),
        (json!({"name": "A", "phone_number": tenant.number}), "phone_number"),
        (json!({"name": "A", "extension": "4a"}), "extension"),
        (json!({"name": "A", "languages": ["german"]}), "languages"),
        (json!({"name": "A", "max_concurrent_calls": 0}), "max_concurrent_calls"),
        (json!({"name": "A", "email": "anna"}), "email"),
    ] {
        assert_eq!(put(Some("\"2\""), &bad).wrong_fields(), [field]);
    }
    change(&world, Method::DELETE, &one, key, Some("\"1\""), &Value::Null)
        .assert_problem(412, "precondition_failed");
    assert_eq!(change(&world, Method::DELETE, &one, key, None, &Value::Null).status, 204);
    world.get(&one, key).assert_problem(404, "not_found");
    let updates = world.sql("select fields from audit_log where action = 'agent.update'").rows;
    let fields =
        "name user_id email extension phone_number skills languages departments max_concurrent_calls";
    assert_eq!(updates[0].get("fields"), Some(&fields.into()));
}

#[test]
fn availability_lasts_as_long_as_was_said() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let user = world.user(&tenant.id, "anna@example.com", "agent");
    let anna = id(&change(
        &world,
        Method::POST,
        TARGET,
        &tenant.key,
        None,
        &json!({"name": "Anna", "user_id": user}),
    ));
    let ben = id(&change(
        &world,
        Method::POST,
        TARGET,
        &tenant.key,
        None,
        &json!({"name": "Ben", "languages": ["de"]}),
    ));
    let set = |who: &str, key: &str, body: &Value| {
        change(&world, Method::PATCH, &format!("{TARGET}/{who}/availability"), key, None, body)
    };
    // One's own, and no colleague's.
    let token = world.login("anna@example.com");
    let until = NOW.plus(Millis::from_secs(60)).0;
    let said = set(&anna, &token, &json!({"availability": "available", "until": until}));
    assert_eq!((said.status.as_u16(), &said.json()["availability_until"]), (200, &json!(until)));
    assert_eq!(set(&ben, &token, &json!({"availability": "busy"})).status, 404, "she does not see him");
    assert_eq!(set(&ben, &tenant.key, &json!({"availability": "busy"})).status, 200);
    assert_eq!(set(&ben, &tenant.key, &json!({"availability": "asleep"})).wrong_fields(), ["availability"]);
    assert_eq!(
        set(&ben, &tenant.key, &json!({"availability": "busy", "until": NOW.0})).wrong_fields(),
        ["until"]
    );
    let names = |query: &str| -> Vec<String> {
        let list = world.get(&format!("{TARGET}?{query}"), &tenant.key).json();
        list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|agent| agent["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        (names("availability=available"), names("availability=busy")),
        (vec!["Anna".to_owned()], vec!["Ben".to_owned()])
    );
    assert_eq!(
        (names("language=de"), names("page_size=1&page=2")),
        (vec!["Ben".to_owned()], vec!["Ben".to_owned()])
    );
    world.doubles.clock.advance(Millis::from_secs(60));
    assert_eq!(names("availability=offline"), ["Anna"]);
    assert_eq!(world.get(&format!("{TARGET}/{anna}"), &tenant.key).json()["version"], 1);
    assert_eq!(world.count("select count(*) as n from audit_log where action = 'agent.availability'"), 2);
}

/// Who sees some departments sees their agents, and themselves.
#[test]
fn b27_agents_of_other_departments_are_not_seen() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let key = tenant.key.as_str();
    let department = |name: &str| {
        id(&world.request(Method::POST, "/api/v1/departments", Some(key), Some(&json!({"name": name}))))
    };
    let (sales, service) = (department("Sales"), department("Service"));
    let agent = |body: &Value| id(&change(&world, Method::POST, TARGET, key, None, body));
    let user = world.user(&tenant.id, "anna@example.com", "agent");
    let update = json!({"departments": [sales]});
    let target = format!("/api/v1/users/{user}");
    assert_eq!(world.request(Method::PATCH, &target, Some(key), Some(&update)).status, 200);
    let anna = agent(&json!({"name": "Anna", "user_id": user, "departments": [service]}));
    let ben = agent(&json!({"name": "Ben", "departments": [sales]}));
    let cem = agent(&json!({"name": "Cem", "departments": [service]}));
    let token = world.login("anna@example.com");
    let list = world.get(TARGET, &token).json();
    let seen: Vec<_> =
        list["items"].as_array().unwrap().iter().map(|agent| agent["id"].as_str().unwrap()).collect();
    assert_eq!((seen, &list["total"]), (vec![anna.as_str(), ben.as_str()], &json!(2)));
    world.get(&format!("{TARGET}/{cem}"), &token).assert_problem(404, "not_found");
    let colleague = format!("{TARGET}/{ben}/availability");
    change(&world, Method::PATCH, &colleague, &token, None, &json!({"availability": "busy"}))
        .assert_problem(403, "forbidden");
    // A department that is deleted is left, and a user who leaves is no agent's any more.
    assert_eq!(
        world.request(Method::DELETE, &format!("/api/v1/departments/{sales}"), Some(key), None).status,
        204
    );
    assert_eq!(world.get(&format!("{TARGET}/{ben}"), key).json()["departments"], json!([]));
    assert_eq!(world.request(Method::DELETE, &target, Some(key), None).status, 204);
    assert_eq!(world.get(&format!("{TARGET}/{anna}"), key).json()["user_id"], Value::Null);
}

#[test]
fn usage_counts_what_was_transferred() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let key = tenant.key.as_str();
    let body = json!({"name": "Anna", "phone_number": human(&tenant.number)});
    let anna = id(&change(&world, Method::POST, TARGET, key, None, &body));
    let ben = id(&change(
        &world,
        Method::POST,
        TARGET,
        key,
        None,
        &json!({"name": "Ben", "phone_number": "+15005550177"}),
    ));
    for n in 1..=3 {
        world.call(&tenant, n);
    }
    world.sql("update calls set end_reason = 'transferred' where carrier_call_id < 'CA00000000000000000000000000000003'");
    let usage = |who: &str| world.get(&format!("{TARGET}/{who}/usage"), key).json();
    assert_eq!(
        (&usage(&anna)["transferred_calls"], &usage(&anna)["businesses"]),
        (&json!(2), &json!([tenant.business_id]))
    );
    assert_eq!(usage(&anna)["last_transferred_at"], json!(NOW.0));
    assert_eq!((&usage(&ben)["transferred_calls"], &usage(&ben)["businesses"]), (&json!(0), &json!([])));
    world.doubles.clock.advance(Millis::from_secs(31 * 86_400));
    assert_eq!(usage(&anna)["transferred_calls"], 0);
}

#[test]
fn a01_agents_are_the_tenants_alone() {
    let world = World::new();
    let (tenant, thief) = (world.tenant("+15005550001"), world.tenant("+15005550002"));
    let user = world.user(&tenant.id, "anna@example.com", "agent");
    let department = world.get("/api/v1/departments", &tenant.key).json()["items"][0]["id"].clone();
    let anna = id(&change(&world, Method::POST, TARGET, &tenant.key, None, &json!({"name": "Anna"})));
    let one = format!("{TARGET}/{anna}");
    // When a key was used last is noted to the minute.
    world.get(TARGET, &thief.key);
    let before = world.doubles.db.dump();
    for (method, target, body) in [
        (Method::GET, one.clone(), Value::Null),
        (Method::PUT, one.clone(), json!({"name": "Mine"})),
        (Method::DELETE, one.clone(), Value::Null),
        (Method::PATCH, format!("{one}/availability"), json!({"availability": "busy"})),
        (Method::GET, format!("{one}/usage"), Value::Null),
    ] {
        change(&world, method, &target, &thief.key, Some("*"), &body).assert_problem(404, "not_found");
    }
    for (body, field) in [
        (json!({"name": "A", "user_id": user}), "user_id"),
        (json!({"name": "A", "departments": [department]}), "departments"),
    ] {
        assert_eq!(change(&world, Method::POST, TARGET, &thief.key, None, &body).wrong_fields(), [field]);
    }
    assert_eq!(world.get(TARGET, &thief.key).json()["total"], 0);
    assert_eq!(world.doubles.db.dump(), before);
}
