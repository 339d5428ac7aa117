//! The OpenAPI document: what it says is what is there, and every route says what it needs.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Method, Request, header};
use serde_json::{Value, json};
use voicecore_api::actors::CallReply;
use voicecore_api::openapi_document;
use voicecore_domain::{BuiltinRole, Permission, Permissions};

use crate::world::World;

/// Routes for everyone; each with its reason.
const PUBLIC: [&str; 15] = [
    "GET /health",                         // load balancers have no key
    "GET /ready",                          // nor have those who deploy
    "GET /setup",                          // an empty form
    "POST /setup",                         // pays with a one-use token
    "POST /api/v1/setup/claim",            // the same
    "GET /api/v1/live",                    // pays with a ticket, when it is upgraded
    "POST /api/v1/auth/login",             // pays with a password
    "POST /api/v1/auth/refresh",           // pays with a cookie
    "POST /api/v1/auth/forgot-password",   // says nothing, mails
    "POST /api/v1/auth/reset-password",    // pays with the one-use token of a mail
    "POST /api/v1/auth/accept-invitation", // the same
    "GET /invitation",                     // an empty form
    "POST /invitation",                    // pays with the token of a mail
    "GET /reset-password",                 // an empty form
    "POST /reset-password",                // pays with the token of a mail
];

pub(crate) fn document() -> Value {
    serde_json::from_str(&openapi_document().to_json().unwrap()).unwrap()
}

/// Every operation: method, path, description.
pub(crate) fn operations(document: &Value) -> Vec<(Method, String, Value)> {
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations.push((method.to_uppercase().parse().unwrap(), path.clone(), operation.clone()));
        }
    }
    operations
}

/// `openapi.json` is what is served and what is reviewed. `UPDATE_OPENAPI=1` writes it anew.
#[test]
fn document_is_a_decision() {
    const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    let said = openapi_document().to_pretty_json().unwrap() + "\n";
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(FILE, &said).unwrap();
    }
    let agreed = std::fs::read_to_string(FILE).unwrap();
    let line = said.lines().zip(agreed.lines()).position(|(said, agreed)| said != agreed);
    assert!(
        said == agreed,
        "openapi.json is not what the code says (line {line:?}): UPDATE_OPENAPI=1 cargo test -p voicecore-api openapi"
    );
}

/// Of JSON and of forms. That the code takes the values: `hostile::every_body_has_an_example_that_is_taken`.
#[test]
fn every_body_has_an_example() {
    let document: Value = serde_json::from_str(&openapi_document().to_json().unwrap()).unwrap();
    let mut bodies = 0;
    for (method, path, operation) in operations(&document) {
        for (kind, content) in operation["requestBody"]["content"].as_object().into_iter().flatten() {
            let schema = content["schema"]["$ref"].as_str().unwrap().strip_prefix('#').unwrap();
            let examples = document.pointer(schema).unwrap()["examples"].as_array();
            assert!(examples.is_some_and(|all| !all.is_empty()), "{method} {path} ({kind}) has no example");
            bodies += 1;
        }
    }
    assert!(bodies > 40, "{bodies}");
}

/// What the document says that a route needs.
#[derive(Debug, Clone, Copy)]
enum Needs {
    /// Nothing.
    Nothing,
    /// A key or a user with this permission.
    Permission(Permission),
    /// Somebody who is signed in.
    Session,
    /// A super admin, who has this permission.
    Operator(Permission),
}

fn needs(name: &str, operation: &Value) -> Needs {
    let security = operation["security"].as_array().unwrap_or_else(|| panic!("{name} declares nothing"));
    let [requirement] = security.as_slice() else { panic!("{name}: {security:?}") };
    let word = |scheme: &str| requirement[scheme].as_array().map(Vec::as_slice);
    let parse = |word: &Value| word.as_str().unwrap().parse().unwrap();
    match (word("api_key"), word("session")) {
        (None, None) if *requirement == json!({}) => Needs::Nothing,
        (Some([word]), None) => Needs::Permission(parse(word)),
        (None, Some([])) => Needs::Session,
        (None, Some([word])) => Needs::Operator(parse(word)),
        _ => panic!("{name}: {security:?}"),
    }
}

