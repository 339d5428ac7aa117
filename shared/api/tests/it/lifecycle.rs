//! What super admins do to tenants and people as a whole, and what hubs are told of it.

use std::sync::Arc;

use axum::http::{Method, header};
use proptest::prelude::*;
use serde_json::{Value, json};
use voicecore_api::actors::CallReply;
use voicecore_api::{AppState, live, router};
use voicecore_conformance::block_on;
use voicecore_conformance::doubles::{ActorName, ManualClock};
use voicecore_domain::hub::Watcher;
use voicecore_ports::{ActorError, Actors, BoxFuture, Clock as _, Ports};
use voicecore_types::{CallId, Millis, TenantId};

use crate::world::{Tenant, World, config};

const NUMBERS: [&str; 2] = ["+15005550001", "+15005550002"];

struct Root {
    world: World,
    tenants: Vec<Tenant>,
    token: String,
}

fn root() -> Root {
    let world = World::new();
    let tenants = NUMBERS.map(|number| world.tenant(number)).into();
    world.super_admin("root@example.com");
    let token = world.login("root@example.com");
    world.actors_reply(CallReply::NotRunning);
    Root { world, tenants, token }
}

impl Root {
    fn ask(&self, method: Method, target: &str, body: Option<&Value>) -> crate::world::Reply {
        self.world.request(method, target, Some(&self.token), body)
    }

    /// The tenants whose hubs were told to look again since the last time, each once.
    fn told(&self) -> Vec<String> {
        let commands = self.world.doubles.actors.commands();
        let told = commands.into_iter().filter(|(_, command)| command["command"] == "look_again");
        let mut told: Vec<_> = told
            .map(|(name, _)| match name {
                ActorName::Hub(tenant) => tenant.to_string(),
                ActorName::Call(call) => panic!("call {call} was told"),
            })
            .collect();
        told.sort();
        told.dedup();
        told
    }
}

#[test]
fn a_tenant_is_deleted_by_its_name_once_and_the_report_is_kept() {
    let root = root();
    let [doomed, other] = root.tenants.as_slice() else { panic!() };
    let target = format!("/api/v1/tenants/{}", doomed.id);
    let report = format!("{target}/deletion");
    root.ask(Method::GET, &report, None).assert_problem(404, "not_found");
    for (body, field) in
        [(json!({"name": "Bella"}), "name"), (json!({}), "name"), (json!({"name": 7}), "name")]
    {
        assert_eq!(root.ask(Method::DELETE, &target, Some(&body)).wrong_fields(), [field]);
    }
    assert_eq!(root.world.get("/api/v1/calls", &doomed.key).status, 200);
    root.told();

    let body = json!({"name": "Bella & Sons"});
    let asked = root.ask(Method::DELETE, &target, Some(&body));
    assert_eq!(asked.status, 202, "{}", asked.body);
    assert_eq!(asked.headers[header::LOCATION], report);
    assert_eq!((&asked.json()["stage"], &asked.json()["finished_at"]), (&json!("access"), &Value::Null));
    assert_eq!(root.told(), std::slice::from_ref(&doomed.id));
    // Nothing of it works any more, and its log says who asked.
    root.world.get("/api/v1/calls", &doomed.key).assert_problem(403, "tenant_suspended");
    let logged =
        "select count(*) as n from audit_log where action = 'tenant.delete' and actor_kind = 'super_admin'";
    assert_eq!(root.world.count(logged), 1);
    // Asked again, nothing changes.
    // It does not work again, and nobody looks into it.
    for verb in ["resume", "impersonate"] {
        root.ask(Method::POST, &format!("{target}/{verb}"), None).assert_problem(409, "conflict");
    }
    root.world.get("/api/v1/calls", &doomed.key).assert_problem(403, "tenant_suspended");
    assert_eq!(root.world.count("select count(*) as n from sessions where kind = 'impersonation'"), 0);
    let again = root.ask(Method::DELETE, &target, Some(&body));
    assert_eq!((again.status.as_u16(), again.json()), (202, asked.json()));
    assert_eq!(root.world.count(logged), 1);

    for _ in 0..40 {
        root.world.calls_closed();
        root.world.doubles.clock.advance(voicecore_types::Millis::from_secs(60));
    }
    // The session of the super admin is younger than its token, which has ended by now.
    let token = root.world.login("root@example.com");
    let kept = root.world.request(Method::GET, &report, Some(&token), None);
    assert_eq!((kept.status.as_u16(), &kept.json()["stage"]), (200, &json!("done")), "{}", kept.body);
    assert!(kept.json()["rows"]["tenants"] == 1 && !kept.json()["remains"].as_array().unwrap().is_empty());
    assert!(!kept.body.contains("Bella"));
    root.world.request(Method::GET, &target, Some(&token), None).assert_problem(404, "not_found");
    let gone = root.world.request(Method::DELETE, &target, Some(&token), Some(&body));
    assert_eq!((gone.status.as_u16(), gone.json()), (202, kept.json()));
    assert_eq!(root.world.get("/api/v1/calls", &other.key).status, 200);
}

