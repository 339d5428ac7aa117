//! The audit log over HTTP: looked through, verified, exported, sealed by the job of every minute.

use axum::http::header;
use serde_json::{Value, json};
use voicecore_api::actors::CallReply;
use voicecore_api::jobs;
use voicecore_conformance::block_on;

use voicecore_types::Millis;

use crate::world::{Tenant, World};

/// A tenant that has ended `calls` calls, which is written down.
fn busy(world: &World, number: &str, calls: u32) -> Tenant {
    world.actors_reply(CallReply::Accepted);
    let tenant = world.tenant(number);
    world.sql("update tenants set max_concurrent_calls = 1000");
    // Entries of one moment have no order of their own.
    world.doubles.clock.advance(Millis(1));
    for n in 1..=calls {
        let (_, call) = world.call(&tenant, n + u32::from(number.as_bytes()[11]) * 1_000);
        assert_eq!(world.post(&format!("/api/v1/calls/{call}/end"), &tenant.key).status, 202);
    }
    tenant
}

fn seal(world: &World) -> u32 {
    block_on(jobs::scheduled(&world.app)).unwrap().sealed
}

#[test]
fn entries_are_sealed_each_minute_and_found_by_every_filter() {
    let world = World::new();
    let (tenant, other) = (busy(&world, "+15005550001", 3), busy(&world, "+15005550002", 1));
    let list = |query: &str| world.get(&format!("/api/v1/audit{query}"), &tenant.key).json();
    let all = list("");
    assert_eq!((&all["total"], &all["items"][0]["seq"]), (&json!(4), &Value::Null));
    assert_eq!(seal(&world), 6);
    assert_eq!(seal(&world), 0);
    let all = list("");
    let entry = &all["items"][0];
    assert_eq!(
        (entry["seq"].as_u64(), &entry["action"], &entry["actor"]["kind"]),
        (Some(4), &json!("call.end"), &json!("api_key"))
    );
    let (actor, subject) = (entry["actor"]["id"].as_str().unwrap(), entry["subject_id"].as_str().unwrap());
    for (query, total) in [
        ("?action=call.end".to_owned(), 3),
        ("?action=call".to_owned(), 0),
        ("?action=tenant.provision".to_owned(), 1),
        (format!("?actor={actor}"), 3),
        (format!("?subject={subject}"), 1),
        (format!("?subject={subject}&actor={actor}&action=call.end"), 1),
        (format!("?since={}", world.app.ports.clock.now().0 + 1), 0),
        (format!("?until={}", world.app.ports.clock.now().0 + 1), 4),
    ] {
        assert_eq!(list(&query)["total"], json!(total), "{query}");
    }
    // Nothing of somebody else, whoever's id is asked for.
    let theirs = world.get("/api/v1/audit", &other.key).json();
    assert_eq!(theirs["total"], json!(2));
    assert_eq!(world.get(&format!("/api/v1/audit?subject={subject}"), &other.key).json()["total"], json!(0));
}

#[test]
fn a_hand_in_the_log_is_found_out_at_its_place() {
    let world = World::new();
    let tenant = busy(&world, "+15005550001", 4);
    let verify = |query: &str| world.get(&format!("/api/v1/audit/verify{query}"), &tenant.key).json();
    let before = verify("");
    assert_eq!(
        (&before["head_seq"], &before["unsealed"], &before["broken"]),
        (&json!(0), &json!(5), &Value::Null)
    );
    seal(&world);
    let whole = verify("");
    assert_eq!(
        (&whole["checked"], &whole["next"], &whole["broken"]),
        (&json!(5), &Value::Null, &Value::Null)
    );
    assert_eq!((&whole["head_seq"], &whole["unsealed"]), (&json!(5), &json!(0)));
    let first = verify("?limit=2");
    assert_eq!((&first["checked"], &first["next"]), (&json!(2), &json!(2)));
    assert_eq!(verify("?limit=1000&after=2")["checked"], json!(3));

    world.sql("update audit_log set action = 'call.read' where seq = 4");
    assert_eq!(verify("?limit=2")["broken"], Value::Null);
    assert_eq!(verify("?after=2")["broken"], json!({"seq": 4, "flaw": "changed"}));
    world.sql("delete from audit_log where seq = 3");
    assert_eq!(verify("")["broken"], json!({"seq": 3, "flaw": "missing"}));
    for query in ["?limit=0", "?limit=1001"] {
        world
            .get(&format!("/api/v1/audit/verify{query}"), &tenant.key)
            .assert_problem(422, "invalid_request");
    }
}

