//! What holds for every statement of the store.

use std::fs;
use std::path::Path;

use voicecore_conformance::doubles::{Numbers, PostgresDb, SqliteDb};
use voicecore_conformance::migrations::{self, Engine};
use voicecore_conformance::portable;
use voicecore_ports::postgres::Plan;
use voicecore_ports::{MAX_PARAMETERS, Stmt};

use crate::directory::{accounts, installation, people, sessions, watchers};
use crate::{
    agents, analytics, api_keys, assistants, audit_log, business_config, businesses, call_latencies,
    call_notes, call_words, calls, departments, dialogues, directory, idempotency, invitations, master_key,
    messages, notifications, old_rows, opening_hours, phone_numbers, preferences, providers, qa_results,
    qa_rules, rate_limits, roles, saved_views, setup_progress, tenant_deletions, tenants, test_calls,
    text_words, tool_runs, users,
};

const MODULES: [(&str, &[(&str, &str)]); 45] = [
    ("agents", agents::STATEMENTS),
    ("analytics", analytics::STATEMENTS),
    ("api_keys", api_keys::STATEMENTS),
    ("assistants", assistants::STATEMENTS),
    ("audit_log", audit_log::STATEMENTS),
    ("audit_log/chain", audit_log::CHAIN_STATEMENTS),
    ("audit_log/list", audit_log::LIST_STATEMENTS),
    ("business_config", business_config::STATEMENTS),
    ("businesses", businesses::STATEMENTS),
    ("call_latencies", call_latencies::STATEMENTS),
    ("call_notes", call_notes::STATEMENTS),
    ("call_words", call_words::STATEMENTS),
    ("calls/admit", calls::ADMIT_STATEMENTS),
    ("calls/list", calls::LIST_STATEMENTS),
    ("calls/progress", calls::PROGRESS_STATEMENTS),
    ("departments", departments::STATEMENTS),
    ("dialogues", dialogues::STATEMENTS),
    ("directory", directory::STATEMENTS),
    ("directory/accounts", accounts::STATEMENTS),
    ("directory/installation", installation::STATEMENTS),
    ("directory/people", people::STATEMENTS),
    ("directory/sessions", sessions::STATEMENTS),
    ("directory/watchers", watchers::STATEMENTS),
    ("idempotency", idempotency::STATEMENTS),
    ("invitations", invitations::STATEMENTS),
    ("master_key", master_key::STATEMENTS),
    ("messages", messages::STATEMENTS),
    ("notifications", notifications::STATEMENTS),
    ("old_rows", old_rows::STATEMENTS),
    ("opening_hours", opening_hours::STATEMENTS),
    ("phone_numbers", phone_numbers::STATEMENTS),
    ("preferences", preferences::STATEMENTS),
    ("providers", providers::STATEMENTS),
    ("qa_results", qa_results::STATEMENTS),
    ("qa_rules", qa_rules::STATEMENTS),
    ("rate_limits", rate_limits::STATEMENTS),
    ("roles", roles::STATEMENTS),
    ("saved_views", saved_views::STATEMENTS),
    ("setup_progress", setup_progress::STATEMENTS),
    ("tenant_deletions", tenant_deletions::STATEMENTS),
    ("tenants", tenants::STATEMENTS),
    ("test_calls", test_calls::STATEMENTS),
    ("text_words", text_words::STATEMENTS),
    ("tool_runs", tool_runs::STATEMENTS),
    ("users", users::STATEMENTS),
];

