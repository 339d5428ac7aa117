//! The tenants of the installation, for super admins. On `tenants` itself, by its key.

use std::sync::Arc;

use voicecore_ports::{Db, DbError, Stmt};
use voicecore_types::{Millis, Page, PageRequest, TenantId};

use super::across_tenants;
use crate::audit_log::{self, AuditEntry};
use crate::paging::{self, COUNT_LIMIT, Cursor};
use crate::row::{self, Reader, count_arg};
use crate::{Scope, StoreError};

/// A tenant as a super admin sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantRow {
    /// Its id.
    pub id: TenantId,
    /// Its name.
    pub name: String,
    /// Calls on the line at once.
    pub max_concurrent_calls: u64,
    /// Calls in a day (UTC).
    pub max_daily_calls: u64,
    /// Calls of one number within an hour.
    pub max_hourly_calls_per_caller: u64,
    /// What a day's calls may cost, in micro-dollars.
    pub max_daily_cost_micros: u64,
    /// When it came to be.
    pub created_at: Millis,
    /// Since when it does not work.
    pub suspended_at: Option<Millis>,
}

/// What changes of a tenant; `None` stays.
#[derive(Debug, Clone, Default)]
pub struct TenantChange<'a> {
    /// Its name.
    pub name: Option<&'a str>,
    /// Calls on the line at once.
    pub max_concurrent_calls: Option<u64>,
    /// Calls in a day (UTC).
    pub max_daily_calls: Option<u64>,
    /// Calls of one number within an hour.
    pub max_hourly_calls_per_caller: Option<u64>,
    /// What a day's calls may cost, in micro-dollars.
    pub max_daily_cost_micros: Option<u64>,
}

statements! {
    LIST = "select id, name, max_concurrent_calls, max_daily_calls, max_hourly_calls_per_caller, max_daily_cost_micros, created_at, suspended_at
        from tenants order by id desc limit ?1 offset ?2";

    LIST_AFTER = "select id, name, max_concurrent_calls, max_daily_calls, max_hourly_calls_per_caller, max_daily_cost_micros, created_at,
        suspended_at from tenants where id < ?1 order by id desc limit ?2 offset ?3";

    COUNT = "select count(*) as total from (select 1 from tenants limit ?1) as counted";

    GET = "select id, name, max_concurrent_calls, max_daily_calls, max_hourly_calls_per_caller, max_daily_cost_micros, created_at, suspended_at
        from tenants where id = ?1";

    UPDATE = "update tenants set name = coalesce(?2, name), max_concurrent_calls = coalesce(?3, max_concurrent_calls),
        max_daily_calls = coalesce(?4, max_daily_calls), max_daily_cost_micros = coalesce(?5, max_daily_cost_micros),
        max_hourly_calls_per_caller = coalesce(?6, max_hourly_calls_per_caller)
        where id = ?1";

    SUSPEND = "update tenants set suspended_at = coalesce(suspended_at, ?2) where id = ?1";

    /// Not where the deletion was asked for: it cannot be taken back.
    RESUME = "update tenants set suspended_at = null where id = ?1
        and not exists (select 1 from tenant_deletions d where d.tenant_id = ?1)";

    /// Changes nothing: one row, if the tenant is there and its deletion was not asked for. Who gets past it while that is asked for, on
    /// PostgreSQL, is swept by the deletion's stage `rows`.
    STAYS = "update tenants set max_concurrent_calls = max_concurrent_calls where id = ?1
        and not exists (select 1 from tenant_deletions d where d.tenant_id = ?1)";

    LOG = "insert into installation_log (id, at, actor_kind, actor_id, action, subject_id) values (?1, ?2, ?3, ?4, ?5, ?6)";
}

fn map(r: &Reader<'_>) -> Result<TenantRow, StoreError> {
    Ok(TenantRow {
        id: r.parsed("id")?,
        name: r.text("name")?,
        max_concurrent_calls: r.count("max_concurrent_calls")?,
        max_daily_calls: r.count("max_daily_calls")?,
        max_hourly_calls_per_caller: r.count("max_hourly_calls_per_caller")?,
        max_daily_cost_micros: r.count("max_daily_cost_micros")?,
        created_at: r.moment("created_at")?,
        suspended_at: r.opt_moment("suspended_at")?,
    })
}