#[test]
fn an_export_goes_on_where_it_stopped_and_both_formats_say_the_same() {
    let world = World::new();
    let tenant = busy(&world, "+15005550001", 4);
    seal(&world);
    let parts = |format: &str| {
        let mut next = Some(format!("/api/v1/audit/export?format={format}&limit=2"));
        let mut lines = Vec::new();
        while let Some(target) = next {
            let reply = world.get(&target, &tenant.key);
            assert_eq!(reply.status, 200, "{}", reply.body);
            lines.extend(reply.body.lines().map(str::to_owned));
            next = reply.headers.get(header::LINK).map(|link| {
                let link = link.to_str().unwrap();
                link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap().to_owned()
            });
        }
        lines
    };
    let entries: Vec<Value> = parts("jsonl").iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(entries.len(), 5);
    let rows: Vec<String> = parts("csv").into_iter().filter(|line| !line.starts_with("seq,")).collect();
    for (n, (entry, row)) in entries.iter().zip(&rows).enumerate() {
        assert_eq!(entry["seq"], json!(n + 1));
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let expected = [
            entry["seq"].to_string(),
            text(&entry["id"]),
            entry["at"].to_string(),
            text(&entry["actor"]["kind"]),
            text(&entry["actor"]["id"]),
            text(&entry["action"]),
            text(&entry["subject_id"]),
            String::new(),
            text(&entry["hash"]),
        ];
        assert_eq!(row.split(',').collect::<Vec<_>>(), expected);
    }
    assert_eq!(rows.len(), 5);
    world.get("/api/v1/audit/export?format=xml", &tenant.key).assert_problem(400, "malformed_request");
}

/// A tenant whose key cannot be opened keeps nobody else's log from being sealed.
#[test]
fn a_log_that_cannot_be_sealed_is_left_for_later() {
    let world = World::new();
    let (broken, fine) = (busy(&world, "+15005550001", 1), busy(&world, "+15005550002", 1));
    let spoil = voicecore_ports::Stmt::new(
        "update tenant_keys set wrapped_key = 'v1.x.y' where tenant_id = ?1",
        vec![broken.id.as_str().into()],
    )
    .reaching(voicecore_ports::Reach::EveryTenant);
    block_on(voicecore_ports::Db::query(&*world.doubles.db, spoil)).unwrap();
    let swept = block_on(jobs::scheduled(&world.app)).unwrap();
    assert_eq!((swept.sealed, swept.unsealed), (2, 1));
    assert_eq!(world.get("/api/v1/audit/verify", &fine.key).json()["checked"], json!(2));
}

#[test]
fn the_log_of_all_departments_is_for_those_who_see_them_all() {
    let world = World::new();
    let tenant = busy(&world, "+15005550001", 1);
    world.sql_with(
        "insert into roles (id, tenant_id, name, permissions, created_at, updated_at)
        values ('00000000-0000-7000-8000-000000000001', ?1, 'Auditor', 'audit:read', 1, 1)",
        vec![tenant.id.as_str().into()],
    );
    world.user(&tenant.id, "ada@example.com", "custom");
    world
        .sql("update memberships set role_id = '00000000-0000-7000-8000-000000000001' where role = 'custom'");
    let ada = world.login("ada@example.com");
    let targets = ["/api/v1/audit", "/api/v1/audit/verify", "/api/v1/audit/export"];
    for target in targets {
        world.get(target, &ada).assert_problem(403, "forbidden");
    }
    world.sql("update roles set permissions = 'audit:read departments:all'");
    for target in targets {
        assert_eq!(world.get(target, &ada).status, 200, "{target}");
    }
}
