//! The tenants of the installation, for super admins. On `tenants` itself, by its key.

use std::sync::Arc;

use voicecore_ports::{Db, DbError, Stmt};
use voicecore_types::{Millis, Page, PageRequest, TenantId};

use super::across_tenants;
use crate::audit_log::{self, AuditEntry};
use crate::paging::{self, COUNT_LIMIT};
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
    /// What a day's calls may cost, in micro-dollars.
    pub max_daily_cost_micros: Option<u64>,
}

statements! {
    LIST = "select id, name, max_concurrent_calls, max_daily_calls, max_daily_cost_micros, created_at, suspended_at
        from tenants order by id desc limit ?1 offset ?2";

    COUNT = "select count(*) as total from (select 1 from tenants limit ?1) as counted";

    GET = "select id, name, max_concurrent_calls, max_daily_calls, max_daily_cost_micros, created_at, suspended_at
        from tenants where id = ?1";

    UPDATE = "update tenants set name = coalesce(?2, name), max_concurrent_calls = coalesce(?3, max_concurrent_calls),
        max_daily_calls = coalesce(?4, max_daily_calls), max_daily_cost_micros = coalesce(?5, max_daily_cost_micros)
        where id = ?1";

    SUSPEND = "update tenants set suspended_at = coalesce(suspended_at, ?2) where id = ?1";

    RESUME = "update tenants set suspended_at = null where id = ?1";
}

fn map(r: &Reader<'_>) -> Result<TenantRow, StoreError> {
    Ok(TenantRow {
        id: r.parsed("id")?,
        name: r.text("name")?,
        max_concurrent_calls: r.count("max_concurrent_calls")?,
        max_daily_calls: r.count("max_daily_calls")?,
        max_daily_cost_micros: r.count("max_daily_cost_micros")?,
        created_at: r.moment("created_at")?,
        suspended_at: r.opt_moment("suspended_at")?,
    })
}

/// All tenants, the newest first.
pub async fn list(db: &dyn Db, request: PageRequest) -> Result<Page<TenantRow>, StoreError> {
    let results = db
        .batch(vec![
            across_tenants(LIST, paging::window(request).into()),
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
    let args = vec![
        id.to_string().into(),
        change.name.into(),
        change.max_concurrent_calls.map(count_arg).into(),
        change.max_daily_calls.map(count_arg).into(),
        change.max_daily_cost_micros.map(count_arg).into(),
    ];
    on_record(db, id, across_tenants(UPDATE, args), entry).await
}

/// From now on the tenant does not work, or works again; on its record. `false`: there is no such tenant.
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

/// Looks into a tenant: the session that does so begins together with the entry of the tenant's log.
pub async fn look_into(
    db: &Arc<dyn Db>,
    id: TenantId,
    session: Stmt,
    entry: &AuditEntry<'_>,
) -> Result<bool, StoreError> {
    match on_record(db, id, session, entry).await {
        // The session names the tenant: without one it is refused.
        Err(StoreError::Db(DbError::Constraint)) => Ok(false),
        other => other,
    }
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
