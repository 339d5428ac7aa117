//! Human beings who take calls.

use std::collections::BTreeMap;

use voicecore_domain::Availability;
use voicecore_ports::{DbError, Stmt, Value};
use voicecore_types::{AgentId, BusinessId, DepartmentId, Millis, UserId};

use crate::audit_log::{self, AuditEntry};
use crate::paging::COUNT_LIMIT;
use crate::row::{self, Reader, count_arg};
use crate::scope::visible_departments;
use crate::seal::Sealed;
use crate::{Scope, StoreError};

/// The most agents of a tenant.
pub const MAX_AGENTS: u32 = 500;
/// The most departments of an agent.
pub const MAX_DEPARTMENTS: usize = 20;
/// The most departments of all agents of a tenant.
const MAX_ALL_DEPARTMENTS: u32 = 10_000;

/// An agent.
#[derive(Debug, Clone)]
pub struct Agent {
    /// Their id.
    pub id: AgentId,
    /// Who they are when they sign in, if they do.
    pub user_id: Option<UserId>,
    /// Their name.
    pub name: String,
    /// Their address.
    pub email: Option<String>,
    /// Digits.
    pub extension: Option<String>,
    /// Where they are rung; sealed for `Column::AgentNumber`.
    pub phone_number: Option<Sealed>,
    /// Words without blanks in them.
    pub skills: Vec<String>,
    /// ISO 639-1.
    pub languages: Vec<String>,
    /// How many calls they take at once.
    pub max_concurrent_calls: u32,
    /// Whether they take calls, as it was said.
    pub availability: Availability,
    /// Until when that was to last.
    pub availability_until: Option<Millis>,
    /// When it was said.
    pub availability_changed_at: Millis,
    /// Whose calls they take.
    pub departments: Vec<DepartmentId>,
    /// Grows by one with every change but those of the availability.
    pub version: u64,
    /// When they were added.
    pub created_at: Millis,
    /// When they were changed last, but for the availability.
    pub updated_at: Millis,
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// It is made.
    Done,
    /// There are as many as there may be, or it is another version by now.
    Missed,
    /// The user is an agent already, or not the tenant's.
    UserRefused,
    /// One of the departments is not the tenant's.
    NoSuchDepartment,
}

/// Calls that were transferred to a business's human being.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transfers {
    /// Which business.
    pub business_id: BusinessId,
    /// At most `Page::TOTAL_CAP` and one more.
    pub calls: u64,
    /// When the last of them came in.
    pub last_at: Option<Millis>,
}

/// The columns of an [`Agent`], for `concat!`.
macro_rules! columns {
    () => {
        "select id, user_id, name, email, extension, phone_number, skills, languages, max_concurrent_calls, availability,
        availability_until, availability_changed_at, version, created_at, updated_at from agents where tenant_id = ?"
    };
}

/// Somebody who sees some departments only sees the agents of those, and themselves.
const SEEN: &str = concat!(
    "and (user_id = ? or id in (select ad.agent_id from agent_departments ad where ad.tenant_id = ? and ad.department_id in ",
    visible_departments!("?", "?", "?"),
    "))"
);

statements! {
    LIST = columns!();

    GET = concat!(columns!(), " and id = ?");

    DEPARTMENTS = "select agent_id, department_id from agent_departments where tenant_id = ?1 order by agent_id, department_id
        limit ?2";

    DEPARTMENTS_OF = "select agent_id, department_id from agent_departments where tenant_id = ?1 and agent_id = ?2
        order by department_id limit ?3";

    /// A user has to be the tenant's.
    INSERT = "insert into agents (id, tenant_id, user_id, name, email, extension, phone_number, skills, languages,
        max_concurrent_calls, availability, availability_changed_at, version, created_at, updated_at)
        select ?1, t.id, ?3, ?4, ?5, ?6, ?7, ?8, ?9, cast(?10 as bigint), 'offline', cast(?11 as bigint), 1,
        cast(?11 as bigint), cast(?11 as bigint)
        from tenants t where t.id = ?2 and (select count(*) from agents n where n.tenant_id = ?2) < ?12
        and (cast(?3 as text) is null or exists (select 1 from memberships m where m.tenant_id = ?2 and m.user_id = ?3))";

    UPDATE = "update agents set user_id = ?3, name = ?4, email = ?5, extension = ?6, phone_number = ?7, skills = ?8,
        languages = ?9, max_concurrent_calls = ?10, updated_at = ?11, version = version + 1
        where id = ?1 and tenant_id = ?2 and version = ?12
        and (cast(?3 as text) is null or exists (select 1 from memberships m where m.tenant_id = ?2 and m.user_id = ?3))";

    SET_AVAILABILITY = "update agents set availability = ?3, availability_until = ?4, availability_changed_at = ?5
        where id = ?1 and tenant_id = ?2";

    LEAVE = "delete from agent_departments where agent_id = ?1 and tenant_id = ?2";

    JOIN = "insert into agent_departments (tenant_id, agent_id, department_id)
        select d.tenant_id, ?1, d.id from departments d where d.id = ?3 and d.tenant_id = ?2";

    DELETE = "delete from agents where id = ?1 and tenant_id = ?2 and version = ?3";

    FORGET_USER = "update agents set user_id = null, version = version + 1 where user_id = ?1 and tenant_id = ?2";

    LEAVE_DEPARTMENT = "delete from agent_departments where department_id = ?1 and tenant_id = ?2";

    TRANSFER_COUNT = "select count(*) as calls, max(started_at) as last_at from (select c.started_at from calls c
        where c.tenant_id = ? and c.business_id = ? and c.started_at >= ? and c.end_reason = 'transferred'";
}

