//! The deletion of a tenant (property A3): nothing of it is left in any store, whatever fails meanwhile, and nobody else notices.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use axum::http::Method;
use proptest::prelude::*;
use serde_json::json;
use voicecore_api::actors::{CallReply, HubReply};
use voicecore_api::jobs::{self, DeletionReport};
use voicecore_api::live;
use voicecore_call::ToolCall;
use voicecore_conformance::block_on;
use voicecore_conformance::doubles::{ActorName, TestDb};
use voicecore_domain::DeletionStage;
use voicecore_ports::{ActorError, Blob as _, Db as _, HttpResponse, Reach, Row, Stmt, Value};
use voicecore_store::audit_log::AuditEntry;
use voicecore_store::qa_results::QaResult;
use voicecore_store::tenant_deletions::{self, RequestedBy};
use voicecore_store::{Scope, call_words};
use voicecore_types::{AuditEntryId, CallId, Millis};

use crate::conventions::keyed;
use crate::world::{Tenant, World, incoming, status};

/// Names of actors that hold anything, and whether they answer at the moment.
#[derive(Clone, Default)]
struct Actors {
    state: Arc<Mutex<BTreeSet<String>>>,
    away: Arc<Mutex<bool>>,
    /// Done when the first hub is told to forget everything, between the stages `access` and `rows`.
    meanwhile: Arc<Mutex<Option<Meanwhile>>>,
}

type Meanwhile = Box<dyn FnOnce() + Send>;

impl Actors {
    fn install(&self, world: &World) {
        let actors = self.clone();
        world.doubles.actors.answer_with(move |name, command| {
            if *actors.away.lock().unwrap() {
                return Err(ActorError::Unavailable);
            }
            let erases = command["command"] == "erase";
            if erases && matches!(name, ActorName::Hub(_)) {
                let meanwhile = actors.meanwhile.lock().unwrap().take();
                if let Some(work) = meanwhile {
                    work();
                }
            }
            let (name, reply) = match name {
                ActorName::Call(id) => {
                    (format!("call {id}"), serde_json::to_value(CallReply::Accepted).unwrap())
                }
                ActorName::Hub(id) if erases => {
                    (format!("hub {id}"), serde_json::to_value(HubReply::Erased).unwrap())
                }
                ActorName::Hub(id) => {
                    let reply = HubReply::TicketIssued { expires_at: Millis(0) };
                    (format!("hub {id}"), serde_json::to_value(reply).unwrap())
                }
            };
            let mut state = actors.state.lock().unwrap();
            if erases {
                state.remove(&name)
            } else {
                state.insert(name)
            };
            Ok(reply)
        });
    }

    fn holds(&self, name: &str) {
        self.state.lock().unwrap().insert(name.to_owned());
    }

    fn holding(&self) -> Vec<String> {
        self.state.lock().unwrap().iter().cloned().collect()
    }
}

/// Somebody who runs the installation, and looked into the tenant in a request that was under way when the deletion began: it
/// leaves a session, a key, an invitation and a member.
fn look_in_late(world: &World, tenant: &Tenant) -> Meanwhile {
    let root = world.super_admin("root@example.com");
    let (db, tenant) = (world.doubles.db.clone(), tenant.id.clone());
    Box::new(move || {
        for sql in [
            "insert into sessions (id, user_id, tenant_id, kind, rotated_at, label, created_at, last_used_at, expires_at)
            values ('late session', ?1, ?2, 'impersonation', 1, '', 1, 1, 9000000000000)",
            "insert into api_keys (id, tenant_id, name, prefix, key_hash, permissions, created_at, created_by)
            values ('late key', ?2, 'Late', 'late', 'late', '', 1, ?1)",
            "insert into invitations (id, tenant_id, email, name, role, departments, created_at, expires_at)
            select 'late invitation', ?2, u.email, u.name, 'viewer', '', 1, 2 from users u where u.id = ?1",
            "insert into memberships (user_id, tenant_id, role, created_at) values (?1, ?2, 'viewer', 1)",
        ] {
            let stmt = Stmt::new(sql, vec![root.as_str().into(), tenant.as_str().into()]);
            block_on(db.query(stmt.reaching(Reach::EveryTenant))).unwrap();
        }
    })
}

