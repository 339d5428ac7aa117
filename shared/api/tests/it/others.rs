//! Whatever has an id: through every operation of the OpenAPI document that names one, another tenant's is not there, and no list of the
//! document shows it.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{Method, Request, header};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{TestCaseError, TestRunner};
use serde_json::{Value, json};
use voicecore_api::actors::CallReply;
use voicecore_api::openapi_document;

use crate::messages::left;
use crate::world::{Reply, Tenant, World};

const NUMBERS: [&str; 2] = ["+15005550001", "+15005550002"];
const NOBODYS: &str = "00000000-0000-7000-8000-000000000000";
/// What only super admins ask for is no tenant's.
const OPERATORS: [&str; 2] = ["tenants", "accounts"];

/// An operation that a tenant's key or people ask for.
struct Operation {
    method: Method,
    path: String,
    /// A key will do; otherwise somebody signed in.
    by_key: bool,
    /// The example of its body.
    example: Option<Value>,
}

fn operations() -> Vec<Operation> {
    let document: Value = serde_json::from_str(&openapi_document().to_json().unwrap()).unwrap();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let needs = &operation["security"][0];
            let noun = path.split('/').nth(3).unwrap_or_default();
            if OPERATORS.contains(&noun) || (needs["api_key"].is_null() && needs["session"].is_null()) {
                continue;
            }
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
            let schema = schema.as_str().and_then(|name| document.pointer(name.strip_prefix('#')?));
            operations.push(Operation {
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                by_key: needs["api_key"].is_array(),
                example: schema.map(|schema| schema["examples"][0].clone()),
            });
        }
    }
    operations
}

/// A tenant with one of everything that has an id.
struct Owner {
    tenant: Tenant,
    /// Of an administrator.
    token: String,
    /// By the noun before the id in a path.
    ids: BTreeMap<&'static str, String>,
}

impl Owner {
    fn new(world: &World, number: &str, n: u32) -> Self {
        let tenant = world.tenant(number);
        let email = format!("admin{n}@example.com");
        let user = world.user(&tenant.id, &email, "tenant_admin");
        let token = world.login(&email);
        let ask = |method: Method, target: &str, body: Option<Value>| {
            let reply = world.request(method, target, Some(&token), body.as_ref());
            assert!(reply.status.is_success(), "{target}: {}", reply.body);
            reply.json()
        };
        let id = |value: &Value| value["id"].as_str().unwrap().to_owned();
        let made = |target: &str, body: Value| id(&ask(Method::POST, target, Some(body)));
        let first = |target: &str| id(&ask(Method::GET, target, None)["items"][0]);
        let (_, call) = world.call(&tenant, n);
        let call = call.to_string();
        let assistant = first("/api/v1/assistants");
        let hours = json!({"time_zone": "Europe/Berlin", "opening_hours": ["monday 09:00-17:30"]});
        ask(Method::PUT, &format!("/api/v1/businesses/{}/opening-hours", tenant.business_id), Some(hours));
        let guest = json!({"email": format!("guest{n}@example.com"), "role": "viewer"});
        let ids = BTreeMap::from([
            ("messages", left(world, &tenant, 10 + n, "Ring back")),
            ("notes", made(&format!("/api/v1/calls/{call}/notes"), json!({"body": "Ring back"}))),
            ("test-calls", made(&format!("/api/v1/assistants/{assistant}/test-calls"), json!({}))),
            ("agents", made("/api/v1/agents", json!({"name": "Ana"}))),
            ("api-keys", made("/api/v1/api-keys", json!({"name": "Key", "permissions": []}))),
            ("departments", made("/api/v1/departments", json!({"name": "Desk"}))),
            ("roles", made("/api/v1/roles", json!({"name": "Role", "permissions": []}))),
            ("saved-views", made("/api/v1/saved-views", json!({"name": "View", "noun": "calls"}))),
            ("invitations", made("/api/v1/users/invitations", guest)),
            ("phone-numbers", first("/api/v1/phone-numbers")),
            ("sessions", first("/api/v1/sessions")),
            // Nobody is told of the call that runs: its id stands for a notification of nobody's making.
            ("notifications", call.clone()),
            ("business", tenant.business_id.clone()),
            ("businesses", tenant.business_id.clone()),
            ("calls", call),
            ("assistants", assistant),
            ("users", user),
        ]);
        Self { tenant, token, ids }
    }

