//! The deletion of a tenant: who is being deleted, the rows of a step, the report that is kept.
//!
//! Every function may be repeated: what has been deleted already is not there the next time. Children go before their parents,
//! and the tenant's own row at the very end: as long as a table refers to it, the database itself refuses.

use std::sync::Arc;

use voicecore_domain::{CallStatus, DeletionStage};
use voicecore_ports::{Db, DbError, Sql, Stmt, Value};
use voicecore_types::{CallId, Millis, TenantId};

use crate::audit_log::{self, AuditEntry};
use crate::directory::{across_tenants, people};
use crate::row::{self, Reader, count_arg};
use crate::{Scope, StoreError};

/// Rows deleted by one statement.
pub const ROWS_AT_ONCE: u32 = 200;
/// Calls deleted in one step.
pub const CALLS_AT_ONCE: u32 = 20;
/// Tables that tell of a call, before the calls themselves.
const OF_A_CALL: [&str; 9] = [
    "delete from qa_results where tenant_id = ? and call_id in (",
    "delete from call_latencies where tenant_id = ? and call_id in (",
    "delete from call_words where tenant_id = ? and call_id in (",
    "delete from call_notes where tenant_id = ? and call_id in (",
    "delete from tool_runs where tenant_id = ? and call_id in (",
    "delete from call_events where tenant_id = ? and call_id in (",
    "delete from dialogues where tenant_id = ? and call_id in (",
    "delete from messages where tenant_id = ? and call_id in (",
    "delete from calls where tenant_id = ? and id in (",
];

/// A deletion, asked for or done.
#[derive(Debug, Clone)]
pub struct Deletion {
    /// Whose rows.
    pub scope: Scope,
    /// How far it is.
    pub stage: DeletionStage,
    /// Which step comes next.
    pub step: u64,
    /// When it was asked for.
    pub requested_at: Millis,
    /// JSON, in the words of the job.
    pub report: String,
    /// When it was done.
    pub finished_at: Option<Millis>,
}

/// A call of a tenant that is being deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoomedCall {
    /// Which.
    pub id: CallId,
    /// The carrier's name of it.
    pub carrier_call_id: String,
    /// Where it is in its life.
    pub status: CallStatus,
    /// When its summary was stored.
    pub finished_at: Option<Millis>,
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub struct RequestedBy<'a> {
    /// `operator`, `user`.
    pub kind: &'static str,
    /// Which one.
    pub id: Option<&'a str>,
}