fn rows(world: &World, sql: String, args: Vec<Value>) -> Vec<Row> {
    let sql: &'static str = Box::leak(sql.into_boxed_str());
    block_on(world.doubles.db.query(Stmt::new(sql, args).reaching(Reach::EveryTenant))).unwrap().rows
}

/// Every table of the schema that has this column.
fn tables_with(world: &World, column: &str) -> Vec<String> {
    let sql = match &*world.doubles.db {
        TestDb::Sqlite(_) => {
            "select m.name from sqlite_schema m join pragma_table_info(m.name) c
            where m.type = 'table' and c.name = ?1 order by m.name"
        }
        TestDb::Postgres(_) => {
            "select cast(table_name as text) as name from information_schema.columns
            where table_schema = current_schema() and column_name = ?1 order by table_name"
        }
    };
    let names = rows(world, sql.to_owned(), vec![column.into()]);
    names
        .into_iter()
        .map(|mut row| match row.remove("name") {
            Some(Value::Text(name)) => name,
            other => panic!("{other:?}"),
        })
        .collect()
}

/// Every row of a tenant, table by table, by the schema.
fn rows_of(world: &World, tenant: &str) -> Vec<(String, Vec<Row>)> {
    let mut tables = tables_with(world, "tenant_id");
    tables.retain(|table| table != "tenant_deletions");
    let mut found: Vec<_> = tables
        .into_iter()
        .map(|table| {
            let mut rows =
                rows(world, format!("select * from {table} where tenant_id = ?1"), vec![tenant.into()]);
            // A database gives them in any order.
            rows.sort_by_cached_key(|row| format!("{row:?}"));
            (table, rows)
        })
        .collect();
    found.push((
        "tenants".to_owned(),
        rows(world, "select * from tenants where id = ?1".to_owned(), vec![tenant.into()]),
    ));
    found
}

/// Texts by which somebody could tell that there was such a tenant: ids, keys, names, what was said.
fn traces(rows: &[(String, Vec<Row>)]) -> BTreeSet<String> {
    let values = rows.iter().flat_map(|(_, rows)| rows).flat_map(Row::values);
    let texts =
        values.filter_map(|value| if let Value::Text(text) = value { Some(text.clone()) } else { None });
    // A person who works for another tenant, too, stays.
    let people = rows.iter().filter(|(table, _)| table == "memberships").flat_map(|(_, rows)| rows);
    let people: Vec<_> = people.filter_map(|row| row.get("user_id").cloned()).collect();
    texts.filter(|text| text.len() >= 20 && !people.contains(&Value::Text(text.clone()))).collect()
}

