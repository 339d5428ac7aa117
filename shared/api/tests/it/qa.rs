//! Quality of calls: the rules that a tenant begins with, rules of its own, and what calls come to by them.

use axum::http::{Method, header};
use serde_json::{Value, json};
use voicecore_domain::Language;
use voicecore_types::CallId;

use crate::businesses::change;
use crate::search::finish;
use crate::turns::{contains, greeted, say, says, turn_based};
use crate::world::{Reply, Tenant, World, status};

const RULES: &str = "/api/v1/config/qa";
const GREETING: &str = "Hello, you have reached Bella's Salon. I am an AI assistant.";

fn result(world: &World, tenant: &Tenant, call: &str) -> Value {
    let reply = world.get(&format!("/api/v1/calls/{call}/qa"), &tenant.key);
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()
}

/// A call in which this was said, and what it came to.
fn judged(world: &World, tenant: &Tenant, n: u32, said: &[&str]) -> (CallId, Value) {
    let (_, call) = world.call(tenant, n);
    finish(world, call, n, said);
    (call, result(world, tenant, &call.to_string()))
}

fn put(world: &World, tenant: &Tenant, tag: Option<&str>, rules: &Value) -> Reply {
    change(world, Method::PUT, RULES, &tenant.key, tag, Some(&json!({"rules": rules})))
}

fn rule(id: &str, kind: &str, phrases: &Value) -> Value {
    json!({"id": id, "name": "A rule", "kind": kind, "speaker": "assistant", "phrases": phrases, "weight": 1, "hint": null,
        "enabled": true})
}

#[test]
fn a02_a_provisioned_tenants_call_has_a_score() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let rules = world.get(RULES, &tenant.key);
    assert_eq!((rules.status.as_u16(), &rules.headers[header::ETAG]), (200, &"\"1\"".parse().unwrap()));
    let ids: Vec<_> =
        rules.json()["rules"].as_array().unwrap().iter().map(|rule| rule["id"].clone()).collect();
    assert_eq!(ids, ["disclosure", "secrets"]);

    let (_, running) = world.call(&tenant, 9);
    let nothing =
        json!({"call_id": running, "score": null, "rules_version": null, "evaluated_at": null, "rules": []});
    assert_eq!(result(&world, &tenant, &running.to_string()), nothing);
    world.post(&format!("/api/v1/calls/{running}/qa"), &tenant.key).assert_problem(409, "conflict");

    let (_, good) = judged(&world, &tenant, 1, &[GREETING, "A table, please."]);
    assert_eq!((&good["score"], &good["rules_version"]), (&json!(1.0), &json!(1)));
    assert_eq!((&good["rules"][0]["passed"], &good["rules"][0]["seq"]), (&json!(true), &json!(1)));
    // Interrupted: what was not heard does not count.
    let (_, cut) =
        judged(&world, &tenant, 2, &["Hello, you have", "Hello?", "What is your credit card number?"]);
    assert_eq!(cut["score"], 0.0);
    assert_eq!((&cut["rules"][0]["seq"], &cut["rules"][1]["seq"]), (&json!(null), &json!(3)));
    assert_eq!(cut["rules"][1]["phrase"], "your credit card number");
    let (_, silent) = judged(&world, &tenant, 3, &[]);
    assert_eq!(silent["score"], Value::Null);
}

#[test]
fn turn_based_calls_have_a_score_in_each_language() {
    for language in Language::ALL {
        let world = World::new();
        let tenant = turn_based(&world);
        let code = format!("update assistant_versions set language = '{}'", language.code());
        world.sql(Box::leak(code.into_boxed_str()));
        let (sid, greeting) = greeted(&world);
        says(&world, "42");
        let reply = say(&world, &sid, &greeting, "A table, please.");
        contains(&reply, "42");
        world.webhook("/webhooks/twilio/status", &status(&sid, "completed"));
        let calls = world.get("/api/v1/calls", &tenant.key).json();
        let result = result(&world, &tenant, calls["items"][0]["id"].as_str().unwrap());
        assert_eq!((&result["score"], &result["rules"][0]["seq"]), (&json!(1.0), &json!(1)), "{result}");
    }
}