statements! {
    REQUEST = "insert into tenant_deletions (tenant_id, requested_at, requested_by_kind, requested_by_id, stage, due_at, report)
        select t.id, ?2, ?3, ?4, 'access', ?2, '{}' from tenants t where t.id = ?1
        on conflict (tenant_id) do nothing";

    /// Nothing of it works while it waits for the job.
    STOP = "update tenants set suspended_at = coalesce(suspended_at, ?2) where id = ?1";

    GET = "select tenant_id, stage, step, requested_at, report, finished_at from tenant_deletions where tenant_id = ?1";

    DUE = "select tenant_id, stage, step, requested_at, report, finished_at from tenant_deletions
        where finished_at is null and due_at <= ?1 order by due_at limit ?2";

    CLAIM = "update tenant_deletions set step = step + 1, due_at = ?3 where tenant_id = ?1 and step = ?2 and finished_at is null";

    SAVE = "update tenant_deletions set stage = ?3, due_at = ?4, report = ?5, finished_at = ?6
        where tenant_id = ?1 and step = ?2";

    CALLS = "select id, carrier_call_id, status, finished_at from calls where tenant_id = ?1 order by started_at, id limit ?2";

    PEOPLE = "select user_id from memberships where tenant_id = ?1 limit ?2";

    LEAVE_DEPARTMENTS = "delete from membership_departments where tenant_id = ?1 and user_id = ?2";

    LEAVE = "delete from memberships where tenant_id = ?1 and user_id = ?2";

    DELETE_SESSIONS = "delete from sessions where id in (select id from sessions where tenant_id = ?1 limit ?2)";

    DELETE_INVITATIONS = "delete from invitations where id in (select id from invitations where tenant_id = ?1 limit ?2)";

    DELETE_ROLES = "delete from roles where id in (select id from roles where tenant_id = ?1 limit ?2)";

    /// The lowest ones; the next run finds those above them.
    DELETE_DEPARTMENTS = "delete from departments where id in (select d.id from departments d where d.tenant_id = ?1
        and not exists (select 1 from departments c where c.tenant_id = ?1 and c.parent_id = d.id) limit ?2)";

    DELETE_API_KEYS = "delete from api_keys where id in (select id from api_keys where tenant_id = ?1 limit ?2)";

    DELETE_AGENT_DEPARTMENTS = "delete from agent_departments where tenant_id = ?1 and (agent_id, department_id) in (
        select agent_id, department_id from agent_departments where tenant_id = ?1 limit ?2)";

    DELETE_AGENTS = "delete from agents where id in (select id from agents where tenant_id = ?1 limit ?2)";

    DELETE_SAVED_VIEWS = "delete from saved_views where id in (select id from saved_views where tenant_id = ?1 limit ?2)";

    DELETE_NOTIFICATION_STATES = "delete from notification_states where tenant_id = ?1 and (user_id, notification_id) in (
        select user_id, notification_id from notification_states where tenant_id = ?1 limit ?2)";

    DELETE_NOTIFICATION_MARKS = "delete from notification_marks where tenant_id = ?1 and user_id in (
        select user_id from notification_marks where tenant_id = ?1 limit ?2)";

    DELETE_NOTIFICATIONS = "delete from notifications where id in (select id from notifications where tenant_id = ?1 limit ?2)";

    DELETE_SETUP_PROGRESS = "delete from setup_progress where tenant_id = ?1 and 0 < ?2";

    DELETE_QA_RULES = "delete from qa_rules where tenant_id = ?1 and 0 < ?2";

    DELETE_PHONE_NUMBERS = "delete from phone_numbers where id in (select id from phone_numbers where tenant_id = ?1 limit ?2)";

    DELETE_MESSAGES = "delete from messages where id in (select id from messages where tenant_id = ?1 limit ?2)";

    /// Those of calls that were deleted before, as those of `call_latencies`: nothing refers from here to there.
    DELETE_QA_RESULTS = "delete from qa_results where tenant_id = ?1 and call_id in (
        select call_id from qa_results where tenant_id = ?1 limit ?2)";

    DELETE_CALL_LATENCIES = "delete from call_latencies where tenant_id = ?1 and (call_id, seq) in (
        select call_id, seq from call_latencies where tenant_id = ?1 limit ?2)";

    DELETE_TEXT_WORDS = "delete from text_words where tenant_id = ?1 and (noun, word, at, subject_id) in (
        select noun, word, at, subject_id from text_words where tenant_id = ?1 limit ?2)";

    DELETE_BUSINESSES = "delete from businesses where id in (select id from businesses where tenant_id = ?1 limit ?2)";

    DELETE_AUDIT_LOG = "delete from audit_log where id in (select id from audit_log where tenant_id = ?1 limit ?2)";

    /// One row for each day.
    DELETE_USAGE_DAILY = "delete from usage_daily where tenant_id = ?1 and day in (
        select day from usage_daily where tenant_id = ?1 limit ?2)";

    DELETE_IDEMPOTENCY_KEYS = "delete from idempotency_keys where key_hash in (
        select key_hash from idempotency_keys where tenant_id = ?1 limit ?2)";

    DELETE_PREFERENCES = "delete from preferences where tenant_id = ?1 and user_id in (
        select user_id from preferences where tenant_id = ?1 limit ?2)";

    DELETE_TEST_CALLS = "delete from test_calls where id in (select id from test_calls where tenant_id = ?1 limit ?2)";

    DELETE_ASSISTANT_VERSIONS = "delete from assistant_versions where tenant_id = ?1 and assistant_id in (
        select assistant_id from assistant_versions where tenant_id = ?1 limit ?2)";

    DELETE_ASSISTANTS = "delete from assistants where id in (select id from assistants where tenant_id = ?1 limit ?2)";

    DELETE_AUDIT_CHAIN = "delete from audit_chains where tenant_id = ?1 and 0 < ?2";

    DELETE_PROVIDER_CREDENTIALS = "delete from provider_credentials where tenant_id = ?1 and 0 < ?2";

    /// From now on nothing that was sealed for the tenant opens, wherever a copy of it lies.
    DELETE_KEY = "delete from tenant_keys where tenant_id = ?1 and 0 < ?2";

    DELETE_TENANT = "delete from tenants where id = ?1 and 0 < ?2";
}

