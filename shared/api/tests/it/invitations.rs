//! Somebody is invited to work for a tenant, by a mail that may come late.

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value, json};
use voicecore_api::jobs;
use voicecore_conformance::block_on;
use voicecore_types::Millis;

use crate::identity::{EMAIL, linked, post, world};
use crate::world::{PASSWORD, Reply, World};

#[test]
fn whoever_is_invited_comes_in_by_mail_once() {
    let (world, tenant) = world();
    world.user(&tenant.id, "boss@example.com", "tenant_admin");
    let boss = world.login("boss@example.com");
    let invite = json!({"email": "New@Example.com", "name": "New", "role": "agent"});
    let invited = world.request(Method::POST, "/api/v1/users/invitations", Some(&boss), Some(&invite));
    assert_eq!(invited.status, 201, "{}", invited.body);
    assert_eq!(world.get("/api/v1/users/invitations", &boss).json()["total"], 1);
    let link = world.mails()[0].1.clone();
    // The page that the link leads to, and its form.
    let target = link.strip_prefix("https://voice.example.com").unwrap();
    assert_eq!(world.request(Method::GET, target, None, None).status, 200);

    let accept = |body: &Value| post(&world, "/api/v1/auth/accept-invitation", body);
    assert_eq!(accept(&json!({"token": linked(&link)})).wrong_fields(), ["password"]);
    let body = json!({"token": linked(&link), "password": PASSWORD});
    let accepted = accept(&body);
    assert_eq!(accepted.status, 200, "{}", accepted.body);
    assert_eq!(accepted.json()["email"], "new@example.com");
    accept(&body).assert_problem(403, "token_invalid");
    let me = world.get("/api/v1/me", &world.login("new@example.com")).json();
    assert_eq!((&me["role"], &me["name"]), (&json!("agent"), &json!("New")));
    assert_eq!(world.get("/api/v1/users/invitations", &boss).json()["total"], 0);
}

/// The queue was away: the invitation stands, and the job of every minute has it mailed, once.
#[test]
fn an_invitation_is_mailed_although_the_queue_was_away() {
    let (world, tenant) = world();
    world.user(&tenant.id, "boss@example.com", "tenant_admin");
    let boss = world.login("boss@example.com");
    world.doubles.queue.away(true);
    let invite = json!({"email": "late@example.com", "name": "Late", "role": "agent"});
    let invited = world.request(Method::POST, "/api/v1/users/invitations", Some(&boss), Some(&invite));
    assert_eq!(invited.status, 201, "{}", invited.body);
    world.doubles.queue.away(false);
    let mut queued = Vec::new();
    for minutes in [0, 11, 1] {
        world.doubles.clock.advance(Millis::from_secs(minutes * 60));
        queued.push(block_on(jobs::scheduled(&world.app)).unwrap().invitations_queued);
        world.mails();
    }
    assert_eq!(queued, [0, 1, 0]);
}

#[test]
fn an_invitation_says_nothing_of_other_tenants_and_keeps_the_password() {
    let (world, _) = world();
    let other = world.tenant("+15005550007");
    world.user(&other.id, "boss@example.com", "tenant_admin");
    let boss = world.login("boss@example.com");
    let invite = |email: &str| {
        let body = json!({"email": email, "role": "viewer"});
        world.request(Method::POST, "/api/v1/users/invitations", Some(&boss), Some(&body))
    };
    let (known, unknown) = (invite(EMAIL).json(), invite("nobody@example.com").json());
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&known), keys(&unknown));
    let mails = world.mails();
    let link = &mails.iter().find(|(to, _)| to == EMAIL).unwrap().1;
    let body = json!({"token": linked(link), "password": "an intruder's password"});
    assert_eq!(post(&world, "/api/v1/auth/accept-invitation", &body).status, 200);
    world.try_login(EMAIL, "an intruder's password", &[]).assert_problem(401, "login_refused");
    let signed_in = world.login(EMAIL);
    let me = world.get("/api/v1/me", &signed_in).json();
    assert_eq!(me["memberships"].as_array().unwrap().len(), 2);
    // And works in either.
    let switch = |tenant: &str| {
        let body = json!({"tenant_id": tenant});
        world.request(Method::POST, "/api/v1/auth/tenant", Some(&signed_in), Some(&body)).status.as_u16()
    };
    assert_eq!(switch(&other.id), 204);
    assert_eq!(world.get("/api/v1/me", &signed_in).json()["role"], "viewer");
    assert_eq!(switch("00000000-0000-7000-8000-000000000000"), 404);
}

#[test]
fn an_invitation_makes_nobody_less_than_they_are() {
    let (world, tenant) = world();
    world.user(&tenant.id, "boss@example.com", "tenant_admin");
    let boss = world.login("boss@example.com");
    let body = json!({"email": "boss@example.com", "role": "viewer"});
    world.request(Method::POST, "/api/v1/users/invitations", Some(&boss), Some(&body));
    let accept = json!({"token": linked(&world.mails()[0].1)});
    assert_eq!(post(&world, "/api/v1/auth/accept-invitation", &accept).status, 200);
    assert_eq!(world.get("/api/v1/me", &boss).json()["role"], "tenant_admin");
}