/// A tenant with something in every table, object store and actor.
fn busy(world: &World, actors: &Actors, n: u32, calls: u32) -> (Tenant, Vec<(String, CallId)>) {
    let tenant = world.tenant(&format!("+1500555{n:04}"));
    let api_key = json!({"api_key": format!("sk-own-key-of-tenant-{n:04}")});
    let target = "/api/v1/config/providers/openai";
    assert_eq!(world.request(Method::PUT, target, Some(&tenant.key), Some(&api_key)).status, 200);
    employ(world, &tenant.id);
    let gone = world.user(&tenant.id, &removed(n), "viewer");
    world.sql_with(
        "insert into password_resets (token_hash, user_id, created_at, expires_at) values (?1, ?1, 1, 9000000000000)",
        vec![gone.as_str().into()],
    );
    let target = format!("/api/v1/users/{gone}");
    assert_eq!(world.request(Method::DELETE, &target, Some(&tenant.key), None).status, 204);
    let mut placed = Vec::new();
    for call in 0..calls {
        let (sid, id) = world.call(&tenant, n * 100 + call);
        let setup = block_on(live::load_call(&world.app, id)).unwrap();
        let tool = ToolCall {
            tool_call_id: format!("tool-{n}-{call}"),
            name: "take_message".to_owned(),
            arguments: json!({"message": format!("please ring back, says caller {n}-{call}")}).to_string(),
        };
        let told = block_on(live::run_tool(&world.app, &setup, &tool));
        block_on(live::record_tool(&world.app, &setup, &tool, &told)).unwrap();
        block_on(live::archive_journal(&world.app, &setup, b"{}")).unwrap();
        let words = ["parcel".to_owned()];
        let result = QaResult {
            score_permille: Some(1_000),
            rules_version: 1,
            evaluated_at: Millis(1),
            outcomes: format!("[\"caller {n}-{call}\"]"),
        };
        let (whose, waits) = (scope(world, &tenant), [(1, Millis(800))]);
        block_on(call_words::store(&whose, id, &words, &waits, Some(&result))).unwrap();
        let note = json!({"body": format!("a note about caller {n}-{call}")});
        let target = (Method::POST, &*format!("/api/v1/calls/{id}/notes"));
        assert_eq!(keyed(world, target, &tenant.key, "note", Some(&note)).status, 201);
        if call % 3 == 1 {
            world.webhook("/webhooks/twilio/status", &status(&sid, "completed"));
        }
        actors.holds(&format!("call {id}"));
        placed.push((sid, id));
    }
    actors.holds(&format!("hub {}", tenant.id));
    world.get("/api/v1/audit", &tenant.key);
    (tenant, placed)
}

/// The address of somebody who worked for the tenant, and for nobody else, until they were removed.
fn removed(n: u32) -> String {
    format!("removed-from-{n:04}@example.com")
}

