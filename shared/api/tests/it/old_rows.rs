//! What was written before there were tables by which it is found, and people who left before leaving meant to be forgotten.

use axum::http::Method;
use serde_json::json;
use voicecore_api::jobs;
use voicecore_conformance::block_on;
use voicecore_ports::Blob as _;
use voicecore_types::Millis;

use crate::messages::left_in;
use crate::search::finish;
use crate::world::{NOW, Tenant, World};

/// More than one step takes of each.
const OLD: u32 = 15;
/// Transcripts that one run reads, after two steps for the messages and two for the notes.
const IN_THE_FIRST_RUN: i64 = 10;

/// What makes found, but for how far the job has come.
fn found_by(world: &World) -> [String; 3] {
    let texts =
        "select * from text_words where noun <> 'old_rows' order by tenant_id, noun, word, subject_id";
    let calls = "select * from call_words order by tenant_id, word, call_id";
    let latencies = "select * from call_latencies order by tenant_id, call_id, seq";
    [texts, calls, latencies].map(|sql| format!("{:?}", world.sql(sql).rows))
}

fn run(world: &World) {
    block_on(jobs::scheduled(&world.app)).unwrap();
}

/// Calls, each with a message and a note about it.
fn traffic(world: &World, tenant: &Tenant, first: u32) -> Vec<String> {
    let calls = (first..first + OLD).map(|n| {
        let call = world.call(tenant, n).1;
        left_in(world, call, &format!("Parcel {n} is late"));
        let note = json!({"body": format!("Call back {n}"), "tags": ["vip"]});
        let target = format!("/api/v1/calls/{call}/notes");
        assert_eq!(world.request(Method::POST, &target, Some(&tenant.key), Some(&note)).status, 201);
        finish(world, call, 1, &["Hello", "parcel", "One moment."]);
        world.doubles.clock.advance(Millis(1));
        call.to_string()
    });
    calls.collect()
}

#[test]
fn what_is_older_than_its_tables_is_found_after_a_while() {
    let world = World::new();
    let (tenant, other) = (world.tenant("+15005550001"), world.tenant("+15005550002"));
    let calls = traffic(&world, &tenant, 1);
    traffic(&world, &other, 101);
    let before = found_by(&world);
    world.sql("delete from text_words");
    world.sql("delete from call_words");
    world.sql("delete from call_latencies");
    let total = |target: &str| world.get(&format!("/api/v1/{target}"), &tenant.key).json()["total"].clone();
    assert_eq!(total("messages?q=parcel"), 0);
    run(&world);
    // A limited number in each run.
    let latencies = "select count(*) as n from call_latencies";
    assert_eq!(world.count(latencies), 2 * IN_THE_FIRST_RUN);
    run(&world);
    assert_eq!(found_by(&world), before);
    for target in ["messages?q=parcel", "notes?q=back", "notes?tag=vip", "calls?q=parcel"] {
        assert_eq!(total(target), OLD, "{target}");
    }
    run(&world);
    let done = world.doubles.db.dump();
    run(&world);
    assert_eq!(world.doubles.db.dump(), done);
    // What comes afterwards is not looked at, nor is what was deleted looked for.
    world.sql("delete from call_latencies");
    run(&world);
    assert_eq!(world.count(latencies), 0);
    assert_eq!(calls.len(), OLD as usize);
}

#[test]
fn an_old_transcript_that_cannot_be_read_keeps_no_other_from_being_found() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let calls = traffic(&world, &tenant, 1);
    world.sql("delete from call_latencies");
    let key = world.doubles.blob.keys().into_iter().find(|key| key.contains(&calls[3])).unwrap();
    block_on(world.doubles.blob.put(&key, b"{".to_vec())).unwrap();
    for _ in 0..3 {
        run(&world);
    }
    let there = world.sql("select call_id from call_latencies").rows;
    assert_eq!(there.len(), calls.len() - 1);
    assert!(!format!("{there:?}").contains(&calls[3]));
}

#[test]
fn who_works_for_nobody_and_is_invited_by_nobody_is_forgotten() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let member = world.user(&tenant.id, "member@example.com", "agent");
    let root = world.super_admin("root@example.com");
    let [alone, invited, too_late] = ["alone", "invited", "late"].map(|name| {
        let id = world.user(&tenant.id, &format!("{name}@example.com"), "agent");
        world.login(&format!("{name}@example.com"));
        world.sql_with("delete from memberships where user_id = ?1", vec![id.as_str().into()]);
        id
    });
    let invite = |email: &str| {
        let body = json!({"email": email, "role": "agent"});
        let reply = world.request(Method::POST, "/api/v1/users/invitations", Some(&tenant.key), Some(&body));
        assert_eq!(reply.status, 201, "{}", reply.body);
    };
    invite("invited@example.com");
    invite("late@example.com");
    world.sql("update invitations set expires_at = 1 where email = 'late@example.com'");
    let known = || {
        let rows = world.sql("select id from users").rows;
        let known = format!("{rows:?}");
        [&member, &root, &invited, &alone, &too_late].map(|id| known.contains(id.as_str()))
    };
    run(&world);
    assert_eq!(known(), [true; 5], "not at this hour");
    let day = 86_400_000;
    world.doubles.clock.advance(Millis(day - NOW.0 % day + 60_000));
    run(&world);
    assert_eq!(known(), [true, true, true, false, false]);
    assert_eq!(
        world.count("select count(*) as n from sessions where user_id not in (select id from users)"),
        0
    );
}