fn map(r: &Reader<'_>, departments: Vec<DepartmentId>) -> Result<Agent, StoreError> {
    let words =
        |column| Ok::<_, StoreError>(r.text(column)?.split_ascii_whitespace().map(str::to_owned).collect());
    Ok(Agent {
        id: r.parsed("id")?,
        user_id: r.opt_parsed("user_id")?,
        name: r.text("name")?,
        email: r.opt_text("email")?,
        extension: r.opt_text("extension")?,
        phone_number: r.sealed("phone_number")?,
        skills: words("skills")?,
        languages: words("languages")?,
        max_concurrent_calls: r.small("max_concurrent_calls")?,
        // With a word of a newer version they get no calls from this one.
        availability: r.text("availability")?.parse().unwrap_or(Availability::Offline),
        availability_until: r.opt_moment("availability_until")?,
        availability_changed_at: r.moment("availability_changed_at")?,
        departments,
        version: r.count("version")?,
        created_at: r.moment("created_at")?,
        updated_at: r.moment("updated_at")?,
    })
}

/// The agents that the scope sees, by name.
pub async fn list(scope: &Scope) -> Result<Vec<Agent>, StoreError> {
    let mut agents = seen(scope, Stmt::new(LIST, vec![scope.tenant_arg()]));
    agents.sql.push("order by name, id limit ?");
    agents.args.push(MAX_AGENTS.into());
    find(scope, agents, Stmt::new(DEPARTMENTS, vec![scope.tenant_arg(), MAX_ALL_DEPARTMENTS.into()])).await
}

/// One of them.
pub async fn get(scope: &Scope, id: AgentId) -> Result<Option<Agent>, StoreError> {
    let named = || vec![scope.tenant_arg(), id.to_string().into()];
    let most = u32::try_from(MAX_DEPARTMENTS).unwrap_or(u32::MAX);
    let departments = Stmt::new(DEPARTMENTS_OF, [named(), vec![most.into()]].concat());
    Ok(find(scope, seen(scope, Stmt::new(GET, named())), departments).await?.pop())
}

async fn find(scope: &Scope, agents: Stmt, departments: Stmt) -> Result<Vec<Agent>, StoreError> {
    let Ok([agents, belonging]) = <[_; 2]>::try_from(scope.batch(vec![agents, departments]).await?) else {
        return Err(StoreError::OddRow { column: "department_id" });
    };
    let mut of: BTreeMap<AgentId, Vec<DepartmentId>> = BTreeMap::new();
    for (agent, department) in
        row::all(&belonging, |r| Ok((r.parsed("agent_id")?, r.parsed("department_id")?)))?
    {
        of.entry(agent).or_default().push(department);
    }
    row::all(&agents, |r| map(&r, of.get(&r.parsed("id")?).cloned().unwrap_or_default()))
}

fn seen(scope: &Scope, mut stmt: Stmt) -> Stmt {
    if let Some([tenant, viewer, again]) = scope.viewer_args() {
        stmt.sql.push(SEEN);
        stmt.args.extend([viewer.clone(), tenant.clone(), tenant, viewer, again]);
    }
    stmt
}

/// Adds an agent, who is offline, on the tenant's record.
pub async fn create(scope: &Scope, new: &Agent, entry: &AuditEntry<'_>) -> Result<Stored, StoreError> {
    let mut args = values(scope, new);
    args.extend([new.created_at.into(), MAX_AGENTS.into()]);
    save(scope, vec![Stmt::new(INSERT, args).exactly(1)], new, entry, &[]).await
}