/// Somebody who is signed in, somebody who is invited, a role, and a department below another one.
fn employ(world: &World, tenant: &str) {
    let id = |what: &str| Value::from(format!("{what} of {tenant}"));
    let tenant = || Value::from(tenant);
    for (sql, args) in [
        ("insert into users (id, email, name, created_at) values (?1, ?2, 'Agent', 1)", vec![
            id("agent"),
            id("agent@example.com"),
        ]),
        (
            "insert into memberships (user_id, tenant_id, role, created_at) values (?1, ?2, 'agent', 1)",
            vec![id("agent"), tenant()],
        ),
        (
            "insert into password_resets (token_hash, user_id, created_at, expires_at) values (?1, ?2, 1, 9000000000000)",
            vec![id("link"), id("agent")],
        ),
        (
            "insert into roles (id, tenant_id, name, permissions, created_at, updated_at)
            values (?1, ?2, 'Night shift', 'calls:read', 1, 1)",
            vec![id("role"), tenant()],
        ),
        (
            "insert into departments (id, tenant_id, parent_id, name, created_at, updated_at)
            values (?1, ?2, null, 'Above', 1, 1)",
            vec![id("upper department"), tenant()],
        ),
        (
            "insert into departments (id, tenant_id, parent_id, name, created_at, updated_at)
            values (?1, ?2, ?3, 'Below', 1, 1)",
            vec![id("lower department"), tenant(), id("upper department")],
        ),
        (
            "insert into preferences (tenant_id, user_id, document, version, updated_at) values (?2, ?1, '{}', 1, 1)",
            vec![id("agent"), tenant()],
        ),
        (
            "insert into agents (id, tenant_id, user_id, name, skills, languages, availability_changed_at, created_at, updated_at)
            values (?1, ?2, ?3, 'Agent', '', '', 1, 1, 1)",
            vec![id("human agent"), tenant(), id("agent")],
        ),
        (
            "insert into agent_departments (tenant_id, agent_id, department_id) values (?2, ?1, ?3)",
            vec![id("human agent"), tenant(), id("lower department")],
        ),
        (
            "insert into saved_views (id, tenant_id, user_id, name, noun, document, created_at, updated_at)
            values (?1, ?2, ?3, 'Missed', 'calls', '', 1, 1)",
            vec![id("saved view"), tenant(), id("agent")],
        ),
        (
            "insert into notifications (id, tenant_id, kind, subject_id, created_at)
            values (?1, ?2, 'call_failed', ?1, 9000000000000)",
            vec![id("notification"), tenant()],
        ),
        (
            "insert into notification_states (tenant_id, user_id, notification_id, read_at) values (?2, ?1, ?3, 1)",
            vec![id("agent"), tenant(), id("notification")],
        ),
        (
            "insert into notification_marks (tenant_id, user_id, read_until) values (?2, ?1, 1)",
            vec![id("agent"), tenant()],
        ),
        (
            "insert into setup_progress (tenant_id, step, draft, updated_at) values (?2, 'qa', ?1, 1)",
            vec![id("draft"), tenant()],
        ),
        (
            "insert into test_calls (id, tenant_id, setup, state, step, expires_at)
            values (?1, ?2, 's', 's', 1, 9000000000000)",
            vec![id("test call"), tenant()],
        ),
        ("update businesses set department_id = ?1 where tenant_id = ?2", vec![id("lower department"), tenant()]),
        (
            "insert into membership_departments (tenant_id, user_id, department_id)
            select tenant_id, user_id, ?1 from memberships where tenant_id = ?2",
            vec![id("lower department"), tenant()],
        ),
        (
            "insert into invitations (id, tenant_id, email, name, role, role_id, departments, created_at, expires_at)
            values (?1, ?2, ?3, 'Guest', 'viewer', ?4, '', 1, 2)",
            vec![id("invitation"), tenant(), id("somebody@example.com"), id("role")],
        ),
        (
            "insert into sessions (id, user_id, tenant_id, kind, rotated_at, label, created_at, last_used_at, expires_at)
            values (?1, ?3, ?2, 'login', 1, 'A browser', 1, 1, 9000000000000)",
            vec![id("session"), tenant(), id("agent")],
        ),
    ] {
        world.sql_with(sql, args);
    }
}

fn scope(world: &World, tenant: &Tenant) -> Scope {
    Scope::for_job(world.app.ports.db.clone(), tenant.id.parse().unwrap())
}

fn ask(world: &World, tenant: &Tenant) -> bool {
    let by = RequestedBy { kind: "operator", id: None };
    let at = world.app.ports.clock.now();
    let entry = AuditEntry {
        id: AuditEntryId::new(at, &world.doubles.rng.bytes()),
        at,
        actor_kind: "operator",
        actor_id: None,
        action: "tenant.delete",
        subject_id: None,
    };
    block_on(tenant_deletions::request(&scope(world, tenant), by, &entry)).unwrap()
}