/// Tables by which somebody or something comes in. Each: its name, and the statement that deletes some of its rows.
pub const ACCESS_TABLES: [(&str, &str); 4] = [
    ("api_keys", DELETE_API_KEYS),
    ("sessions", DELETE_SESSIONS),
    ("invitations", DELETE_INVITATIONS),
    ("phone_numbers", DELETE_PHONE_NUMBERS),
];

/// All other tables but those that refer to a call, children before parents.
pub const TABLES: [(&str, &str); 26] = [
    ("qa_results", DELETE_QA_RESULTS),
    ("qa_rules", DELETE_QA_RULES),
    ("setup_progress", DELETE_SETUP_PROGRESS),
    ("notification_states", DELETE_NOTIFICATION_STATES),
    ("notification_marks", DELETE_NOTIFICATION_MARKS),
    ("notifications", DELETE_NOTIFICATIONS),
    ("saved_views", DELETE_SAVED_VIEWS),
    ("agent_departments", DELETE_AGENT_DEPARTMENTS),
    ("agents", DELETE_AGENTS),
    ("messages", DELETE_MESSAGES),
    ("call_latencies", DELETE_CALL_LATENCIES),
    ("text_words", DELETE_TEXT_WORDS),
    ("test_calls", DELETE_TEST_CALLS),
    ("businesses", DELETE_BUSINESSES),
    ("assistant_versions", DELETE_ASSISTANT_VERSIONS),
    ("assistants", DELETE_ASSISTANTS),
    ("departments", DELETE_DEPARTMENTS),
    ("roles", DELETE_ROLES),
    ("preferences", DELETE_PREFERENCES),
    ("idempotency_keys", DELETE_IDEMPOTENCY_KEYS),
    ("audit_log", DELETE_AUDIT_LOG),
    ("usage_daily", DELETE_USAGE_DAILY),
    ("audit_chains", DELETE_AUDIT_CHAIN),
    ("provider_credentials", DELETE_PROVIDER_CREDENTIALS),
    ("tenant_keys", DELETE_KEY),
    ("tenants", DELETE_TENANT),
];

/// Asks for the deletion of the tenant, which does not work from now on; on its record. `false`: there is no such tenant, or it has
/// been asked for.
pub async fn request(scope: &Scope, by: RequestedBy<'_>, entry: &AuditEntry<'_>) -> Result<bool, StoreError> {
    let args = vec![scope.tenant_arg(), entry.at.into(), by.kind.into(), by.id.into()];
    let stop = Stmt::new(STOP, vec![scope.tenant_arg(), entry.at.into()]);
    scope
        .batch_once(vec![
            Stmt::new(REQUEST, args).exactly(1),
            stop.exactly(1),
            audit_log::entry(scope, entry),
        ])
        .await
}

/// The deletion of the tenant, if it was asked for: also when it is long done.
pub async fn get(scope: &Scope) -> Result<Option<Deletion>, StoreError> {
    let rows = scope.query(Stmt::new(GET, vec![scope.tenant_arg()])).await?;
    row::one(&rows, |r| map_deletion(&scope.db(), &r))
}

/// Deletions that go on now, those that wait longest first. For the job.
pub async fn due(db: &Arc<dyn Db>, now: Millis, limit: u32) -> Result<Vec<Deletion>, StoreError> {
    let rows = db.query(across_tenants(DUE, vec![now.into(), limit.into()])).await?;
    row::all(&rows, |r| map_deletion(db, &r))
}

/// Takes the next step, until `lease` somebody else takes it for lost. `false`: somebody else has it.
pub async fn claim(deletion: &Deletion, lease: Millis) -> Result<bool, StoreError> {
    let scope = &deletion.scope;
    let args = vec![scope.tenant_arg(), count_arg(deletion.step), lease.into()];
    Ok(scope.query(Stmt::new(CLAIM, args)).await?.changed == 1)
}

