//! What has happened that somebody should know: told with the event, to whoever may see it.

use axum::http::Method;
use serde_json::{Value, json};
use voicecore_api::{jobs, live};
use voicecore_call::{EndReason, ToolCall};
use voicecore_conformance::block_on;
use voicecore_types::{CallId, Millis};

use crate::search::summary;
use crate::world::{Tenant, World};

const TARGET: &str = "/api/v1/notifications";

/// The kinds that somebody is told of, newest first.
fn kinds(world: &World, token: &str, query: &str) -> Vec<String> {
    let list = world.get(&format!("{TARGET}{query}"), token);
    assert_eq!(list.status, 200, "{}", list.body);
    let items = list.json()["items"].as_array().unwrap().clone();
    assert_eq!(list.json()["total"], items.len());
    items.iter().map(|item| item["kind"].as_str().unwrap().to_owned()).collect()
}

fn unread(world: &World, token: &str) -> Value {
    world.get(&format!("{TARGET}/unread-count"), token).json()["unread"].clone()
}

/// Somebody leaves word in a call.
fn message(world: &World, call: CallId) {
    let setup = block_on(live::load_call(&world.app, call)).unwrap();
    let tool = ToolCall {
        tool_call_id: "tool".to_owned(),
        name: "take_message".to_owned(),
        arguments: json!({"message": "Ring back"}).to_string(),
    };
    block_on(live::run_tool(&world.app, &setup, &tool));
}

fn end(world: &World, call: CallId, reason: EndReason) {
    let setup = block_on(live::load_call(&world.app, call)).unwrap();
    let mut summary = summary(call, 1, &["Good morning."]);
    summary.reason = reason;
    for _ in 0..2 {
        block_on(live::finish_call(&world.app, &setup, &summary)).unwrap();
    }
}

fn people(world: &World, tenant: &Tenant) -> [String; 3] {
    for (name, role) in [("admin", "tenant_admin"), ("viewer", "viewer"), ("agent", "agent")] {
        world.user(&tenant.id, &format!("{name}@example.com"), role);
    }
    ["admin", "viewer", "agent"].map(|name| world.login(&format!("{name}@example.com")))
}

#[test]
fn each_event_is_told_once_to_whoever_may_see_it() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let [admin, viewer, agent] = people(&world, &tenant);
    let calls: Vec<CallId> = (1..=5).map(|n| world.call(&tenant, n).1).collect();
    message(&world, calls[0]);
    end(&world, calls[0], EndReason::CallerHungUp);
    world.doubles.clock.advance(Millis(1));
    end(&world, calls[1], EndReason::Transferred);
    world.doubles.clock.advance(Millis(1));
    end(&world, calls[2], EndReason::ModelUnavailable);
    world.doubles.clock.advance(Millis(1));
    let invitation = json!({"email": "new@example.com", "role": "viewer"});
    let invited = world.request(Method::POST, "/api/v1/users/invitations", Some(&admin), Some(&invitation));
    assert_eq!(invited.status, 201, "{}", invited.body);
    let (_, link) = world.mails().remove(0);
    let token = link.split_once("?token=").unwrap().1;
    let accept = json!({"token": token, "password": "correct horse battery staple", "name": "New"});
    let accepted = world.request(Method::POST, "/api/v1/auth/accept-invitation", None, Some(&accept));
    assert!(accepted.status.is_success(), "{}", accepted.body);

    let of_calls = ["call_failed", "call_escalated", "message_received"];
    let mut all = vec!["invitation_accepted"];
    all.extend(of_calls);
    assert_eq!(kinds(&world, &admin, ""), all);
    assert_eq!(kinds(&world, &viewer, ""), all);
    // An agent of no department sees no call, and hears of none; nor do they see who works here.
    assert_eq!(kinds(&world, &agent, ""), [""; 0]);
    let department = world.get("/api/v1/departments", &tenant.key).json()["items"][0]["id"].clone();
    world.sql_with(
        "insert into membership_departments (tenant_id, user_id, department_id)
        select m.tenant_id, m.user_id, ?1 from memberships m where m.role = 'agent'",
        vec![department.as_str().unwrap().into()],
    );
    assert_eq!(kinds(&world, &agent, ""), of_calls);
    assert_eq!(kinds(&world, &admin, "?kind=call_failed"), ["call_failed"]);
    let list = world.get(&format!("{TARGET}?kind=call_failed"), &admin).json();
    assert_eq!(list["items"][0]["subject_id"], calls[2].to_string());
    // Nobody of another tenant hears of it.
    let other = world.tenant("+15005550002");
    world.user(&other.id, "thief@example.com", "tenant_admin");
    let thief = world.login("thief@example.com");
    assert_eq!(kinds(&world, &thief, ""), [""; 0]);
    let one = format!("{TARGET}/{}", calls[2]);
    world.request(Method::PATCH, &format!("{one}/read"), Some(&thief), None).assert_problem(404, "not_found");
    world.request(Method::DELETE, &one, Some(&thief), None).assert_problem(404, "not_found");
    assert_eq!(world.count("select count(*) as n from notification_states"), 0);
}