#[test]
fn somebody_is_deactivated_everywhere_at_once_and_comes_back() {
    let root = root();
    let world = &root.world;
    let ada = world.user(&root.tenants[0].id, "ada@example.com", "manager");
    world.sql_with(
        "insert into memberships (user_id, tenant_id, role, created_at) values (?1, ?2, 'viewer', 2)",
        vec![ada.as_str().into(), root.tenants[1].id.as_str().into()],
    );
    let sessions = [world.login("ada@example.com"), world.login("ada@example.com")];
    let switch = json!({"tenant_id": root.tenants[1].id});
    assert_eq!(
        world.request(Method::POST, "/api/v1/auth/tenant", Some(&sessions[1]), Some(&switch)).status,
        204
    );
    root.told();
    let found = root.ask(Method::GET, "/api/v1/accounts?email=Ada@Example.com", None);
    assert_eq!((found.status.as_u16(), &found.json()["id"]), (200, &json!(ada)));
    root.ask(Method::GET, "/api/v1/accounts?email=nobody@example.com", None).assert_problem(404, "not_found");
    root.ask(Method::GET, "/api/v1/accounts", None).assert_problem(400, "malformed_request");

    let target = |verb: &str| format!("/api/v1/accounts/{ada}/{verb}");
    let reply = root.ask(Method::POST, &target("deactivate"), None);
    assert!(reply.status == 200 && reply.json()["deactivated_at"].is_u64(), "{}", reply.body);
    for session in &sessions {
        world.get("/api/v1/calls", session).assert_problem(401, "unauthenticated");
    }
    assert_eq!(world.try_login("ada@example.com", crate::world::PASSWORD, &[]).status, 401);
    let mut both: Vec<_> = root.tenants.iter().map(|tenant| tenant.id.clone()).collect();
    both.sort();
    assert_eq!(root.told(), both);
    let logged =
        "select count(*) as n from audit_log where action = 'user.deactivate' and actor_kind = 'super_admin'";
    assert_eq!(world.count(logged), 2);
    // Done again, nothing changes, and nothing is logged.
    assert_eq!(root.ask(Method::POST, &target("deactivate"), None).json(), reply.json());
    assert_eq!(world.count(logged), 2);

    world.doubles.clock.advance(voicecore_types::Millis::from_secs(60));
    let reply = root.ask(Method::POST, &target("reactivate"), None);
    assert!(reply.status == 200 && reply.json()["deactivated_at"].is_null(), "{}", reply.body);
    world.get("/api/v1/calls", &sessions[0]).assert_problem(401, "unauthenticated");
    assert_eq!(world.get("/api/v1/calls", &world.login("ada@example.com")).status, 200);
}