pub(crate) fn target(path: &str) -> String {
    let nobodys = "00000000-0000-7000-8000-000000000000";
    path.replace("{id}", nobodys)
        .replace("{business_id}", nobodys)
        .replace("{note_id}", nobodys)
        .replace("{number}", "1")
        .replace("{call_id}", nobodys)
}

#[test]
fn every_route_declares_and_enforces_what_it_needs() {
    let world = World::new();
    let tenant = world.tenant("+15005550006");
    world.actors_reply(CallReply::NotRunning);
    let mut public = BTreeSet::new();
    for (method, path, operation) in operations(&document()) {
        let name = format!("{method} {path}");
        let target = target(&path);
        let ask = |key: Option<&str>| world.request(method.clone(), &target, key, None);
        let reply = ask(None);
        assert_ne!(reply.status, 405, "{name} is not routed");
        let permission = match needs(&name, &operation) {
            Needs::Nothing => {
                public.insert(name);
                continue;
            }
            Needs::Session => {
                reply.assert_problem(401, "unauthenticated");
                ask(Some(&tenant.key)).assert_problem(401, "unauthenticated");
                continue;
            }
            Needs::Operator(permission) => {
                assert!(permission.is_platform(), "{name}");
                world.keys_allow(&Permission::ALL.into_iter().collect::<Permissions>().to_string());
                ask(Some(&tenant.key)).assert_problem(403, "forbidden");
                permission
            }
            Needs::Permission(permission) => {
                assert!(!permission.is_platform(), "{name}");
                permission
            }
        };
        reply.assert_problem(401, "unauthenticated");
        // What the handler's type asks for is what the document says.
        let asked = reply.headers[header::WWW_AUTHENTICATE].to_str().unwrap();
        assert_eq!(asked, format!("Bearer scope=\"{}\"", permission.as_str()), "{name}");
        if permission.is_platform() {
            continue;
        }
        // A key that allows everything else is not enough, one that allows nothing else is.
        let others: Permissions = Permission::ALL.into_iter().filter(|other| *other != permission).collect();
        world.keys_allow(&others.to_string());
        let reply = ask(Some(&tenant.key));
        reply.assert_problem(403, "forbidden");
        assert!(reply.json()["detail"].as_str().unwrap().contains(permission.as_str()), "{name}");
        assert_eq!(
            reply.headers[header::WWW_AUTHENTICATE],
            format!("Bearer error=\"insufficient_scope\", scope=\"{}\"", permission.as_str())
        );
        world.keys_allow(permission.as_str());
        let reply = ask(Some(&tenant.key));
        assert!(![401, 403].contains(&reply.status.as_u16()), "{name}: {}", reply.body);
    }
    assert_eq!(public, PUBLIC.iter().map(|name| (*name).to_owned()).collect());
}

/// B27, for every route and every built-in role, signed in; custom roles are in `access`.
#[test]
fn b27_users_may_do_what_their_role_says_on_every_route() {
    let world = World::new();
    let tenant = world.tenant("+15005550006");
    world.actors_reply(CallReply::NotRunning);
    for role in BuiltinRole::ALL {
        let email = format!("{}@example.com", role.as_str());
        world.user(&tenant.id, &email, role.as_str());
        let token = world.login(&email);
        // Of routes that end the session there is nothing to learn here.
        for (method, path, operation) in operations(&document()) {
            let name = format!("{} {method} {path}", role.as_str());
            let allowed = match needs(&name, &operation) {
                Needs::Nothing => continue,
                Needs::Session if path.ends_with("/logout") => continue,
                Needs::Session => true,
                Needs::Operator(_) => false,
                Needs::Permission(permission) => role.permissions().contains(permission),
            };
            let reply = world.request(method, &target(&path), Some(&token), None);
            assert_ne!(reply.status, 401, "{name}: {}", reply.body);
            assert_eq!(reply.status != 403, allowed, "{name}: {}", reply.body);
        }
    }
}