/// All tenants, the newest first: a page by its number, or what follows `after`.
pub async fn list(
    db: &dyn Db,
    after: Option<&Cursor>,
    request: PageRequest,
) -> Result<Page<TenantRow>, StoreError> {
    let mut args: Vec<_> = after.map(|after| after.id.as_str().into()).into_iter().collect();
    args.extend(paging::window(request));
    let results = db
        .batch(vec![
            across_tenants(if after.is_some() { LIST_AFTER } else { LIST }, args),
            across_tenants(COUNT, vec![count_arg(COUNT_LIMIT)]),
        ])
        .await?;
    paging::Found::of(results)?.page(request, |r| map(&r))
}

/// One tenant.
pub async fn get(db: &dyn Db, id: TenantId) -> Result<Option<TenantRow>, StoreError> {
    let rows = db.query(across_tenants(GET, vec![id.to_string().into()])).await?;
    row::one(&rows, |r| map(&r))
}

/// Changes a tenant, on its record. `false`: there is no such tenant.
pub async fn update(
    db: &Arc<dyn Db>,
    id: TenantId,
    change: &TenantChange<'_>,
    entry: &AuditEntry<'_>,
) -> Result<bool, StoreError> {
    update_own(&Scope::new(Arc::clone(db), id), change, entry).await
}

/// The same of the tenant whose people ask for it.
pub async fn update_own(
    scope: &Scope,
    change: &TenantChange<'_>,
    entry: &AuditEntry<'_>,
) -> Result<bool, StoreError> {
    let args = vec![
        scope.tenant_arg(),
        change.name.into(),
        change.max_concurrent_calls.map(count_arg).into(),
        change.max_daily_calls.map(count_arg).into(),
        change.max_daily_cost_micros.map(count_arg).into(),
        change.max_hourly_calls_per_caller.map(count_arg).into(),
    ];
    scope.batch_once(vec![Stmt::new(UPDATE, args).exactly(1), audit_log::entry(scope, entry)]).await
}

/// From now on the tenant does not work, or works again; on its record. `false`: there is no such tenant, or it is being deleted
/// and does not work again.
pub async fn suspend(
    db: &Arc<dyn Db>,
    id: TenantId,
    suspended: bool,
    entry: &AuditEntry<'_>,
) -> Result<bool, StoreError> {
    let stmt = if suspended {
        across_tenants(SUSPEND, vec![id.to_string().into(), entry.at.into()])
    } else {
        across_tenants(RESUME, vec![id.to_string().into()])
    };
    on_record(db, id, stmt, entry).await
}

/// Looks into a tenant: the session that does so begins together with the entry of the tenant's log. `false`: there is no such
/// tenant, or it is being deleted, and nobody comes in any more.
pub async fn look_into(
    db: &Arc<dyn Db>,
    id: TenantId,
    session: Stmt,
    entry: &AuditEntry<'_>,
) -> Result<bool, StoreError> {
    let scope = Scope::new(Arc::clone(db), id);
    let stays = across_tenants(STAYS, vec![id.to_string().into()]).exactly(1);
    match scope.batch_once(vec![stays, session.exactly(1), audit_log::entry(&scope, entry)]).await {
        // The session names the tenant: without one it is refused.
        Err(StoreError::Db(DbError::Constraint)) => Ok(false),
        other => other,
    }
}

/// The statement that writes an entry about what is no single tenant's business.
pub(super) fn log(entry: &AuditEntry<'_>) -> Stmt {
    let args = vec![
        entry.id.to_string().into(),
        entry.at.into(),
        entry.actor_kind.into(),
        entry.actor_id.into(),
        entry.action.into(),
        entry.subject_id.into(),
    ];
    across_tenants(LOG, args).exactly(1)
}

async fn on_record(
    db: &Arc<dyn Db>,
    id: TenantId,
    stmt: Stmt,
    entry: &AuditEntry<'_>,
) -> Result<bool, StoreError> {
    let scope = Scope::new(Arc::clone(db), id);
    scope.batch_once(vec![stmt.exactly(1), audit_log::entry(&scope, entry)]).await
}
