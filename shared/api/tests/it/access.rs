//! What people may do and see: roles, departments, keys, and nothing of another tenant.

use axum::http::Method;
use proptest::prelude::*;
use serde_json::{Value, json};
use voicecore_domain::{BuiltinRole, Permission, Permissions};
use voicecore_types::Millis;

use crate::world::{PASSWORD, Reply, Tenant, World};

const NUMBERS: [&str; 2] = ["+15005550006", "+15005550007"];

fn admin(world: &World, tenant: &Tenant, email: &str) -> String {
    world.user(&tenant.id, email, "owner");
    world.login(email)
}

fn ask(world: &World, method: Method, target: &str, who: &str, body: &Value) -> Reply {
    let body = Some(body).filter(|body| !body.is_null());
    world.request(method, target, Some(who), body)
}

fn created(reply: &Reply) -> String {
    assert_eq!(reply.status, 201, "{}", reply.body);
    reply.json()["id"].as_str().unwrap().to_owned()
}

fn audits(world: &World) -> i64 {
    world.count("select count(*) as n from audit_log")
}

#[test]
fn what_changes_of_a_user_holds_for_the_very_next_request() {
    let world = World::new();
    let tenant = world.tenant(NUMBERS[0]);
    let boss = admin(&world, &tenant, "boss@example.com");
    let ada = world.user(&tenant.id, "ada@example.com", "manager");
    let token = world.login("ada@example.com");
    let target = format!("/api/v1/users/{ada}");
    let change = |body: Value| {
        let reply = ask(&world, Method::PATCH, &target, &boss, &body);
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.json()
    };
    assert_eq!(world.get("/api/v1/users", &token).status, 200);
    assert_eq!(change(json!({"role": "agent"}))["role"], "agent");
    world.get("/api/v1/users", &token).assert_problem(403, "forbidden");
    assert_eq!(world.get("/api/v1/calls", &token).status, 200);
    change(json!({"role": "manager"}));
    assert_eq!(world.get("/api/v1/users", &token).status, 200);
    assert_eq!(change(json!({"active": false}))["active"], false);
    world.get("/api/v1/calls", &token).assert_problem(401, "unauthenticated");
    change(json!({"active": true}));
    world.get("/api/v1/calls", &token).assert_problem(401, "unauthenticated");
    let token = world.login("ada@example.com");
    assert_eq!(ask(&world, Method::DELETE, &target, &boss, &Value::Null).status, 204);
    world.get("/api/v1/calls", &token).assert_problem(401, "unauthenticated");
    ask(&world, Method::GET, &target, &boss, &Value::Null).assert_problem(404, "not_found");
    // They worked for nobody else, and are not known any more.
    world.try_login("ada@example.com", PASSWORD, &[]).assert_problem(401, "login_refused");
}

#[test]
fn a_tenant_keeps_an_administrator() {
    let world = World::new();
    let tenant = world.tenant(NUMBERS[0]);
    world.sql("delete from memberships");
    let boss = world.user(&tenant.id, "boss@example.com", "owner");
    let token = world.login("boss@example.com");
    let target = format!("/api/v1/users/{boss}");
    for body in [json!({"role": "viewer"}), json!({"active": false})] {
        ask(&world, Method::PATCH, &target, &token, &body).assert_problem(409, "conflict");
    }
    ask(&world, Method::DELETE, &target, &token, &Value::Null).assert_problem(409, "conflict");
    world.user(&tenant.id, "second@example.com", "tenant_admin");
    assert_eq!(ask(&world, Method::PATCH, &target, &token, &json!({"role": "viewer"})).status, 200);
}