/// What works without a tenant. A new line here is a decision to be reviewed.
const UNSCOPED: [&str; 93] = [
    "directory::READY",
    "directory::FIRST_TENANTS",
    "directory::LOOKUP_KEY",
    "directory::NEW_LOOKUP_KEY",
    "directory::DIALLED_NUMBER",
    "directory::API_KEY",
    "directory::CALL",
    "directory::CALL_BY_CARRIER_ID",
    "directory::OVERDUE_CALLS",
    "directory::UNSENT_INVITATIONS",
    "directory::UNSEALED_AUDITS",
    "directory::NEW_SETUP_TOKEN",
    "directory::SETUP_TOKEN",
    // On users and their sessions, who are not one tenant's.
    "directory/sessions::SESSION",
    "directory/people::BY_ID",
    "directory/people::BY_EMAIL",
    "directory/people::LOCK",
    "directory/people::DEACTIVATE",
    "directory/people::REACTIVATE",
    "directory/watchers::API_KEY_BY_ID",
    "directory/watchers::TENANTS_OF_SESSIONS",
    "directory/sessions::ROTATE",
    "directory/sessions::PREVIOUS",
    "directory/sessions::REVOKE_OWN",
    "directory/sessions::REVOKE_OTHERS",
    "directory/sessions::LIST",
    "directory/sessions::MEMBERSHIPS",
    "directory/accounts::LEAVE_DEPARTMENTS",
    "directory/accounts::THROTTLE",
    "directory/accounts::THROTTLED",
    "directory/accounts::CLEAR_THROTTLE",
    "directory/accounts::FORGET_THROTTLES",
    "directory/accounts::FORGET_SESSIONS",
    "directory/accounts::FORGET_RESETS",
    "directory/accounts::ACCOUNT",
    "directory/accounts::SIGNED_IN",
    "directory/accounts::WORKS_FOR",
    "directory/accounts::NEW_RESET",
    "directory/accounts::RESET",
    "directory/accounts::USE_RESET",
    "directory/accounts::VOID_RESETS",
    "directory/accounts::NEW_PASSWORD",
    "directory/accounts::REVOKE_SESSIONS",
    "directory/accounts::LOG",
    "directory/accounts::LOG_ALONE",
    // By the hash of an invitation's token, which says whose it is.
    "directory/accounts::INVITATION",
    "directory/accounts::ACCEPT",
    "directory/accounts::NEW_USER",
    "directory/accounts::FIRST_PASSWORD",
    "directory/accounts::JOIN",
    "directory/accounts::JOIN_DEPARTMENT",
    "directory/accounts::LOG_JOIN",
    // On `tenants` itself: for super admins, and by its key.
    "directory/installation::LIST",
    "directory/installation::LIST_AFTER",
    "directory/installation::COUNT",
    "directory/installation::GET",
    "directory/installation::UPDATE",
    "directory/installation::SUSPEND",
    "directory/installation::RESUME",
    "directory/installation::STAYS",
    // On what is no single tenant's business.
    "directory/installation::LOG",
    "calls/admit::LOCK",
    "users::LOCK",
    "departments::LOCK",
    // On the global tables `setup_tokens` and `users`, and the new tenant itself.
    "tenants::USE_TOKEN",
    "tenants::INSERT_TENANT",
    "tenants::INSERT_USER",
    // Through the keys of all tenants, while MASTER_KEY rotates.
    "master_key::STALE",
    "master_key::SWAP_LOOKUP",
    // The tenant's own row.
    "setup_progress::COMPLETE",
    // Counters belong to no tenant.
    "rate_limits::TAKE",
    "rate_limits::STATE",
    "rate_limits::FORGET",
    // Through the keys of all tenants that have expired; by a key that names the super admin who makes a tenant.
    "idempotency::FORGET",
    "idempotency::FIND_FOUNDED",
    // Through the keys and notifications of all tenants; by the hash of an invitation's token.
    "notifications::OF_KEYS",
    "notifications::FORGET_STATES",
    "notifications::FORGET",
    "directory/accounts::NOTIFY_JOIN",
    // Through the test calls of all tenants that have expired.
    "test_calls::FORGET",
    // Which tenants have rows of before there was a table for them; who works for nobody.
    "old_rows::UNFINISHED",
    "directory/people::ALONE",
    // Which deletions go on; people who work for nobody any more; the tenant's own row.
    "tenant_deletions::REQUEST",
    "tenant_deletions::DUE",
    "directory/people::FORGET_LINKS",
    "directory/people::FORGET_RESETS",
    "directory/people::FORGET_SESSIONS",
    "directory/people::FORGET_PERSON",
    "tenant_deletions::DELETE_TENANT",
    "tenant_deletions::STOP",
    // Finished where they are used.
    "audit_log/list::COUNT",
    "calls/list::COUNT",
    "messages::COUNT",
];

fn statements() -> impl Iterator<Item = (String, &'static str)> {
    MODULES
        .into_iter()
        .flat_map(|(module, list)| list.iter().map(move |(name, sql)| (format!("{module}::{name}"), *sql)))
}

/// `select …(` of a count is finished by the list, and what is divided by its division: they are prepared with them, in
/// `tests/lists.rs` and `tests/analytics.rs`.
fn complete() -> impl Iterator<Item = (String, &'static str)> {
    statements().filter(|(name, _)| {
        !name.starts_with("analytics::BY_") && {
            !name.ends_with("_COUNT") && !name.ends_with("/list::COUNT") && name != "messages::COUNT"
        }
    })
}

#[test]
fn every_statement_is_portable() {
    for (name, sql) in statements() {
        assert_eq!(portable::lint(sql), [""; 0], "{name}");
    }
}

#[test]
fn every_statement_is_accepted_by_sqlite() {
    let db = SqliteDb::migrated(Numbers::Doubles);
    for (name, sql) in complete() {
        let parameters = db.parameters(sql);
        assert!(parameters.as_ref().is_ok_and(|n| *n <= MAX_PARAMETERS), "{name}: {parameters:?}");
    }
}

/// PostgreSQL infers a type for each parameter, as it must where the argument is null. A parameter that it takes for text, in the
/// list of an `insert … select` or alone beside `is null`, gets its type from a `cast`.
/// A database that has not seen the last migration is not ready.
#[test]
fn readiness_knows_the_last_migration() {
    let mut scripts = migrations::scripts(Engine::Sqlite);
    let last = scripts.pop().unwrap();
    let db = SqliteDb::empty(Numbers::Doubles);
    let ready = || {
        let (_, sql) = statements().find(|(name, _)| name == "directory::READY").unwrap();
        db.parameters(sql)
    };
    for script in scripts {
        db.script(&script).unwrap();
    }
    assert!(ready().is_err(), "READY touches what the last migration has made");
    db.script(&last).unwrap();
    ready().unwrap();
}