/// Also of somebody who works for no tenant that could have it in its log.
#[test]
fn whoever_is_deactivated_is_on_the_record_of_the_installation() {
    let root = root();
    let nobodys = root.world.super_admin("second@example.com");
    let ask = |verb: &str| {
        root.ask(Method::POST, &format!("/api/v1/accounts/{nobodys}/{verb}"), None).status.as_u16()
    };
    // Done twice, each is logged once.
    assert_eq!(["deactivate", "deactivate", "reactivate", "reactivate"].map(ask), [200; 4]);
    let me = root.ask(Method::GET, "/api/v1/me", None).json()["user_id"].as_str().unwrap().to_owned();
    for action in ["user.deactivate", "user.reactivate"] {
        let logged = "select actor_kind, actor_id, subject_id from installation_log where action = ?1";
        let rows = root.world.sql_with(logged, vec![action.into()]).rows;
        assert_eq!(rows.len(), 1);
        let [kind, by, whom] = ["actor_kind", "actor_id", "subject_id"].map(|column| rows[0][column].clone());
        assert_eq!([kind, by, whom], ["super_admin".into(), me.as_str().into(), nobodys.as_str().into()]);
    }
}

/// Who works for no tenant signs in all the same, and that is on record as well.
#[test]
fn whoever_signs_in_without_a_tenant_is_on_the_record_of_the_installation() {
    let root = root();
    let nobodys = root.world.super_admin("second@example.com");
    root.world.login("second@example.com");
    let logged = "select actor_kind from installation_log where action = 'session.create' and actor_id = ?1";
    let rows = root.world.sql_with(logged, vec![nobodys.as_str().into()]).rows;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["actor_kind"], "super_admin".into());
}

/// Hubs that are away: each is given up after a second and a half.
struct Away(Arc<ManualClock>);

impl Actors for Away {
    fn available(&self) -> bool {
        true
    }

    fn call(&self, _call: CallId, _command: Value) -> BoxFuture<'_, Result<Value, ActorError>> {
        Box::pin(async { Err(ActorError::Unavailable) })
    }

    fn hub(&self, _tenant: TenantId, _command: Value) -> BoxFuture<'_, Result<Value, ActorError>> {
        Box::pin(async {
            self.0.sleep(Millis(1_500)).await;
            Err(ActorError::Unavailable)
        })
    }
}

#[test]
fn many_hubs_that_do_not_answer_take_no_longer_than_one() {
    let Root { world, tenants, .. } = root();
    let ada = world.user(&tenants[0].id, "ada@example.com", "manager");
    world.login("ada@example.com");
    world.sql_with(
        "insert into sessions (id, user_id, tenant_id, kind, rotated_at, label, created_at, last_used_at, expires_at)
        values ('another', ?1, ?2, 'login', 1, '', 1, 1, 9000000000000)",
        vec![ada.as_str().into(), tenants[1].id.as_str().into()],
    );
    let ports = Ports { actors: Arc::new(Away(world.doubles.clock.clone())), ..world.doubles.ports() };
    let app = AppState::new(ports, Arc::new(config(&[])));
    let world = World { router: router(app.clone()), app, ..world };
    let token = world.login("root@example.com");
    let before = world.doubles.clock.now();
    let reply =
        world.request(Method::POST, &format!("/api/v1/accounts/{ada}/deactivate"), Some(&token), None);
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(world.doubles.clock.now().since(before), Millis(1_500));
}

#[test]
fn nobody_deactivates_themselves_or_nobody() {
    let root = root();
    let me = root.ask(Method::GET, "/api/v1/me", None).json()["user_id"].as_str().unwrap().to_owned();
    let target = format!("/api/v1/accounts/{me}/deactivate");
    root.ask(Method::POST, &target, None).assert_problem(409, "conflict");
    assert_eq!(root.ask(Method::GET, "/api/v1/me", None).status, 200);
    let nobody = "/api/v1/accounts/00000000-0000-7000-8000-000000000000/deactivate";
    root.ask(Method::POST, nobody, None).assert_problem(404, "not_found");
}