#[test]
fn nobody_gives_what_they_do_not_have() {
    let world = World::new();
    let tenant = world.tenant(NUMBERS[0]);
    let boss = admin(&world, &tenant, "boss@example.com");
    let role = json!({"name": "People", "permissions":
        ["users:read", "users:write", "roles:write", "api_keys:write", "departments:write", "calls:read"]});
    let role = created(&ask(&world, Method::POST, "/api/v1/roles", &boss, &role));
    let people = world.user(&tenant.id, "people@example.com", "viewer");
    let other = world.user(&tenant.id, "other@example.com", "tenant_admin");
    let target = format!("/api/v1/users/{people}");
    assert_eq!(ask(&world, Method::PATCH, &target, &boss, &json!({"role": role})).status, 200);
    let token = world.login("people@example.com");
    for (method, target, body) in [
        (Method::PATCH, target.clone(), json!({"role": "tenant_admin"})),
        (Method::PATCH, format!("/api/v1/users/{other}"), json!({"role": "agent"})),
        (Method::DELETE, format!("/api/v1/users/{other}"), Value::Null),
        (
            Method::POST,
            "/api/v1/users/invitations".into(),
            json!({"email": "x@example.com", "role": "manager"}),
        ),
        (Method::POST, "/api/v1/roles".into(), json!({"name": "More", "permissions": ["live:read"]})),
        (
            Method::PUT,
            format!("/api/v1/roles/{role}"),
            json!({"name": "People", "permissions": ["config:write"]}),
        ),
        (Method::POST, "/api/v1/api-keys".into(), json!({"name": "k", "permissions": ["config:write"]})),
        // A key sees all departments, and these are for those who do.
        (Method::POST, "/api/v1/api-keys".into(), json!({"name": "k", "permissions": ["calls:read"]})),
        (Method::POST, "/api/v1/departments".into(), json!({"name": "D"})),
        (Method::PATCH, target.clone(), json!({"departments": []})),
    ] {
        let before = audits(&world);
        ask(&world, method, &target, &token, &body).assert_problem(403, "forbidden");
        assert_eq!(audits(&world), before, "{target}");
    }
    assert_eq!(
        ask(&world, Method::DELETE, &format!("/api/v1/roles/{role}"), &boss, &Value::Null).status,
        409
    );
}

#[test]
fn a_key_is_shown_once_rotated_with_an_overlap_and_revoked() {
    let world = World::new();
    let tenant = world.tenant(NUMBERS[0]);
    let boss = admin(&world, &tenant, "boss@example.com");
    let now = world.app.ports.clock.now();
    let body = json!({"name": "CRM", "permissions": ["calls:read"], "expires_at": now.0 + 3_600_000});
    let made = ask(&world, Method::POST, "/api/v1/api-keys", &boss, &body);
    let id = created(&made);
    let key = made.json()["api_key"].as_str().unwrap().to_owned();
    assert_eq!(world.get("/api/v1/calls", &key).status, 200);
    world.get("/api/v1/messages", &key).assert_problem(403, "forbidden");
    let list = world.get("/api/v1/api-keys", &boss);
    assert!(!list.body.contains(&key));
    assert_eq!(list.json()["total"], 2);
    let shown =
        list.json()["items"].as_array().unwrap().iter().find(|item| item["id"] == id).unwrap().clone();
    assert_eq!(shown["last_used_at"], now.0);

    let target = format!("/api/v1/api-keys/{id}");
    let rotate = |overlap: u64| {
        ask(&world, Method::POST, &format!("{target}/rotate"), &boss, &json!({"overlap_seconds": overlap}))
    };
    let next = rotate(60).json();
    let next = next["api_key"].as_str().unwrap();
    assert_eq!(world.get("/api/v1/calls", &key).status, 200);
    assert_eq!(world.get("/api/v1/calls", next).status, 200);
    world.doubles.clock.advance(Millis(60_000));
    world.get("/api/v1/calls", &key).assert_problem(401, "unauthenticated");
    assert_eq!(world.get("/api/v1/calls", next).status, 200);
    rotate(60).assert_problem(409, "conflict");
    // Both were made at the same moment.
    let list = world.get("/api/v1/api-keys", &boss).json();
    let prefix = next.split('_').nth(1).unwrap();
    let items = list["items"].as_array().unwrap();
    let second =
        items.iter().find(|item| item["prefix"] == prefix).unwrap()["id"].as_str().unwrap().to_owned();
    let revoke = || ask(&world, Method::DELETE, &format!("/api/v1/api-keys/{second}"), &boss, &Value::Null);
    assert_eq!(revoke().status, 204);
    world.get("/api/v1/calls", next).assert_problem(401, "unauthenticated");
    revoke().assert_problem(404, "not_found");
    // A successor does not live longer.
    world.doubles.clock.advance(Millis(3_600_000));
}