/// Minutes pass, in some of which something is away, until the deletion is done.
fn minutes(world: &World, actors: &Actors, troubles: &[u8], tenant: &Tenant) -> DeletionReport {
    for minute in 0..200_usize {
        let trouble = troubles.get(minute).copied().unwrap_or(0);
        *actors.away.lock().unwrap() = trouble == 1;
        world.db.off(trouble == 2);
        if trouble != 3 {
            world.doubles.http.answer(Ok(HttpResponse { status: 200, body: b"{}".to_vec() }));
        }
        let _ = block_on(jobs::scheduled(&world.app));
        world.db.off(false);
        world.doubles.clock.advance(Millis::from_secs(60));
        let deletion = block_on(tenant_deletions::get(&scope(world, tenant))).unwrap().unwrap();
        if deletion.finished_at.is_some() {
            assert_eq!(deletion.stage, DeletionStage::Done);
            *actors.away.lock().unwrap() = false;
            return serde_json::from_str(&deletion.report).unwrap();
        }
    }
    panic!("the deletion does not end: {:?}", block_on(tenant_deletions::get(&scope(world, tenant))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a03_after_deletion_no_store_holds_anything_of_the_tenant(
        calls in 0_u32..24, others in 1_u32..4, turn_based in any::<bool>(), troubles in prop::collection::vec(0_u8..5, 0..8),
        late_object in any::<bool>(), looked_into in any::<bool>(),
    ) {
        let world = World::new();
        world.sql("select 1");
        let actors = Actors::default();
        actors.install(&world);
        let (tenant, placed) = busy(&world, &actors, 1, calls.min(10));
        world.sql("update tenants set max_concurrent_calls = 1000");
        let (other, _) = busy(&world, &actors, 2, others);
        if turn_based {
            world.sql("update businesses set voice_mode = 'turn_based'");
            for n in 0..calls / 4 {
                let (sid, _) = world.ring(&tenant.number, 150 + n);
                world.webhook("/webhooks/twilio/voice", &incoming(&sid, &tenant.number));
            }
        }
        // Something is under way while the database is away: it comes when the tenant is gone.
        world.db.off(true);
        for (sid, _) in &placed {
            world.webhook("/webhooks/twilio/status", &status(sid, "completed"));
        }
        world.db.off(false);
        let under_way = world.doubles.queue.take();
        prop_assert_eq!(under_way.len(), placed.len());

        let before = rows_of(&world, &tenant.id);
        for (table, rows) in &before {
            let filled = !rows.is_empty()
                || ["audit_chains"].contains(&table.as_str())
                || (calls == 0 && ["calls", "call_events", "tool_runs", "messages", "usage_daily", "dialogues", "call_words", "call_latencies", "qa_results", "call_notes", "text_words", "idempotency_keys"].contains(&table.as_str()))
                || (table == "dialogues" && (!turn_based || calls < 4));
            prop_assert!(filled, "nothing in {} to delete", table);
        }
        let theirs = rows_of(&world, &other.id);
        prop_assert!(ask(&world, &tenant));
        prop_assert!(!ask(&world, &tenant));
        if looked_into {
            *actors.meanwhile.lock().unwrap() = Some(look_in_late(&world, &tenant));
        }
        let report = minutes(&world, &actors, &troubles, &tenant);

        for job in under_way {
            // Consumers drop what speaks of the dead.
            prop_assert!(block_on(jobs::handle(&world.app, job)).is_ok());
        }
        for (table, rows) in rows_of(&world, &tenant.id) {
            prop_assert!(rows.is_empty(), "{} rows in {}", rows.len(), table);
        }
        let dump = world.doubles.db.dump();
        prop_assert!(!dump.iter().any(|text| text.contains(&removed(1))), "somebody who was removed before");
        // What two tenants have in common (words for permissions, a person) says nothing of either.
        for trace in traces(&before).difference(&traces(&theirs)) {
            let left = dump.iter().filter(|text| text.contains(trace.as_str())).count();
            // Its id in the report, and nothing else.
            prop_assert_eq!(left, usize::from(*trace == tenant.id), "{}", trace);
        }
        prop_assert!(!world.doubles.blob.keys().iter().any(|key| key.contains(&tenant.id)));
        for (_, call) in &placed {
            prop_assert!(!world.doubles.blob.keys().iter().any(|key| key.contains(&call.to_string())));
            let name = format!("call {call}");
            prop_assert!(!actors.holding().contains(&name));
        }
        let hub = format!("hub {}", tenant.id);
        prop_assert!(!actors.holding().contains(&hub));
        // Nobody comes in any more.
        world.get("/api/v1/calls", &tenant.key).assert_problem(401, "unauthenticated");
        let (_, refused) = world.ring(&tenant.number, 199);
        prop_assert!(refused.twiml().contains("<Say"));

        // The report counts, and says what remains and until when.
        prop_assert_eq!(report.rows["api_keys"], 1 + u64::from(looked_into));
        prop_assert_eq!(report.call_actors >= u64::from(calls.min(10)), true);
        prop_assert!(report.hub && report.objects >= u64::from(calls.min(10)));
        prop_assert!(report.remains.iter().any(|remains| remains.what.contains("backups") && remains.until.is_some()));
        prop_assert!(report.remains.iter().any(|remains| remains.what.contains("carrier") && remains.until.is_none()));

        // Nobody else noticed: the same rows but for what the job of every minute does to them.
        let untouched = |rows: Vec<(String, Vec<Row>)>| {
            let kept = rows.into_iter().filter(|(table, _)| !["audit_log", "audit_chains", "calls", "call_events"].contains(&table.as_str()));
            // How far the job has gone through what is older than its tables.
            let of_the_job = |row: &Row| row.get("noun") == Some(&Value::Text("old_rows".to_owned()));
            kept.map(|(table, rows)| (table, rows.into_iter().filter(|row| !of_the_job(row)).collect::<Vec<_>>())).collect::<Vec<_>>()
        };
        prop_assert_eq!(untouched(rows_of(&world, &other.id)), untouched(theirs));
        let hub = format!("hub {}", other.id);
        prop_assert!(actors.holding().contains(&hub));
        prop_assert_eq!(world.get("/api/v1/calls", &other.key).json()["total"].clone(), json!(others));
        if late_object {
            // The last tenant of somebody takes them and their links along.
            prop_assert!(ask(&world, &other));
            minutes(&world, &actors, &[], &other);
            // Whoever runs the installation stays.
            for table in ["users where super_admin = 0", "password_resets", "sessions", "setup_tokens", "memberships", "tenants"] {
                prop_assert!(rows(&world, format!("select * from {table}"), vec![]).is_empty(), "{}", table);
            }
            prop_assert!(world.doubles.blob.keys().is_empty() && actors.holding().is_empty());
        }
    }
}

/// A writer that comes late is waited for: what it leaves is swept as well.
#[test]
fn what_comes_late_is_swept_as_well() {
    let world = World::new();
    let actors = Actors::default();
    actors.install(&world);
    let (tenant, placed) = busy(&world, &actors, 1, 2);
    assert!(ask(&world, &tenant));
    // All stages but the last.
    for _ in 0..4 {
        block_on(jobs::scheduled(&world.app)).unwrap();
    }
    let deletion = block_on(tenant_deletions::get(&scope(&world, &tenant))).unwrap().unwrap();
    assert_eq!(deletion.stage, DeletionStage::Settling);
    let late = format!("t/{}/calls/{}/transcript.json", tenant.id, placed[0].1);
    block_on(world.doubles.blob.put(&late, vec![1])).unwrap();
    actors.holds(&format!("hub {}", tenant.id));
    assert_eq!(block_on(jobs::scheduled(&world.app)).unwrap().tenants_deleted, 0);
    world.doubles.clock.advance(Millis::from_secs(900));
    assert_eq!(block_on(jobs::scheduled(&world.app)).unwrap().tenants_deleted, 1);
    assert!(world.doubles.blob.keys().is_empty() && actors.holding().is_empty());
}

/// Rows of a request that was under way: of a call, once its stage is over (the tenant's row cannot go before them), and what refers to
/// nothing, when the tenant is gone.
#[test]
fn rows_that_come_late_are_swept_as_well() {
    const OF_A_CALL: [&str; 5] = [
        "insert into calls (id, tenant_id, business_id, phone_number_id, carrier_call_id, direction, status, started_at)
        values (?2, ?1, 'b', 'p', 'CAlate', 'inbound', 'ringing', 1)",
        "insert into call_events (call_id, status, tenant_id, at) values (?2, 'ringing', ?1, 1)",
        "insert into call_words (tenant_id, word, at, call_id) values (?1, 'late', 1, ?2)",
        "insert into messages (id, tenant_id, business_id, call_id, kind, body, created_at)
        values ('late message', ?1, 'b', ?2, 'message', 'late', 1)",
        "insert into usage_daily (tenant_id, day, calls, cost_micros) select ?1, 1, 1, 0 where ?2 <> ''",
    ];
    const OF_NOBODY: [&str; 4] = [
        "insert into text_words (tenant_id, noun, word, at, subject_id) values (?1, 'message', 'late', 1, ?2)",
        "insert into call_latencies (tenant_id, call_id, seq, latency_ms) values (?1, ?2, 1, 800)",
        "insert into qa_rules (tenant_id, rules, version, updated_at) select ?1, '[]', 1, 1 where ?2 <> '' on conflict do nothing",
        "insert into qa_results (tenant_id, call_id, rules_version, evaluated_at, outcomes) values (?1, ?2, 1, 1, '[]')",
    ];
    let world = World::new();
    let actors = Actors::default();
    actors.install(&world);
    let (tenant, _) = busy(&world, &actors, 1, 1);
    let late = CallId::new(world.app.ports.clock.now(), &[7; 10]).to_string();
    let write = {
        let (db, tenant) = (world.doubles.db.clone(), tenant.id.clone());
        move |sql: &'static str| {
            let stmt = Stmt::new(sql, vec![tenant.as_str().into(), late.as_str().into()]);
            block_on(db.query(stmt.reaching(Reach::EveryTenant))).unwrap();
        }
    };
    let again = write.clone();
    *actors.meanwhile.lock().unwrap() =
        Some(Box::new(move || OF_A_CALL.into_iter().chain(OF_NOBODY).for_each(&again)));
    assert!(ask(&world, &tenant));
    let stage = || block_on(tenant_deletions::get(&scope(&world, &tenant))).unwrap().unwrap().stage;
    for _ in 0..10 {
        block_on(jobs::scheduled(&world.app)).unwrap();
    }
    assert_eq!(stage(), DeletionStage::Settling);
    OF_NOBODY.into_iter().for_each(write);
    world.doubles.clock.advance(Millis::from_secs(900));
    for _ in 0..2 {
        block_on(jobs::scheduled(&world.app)).unwrap();
    }
    assert_eq!(stage(), DeletionStage::Done);
    for (table, rows) in rows_of(&world, &tenant.id) {
        assert!(rows.is_empty(), "{} rows in {table}", rows.len());
    }
}

#[test]
fn only_a_tenant_that_is_there_can_be_deleted() {
    let world = World::new();
    let nobody =
        Tenant { id: "01939a2b-0000-7000-8000-000000000001".to_owned(), ..world.tenant("+15005550001") };
    assert!(!ask(&world, &nobody));
    assert_eq!(block_on(jobs::scheduled(&world.app)).unwrap().tenants_deleted, 0);
}

/// On a platform without actors nobody waits for one.
#[test]
fn a_platform_without_actors_deletes_all_the_same() {
    let world = World::new();
    world.doubles.actors.remove();
    let tenant = world.tenant("+15005550001");
    world.ring(&tenant.number, 1);
    assert!(ask(&world, &tenant));
    let report = minutes(&world, &Actors::default(), &[], &tenant);
    assert!(!report.hub && report.rows["calls"] > 0);
    // Of what remains it says what there is there.
    let said = |what: &str| report.remains.iter().find(|remains| remains.what.contains(what));
    assert!(said("backups").is_some_and(|backups| backups.until.is_none()));
    assert!(said("given up").is_some_and(|jobs| jobs.until.is_some()));
    assert!(["D1", "worker", "dead letters"].iter().all(|word| said(word).is_none()), "{:?}", report.remains);
}
