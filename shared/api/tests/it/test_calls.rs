//! Test calls: an assistant is tried in writing, by what holds calls turn by turn.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use voicecore_domain::{TokenUsage, pricing};
use voicecore_ports::{BoxFuture, Clock as _, Http, HttpError, HttpRequest, HttpResponse};
use voicecore_types::Millis;

use crate::turns::{completion, pairs, said, says};
use crate::world::{Reply, Tenant, World};

/// A tenant and where its assistant is tried.
fn world() -> (World, Tenant, String) {
    let world = World::new();
    let tenant = world.tenant("+15005550006");
    let list = world.get("/api/v1/assistants", &tenant.key).json();
    let target = format!("/api/v1/assistants/{}/test-calls", list["items"][0]["id"].as_str().unwrap());
    (world, tenant, target)
}

fn post(world: &World, tenant: &Tenant, target: &str, body: &Value) -> Reply {
    world.request(Method::POST, target, Some(&tenant.key), Some(body))
}

fn start(world: &World, tenant: &Tenant, target: &str, body: &Value) -> (String, Value) {
    let reply = post(world, tenant, target, body);
    assert_eq!(reply.status, 201, "{}", reply.body);
    let call = reply.json();
    (format!("{target}/{}", call["id"].as_str().unwrap()), call)
}

fn tell(world: &World, tenant: &Tenant, one: &str, body: &Value) -> Value {
    let reply = post(world, tenant, &format!("{one}/messages"), body);
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()
}

fn transcript(call: &Value) -> Vec<(String, String)> {
    said(&json!({"items": call["interactions"]}))
}

#[test]
fn a_draft_is_tried_and_nothing_is_done() {
    let (world, tenant, target) = world();
    let draft = json!({"name": "Iris", "greeting": "The AI of {{business_name}} here.", "instructions": "Sell cakes."});
    let assistant = target.trim_end_matches("/test-calls");
    let put = crate::businesses::change(&world, Method::PUT, assistant, &tenant.key, Some("*"), Some(&draft));
    assert_eq!(put.status, 200, "{}", put.body);
    let (one, call) = start(&world, &tenant, &target, &json!({}));
    assert_eq!(
        (&call["state"], &call["version"], &call["step"]),
        (&json!("listening"), &Value::Null, &json!(1))
    );
    assert_eq!(pairs(&transcript(&call)), [("assistant", "The AI of Bella's Salon here.")]);
    assert_eq!(world.get(&one, &tenant.key).json(), call);
    let (_, published) =
        start(&world, &tenant, &target, &json!({"version": 1, "business_id": tenant.business_id}));
    assert!(transcript(&published)[0].1.contains("you have reached Bella's Salon"));

    // A tool that would store something says what it would say, and stores nothing.
    let message = json!({"message": "Ring back, please", "callback_number": "+442071838750"});
    world.doubles.http.answer(Ok(completion(None, Some(("take_message", &message)))));
    says(&world, "I have written that down.");
    let call = tell(&world, &tenant, &one, &json!({"step": 1, "text": "Take a message."}));
    let entries = transcript(&call);
    assert_eq!(
        (entries[1].1.as_str(), entries.last().unwrap().1.as_str()),
        ("Take a message.", "I have written that down.")
    );
    let requests = world.doubles.http.requests();
    let asked: Value = serde_json::from_slice(&requests[1].body).unwrap();
    let told = asked["messages"].as_array().unwrap().iter().find(|m| m["role"] == "tool").unwrap();
    assert!(told["content"].as_str().unwrap().contains("\"ok\":true"), "{told}");
    assert!(asked["messages"][0]["content"].as_str().unwrap().contains("Sell cakes."));
    // Sent again, it is not taken again; nobody is asked.
    assert_eq!(tell(&world, &tenant, &one, &json!({"step": 1, "text": "Take a message."})), call);
    // The human being is not dialled.
    let call = tell(&world, &tenant, &one, &json!({"step": call["step"], "digits": "0"}));
    assert_eq!((&call["state"], &call["end_reason"]), (&json!("over"), &json!("transferred")));
    assert_eq!(tell(&world, &tenant, &one, &json!({"step": call["step"], "text": "Hello?"})), call);
    assert_eq!(world.get("/api/v1/messages", &tenant.key).json()["total"], 0);
    assert_eq!(world.get("/api/v1/calls", &tenant.key).json()["total"], 0);
    assert_eq!(world.count("select count(*) as n from tool_runs"), 0);
    assert_eq!(world.count("select coalesce(sum(calls), 0) as n from usage_daily"), 0);
    assert!(world.doubles.actors.commands().is_empty() && world.doubles.queue.take().is_empty());
    assert!(
        world
            .doubles
            .db
            .dump()
            .iter()
            .all(|text| !text.contains("Take a message") && !text.contains("442071838750"))
    );
    // What the model cost is in the tenant's day, once: two answers.
    let used = TokenUsage { text_in: 120, text_cached: 80, text_out: 20, ..TokenUsage::default() };
    let model = asked["model"].as_str().unwrap();
    let spent = world.count("select sum(cost_micros) as n from usage_daily");
    assert_eq!(u64::try_from(spent).unwrap(), pricing::cost_micros(model, &used));
    assert!(spent > 0);
}