/// Everything that may take rights from somebody tells the hub of their tenant, after it is done; a hub that does not answer keeps
/// nothing from being done.
#[test]
fn hubs_are_told_of_whatever_takes_rights() {
    for away in [false, true] {
        let root = root();
        let (world, tenant) = (&root.world, &root.tenants[0]);
        world.user(&tenant.id, "boss@example.com", "tenant_admin");
        let boss = world.login("boss@example.com");
        let role = json!({"name": "Listeners", "permissions": ["live:read", "calls:read"]});
        let role =
            world.request(Method::POST, "/api/v1/roles", Some(&boss), Some(&role)).json()["id"].clone();
        let role = role.as_str().unwrap().to_owned();
        let key = json!({"name": "k", "permissions": ["live:read"]});
        let key = world.request(Method::POST, "/api/v1/api-keys", Some(&boss), Some(&key)).json();
        let ada = world.user(&tenant.id, "ada@example.com", "viewer");
        let other = world.login("boss@example.com");
        let session = world.get("/api/v1/me", &other).json()["session_id"].as_str().unwrap().to_owned();
        if away {
            world.doubles.actors.answer_with(|_, _| Err(voicecore_ports::ActorError::Unavailable));
        }
        let listens = json!({"name": "Listeners", "permissions": ["calls:read"]});
        for (method, target, body, token) in [
            (Method::PATCH, format!("/api/v1/users/{ada}"), Some(json!({"role": role})), &boss),
            (Method::PATCH, format!("/api/v1/users/{ada}"), Some(json!({"active": false})), &boss),
            (Method::PUT, format!("/api/v1/roles/{role}"), Some(listens), &boss),
            (Method::DELETE, format!("/api/v1/users/{ada}"), None, &boss),
            (Method::DELETE, format!("/api/v1/api-keys/{}", key["id"].as_str().unwrap()), None, &boss),
            (Method::DELETE, format!("/api/v1/sessions/{session}"), None, &boss),
            (Method::DELETE, "/api/v1/sessions".to_owned(), None, &boss),
            (Method::POST, "/api/v1/auth/logout".to_owned(), None, &boss),
            (Method::POST, format!("/api/v1/tenants/{}/suspend", tenant.id), None, &root.token),
        ] {
            root.told();
            let reply = world.request(method.clone(), &target, Some(token), body.as_ref());
            assert!(reply.status.is_success(), "{method} {target}: {}", reply.body);
            assert_eq!(root.told(), std::slice::from_ref(&tenant.id), "{method} {target}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// B27, for open sockets: whatever becomes of sessions, keys, roles, people and tenants: exactly those may listen on whose next request for a
    /// ticket would be granted.
    #[test]
    fn b27_who_may_listen_is_who_would_get_a_ticket(fates in prop::collection::vec(0_u8..9, 4)) {
        let root = root();
        let world = &root.world;
        let [ours, theirs] = root.tenants.as_slice() else { panic!() };
        let mut watchers = Vec::new();
        for (n, fate) in fates.iter().enumerate() {
            let tenant = if n % 3 == 2 { theirs } else { ours };
            let email = format!("user{n}@example.com");
            let user = world.user(&tenant.id, &email, "viewer");
            let token = world.login(&email);
            let session = world.get("/api/v1/me", &token).json()["session_id"].as_str().unwrap().to_owned();
            let change = |sql: &'static str, id: &str| { world.sql_with(sql, vec![id.into()]); };
            match fate {
                0 => change("update sessions set revoked_at = 5 where id = ?1", &session),
                1 => change("update sessions set expires_at = 5 where id = ?1", &session),
                2 => change("update users set deactivated_at = 5 where id = ?1", &user),
                3 => change("update memberships set deactivated_at = 5 where user_id = ?1", &user),
                4 => change("delete from memberships where user_id = ?1", &user),
                5 => change("update memberships set role = 'agent' where user_id = ?1", &user),
                6 if n == 2 => change("update tenants set suspended_at = 5 where id = ?1", &theirs.id),
                _ => {}
            }
            watchers.push((tenant, token, Watcher::Session(session.parse().unwrap())));
        }
        for tenant in [ours, theirs] {
            let asked: Vec<_> = watchers.iter().map(|(_, _, watcher)| *watcher).collect();
            let may = block_on(live::may_listen(&world.app, tenant.id.parse().unwrap(), &asked)).unwrap();
            for (of, token, watcher) in &watchers {
                let granted = of.id == tenant.id && world.post("/api/v1/live/tickets", token).status == 201;
                prop_assert_eq!(may.contains(watcher), granted);
            }
        }
    }
}

#[test]
fn keys_that_open_nothing_any_more_do_not_listen() {
    let root = root();
    let (world, tenant) = (&root.world, &root.tenants[0]);
    let may = |key: &str| {
        let watcher = Watcher::ApiKey(key.parse().unwrap());
        let asked = [watcher];
        block_on(live::may_listen(&world.app, tenant.id.parse().unwrap(), &asked)).unwrap().contains(&watcher)
    };
    world.user(&tenant.id, "boss@example.com", "tenant_admin");
    let boss = world.login("boss@example.com");
    let now = voicecore_ports::Clock::now(&*world.app.ports.clock);
    let make = |permissions: Value| {
        let body = json!({"name": "k", "permissions": permissions, "expires_at": now.0 + 30_000});
        let made = world.request(Method::POST, "/api/v1/api-keys", Some(&boss), Some(&body));
        made.json()["id"].as_str().unwrap().to_owned()
    };
    let (good, mute) = (make(json!(["live:read"])), make(json!(["calls:read"])));
    assert!(may(&good) && !may(&mute));
    world.doubles.clock.advance(voicecore_types::Millis::from_secs(31));
    assert!(!may(&good), "it has expired");
    let good = tenant.key.clone();
    let id = world.sql("select id from api_keys where name <> 'k' order by created_at limit 1").rows[0]
        .get("id")
        .cloned();
    let Some(voicecore_ports::Value::Text(id)) = id else { panic!("{good}") };
    assert!(may(&id));
    world.sql("update api_keys set revoked_at = 5");
    assert!(!may(&id));
}

/// A key that is taken back, or replaced at once, closes the sockets that it opened without delay: its tenant's hub, and no other, is told to
/// look, and finds that it may not listen. One that goes on for a while goes on listening.
#[test]
fn sockets_of_a_key_close_with_it() {
    let root = root();
    let (world, tenant) = (&root.world, &root.tenants[0]);
    world.user(&tenant.id, "boss@example.com", "tenant_admin");
    let boss = world.login("boss@example.com");
    let make = || {
        let body = json!({"name": "k", "permissions": ["live:read"]});
        let made = world.request(Method::POST, "/api/v1/api-keys", Some(&boss), Some(&body));
        made.json()["id"].as_str().unwrap().to_owned()
    };
    let listens = |id: &str| {
        let watcher = Watcher::ApiKey(id.parse().unwrap());
        !block_on(live::may_listen(&world.app, tenant.id.parse().unwrap(), &[watcher])).unwrap().is_empty()
    };
    let rotate = Some("/rotate");
    for (verb, body, goes_on) in [
        (None, Value::Null, false),
        (rotate, json!({"overlap_seconds": 0}), false),
        (rotate, json!({"overlap_seconds": 60}), true),
        (rotate, json!({}), true),
    ] {
        let id = make();
        assert!(listens(&id));
        root.told();
        let target = format!("/api/v1/api-keys/{id}{}", verb.unwrap_or_default());
        let method = if verb.is_some() { Method::POST } else { Method::DELETE };
        let body = Some(&body).filter(|body| !body.is_null());
        let reply = world.request(method, &target, Some(&boss), body);
        assert!(reply.status.is_success(), "{target}: {}", reply.body);
        assert_eq!(listens(&id), goes_on, "{target} {body:?}");
        let told: Vec<String> = if goes_on { vec![] } else { vec![tenant.id.clone()] };
        assert_eq!(root.told(), told, "{target} {body:?}");
    }
    // What was refused has changed nothing.
    let nobodys = format!("/api/v1/api-keys/{}/rotate", tenant.id);
    let body = json!({"overlap_seconds": 0});
    world.request(Method::POST, &nobodys, Some(&boss), Some(&body)).assert_problem(404, "not_found");
    assert!(root.told().is_empty());
}