#[test]
fn departments_are_a_tree() {
    let world = World::new();
    let tenant = world.tenant(NUMBERS[0]);
    let boss = admin(&world, &tenant, "boss@example.com");
    let make = |name: &str, parent: Option<&str>| {
        let body = json!({"name": name, "parent_id": parent});
        created(&ask(&world, Method::POST, "/api/v1/departments", &boss, &body))
    };
    let top = make("Sales", None);
    let below = make("Inside", Some(&top));
    let deep = make("Team 1", Some(&below));
    let put = |id: &str, name: &str, parent: &str| {
        let body = json!({"name": name, "parent_id": parent});
        ask(&world, Method::PUT, &format!("/api/v1/departments/{id}"), &boss, &body)
    };
    for parent in [&top, &below, &deep] {
        assert_eq!(put(&top, "Sales", parent).wrong_fields(), ["parent_id"]);
    }
    assert_eq!(put(&deep, "Team 1", &top).status, 200);
    put(&deep, "Inside", &top).assert_problem(409, "conflict");
    let delete =
        |id: &str| ask(&world, Method::DELETE, &format!("/api/v1/departments/{id}"), &boss, &Value::Null);
    delete(&top).assert_problem(409, "conflict");
    assert_eq!(delete(&deep).status, 204);
    delete(&deep).assert_problem(404, "not_found");
    let list = world.get("/api/v1/departments", &boss).json();
    let names: Vec<_> = list["items"].as_array().unwrap().iter().map(|d| d["name"].clone()).collect();
    assert_eq!(names, ["General", "Inside", "Sales"]);
    // The one that a business belongs to stays.
    let general = list["items"][0]["id"].as_str().unwrap();
    delete(general).assert_problem(409, "conflict");
    let target = format!("/api/v1/departments/{top}/businesses/{}", tenant.business_id);
    assert_eq!(ask(&world, Method::PUT, &target, &boss, &Value::Null).status, 204);
    assert_eq!(delete(general).status, 204);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// B27, for custom roles: whatever permissions a role has, exactly these open, through the session of whoever has it.
    #[test]
    fn b27_a_custom_role_allows_what_it_names(chosen in prop::sample::subsequence(
        Permissions::of_tenant().iter().collect::<Vec<_>>(), 0..=16)) {
        let world = World::new();
        let tenant = world.tenant(NUMBERS[0]);
        let words: Vec<_> = chosen.iter().map(|permission| permission.as_str()).collect();
        world.sql_with(
            "insert into roles (id, tenant_id, name, permissions, created_at, updated_at) values ('00000000-0000-7000-8000-000000000001', ?1, 'R', ?2, 1, 1)",
            vec![tenant.id.as_str().into(), words.join(" ").into()],
        );
        world.user(&tenant.id, "ada@example.com", "custom");
        world.sql("update memberships set role_id = '00000000-0000-7000-8000-000000000001' where role = 'custom'");
        let token = world.login("ada@example.com");
        for (target, needed) in [
            ("/api/v1/calls", Permission::CallsRead),
            ("/api/v1/messages", Permission::MessagesRead),
            ("/api/v1/users", Permission::UsersRead),
            ("/api/v1/users/invitations", Permission::UsersRead),
            ("/api/v1/roles", Permission::RolesRead),
            ("/api/v1/departments", Permission::DepartmentsRead),
            ("/api/v1/api-keys", Permission::ApiKeysRead),
        ] {
            let status = world.get(target, &token).status.as_u16();
            prop_assert_eq!(status, if chosen.contains(&needed) { 200 } else { 403 }, "{}", target);
        }
        prop_assert_eq!(world.get("/api/v1/tenants", &token).status.as_u16(), 403);
    }

    /// A1, over the routes of people, roles, departments and keys: ids of the other tenant in path and body are like ids of
    /// nothing, and nothing of the other tenant is read, counted or changed.
    #[test]
    fn a01_people_of_another_tenant(picks in prop::collection::vec((0_usize..14, any::<bool>()), 1..10)) {
        let world = World::new();
        let tenants: Vec<_> = NUMBERS.iter().map(|number| world.tenant(number)).collect();
        let theirs = &tenants[1];
        let thief = admin(&world, &tenants[0], "thief@example.com");
        let owner = admin(&world, theirs, "owner-of-two@example.com");
        let user = world.user(&theirs.id, "secret.person@example.com", "agent");
        let role = created(&ask(&world, Method::POST, "/api/v1/roles", &owner,
            &json!({"name": "Secret role", "permissions": ["calls:read"]})));
        let department = created(&ask(&world, Method::POST, "/api/v1/departments", &owner, &json!({"name": "Secret dep"})));
        let key = created(&ask(&world, Method::POST, "/api/v1/api-keys", &owner,
            &json!({"name": "Secret key", "permissions": ["calls:read"]})));
        let invitation = created(&ask(&world, Method::POST, "/api/v1/users/invitations", &owner,
            &json!({"email": "secret.guest@example.com", "role": "agent"})));
        let me = world.get("/api/v1/me", &thief).json()["user_id"].as_str().unwrap().to_owned();
        let nobodys = "00000000-0000-7000-8000-000000000000";
        let before = world.doubles.db.dump();
        for (pick, forged) in picks {
            let pick_id = |id: &str| if forged { nobodys.to_owned() } else { id.to_owned() };
            let (method, target, body, wrong) = match pick {
                0 => (Method::GET, format!("/api/v1/users/{}", pick_id(&user)), Value::Null, 404),
                1 => (Method::PATCH, format!("/api/v1/users/{}", pick_id(&user)), json!({"role": "viewer"}), 404),
                2 => (Method::DELETE, format!("/api/v1/users/{}", pick_id(&user)), Value::Null, 404),
                3 => (Method::PUT, format!("/api/v1/roles/{}", pick_id(&role)),
                    json!({"name": "X", "permissions": []}), 404),
                4 => (Method::DELETE, format!("/api/v1/roles/{}", pick_id(&role)), Value::Null, 404),
                5 => (Method::GET, format!("/api/v1/departments/{}", pick_id(&department)), Value::Null, 404),
                6 => (Method::PUT, format!("/api/v1/departments/{}", pick_id(&department)), json!({"name": "X"}), 404),
                7 => (Method::DELETE, format!("/api/v1/departments/{}", pick_id(&department)), Value::Null, 404),
                8 => (Method::POST, "/api/v1/departments".to_owned(),
                    json!({"name": "X", "parent_id": pick_id(&department)}), 422),
                9 => (Method::POST, format!("/api/v1/api-keys/{}/rotate", pick_id(&key)), json!({}), 404),
                10 => (Method::DELETE, format!("/api/v1/api-keys/{}", pick_id(&key)), Value::Null, 404),
                11 => (Method::DELETE, format!("/api/v1/users/invitations/{}", pick_id(&invitation)), Value::Null, 404),
                12 => (Method::PATCH, format!("/api/v1/users/{me}"), json!({"role": pick_id(&role)}), 422),
                _ => (Method::PATCH, format!("/api/v1/users/{me}"), json!({"departments": [pick_id(&department)]}), 422),
            };
            let reply = ask(&world, method.clone(), &target, &thief, &body);
            prop_assert_eq!(reply.status.as_u16(), wrong, "{} {}: {}", method, target, reply.body);
            // The answer is word for word that of what is not there.
            let replaced = |text: &str| [&user, &role, &department, &key, &invitation].iter()
                .fold(text.to_owned(), |text, id| text.replace(id.as_str(), nobodys));
            let absent_body = serde_json::from_str(&replaced(&body.to_string())).unwrap();
            let absent = ask(&world, method, &replaced(&target), &thief, &absent_body);
            prop_assert_eq!(&reply.body, &absent.body);
        }
        for target in ["users", "users/invitations", "roles", "departments", "api-keys"] {
            let list = world.get(&format!("/api/v1/{target}"), &thief);
            prop_assert_eq!(list.status.as_u16(), 200);
            prop_assert!(!list.body.to_lowercase().contains("secret"), "{}: {}", target, list.body);
        }
        prop_assert_eq!(&world.get("/api/v1/users/invitations", &thief).json()["total"], &json!(0));
        prop_assert_eq!(world.doubles.db.dump(), before);
    }

    /// B29, the part of this surface: every change that succeeds has one entry of the tenant's log, and what is refused has none.
    #[test]
    fn b29_every_change_has_one_entry(steps in prop::collection::vec(0_usize..21, 1..8)) {
        let world = World::new();
        let tenant = world.tenant(NUMBERS[0]);
        let boss = admin(&world, &tenant, "boss@example.com");
        let ada = world.user(&tenant.id, "ada@example.com", "agent");
        let notes = format!("calls/{}/notes", world.call(&tenant, 1).1);
        let hours = format!("businesses/{}/opening-hours", tenant.business_id);
        let first = |target: &str, builtin: bool| -> String {
            let list = world.get(&format!("/api/v1/{target}"), &boss).json();
            let items = list["items"].as_array().unwrap();
            let item = items.iter().find(|item| !builtin || item["builtin"] == false);
            item.map_or_else(|| "00000000-0000-7000-8000-000000000000".to_owned(), |i| i["id"].as_str().unwrap().to_owned())
        };
        for (n, step) in steps.into_iter().enumerate() {
            let (method, target, body) = match step {
                0 => (Method::POST, "roles".to_owned(), json!({"name": format!("R{}", n % 2), "permissions": []})),
                1 => (Method::PUT, format!("roles/{}", first("roles", true)), json!({"name": "R", "permissions": ["calls:read"]})),
                2 => (Method::DELETE, format!("roles/{}", first("roles", true)), Value::Null),
                3 => (Method::POST, "departments".to_owned(), json!({"name": format!("D{}", n % 2)})),
                4 => (Method::PUT, format!("departments/{}", first("departments", false)), json!({"name": "D1"})),
                5 => (Method::DELETE, format!("departments/{}", first("departments", false)), Value::Null),
                6 => (Method::POST, "api-keys".to_owned(), json!({"name": "K", "permissions": ["calls:read"]})),
                7 => (Method::POST, format!("api-keys/{}/rotate", first("api-keys", false)), json!({})),
                8 => (Method::DELETE, format!("api-keys/{}", first("api-keys", false)), Value::Null),
                9 => (Method::PATCH, format!("users/{ada}"), json!({"role": "viewer"})),
                10 => (Method::POST, "users/invitations".to_owned(), json!({"email": "x@example.com", "role": "agent"})),
                11 => (Method::DELETE, format!("users/{ada}"), Value::Null),
                12 => (Method::POST, notes.clone(), json!({"body": "Ring back"})),
                13 => (Method::PUT, format!("{notes}/{}", first(&notes, false)), json!({"body": "Done"})),
                14 => (Method::DELETE, format!("{notes}/{}", first(&notes, false)), Value::Null),
                15 => (Method::PUT, hours.clone(), json!({"time_zone": "Europe/Berlin", "opening_hours": []})),
                16 => (Method::DELETE, hours.clone(), Value::Null),
                17 => (Method::POST, "config/business".to_owned(), json!({"name": "Second"})),
                18 => (Method::DELETE, format!("config/business/{}", first("config/business", false)), Value::Null),
                19 => (Method::PUT, "preferences".to_owned(), json!({"theme": "dark"})),
                _ => (Method::PUT, "config/providers/openai".to_owned(), json!({"api_key": "sk-0123456789abcdef"})),
            };
            let before = audits(&world);
            let reply = ask(&world, method, &format!("/api/v1/{target}"), &boss, &body);
            let entries = audits(&world) - before;
            prop_assert_eq!(entries, i64::from(reply.status.is_success()), "{}: {}", target, reply.body);
        }
        // Entries name ids, never values.
        let texts = world.sql("select action, actor_kind, actor_id, subject_id from audit_log");
        let texts = format!("{:?}", texts.rows);
        prop_assert!(!texts.contains('@') && !texts.contains("vc_"), "{}", texts);
    }
}