#[test]
fn whoever_has_had_enough_ends_it() {
    let (world, tenant, target) = world();
    let (one, _) = start(&world, &tenant, &target, &json!({}));
    let end = || world.request(Method::POST, &format!("{one}/end"), Some(&tenant.key), None);
    let ended = end().json();
    assert_eq!((&ended["state"], &ended["end_reason"]), (&json!("over"), &json!("operator_ended")));
    assert_eq!(world.get(&one, &tenant.key).json(), ended);
    assert_eq!(end().json(), ended);
    assert_eq!(tell(&world, &tenant, &one, &json!({"step": 1, "text": "Hello?"})), ended);
    assert!(world.doubles.http.requests().is_empty());
    // Its place is free.
    for _ in 0..5 {
        start(&world, &tenant, &target, &json!({}));
    }
}

#[test]
fn what_the_model_ends_or_does_not_answer_is_over() {
    let (world, tenant, target) = world();
    let (one, _) = start(&world, &tenant, &target, &json!({}));
    world.doubles.http.answer(Ok(completion(Some("Goodbye."), Some(("end_call", &json!({}))))));
    let call = tell(&world, &tenant, &one, &json!({"step": 1, "text": "That is all."}));
    assert_eq!((&call["state"], &call["end_reason"]), (&json!("over"), &json!("assistant_ended")));
    let (one, _) = start(&world, &tenant, &target, &json!({}));
    for _ in 0..3 {
        world.doubles.http.answer(Ok(HttpResponse { status: 500, body: b"{}".to_vec() }));
    }
    let before = world.doubles.clock.now();
    let reply = post(&world, &tenant, &format!("{one}/messages"), &json!({"step": 1, "text": "Hello?"}));
    let call = reply.json();
    assert_eq!((&call["state"], &call["end_reason"]), (&json!("over"), &json!("model_unavailable")));
    // Why is in the log; and it is not asked three times in one moment.
    assert!(reply.cause.is_some());
    assert!(world.doubles.clock.now().since(before) >= Millis::from_secs(4));
}

/// A chat model in whose time to think the tester ends the test.
#[derive(Default)]
struct Meanwhile(OnceLock<(Router, String, String)>);

impl Http for Meanwhile {
    fn send(&self, _: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        Box::pin(async move {
            let (router, target, key) = self.0.get().unwrap();
            let end = Request::post(target).header("authorization", format!("Bearer {key}"));
            let ended = router.clone().oneshot(end.body(Body::empty()).unwrap()).await.unwrap();
            assert_eq!(ended.status(), 200);
            Ok(completion(Some("Good."), None))
        })
    }
}

