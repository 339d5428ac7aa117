//! Super admins: tenants are made, suspended, looked into.

use axum::http::Method;
use proptest::prelude::*;
use serde_json::{Value, json};
use voicecore_types::Millis;

use crate::world::{PASSWORD, Reply, World};

const NUMBER: &str = "+15005550006";

fn root(world: &World) -> String {
    world.super_admin("root@example.com");
    world.login("root@example.com")
}

fn create(world: &World, root: &str, number: &str) -> Reply {
    let body = json!({
        "name": "Bella & Sons", "owner_email": "bella@example.com", "owner_name": "Bella",
        "phone_number": number, "fallback_number": "+15005550999", "language": "de",
    });
    world.request(Method::POST, "/api/v1/tenants", Some(root), Some(&body))
}

#[test]
fn a02_a_tenant_that_a_super_admin_makes_takes_a_call_at_once() {
    let world = World::new();
    let root = root(&world);
    let made = create(&world, &root, NUMBER);
    assert_eq!(made.status, 201, "{}", made.body);
    let (_, reply) = world.ring(NUMBER, 1);
    assert!(reply.twiml().contains("<Connect"), "{}", reply.body);
    // Its owner comes in by mail, and sees the call.
    let link = world.mails()[0].1.clone();
    let token = link.split_once("?token=").unwrap().1;
    let body = json!({"token": token, "password": PASSWORD});
    let accepted = world.request(Method::POST, "/api/v1/auth/accept-invitation", None, Some(&body));
    assert_eq!(accepted.json()["tenant_id"], made.json()["tenant_id"]);
    let bella = world.login("bella@example.com");
    assert_eq!(world.get("/api/v1/calls", &bella).json()["total"], 1);
    assert_eq!(world.get("/api/v1/me", &bella).json()["role"], "tenant_admin");
    let departments = world.get("/api/v1/departments", &bella).json();
    assert_eq!(departments["items"][0]["id"], made.json()["department_id"]);
    world.get("/api/v1/tenants", &bella).assert_problem(403, "forbidden");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// A2: provisioning that fails, at whichever value or for a number that is taken, leaves nothing.
    #[test]
    fn a02_what_is_not_provisioned_leaves_nothing(
        field in prop::sample::select(vec!["name", "owner_email", "phone_number", "language", "taken"]),
        junk in "[ \\PC]{0,20}",
    ) {
        let world = World::new();
        let root = root(&world);
        world.tenant(NUMBER);
        let mut body = json!({"name": "N", "owner_email": "o@example.com", "phone_number": "+15005550008"});
        let junk = match field {
            "name" => String::new(),
            "language" => format!("{junk}xyz"),
            _ => junk,
        };
        if field == "taken" { body["phone_number"] = json!(NUMBER); } else { body[field] = json!(junk); }
        let before = world.doubles.db.dump();
        let reply = world.request(Method::POST, "/api/v1/tenants", Some(&root), Some(&body));
        if field == "taken" {
            reply.assert_problem(409, "conflict");
        } else {
            prop_assert_eq!(reply.wrong_fields(), vec![field.to_owned()]);
        }
        prop_assert_eq!(world.doubles.db.dump(), before);
        prop_assert!(world.doubles.queue.take().is_empty());
    }
}

#[test]
fn a_suspended_tenant_apologises_and_refuses_until_it_works_again() {
    let world = World::new();
    let tenant = world.tenant(NUMBER);
    let other = world.tenant("+15005550007");
    world.user(&tenant.id, "ada@example.com", "tenant_admin");
    let ada = world.login("ada@example.com");
    let root = root(&world);
    let post =
        |what: &str| world.post(&format!("/api/v1/tenants/{}/{what}", tenant.id), &root).status.as_u16();
    assert_eq!(post("suspend"), 204);
    assert_eq!(post("suspend"), 204);
    let (_, reply) = world.ring(NUMBER, 1);
    assert!(
        reply.twiml().contains("cannot take your call") && reply.body.contains("<Hangup"),
        "{}",
        reply.body
    );
    for credentials in [&tenant.key, &ada] {
        world.get("/api/v1/calls", credentials).assert_problem(403, "tenant_suspended");
    }
    assert_eq!(world.get("/api/v1/calls", &other.key).status, 200);
    let shown = world.get(&format!("/api/v1/tenants/{}", tenant.id), &root).json();
    assert!(shown["suspended_at"].is_u64());
    assert_eq!(post("resume"), 204);
    assert!(world.ring(NUMBER, 2).1.twiml().contains("<Connect"));
    assert_eq!(world.get("/api/v1/calls", &ada).json()["total"], 1, "what was refused is not stored");
    world
        .post("/api/v1/tenants/00000000-0000-7000-8000-000000000000/suspend", &root)
        .assert_problem(404, "not_found");
}