    /// Asks for the operation, with ids of `whose`.
    fn ask(&self, world: &World, operation: &Operation, ids: &BTreeMap<&str, String>) -> Reply {
        let segments: Vec<_> = operation.path.split('/').collect();
        let target = segments.iter().enumerate().map(|(at, segment)| match *segment {
            "{provider}" => "openai",
            "{number}" => "1",
            segment if segment.starts_with('{') => {
                let noun = segments[at - 1];
                ids.get(noun).unwrap_or_else(|| panic!("nobody owns one of the {noun} here"))
            }
            segment => segment,
        });
        let target = target.collect::<Vec<_>>().join("/");
        let mut body = operation.example.clone();
        // What the body refers to is one's own.
        for (name, value) in body.iter_mut().filter_map(Value::as_object_mut).flatten() {
            match name.as_str() {
                "business_id" => *value = json!(self.tenant.business_id),
                "departments" => *value = json!([]),
                "parent_id" => *value = Value::Null,
                _ => {}
            }
        }
        let key = if operation.by_key { &self.tenant.key } else { &self.token };
        let request = Request::builder()
            .method(operation.method.clone())
            .uri(&target)
            .header(header::AUTHORIZATION, format!("Bearer {key}"))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::IF_MATCH, "*");
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        world.send(request.body(body).unwrap())
    }
}

/// It names what is one tenant's.
fn names_an_id(operation: &Operation) -> bool {
    let parameters = operation.path.split('/').filter(|segment| segment.starts_with('{'));
    parameters.filter(|name| !["{provider}", "{number}"].contains(name)).count() > 0
}

/// One world for all cases: nothing that is asked changes anything.
#[test]
fn a01_nothing_of_another_tenant_is_there() {
    let world = World::new();
    world.doubles.actors.answer_with(|_, _| {
        let transcript = CallReply::Transcript { interactions: vec![], complete: false };
        Ok(serde_json::to_value(transcript).unwrap())
    });
    let owners = [Owner::new(&world, NUMBERS[0], 1), Owner::new(&world, NUMBERS[1], 2)];
    let operations = operations();
    // When a key was used last is noted to the minute.
    for owner in &owners {
        world.get("/api/v1/calls", &owner.tenant.key);
    }
    let before = world.doubles.db.dump();
    let mut runner = TestRunner::new(ProptestConfig::with_cases(100));
    let asks = prop::collection::vec((any::<Index>(), any::<bool>()), 1..16);
    let tried = runner.run(&asks, |asks| {
        for (index, first) in asks {
            let [one, other] = &owners;
            let (mine, theirs) = if first { (one, other) } else { (other, one) };
            ask_as(&world, index.get(&operations), mine, theirs)?;
        }
        prop_assert!(world.doubles.db.dump() == before, "something was stored");
        Ok(())
    });
    tried.unwrap();
}

fn ask_as(world: &World, operation: &Operation, mine: &Owner, theirs: &Owner) -> Result<(), TestCaseError> {
    let what = format!("{} {}", operation.method, operation.path);
    if names_an_id(operation) {
        world.commands();
        let reply = mine.ask(world, operation, &theirs.ids);
        prop_assert_eq!(reply.status, 404, "{}: {}", what, reply.body);
        let nobodys = theirs.ids.keys().map(|noun| (*noun, NOBODYS.to_owned())).collect();
        prop_assert_eq!(&reply.body, &mine.ask(world, operation, &nobodys).body, "{}", what);
        prop_assert!(world.commands().is_empty(), "{}", what);
    }
    if operation.method == Method::GET {
        let reply = mine.ask(world, operation, &mine.ids);
        prop_assert!(reply.status.is_success(), "{}: {}", what, reply.body);
        for (noun, id) in &theirs.ids {
            prop_assert!(!reply.body.contains(id.as_str()), "{} shows another's of the {}", what, noun);
        }
    }
    Ok(())
}