#[test]
fn every_statement_is_accepted_by_postgres() {
    let db = PostgresDb::migrated();
    let mut refused = Vec::new();
    for (name, sql) in complete() {
        let plan = Plan::new(vec![Stmt::new(sql, vec![])]).unwrap();
        match db.parameters(&plan.steps[0].sql) {
            Ok(types) if types.iter().all(|kind| ["text", "int8", "int4"].contains(&kind.as_str())) => {}
            Ok(types) => refused.push(format!("{name}: parameters of the types {types:?}")),
            Err(error) => refused.push(format!("{name}: {error}")),
        }
    }
    assert_eq!(refused, [""; 0]);
}

/// Either it says whose rows it means, by an argument, or it is on the list above.
#[test]
fn a01_every_statement_names_its_tenant() {
    for (name, sql) in statements().filter(|(name, _)| !UNSCOPED.contains(&name.as_str())) {
        let words: String = sql.split_whitespace().collect::<Vec<_>>().join(" ");
        let by_argument = ["tenant_id = ?", "t.id = ?1", "select u.id, ?1, 'owner'"];
        let inserted =
            words.starts_with("insert into") && words.contains("tenant_id") && words.contains("values");
        assert!(inserted || by_argument.iter().any(|part| words.contains(part)), "{name}: {words}");
    }
    for name in UNSCOPED {
        assert!(statements().any(|(known, _)| known == name), "{name} is not a statement any more");
    }
}

/// What walks through a whole table: one row, or two at most; the list of everything that there is; a small row for each tenant, while
/// MASTER_KEY rotates, or with one probe each; everybody and who is invited, in one hour of the day.
const WHOLE: [&str; 7] = [
    "directory::READY",
    "directory::FIRST_TENANTS",
    "directory/installation::LIST",
    "directory/installation::COUNT",
    "master_key::STALE",
    "old_rows::UNFINISHED",
    "directory/people::ALONE",
];
/// Partial indexes: what they hold is small.
const SMALL: [&str; 3] = ["calls_active", "calls_unfinished", "users_super_admins"];

/// No statement walks through a table that grows with use; what is walked through whole is a partial index.
#[test]
fn no_statement_reads_a_whole_table() {
    let db = SqliteDb::migrated(Numbers::Doubles);
    for (name, sql) in complete() {
        for step in db.plan(sql).unwrap() {
            let scan = step.starts_with("SCAN ");
            let small = SMALL.iter().any(|index| step.contains(index))
                || ["SCAN t", "SCAN (subquery", "SCAN counted", "SCAN CONSTANT ROW"]
                    .iter()
                    .any(|s| step.starts_with(s));
            // What a recursive query has found so far.
            let found = ["SCAN v", "SCAN visible", "SCAN a", "SCAN above", "SCAN n"].contains(&step.as_str());
            assert!(!scan || small || found || WHOLE.contains(&name.as_str()), "{name}: {step}");
        }
    }
}

/// The same on PostgreSQL, under row-level security, whose conditions are none that an index could serve.
#[test]
fn no_statement_reads_a_whole_table_on_postgres() {
    let db = PostgresDb::migrated();
    let mut refused = Vec::new();
    for (name, sql) in complete().filter(|(name, _)| !WHOLE.contains(&name.as_str())) {
        let plan = Plan::new(vec![Stmt::new(sql, vec![])]).unwrap();
        match db.walks(&plan.steps[0].sql) {
            Ok(walks) => refused.extend(
                walks
                    .into_iter()
                    .filter(|walk| !SMALL.iter().any(|index| walk.starts_with(index)))
                    .map(|walk| format!("{name}: {walk}")),
            ),
            Err(error) => refused.push(format!("{name}: {error}")),
        }
    }
    assert_eq!(refused, [""; 0]);
    // Such walks are seen: through the table, and through an index for the sake of its order.
    assert_eq!(db.walks("select id from calls where end_reason = $1").unwrap(), ["calls"]);
    assert_eq!(db.walks("select id, name from tenants order by id").unwrap(), ["tenants_pkey of tenants"]);
}

/// Every file with SQL is in the list above, and SQL is nowhere else.
#[test]
fn no_statement_escapes_these_tests() {
    let mut blocks = 0;
    visit(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut |path, text| {
        if path.components().any(|part| part.as_os_str() == "tests") || path.ends_with("src/lib.rs") {
            return;
        }
        blocks += text.matches("statements! {").count();
        for hidden in ["Stmt::new(\"", "Sql::new(\"", "Stmt::new(\n            \""] {
            assert!(!text.contains(hidden), "{}: SQL outside of `statements!`", path.display());
        }
    });
    assert_eq!(blocks, MODULES.len());
}

fn visit(directory: &Path, check: &mut impl FnMut(&Path, &str)) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            visit(&path, check);
        } else {
            check(&path, &fs::read_to_string(&path).unwrap());
        }
    }
}