#[test]
fn whoever_looks_into_a_tenant_is_on_its_record() {
    let world = World::new();
    let tenant = world.tenant(NUMBER);
    let root = root(&world);
    let target = format!("/api/v1/tenants/{}/impersonate", tenant.id);
    let looked = world.post(&target, &root);
    assert_eq!(looked.status, 201, "{}", looked.body);
    assert!(looked.cookies().is_empty());
    let token = looked.json()["access_token"].as_str().unwrap().to_owned();
    let me = world.get("/api/v1/me", &token).json();
    assert_eq!((&me["impersonating"], &me["tenant_id"]), (&json!(true), &json!(tenant.id)));
    let body = json!({"name": "Made by root", "permissions": []});
    assert_eq!(world.request(Method::POST, "/api/v1/roles", Some(&token), Some(&body)).status, 201);
    let rows = world.sql("select actor_kind, action from audit_log order by at, id").rows;
    let said = format!("{rows:?}");
    assert!(said.contains("tenant.impersonate") && said.contains("super_admin"), "{said}");
    assert!(said.contains("role.create") && said.contains("impersonator"), "{said}");
    // It is about one tenant, and for an hour.
    world.get("/api/v1/tenants", &token).assert_problem(403, "forbidden");
    let switch = json!({"tenant_id": tenant.id});
    let switched = world.request(Method::POST, "/api/v1/auth/tenant", Some(&token), Some(&switch));
    switched.assert_problem(404, "not_found");
    // Whoever does not run the installation any more looks into nothing.
    world.sql("update users set super_admin = 0 where email = 'root@example.com'");
    world.get("/api/v1/calls", &token).assert_problem(403, "forbidden");
    world.sql("update users set super_admin = 1 where email = 'root@example.com'");
    // To sign out of it leaves one's own session and its cookie alone.
    let second = world.post(&target, &root).json()["access_token"].as_str().unwrap().to_owned();
    let left = world.request(Method::POST, "/api/v1/auth/logout", Some(&second), None);
    assert_eq!((left.status.as_u16(), left.cookies().len()), (204, 0));
    world.get("/api/v1/calls", &second).assert_problem(401, "unauthenticated");
    assert_eq!(world.get("/api/v1/tenants", &root).status, 200);
    world.doubles.clock.advance(Millis::from_secs(3_599));
    assert_eq!(world.get("/api/v1/calls", &token).status, 200);
    world.doubles.clock.advance(Millis::from_secs(1));
    world.get("/api/v1/calls", &token).assert_problem(401, "unauthenticated");
    let nobodys = "/api/v1/tenants/00000000-0000-7000-8000-000000000000/impersonate";
    world.post(nobodys, &world.login("root@example.com")).assert_problem(404, "not_found");
}

/// Nothing that somebody gets by looking into a tenant opens it when they do not look any more.
#[test]
fn whoever_looks_into_a_tenant_gets_no_key_of_it() {
    let world = World::new();
    let tenant = world.tenant(NUMBER);
    let looked = world.post(&format!("/api/v1/tenants/{}/impersonate", tenant.id), &root(&world));
    let token = looked.json()["access_token"].as_str().unwrap().to_owned();
    let keys = world.get("/api/v1/api-keys", &token).json();
    let target = format!("/api/v1/api-keys/{}", keys["items"][0]["id"].as_str().unwrap());
    let before = world.doubles.db.dump();
    let post =
        |who: &str, target: &str, body: &Value| world.request(Method::POST, target, Some(who), Some(body));
    let new = json!({"name": "Left behind", "permissions": ["calls:read"]});
    let rotate = format!("{target}/rotate");
    for (target, body) in
        [("/api/v1/api-keys", &new), (&rotate, &json!({})), (&rotate, &json!({"overlap_seconds": 0}))]
    {
        let refused = post(&token, target, body);
        refused.assert_problem(409, "conflict");
        assert!(refused.body.contains("looks into a tenant"), "{}", refused.body);
    }
    assert_eq!(world.doubles.db.dump(), before);
    assert_eq!(world.get("/api/v1/calls", &tenant.key).status, 200);
    // Whoever works there makes them, and one is taken back by whoever looks in.
    world.user(&tenant.id, "boss@example.com", "tenant_admin");
    let boss = world.login("boss@example.com");
    assert_eq!(post(&boss, "/api/v1/api-keys", &new).status, 201);
    assert_eq!(post(&boss, &rotate, &json!({})).status, 201);
    assert_eq!(world.request(Method::DELETE, &target, Some(&token), None).status, 204);
}

