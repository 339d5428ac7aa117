//! The steps of a tenant's set-up.

use axum::http::Method;
use serde_json::{Value, json};

use crate::world::{Reply, World};

const TARGET: &str = "/api/v1/setup/progress";

fn save(world: &World, key: &str, body: &Value) -> Reply {
    world.request(Method::PUT, TARGET, Some(key), Some(body))
}

/// Each step and where it is.
fn states(progress: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let steps = progress["steps"].as_array().unwrap();
    steps.iter().map(|step| (text(&step["step"]), text(&step["state"]))).collect()
}

fn state(progress: &Value, step: &str) -> String {
    states(progress).into_iter().find(|(name, _)| name == step).unwrap().1
}

#[test]
fn what_is_there_is_done_and_the_rest_is_kept_between_visits() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let key = tenant.key.as_str();
    let first = world.get(TARGET, key).json();
    let expected = [
        ("api_credentials", "done"),
        ("business_profile", "done"),
        ("knowledge", "open"),
        ("agents", "open"),
        ("qa", "open"),
        ("escalation_rules", "done"),
        ("review", "open"),
    ];
    assert_eq!(states(&first), expected.map(|(step, state)| (step.to_owned(), state.to_owned())));
    let complete = || world.post("/api/v1/setup/complete", key);
    complete().assert_problem(409, "conflict");

    let draft = json!({"api_key": "sk-SENTINEL", "number": "+15005550123"});
    let kept = save(&world, key, &json!({"step": "knowledge", "state": "open", "draft": draft}));
    assert_eq!(kept.status, 200, "{}", kept.body);
    assert_eq!(world.get(TARGET, key).json(), kept.json());
    assert_eq!(kept.json()["steps"][2]["draft"], draft);
    assert!(world.doubles.db.dump().iter().all(|text| !text.contains("SENTINEL")), "a draft is sealed");
    // Nobody's word makes an agent.
    assert_eq!(
        state(&save(&world, key, &json!({"step": "agents", "state": "done"})).json(), "agents"),
        "open"
    );
    assert_eq!(
        state(&save(&world, key, &json!({"step": "agents", "state": "skipped"})).json(), "agents"),
        "skipped"
    );
    world.request(Method::POST, "/api/v1/agents", Some(key), Some(&json!({"name": "Anna"})));
    assert_eq!(state(&world.get(TARGET, key).json(), "agents"), "done");
    save(&world, key, &json!({"step": "qa", "state": "skipped"}));
    assert_eq!(world.get(TARGET, key).json()["completable"], false);
    let ready = save(&world, key, &json!({"step": "knowledge", "state": "done", "draft": draft})).json();
    assert_eq!((&ready["completable"], &ready["completed_at"]), (&json!(true), &Value::Null));
    let done = complete();
    assert_eq!(done.status, 200, "{}", done.body);
    assert_eq!(
        (state(&done.json(), "review"), done.json()["completed_at"].is_u64()),
        ("done".to_owned(), true)
    );
    assert_eq!(world.get(TARGET, key).json(), done.json());
    assert_eq!(complete().json(), done.json());
    assert_eq!(world.count("select count(*) as n from setup_progress where draft is not null"), 0);
    // What is needed can go away again.
    world.sql("delete from phone_numbers");
    assert_eq!(state(&world.get(TARGET, key).json(), "business_profile"), "open");
}

#[test]
fn steps_that_are_needed_are_not_skipped_and_nobody_elses_are_seen() {
    let world = World::new();
    let (tenant, other) = (world.tenant("+15005550001"), world.tenant("+15005550002"));
    let body = json!({"step": "api_credentials", "state": "skipped"});
    assert_eq!(save(&world, &tenant.key, &body).wrong_fields(), ["state"]);
    let body = json!({"step": "moon", "state": "high", "draft": []});
    assert_eq!(save(&world, &tenant.key, &body).wrong_fields(), ["step", "state", "draft"]);
    save(&world, &tenant.key, &json!({"step": "qa", "state": "skipped"}));
    assert_eq!(state(&world.get(TARGET, &other.key).json(), "qa"), "open");
    // Without an account at the carrier nothing is done there.
    let bare = world.restarted(&[("TWILIO_AUTH_TOKEN", "")]);
    assert_eq!(state(&bare.get(TARGET, &tenant.key).json(), "api_credentials"), "open");
    let own =
        json!({"account_sid": "AC00000000000000000000000000000002", "auth_token": "token-of-the-tenant-01"});
    let set = bare.request(Method::PUT, "/api/v1/config/providers/twilio", Some(&tenant.key), Some(&own));
    assert_eq!(set.status, 200, "{}", set.body);
    assert_eq!(state(&bare.get(TARGET, &tenant.key).json(), "api_credentials"), "done");
}