#[test]
fn what_one_reads_and_puts_away_is_ones_own() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let [admin, viewer, _] = people(&world, &tenant);
    let calls: Vec<CallId> = (1..=3).map(|n| world.call(&tenant, n).1).collect();
    for call in &calls {
        end(&world, *call, EndReason::StreamLost);
        world.doubles.clock.advance(Millis(1));
    }
    assert_eq!((unread(&world, &admin), unread(&world, &viewer)), (json!(3), json!(3)));
    let one = format!("{TARGET}/{}", calls[0]);
    let read = world.request(Method::PATCH, &format!("{one}/read"), Some(&admin), None);
    assert_eq!((read.status.as_u16(), read.json()["read_at"].is_u64()), (200, true));
    world.doubles.clock.advance(Millis(1));
    let again = world.request(Method::PATCH, &format!("{one}/read"), Some(&admin), None);
    assert_eq!(again.json(), read.json());
    assert_eq!((unread(&world, &admin), unread(&world, &viewer)), (json!(2), json!(3)));
    assert_eq!(kinds(&world, &admin, "?unread=true").len(), 2);
    assert_eq!(world.request(Method::DELETE, &one, Some(&admin), None).status, 204);
    world.request(Method::DELETE, &one, Some(&admin), None).assert_problem(404, "not_found");
    assert_eq!((kinds(&world, &admin, "").len(), kinds(&world, &viewer, "").len()), (2, 3));
    assert_eq!(world.request(Method::PATCH, &format!("{TARGET}/read-all"), Some(&viewer), None).status, 204);
    assert_eq!((unread(&world, &admin), unread(&world, &viewer)), (json!(2), json!(0)));
    let list = world.get(TARGET, &viewer).json();
    assert!(list["items"].as_array().unwrap().iter().all(|item| item["read_at"].is_u64()), "{list}");
    // What happens afterwards is new, and long afterwards all of it is forgotten.
    world.doubles.clock.advance(Millis(1));
    let late = world.call(&tenant, 4).1;
    end(&world, late, EndReason::StreamLost);
    assert_eq!(unread(&world, &viewer), json!(1));
    world.doubles.clock.advance(Millis::from_secs(91 * 86_400));
    block_on(jobs::scheduled(&world.app)).unwrap();
    assert_eq!(world.count("select count(*) as n from notifications"), 0);
    assert_eq!(world.count("select count(*) as n from notification_states"), 0);
}

#[test]
fn a_key_is_spoken_of_once_before_its_end() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let [admin, viewer, _] = people(&world, &tenant);
    let now = world.app.ports.clock.now();
    let key = json!({"name": "CI", "permissions": ["calls:read"], "expires_at": now.plus(Millis::from_secs(8 * 86_400)).0});
    let made = world.request(Method::POST, "/api/v1/api-keys", Some(&admin), Some(&key));
    assert_eq!(made.status, 201, "{}", made.body);
    block_on(jobs::scheduled(&world.app)).unwrap();
    assert_eq!(world.count("select count(*) as n from notifications"), 0);
    world.doubles.clock.advance(Millis::from_secs(2 * 86_400));
    let [admin, viewer] =
        [("admin", admin), ("viewer", viewer)].map(|(name, _)| world.login(&format!("{name}@example.com")));
    for _ in 0..2 {
        block_on(jobs::scheduled(&world.app)).unwrap();
    }
    let list = world.get(TARGET, &admin).json();
    assert_eq!((&list["total"], &list["items"][0]["kind"]), (&json!(1), &json!("api_key_expiring")));
    assert_eq!(list["items"][0]["subject_id"], made.json()["id"]);
    assert_eq!(kinds(&world, &viewer, ""), [""; 0]);
}