/// Stores how far a claimed step has come. `false`: it took too long, and somebody else has taken over.
pub async fn save(deletion: &Deletion, due_at: Millis) -> Result<bool, StoreError> {
    let scope = &deletion.scope;
    let args = vec![
        scope.tenant_arg(),
        count_arg(deletion.step.saturating_add(1)),
        deletion.stage.as_str().into(),
        due_at.into(),
        deletion.report.as_str().into(),
        deletion.finished_at.into(),
    ];
    Ok(scope.query(Stmt::new(SAVE, args)).await?.changed == 1)
}

/// The oldest calls that are left, at most [`CALLS_AT_ONCE`].
pub async fn calls(scope: &Scope) -> Result<Vec<DoomedCall>, StoreError> {
    let rows = scope.query(Stmt::new(CALLS, vec![scope.tenant_arg(), CALLS_AT_ONCE.into()])).await?;
    row::all(&rows, |r| {
        Ok(DoomedCall {
            id: r.parsed("id")?,
            carrier_call_id: r.text("carrier_call_id")?,
            status: r.parsed("status")?,
            finished_at: r.opt_moment("finished_at")?,
        })
    })
}

/// Deletes these calls (at most [`CALLS_AT_ONCE`]) with all that tells of them, in one batch. Gives the number of rows.
pub async fn delete_calls(scope: &Scope, calls: &[CallId]) -> Result<u64, StoreError> {
    let stmts = OF_A_CALL.into_iter().map(|text| of_calls(scope, text, calls));
    let done = scope.batch(stmts.collect()).await?;
    Ok(done.iter().map(|rows| rows.changed).sum())
}

fn of_calls(scope: &Scope, text: &'static str, calls: &[CallId]) -> Stmt {
    let mut stmt = Stmt::of(Sql::new(text), vec![scope.tenant_arg()]);
    for (index, call) in calls.iter().enumerate() {
        stmt.sql.push(if index == 0 { "?" } else { ", ?" });
        stmt.args.push(call.to_string().into());
    }
    if calls.is_empty() {
        stmt.sql.push("null");
    }
    stmt.sql.push(")");
    stmt
}

/// Ends memberships of the tenant, at most [`CALLS_AT_ONCE`], and forgets people who work for nobody any more. Gives the number
/// of memberships: fewer than that, and there are none left.
pub async fn delete_people(scope: &Scope) -> Result<u32, StoreError> {
    let rows = scope.query(Stmt::new(PEOPLE, vec![scope.tenant_arg(), CALLS_AT_ONCE.into()])).await?;
    let people = row::all(&rows, |r| r.text("user_id"))?;
    for person in &people {
        let id = || Value::from(person.as_str());
        // Whether they work for somebody else is asked of all tenants' rows.
        let mut stmts = vec![
            scope.reaching(Stmt::new(LEAVE_DEPARTMENTS, vec![scope.tenant_arg(), id()])),
            scope.reaching(Stmt::new(LEAVE, vec![scope.tenant_arg(), id()])),
        ];
        stmts.extend(people::forget_alone(person));
        scope.db().batch(stmts).await?;
    }
    Ok(u32::try_from(people.len()).unwrap_or(u32::MAX))
}

/// Deletes some rows of one of [`TABLES`] or [`ACCESS_TABLES`]. Gives how many: 0, and there are none left.
pub async fn delete_rows(scope: &Scope, statement: &'static str) -> Result<u64, DbError> {
    Ok(scope.query(Stmt::new(statement, vec![scope.tenant_arg(), ROWS_AT_ONCE.into()])).await?.changed)
}

fn map_deletion(db: &Arc<dyn Db>, r: &Reader<'_>) -> Result<Deletion, StoreError> {
    Ok(Deletion {
        scope: Scope::new(Arc::clone(db), r.parsed::<TenantId>("tenant_id")?),
        stage: r.parsed("stage")?,
        step: r.count("step")?,
        requested_at: r.moment("requested_at")?,
        report: r.text("report")?,
        finished_at: r.opt_moment("finished_at")?,
    })
}