#[test]
fn rules_are_changed_and_calls_held_against_them_again() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let (call, before) = judged(&world, &tenant, 1, &[GREETING, "Bye.", "Thank you, goodbye."]);
    assert_eq!(before["score"], 1.0);
    let rules = json!([
        rule("thanks", "required_phrase", &json!(["thank you"])),
        {"id": "name", "name": "Names us", "kind": "required_phrase", "speaker": "any", "phrases": ["bella's spa"], "weight": 3,
            "hint": "Say it.", "enabled": true},
        {"id": "off", "name": "Off", "kind": "forbidden_phrase", "speaker": "caller", "phrases": ["bye"], "weight": 1, "hint": null,
            "enabled": false},
    ]);
    put(&world, &tenant, None, &rules).assert_problem(428, "precondition_required");
    put(&world, &tenant, Some("\"7\""), &rules).assert_problem(412, "precondition_failed");
    let saved = put(&world, &tenant, Some("\"1\""), &rules);
    assert_eq!((saved.status.as_u16(), &saved.headers[header::ETAG]), (200, &"\"2\"".parse().unwrap()));
    assert_eq!(saved.json()["rules"], rules);
    assert_eq!(world.get(RULES, &tenant.key).json(), saved.json());
    put(&world, &tenant, Some("\"1\""), &rules).assert_problem(412, "precondition_failed");
    // What has been judged stays as it is until somebody asks.
    assert_eq!(result(&world, &tenant, &call.to_string()), before);
    let again = world.post(&format!("/api/v1/calls/{call}/qa"), &tenant.key);
    assert_eq!(again.status, 200, "{}", again.body);
    let again = again.json();
    assert_eq!((&again["score"], &again["rules_version"]), (&json!(0.25), &json!(2)));
    let outcomes: Vec<_> = again["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["rule_id"].as_str().unwrap(), one["passed"].as_bool().unwrap(), one["seq"].as_u64()))
        .collect();
    assert_eq!(outcomes, [("thanks", true, Some(3)), ("name", false, None)]);
    assert_eq!(result(&world, &tenant, &call.to_string()), again);
    assert_eq!(
        world.count("select count(*) as n from qa_results"),
        1,
        "the last one takes the place of the first"
    );
    assert_eq!(
        world.count("select count(*) as n from audit_log where action in ('qa.rules', 'qa.evaluate')"),
        2
    );

    // Without rules there is no score, and that is no fault of the call.
    assert_eq!(put(&world, &tenant, Some("*"), &json!([])).status, 200);
    let none = world.post(&format!("/api/v1/calls/{call}/qa"), &tenant.key).json();
    assert_eq!((&none["score"], &none["rules_version"]), (&Value::Null, &json!(3)));
}

#[test]
fn every_wrong_value_is_named_with_its_place() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let good = rule("a", "required_phrase", &json!(["b"]));
    let named = |rules: &Value| {
        let reply = put(&world, &tenant, Some("*"), rules);
        reply.assert_problem(422, "invalid_request");
        reply.wrong_fields()
    };
    let changed = |field: &str, value: Value| {
        let mut rule = good.clone();
        rule[field] = value;
        json!([good, rule])
    };
    for (field, value) in [
        ("id", json!("a")),
        ("id", json!("no blanks")),
        ("name", json!("")),
        ("name", json!("x".repeat(101))),
        ("kind", json!("forbidden")),
        ("speaker", json!("operator")),
        ("phrases", json!([])),
        ("phrases", json!(["one", "one"])),
        ("phrases", json!(["?!"])),
        ("phrases", json!([7])),
        ("phrases", json!(vec!["x".repeat(101)])),
        ("weight", json!(0)),
        ("weight", json!(11)),
        ("hint", json!("x".repeat(501))),
        ("enabled", json!("yes")),
        ("colour", json!("red")),
    ] {
        let mut rules = changed(field, value);
        if field != "id" {
            rules[1]["id"] = json!("b");
        }
        assert_eq!(named(&rules), [format!("rules.1.{field}")]);
    }
    assert_eq!(named(&json!([7])), ["rules"]);
    assert_eq!(named(&json!(vec![good.clone(); 31])), ["rules"]);
    assert_eq!(named(&json!([{}])), ["rules.0.id", "rules.0.name", "rules.0.kind", "rules.0.phrases"]);
    assert_eq!(world.get(RULES, &tenant.key).json()["version"], 1, "nothing was stored");
}

/// A tenant from before there were rules is held against those of the product, until it has some of its own.
#[test]
fn tenants_of_before_have_the_rules_of_the_product() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let written = world.get(RULES, &tenant.key).json()["rules"].clone();
    world.sql("delete from qa_rules");
    let rules = world.get(RULES, &tenant.key);
    assert_eq!(rules.headers[header::ETAG], "\"0\"");
    assert_eq!(rules.json(), json!({"rules": written, "version": 0, "updated_at": null}));
    let (_, result) = judged(&world, &tenant, 1, &[GREETING]);
    assert_eq!((&result["score"], &result["rules_version"]), (&json!(1.0), &json!(0)));
    let own = json!([rule("hello", "required_phrase", &json!(["hello"]))]);
    assert_eq!(put(&world, &tenant, Some("\"0\""), &own).json()["version"], 1);
    put(&world, &tenant, Some("\"0\""), &own).assert_problem(412, "precondition_failed");
}

/// Rules that cannot be read (those of a newer version) keep no call from being stored, and can be replaced.
#[test]
fn rules_that_cannot_be_read_are_in_nobodys_way() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    world.sql("update qa_rules set rules = '[{\"id\": \"new\"}]'");
    let (call, result) = judged(&world, &tenant, 1, &[GREETING]);
    assert_eq!(result["evaluated_at"], Value::Null);
    assert_eq!(
        world.get(&format!("/api/v1/calls/{call}"), &tenant.key).json()["end_reason"],
        "caller_hung_up"
    );
    world.get(RULES, &tenant.key).assert_problem(500, "internal");
    assert_eq!(put(&world, &tenant, Some("\"1\""), &json!([])).json()["version"], 2);
}

#[test]
fn a01_rules_and_results_are_their_tenants() {
    let world = World::new();
    let (one, other) = (world.tenant("+15005550001"), world.tenant("+15005550002"));
    let (call, _) = judged(&world, &one, 1, &[GREETING]);
    let target = format!("/api/v1/calls/{call}/qa");
    world.get(&target, &other.key).assert_problem(404, "not_found");
    world.post(&target, &other.key).assert_problem(404, "not_found");
    assert_eq!(put(&world, &other, Some("\"1\""), &json!([])).status, 200);
    assert_eq!(world.get(RULES, &one.key).json()["version"], 1);
}