/// Changes an agent whose version is the one before `changed.version`, but not their availability, on the tenant's record, which
/// names `fields`.
pub async fn update(
    scope: &Scope,
    changed: &Agent,
    entry: &AuditEntry<'_>,
    fields: &[&'static str],
) -> Result<Stored, StoreError> {
    let mut args = values(scope, changed);
    args.extend([changed.updated_at.into(), count_arg(changed.version.saturating_sub(1))]);
    let leave = Stmt::new(LEAVE, names(scope, changed.id));
    save(scope, vec![Stmt::new(UPDATE, args).exactly(1), leave], changed, entry, fields).await
}

async fn save(
    scope: &Scope,
    mut stmts: Vec<Stmt>,
    agent: &Agent,
    entry: &AuditEntry<'_>,
    fields: &[&'static str],
) -> Result<Stored, StoreError> {
    for department in agent.departments.iter().take(MAX_DEPARTMENTS) {
        let args = [names(scope, agent.id), vec![department.to_string().into()]].concat();
        stmts.push(Stmt::new(JOIN, args).exactly(1));
    }
    stmts.push(audit_log::entry_of_fields(scope, entry, fields));
    match scope.batch(stmts).await {
        Ok(_) => Ok(Stored::Done),
        Err(DbError::Unexpected { index: 0 }) => Ok(Stored::Missed),
        Err(DbError::Unexpected { .. }) => Ok(Stored::NoSuchDepartment),
        Err(DbError::Constraint) => Ok(Stored::UserRefused),
        Err(other) => Err(other.into()),
    }
}

/// Whether an agent takes calls, from now on and until when, on the tenant's record. `false`: there is no such agent.
pub async fn set_availability(
    scope: &Scope,
    id: AgentId,
    availability: Availability,
    until: Option<Millis>,
    entry: &AuditEntry<'_>,
) -> Result<bool, StoreError> {
    let state = vec![availability.as_str().into(), until.into(), entry.at.into()];
    let stmt = Stmt::new(SET_AVAILABILITY, [names(scope, id), state].concat()).exactly(1);
    scope.batch_once(vec![stmt, audit_log::entry(scope, entry)]).await
}

/// Removes this version of an agent, on the tenant's record. `false`: it is another one by now.
pub async fn delete(scope: &Scope, agent: &Agent, entry: &AuditEntry<'_>) -> Result<bool, StoreError> {
    let args = [names(scope, agent.id), vec![count_arg(agent.version)]].concat();
    let stmts = vec![
        Stmt::new(LEAVE, names(scope, agent.id)),
        Stmt::new(DELETE, args).exactly(1),
        audit_log::entry(scope, entry),
    ];
    scope.batch_once(stmts).await
}

/// Calls of a business that the scope sees, came in since then and were transferred to its human being, whoever that was. A call stays
/// with the department that its business belonged to when it came in.
pub async fn transfers(
    scope: &Scope,
    business_id: BusinessId,
    since: Millis,
) -> Result<Transfers, StoreError> {
    let args = vec![scope.tenant_arg(), business_id.to_string().into(), since.into()];
    let mut stmt = Stmt::new(TRANSFER_COUNT, args);
    scope.in_sight(&mut stmt);
    stmt.sql.push("order by c.started_at desc limit ?) as counted");
    stmt.args.push(count_arg(COUNT_LIMIT));
    let rows = scope.query(stmt).await?;
    let found = row::one(&rows, |r| {
        Ok(Transfers { business_id, calls: r.count("calls")?, last_at: r.opt_moment("last_at")? })
    })?;
    found.ok_or(StoreError::OddRow { column: "calls" })
}

/// The statement by which an agent is no user any more, for the batch by which somebody leaves the tenant.
pub(crate) fn forget_user(scope: &Scope, user: UserId) -> Stmt {
    Stmt::new(FORGET_USER, vec![user.to_string().into(), scope.tenant_arg()])
}

/// The statement by which all agents leave a department, for the batch by which it is deleted.
pub(crate) fn leave_department(scope: &Scope, department: DepartmentId) -> Stmt {
    Stmt::new(LEAVE_DEPARTMENT, vec![department.to_string().into(), scope.tenant_arg()])
}

fn names(scope: &Scope, id: AgentId) -> Vec<Value> {
    vec![id.to_string().into(), scope.tenant_arg()]
}

/// The ten values that are stored as they are given.
fn values(scope: &Scope, agent: &Agent) -> Vec<Value> {
    vec![
        agent.id.to_string().into(),
        scope.tenant_arg(),
        agent.user_id.map(|id| id.to_string()).into(),
        agent.name.as_str().into(),
        agent.email.as_deref().into(),
        agent.extension.as_deref().into(),
        agent.phone_number.as_ref().into(),
        agent.skills.join(" ").into(),
        agent.languages.join(" ").into(),
        agent.max_concurrent_calls.into(),
    ]
}