#[test]
fn built_in_roles_are_listed_and_fixed() {
    let world = World::new();
    let tenant = world.tenant(NUMBERS[0]);
    let boss = admin(&world, &tenant, "boss@example.com");
    let list = world.get("/api/v1/roles", &boss).json();
    for (item, role) in list["items"].as_array().unwrap().iter().zip(BuiltinRole::ALL) {
        assert_eq!((&item["id"], &item["builtin"]), (&json!(role.as_str()), &json!(true)));
    }
    let body = json!({"name": "X", "permissions": []});
    ask(&world, Method::PUT, "/api/v1/roles/agent", &boss, &body).assert_problem(404, "not_found");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Whoever is removed from their last tenant is forgotten with it: address, password, sessions, links. Whoever works for another
    /// tenant, or runs the installation, stays. What had been sent to the address does not bring them back.
    #[test]
    fn a03_whoever_works_for_nobody_any_more_is_forgotten(
        order in Just(vec![0_usize, 1, 2]).prop_shuffle(), of in 1_usize..4, runs_the_installation in any::<bool>(),
    ) {
        const GONE: &str = "somebody.who.left@example.com";
        let world = World::new();
        let tenants: Vec<_> = (1..=3).map(|n| world.tenant(&format!("+1500555000{n}"))).collect();
        let works_for: Vec<_> = order.iter().take(of).map(|index| &tenants[*index]).collect();
        let user = world.user(&works_for[0].id, GONE, "viewer");
        let args = |tenant: &Tenant| vec![user.as_str().into(), tenant.id.as_str().into()];
        for tenant in &works_for[1..] {
            world.sql_with("insert into memberships (user_id, tenant_id, role, created_at) values (?1, ?2, 'viewer', 1)", args(tenant));
        }
        for tenant in &works_for {
            world.sql_with(
                "insert into sessions (id, user_id, tenant_id, kind, rotated_at, label, created_at, last_used_at, expires_at)
                values (?2, ?1, ?2, 'login', 1, '', 1, 1, 9000000000000)", args(tenant));
            world.sql_with(
                "insert into invitations (id, tenant_id, email, name, role, departments, token_hash, created_at, expires_at)
                select ?2, ?2, u.email, u.name, 'viewer', '', ?2, 1, 9000000000000 from users u where u.id = ?1", args(tenant));
        }
        world.sql_with(
            "insert into password_resets (token_hash, user_id, created_at, expires_at) values ('link', ?1, 1, 9000000000000)",
            vec![user.as_str().into()],
        );
        world.sql_with("update users set super_admin = ?1", vec![i64::from(runs_the_installation).into()]);
        let known = |world: &World| world.doubles.db.dump().iter().any(|text| text.contains(GONE));
        for (left, tenant) in works_for.iter().enumerate().map(|(n, tenant)| (of - n - 1, tenant)) {
            prop_assert!(known(&world));
            let target = format!("/api/v1/users/{user}");
            prop_assert_eq!(world.request(Method::DELETE, &target, Some(&tenant.key), None).status, 204);
            prop_assert_eq!(world.count("select count(*) as n from invitations"), i64::try_from(left).unwrap());
            let stays = left > 0 || runs_the_installation;
            prop_assert_eq!(known(&world), stays);
            for table in [
                "select count(*) as n from users where email = 'somebody.who.left@example.com'",
                "select count(*) as n from password_resets",
            ] {
                prop_assert_eq!(world.count(table) > 0, stays);
            }
            prop_assert_eq!(world.count("select count(*) as n from sessions") > 0, stays);
        }
    }
}