#[test]
fn what_the_model_said_in_vain_is_paid_all_the_same() {
    let http = Arc::new(Meanwhile::default());
    let world = World::with_http(http.clone());
    let tenant = world.tenant("+15005550006");
    let list = world.get("/api/v1/assistants", &tenant.key).json();
    let target = format!("/api/v1/assistants/{}/test-calls", list["items"][0]["id"].as_str().unwrap());
    let (one, _) = start(&world, &tenant, &target, &json!({}));
    assert!(http.0.set((world.router.clone(), format!("{one}/end"), tenant.key.clone())).is_ok());
    let call = tell(&world, &tenant, &one, &json!({"step": 1, "text": "Hello?"}));
    assert_eq!((&call["state"], &call["end_reason"]), (&json!("over"), &json!("operator_ended")));
    assert!(world.count("select coalesce(sum(cost_micros), 0) as n from usage_daily") > 0);
}

#[test]
fn limits_of_tests_are_kept() {
    let (world, tenant, target) = world();
    let mut last = String::new();
    for _ in 0..5 {
        last = start(&world, &tenant, &target, &json!({})).0;
    }
    post(&world, &tenant, &target, &json!({})).assert_problem(409, "conflict");
    // Calls of callers are not kept away by them.
    world.call(&tenant, 1);
    world.doubles.clock.advance(Millis::from_secs(30 * 60));
    let late = tell(&world, &tenant, &last, &json!({"step": 1, "text": "x"}));
    assert_eq!((&late["state"], &late["end_reason"]), (&json!("over"), &json!("length_limit")));
    start(&world, &tenant, &target, &json!({}));
    world.sql(
        "insert into test_calls (id, tenant_id, setup, state, step, expires_at, finished_at)
        with recursive n (i) as (select 1 union all select i + 1 from n where i < 194)
        select 'kept ' || cast(i as text), t.id, '', '', 1, 1, 1 from n cross join tenants t",
    );
    post(&world, &tenant, &target, &json!({})).assert_problem(409, "conflict");
    world.sql("delete from test_calls where setup = ''");
    world.sql("update tenants set max_daily_cost_micros = 0");
    post(&world, &tenant, &target, &json!({})).assert_problem(409, "conflict");
    world.doubles.clock.advance(Millis::from_secs(24 * 60 * 60));
    world.calls_closed();
    assert_eq!(world.count("select count(*) as n from test_calls"), 1);
    let wrong = |target: &str, body: Value| post(&world, &tenant, target, &body).wrong_fields();
    assert_eq!(wrong(&target, json!({"version": 9})), ["version"]);
    assert_eq!(
        wrong(&target, json!({"version": 0, "business_id": "x", "more": 1})),
        ["version", "business_id", "more"]
    );
    let nobodys = "00000000-0000-7000-8000-000000000000";
    assert_eq!(wrong(&target, json!({"business_id": nobodys})), ["business_id"]);
    let messages = format!("{last}/messages");
    assert_eq!(
        wrong(&messages, json!({"text": "x".repeat(1_001), "digits": "12a"})),
        ["step", "text", "digits"]
    );
    assert_eq!(wrong(&messages, json!({"step": 1, "text": "x", "digits": "1"})), ["digits"]);
}

#[test]
fn a01_test_calls_of_others_are_not_there() {
    let (world, owner, target) = world();
    let thief = world.tenant("+15005550002");
    let (one, _) = start(&world, &owner, &target, &json!({}));
    world.get("/api/v1/calls", &thief.key);
    let own = world.get("/api/v1/assistants", &thief.key).json()["items"][0]["id"].clone();
    let mine = one.replace(target.split('/').nth(4).unwrap(), own.as_str().unwrap());
    let before = world.doubles.db.dump();
    for one in [&one, &mine] {
        world.get(one, &thief.key).assert_problem(404, "not_found");
        post(&world, &thief, &format!("{one}/end"), &json!(null)).assert_problem(404, "not_found");
        let said = json!({"step": 1, "text": "x"});
        post(&world, &thief, &format!("{one}/messages"), &said).assert_problem(404, "not_found");
    }
    post(&world, &thief, &target, &json!({})).assert_problem(404, "not_found");
    assert_eq!(world.doubles.db.dump(), before);
}