#[test]
fn an_invitation_that_was_taken_back_or_replaced_opens_nothing() {
    let (world, tenant) = world();
    world.user(&tenant.id, "boss@example.com", "tenant_admin");
    let boss = world.login("boss@example.com");
    let invite = || {
        let body = json!({"email": "new@example.com", "role": "agent"});
        world.request(Method::POST, "/api/v1/users/invitations", Some(&boss), Some(&body));
        world.mails()[0].1.clone()
    };
    let (first, second) = (invite(), invite());
    let accept = |link: &str| {
        let body = json!({"token": linked(link), "password": PASSWORD});
        post(&world, "/api/v1/auth/accept-invitation", &body)
    };
    accept(&first).assert_problem(403, "token_invalid");
    let list = world.get("/api/v1/users/invitations", &boss).json();
    assert_eq!(list["total"], 1);
    let target = format!("/api/v1/users/invitations/{}", list["items"][0]["id"].as_str().unwrap());
    assert_eq!(world.request(Method::DELETE, &target, Some(&boss), None).status, 204);
    accept(&second).assert_problem(403, "token_invalid");
}

#[test]
fn an_invitation_of_before_does_not_undo_a_deactivation() {
    let (world, tenant) = world();
    world.user(&tenant.id, "boss@example.com", "tenant_admin");
    let sam = world.user(&tenant.id, "sam@example.com", "viewer");
    let boss = world.login("boss@example.com");
    let invite = || {
        let body = json!({"email": "sam@example.com", "role": "manager"});
        world.request(Method::POST, "/api/v1/users/invitations", Some(&boss), Some(&body));
        linked(&world.mails()[0].1)
    };
    let accept = |token: &str| post(&world, "/api/v1/auth/accept-invitation", &json!({"token": token}));
    let before = invite();
    let target = format!("/api/v1/users/{sam}");
    let version = world.get(&target, &boss).json()["version"].clone();
    assert_eq!(active(&world, &boss, &target, false).status, 200);
    accept(&before).assert_problem(403, "token_invalid");
    assert_eq!(world.get(&target, &boss).json()["active"], false);
    // One of after that is meant to, and what was read before it is old.
    assert_eq!(accept(&invite()).status, 200);
    let back = world.get(&target, &boss).json();
    assert_eq!(back["role"], "manager");
    assert!(back["version"].as_u64() > version.as_u64().map(|version| version + 1), "{back}");
}

#[test]
fn nobody_takes_back_what_they_could_not_have_given() {
    let (world, tenant) = world();
    world.user(&tenant.id, "boss@example.com", "tenant_admin");
    let boss = world.login("boss@example.com");
    let role = json!({"name": "Front desk", "permissions": ["users:read", "users:write", "calls:read"]});
    let role = world.request(Method::POST, "/api/v1/roles", Some(&boss), Some(&role)).json()["id"].clone();
    let desk = json!({"email": "desk@example.com", "role": role});
    assert_eq!(
        world.request(Method::POST, "/api/v1/users/invitations", Some(&boss), Some(&desk)).status,
        201
    );
    let accept = json!({"token": linked(&world.mails()[0].1), "password": PASSWORD});
    assert_eq!(post(&world, "/api/v1/auth/accept-invitation", &accept).status, 200);
    let desk = world.login("desk@example.com");
    let invite = |who: &str, email: &str, role: &serde_json::Value| {
        let body = json!({"email": email, "role": role});
        world.request(Method::POST, "/api/v1/users/invitations", Some(who), Some(&body))
    };
    let made = invite(&boss, "owner@example.com", &json!("tenant_admin"));
    let target = format!("/api/v1/users/invitations/{}", made.json()["id"].as_str().unwrap());
    world.request(Method::DELETE, &target, Some(&desk), None).assert_problem(403, "forbidden");
    invite(&desk, "owner@example.com", &role).assert_problem(403, "forbidden");
    assert_eq!(invite(&desk, "other@example.com", &role).status, 201);
    let list = world.get("/api/v1/users/invitations", &boss).json();
    assert!(list["items"].as_array().unwrap().iter().any(|one| one["role"] == "tenant_admin"), "{list}");
    assert_eq!(world.request(Method::DELETE, &target, Some(&boss), None).status, 204);
}

fn active(world: &World, who: &str, target: &str, active: bool) -> Reply {
    let request = Request::patch(target)
        .header("authorization", format!("Bearer {who}"))
        .header("content-type", "application/json")
        .header("if-match", "*")
        .body(Body::from(json!({"active": active}).to_string()));
    world.send(request.unwrap())
}