#[test]
fn b27_super_admins_may_do_what_is_about_the_installation() {
    let world = World::new();
    world.tenant("+15005550006");
    world.super_admin("root@example.com");
    let token = world.login("root@example.com");
    for (method, path, operation) in operations(&document()) {
        let name = format!("{method} {path}");
        let allowed = match needs(&name, &operation) {
            Needs::Nothing | Needs::Session => continue,
            Needs::Operator(_) => true,
            // They work for no tenant.
            Needs::Permission(_) => false,
        };
        let reply = world.request(method, &target(&path), Some(&token), None);
        assert_eq!(![401, 403].contains(&reply.status.as_u16()), allowed, "{name}: {}", reply.body);
    }
}

/// A change of what has no version is not made when it is meant for one; who has versions says so in the document.
#[test]
fn no_if_match_is_ignored() {
    let world = World::new();
    let tenant = world.tenant("+15005550006");
    world.user(&tenant.id, "admin@example.com", "tenant_admin");
    world.super_admin("root@example.com");
    let (admin, root) = (world.login("admin@example.com"), world.login("root@example.com"));
    world.actors_reply(CallReply::NotRunning);
    let (mut refused, mut versions) = (0, Vec::new());
    for (method, path, operation) in operations(&document()) {
        let name = format!("{method} {path}");
        let credentials = match needs(&name, &operation) {
            _ if method == Method::GET => continue,
            Needs::Nothing => continue,
            Needs::Permission(_) => &tenant.key,
            Needs::Session => &admin,
            Needs::Operator(_) => &root,
        };
        let ask = |tag: &str| {
            let request = Request::builder()
                .method(method.clone())
                .uri(target(&path))
                .header(header::AUTHORIZATION, format!("Bearer {credentials}"))
                .header(header::IF_MATCH, tag);
            world.send(request.body(Body::empty()).unwrap())
        };
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        if parameters.into_iter().any(|parameter| parameter["name"] == "If-Match") {
            assert_ne!(ask("\"1\"").status, 412, "{name}");
            versions.push(name);
        } else {
            let reply = ask("\"1\"");
            assert_eq!(reply.status, 412, "{name}: {}", reply.body);
            refused += 1;
        }
    }
    assert!(refused > 20, "{refused}");
    assert_eq!(versions.len(), 28, "{versions:?}");
}

/// Every `$ref` of the document.
fn references(part: &Value) -> Vec<String> {
    match part {
        Value::Object(members) => {
            let own = members.get("$ref").and_then(Value::as_str).map(str::to_owned);
            own.into_iter().chain(members.values().flat_map(references)).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => vec![],
    }
}

/// What a part of the document is, or refers to.
pub(crate) fn resolved<'a>(document: &'a Value, part: &'a Value) -> &'a Value {
    let pointer = part["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    pointer.map_or(part, |pointer| document.pointer(pointer).unwrap())
}

#[test]
fn document_is_whole() {
    let document = document();
    for reference in references(&document) {
        let found = document.pointer(reference.strip_prefix('#').unwrap());
        assert!(found.is_some_and(Value::is_object), "{reference} leads nowhere");
    }
    for (method, path, operation) in operations(&document) {
        let name = format!("{method} {path}");
        assert!(operation["summary"].is_string() && operation["operationId"].is_string(), "{name}");
        for (status, response) in operation["responses"].as_object().unwrap() {
            let response = resolved(&document, response);
            let described = response["description"].as_str().is_some_and(|text| !text.is_empty());
            assert!(described, "{name}: {status} has no description");
        }
    }
}

#[test]
fn every_error_is_described() {
    let described = document();
    for (method, path, operation) in operations(&described) {
        let responses = operation["responses"].as_object().unwrap();
        let mut answers = responses.values().map(|response| resolved(&described, response));
        let problem = answers.any(|answer| answer["content"]["application/problem+json"].is_object());
        let cannot_fail = path == "/health"
            || (method == Method::GET
                && ["/setup", "/invitation", "/reset-password"].contains(&path.as_str()));
        assert!(problem || cannot_fail, "{method} {path}");
    }
    assert!(described["components"]["schemas"]["Problem"].is_object());
    assert!(described["components"]["schemas"]["LiveEnvelope"].is_object());
}