#[test]
fn tenants_are_listed_and_changed() {
    let world = World::new();
    let root = root(&world);
    let (one, two) = (world.tenant(NUMBER), world.tenant("+15005550007"));
    let list = world.get("/api/v1/tenants?page_size=1", &root).json();
    assert_eq!((&list["total"], list["items"].as_array().unwrap().len()), (&json!(2), 1));
    let body = json!({"name": "Renamed", "max_concurrent_calls": 0});
    let target = format!("/api/v1/tenants/{}", one.id);
    let changed = world.request(Method::PATCH, &target, Some(&root), Some(&body)).json();
    assert_eq!((&changed["name"], &changed["max_concurrent_calls"]), (&json!("Renamed"), &json!(0)));
    assert_eq!(
        (&changed["max_daily_calls"], &changed["max_hourly_calls_per_caller"]),
        (&json!(1_000), &json!(60))
    );
    assert!(!world.ring(NUMBER, 1).1.twiml().contains("<Connect"));
    assert!(world.ring(&two.number, 2).1.twiml().contains("<Connect"));
}

#[test]
fn whoever_redeems_a_set_up_link_with_a_password_runs_the_installation() {
    let world = World::new();
    let claim = json!({
        "token": world.setup_token().expose(), "tenant_name": "T", "business_name": "B",
        "phone_number": NUMBER, "password": PASSWORD,
    });
    let claimed = world.request(Method::POST, "/api/v1/setup/claim", None, Some(&claim));
    assert_eq!(claimed.status, 201, "{}", claimed.body);
    let owner = world.login("owner@example.com");
    assert_eq!(world.get("/api/v1/me", &owner).json()["super_admin"], true);
    assert_eq!(world.get("/api/v1/tenants", &owner).json()["total"], 1);
    assert_eq!(world.get("/api/v1/calls", &owner).status, 200);
    // A second link does not change the password.
    let mut second = claim;
    second["token"] = Value::from(world.setup_token().expose());
    second["phone_number"] = json!("+15005550007");
    second["password"] = json!("another long password");
    assert_eq!(world.request(Method::POST, "/api/v1/setup/claim", None, Some(&second)).status, 201);
    assert_eq!(world.try_login("owner@example.com", "another long password", &[]).status, 401);
}

#[test]
fn a_tenant_says_what_it_is_called_and_how_often_one_number_may_ring() {
    let world = World::new();
    let (tenant, other) = (world.tenant("+15005550001"), world.tenant("+15005550002"));
    let (target, key) = ("/api/v1/tenant", Some(tenant.key.as_str()));
    let before = world.get(target, &tenant.key).json();
    assert_eq!(before["id"], tenant.id.as_str());
    let theirs = world.get(target, &other.key).json();
    let change = |body: Value| world.request(Method::PATCH, target, key, Some(&body));
    let changed = change(json!({"name": "Bella", "max_hourly_calls_per_caller": 3})).json();
    assert_eq!((&changed["name"], &changed["max_hourly_calls_per_caller"]), (&json!("Bella"), &json!(3)));
    assert_eq!(changed["max_daily_calls"], before["max_daily_calls"]);
    assert_eq!(world.get(target, &tenant.key).json(), changed);
    assert_eq!(world.get(target, &other.key).json(), theirs);
    // What it may use altogether is not its own to say.
    for limit in ["max_concurrent_calls", "max_daily_calls", "max_daily_cost_micros"] {
        let mut body = json!({});
        body[limit] = json!(1);
        assert_eq!(change(body).wrong_fields(), [limit]);
    }
    assert_eq!(world.get(target, &tenant.key).json(), changed);
    assert_eq!(world.count("select count(*) as n from audit_log where action = 'tenant.update'"), 1);
    world.user(&tenant.id, "agent@example.com", "agent");
    let agent = world.login("agent@example.com");
    assert_eq!(world.get(target, &agent).status, 403);
}
