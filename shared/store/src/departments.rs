//! Departments: a tree of a tenant's parts. Whoever does not see all of them sees those they belong to and what is below.

use voicecore_ports::{Stmt, Value};
use voicecore_types::{DepartmentId, Millis};

use crate::agents;
use crate::audit_log::AuditEntry;
use crate::roles::{Saved, bump, save};
use crate::row::{self, Reader};
use crate::scope::visible_departments;
use crate::{Scope, StoreError};

/// The most departments of a tenant.
pub const MAX_DEPARTMENTS: u32 = 500;

/// A department.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Department {
    /// Its id.
    pub id: DepartmentId,
    /// What it is a part of; `None`: it stands at the top.
    pub parent_id: Option<DepartmentId>,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created_at: Millis,
    /// When it was changed last.
    pub updated_at: Millis,
    /// Grows by one with every change.
    pub version: u64,
}

statements! {
    LIST = "select id, parent_id, name, created_at, updated_at, version from departments where tenant_id = ?1 order by name limit ?2";

    LIST_VISIBLE = concat!("select id, parent_id, name, created_at, updated_at, version from departments
        where tenant_id = ?1 and id in ", visible_departments!("?1", "?3", "?1"), " order by name limit ?2");

    GET = "select id, parent_id, name, created_at, updated_at, version from departments where tenant_id = ?1 and id = ?2";

    GET_VISIBLE = concat!("select id, parent_id, name, created_at, updated_at, version from departments
        where tenant_id = ?1 and id = ?2 and id in ", visible_departments!("?1", "?3", "?1"));

    /// A parent has to be the tenant's.
    INSERT = "insert into departments (id, tenant_id, parent_id, name, created_at, updated_at)
        select ?1, t.id, ?3, ?4, ?5, ?5 from tenants t
        where t.id = ?2 and (select count(*) from departments n where n.tenant_id = ?2) < ?6";

    INSERT_BELOW = "insert into departments (id, tenant_id, parent_id, name, created_at, updated_at)
        select ?1, p.tenant_id, p.id, ?4, ?5, ?5 from departments p
        where p.id = ?3 and p.tenant_id = ?2 and (select count(*) from departments n where n.tenant_id = ?2) < ?6";

    /// Serialises moves on PostgreSQL, where two of them could otherwise make a circle together.
    LOCK = "update tenants set max_concurrent_calls = max_concurrent_calls where id = ?1";

    BUMP = "update departments set version = version + 1 where id = ?1 and tenant_id = ?2 and version = ?3";

    UPDATE_TOP = "update departments set name = ?3, parent_id = null, updated_at = ?4 where id = ?1 and tenant_id = ?2";

    /// The new parent is the tenant's, and neither the department itself nor below it.
    UPDATE_BELOW = "update departments set name = ?3, parent_id = ?5, updated_at = ?4 where id = ?1 and tenant_id = ?2
        and exists (select 1 from departments p where p.id = ?5 and p.tenant_id = ?2)
        and not exists (with recursive above (id, parent_id) as (
        select s.id, s.parent_id from departments s where s.id = ?5 and s.tenant_id = ?2
        union select d.id, d.parent_id from departments d join above a on d.id = a.parent_id where d.tenant_id = ?2)
        select 1 from above where above.id = ?1)";

    LEAVE = "delete from membership_departments where department_id = ?1 and tenant_id = ?2";

    DELETE = "delete from departments where id = ?1 and tenant_id = ?2";

    ASSIGN_BUSINESS = "update businesses set department_id = ?3, updated_at = ?4, version = version + 1
        where id = ?1 and tenant_id = ?2
        and exists (select 1 from departments d where d.id = ?3 and d.tenant_id = ?2)";
}

fn map(r: &Reader<'_>) -> Result<Department, StoreError> {
    Ok(Department {
        id: r.parsed("id")?,
        parent_id: r.opt_parsed("parent_id")?,
        name: r.text("name")?,
        created_at: r.moment("created_at")?,
        updated_at: r.moment("updated_at")?,
        version: r.count("version")?,
    })
}

/// The departments that the scope sees, by name.
pub async fn list(scope: &Scope) -> Result<Vec<Department>, StoreError> {
    let mut stmt = Stmt::new(LIST, vec![scope.tenant_arg(), MAX_DEPARTMENTS.into()]);
    if let Some([_, viewer, _]) = scope.viewer_args() {
        stmt = Stmt::new(LIST_VISIBLE, [stmt.args, vec![viewer]].concat());
    }
    row::all(&scope.query(stmt).await?, |r| map(&r))
}

/// One of them.
pub async fn get(scope: &Scope, id: DepartmentId) -> Result<Option<Department>, StoreError> {
    let mut stmt = Stmt::new(GET, vec![scope.tenant_arg(), id.to_string().into()]);
    if let Some([_, viewer, _]) = scope.viewer_args() {
        stmt = Stmt::new(GET_VISIBLE, [stmt.args, vec![viewer]].concat());
    }
    row::one(&scope.query(stmt).await?, |r| map(&r))
}

/// Makes a department, on the tenant's record. [`Saved::TooMany`] also when its parent is not the tenant's.
pub async fn create(scope: &Scope, new: &Department, entry: &AuditEntry<'_>) -> Result<Saved, StoreError> {
    let args = vec![
        new.id.to_string().into(),
        scope.tenant_arg(),
        parent(new),
        new.name.as_str().into(),
        new.created_at.into(),
        MAX_DEPARTMENTS.into(),
    ];
    let sql = if new.parent_id.is_some() { INSERT_BELOW } else { INSERT };
    save(scope, vec![Stmt::new(sql, args).exactly(1)], entry, Saved::TooMany, Saved::NameTaken).await
}

/// Renames and moves a department whose version is the one before `changed.version`, on the tenant's record. [`Saved::Unknown`] when the new parent is not the tenant's, or is the
/// department itself or below it.
pub async fn update(
    scope: &Scope,
    changed: &Department,
    entry: &AuditEntry<'_>,
) -> Result<Saved, StoreError> {
    let mut args = vec![
        changed.id.to_string().into(),
        scope.tenant_arg(),
        changed.name.as_str().into(),
        changed.updated_at.into(),
    ];
    let sql = if changed.parent_id.is_some() {
        args.push(parent(changed));
        UPDATE_BELOW
    } else {
        UPDATE_TOP
    };
    let stmts = vec![
        bump(scope, BUMP, &changed.id, changed.version.saturating_sub(1)),
        Stmt::new(LOCK, vec![scope.tenant_arg()]),
        Stmt::new(sql, args).exactly(1),
    ];
    save(scope, stmts, entry, Saved::Unknown, Saved::NameTaken).await
}

/// Deletes a department of this version that has nothing below it and no business, on the tenant's record. Its people leave it.
pub async fn delete(
    scope: &Scope,
    id: DepartmentId,
    version: u64,
    entry: &AuditEntry<'_>,
) -> Result<Saved, StoreError> {
    let args = || vec![id.to_string().into(), scope.tenant_arg()];
    let stmts = vec![
        bump(scope, BUMP, &id, version),
        Stmt::new(LEAVE, args()),
        agents::leave_department(scope, id),
        Stmt::new(DELETE, args()).exactly(1),
    ];
    save(scope, stmts, entry, Saved::Unknown, Saved::InUse).await
}

/// From now on the calls of a business belong to a department, on the tenant's record.
pub async fn assign_business(
    scope: &Scope,
    department: DepartmentId,
    business: voicecore_types::BusinessId,
    entry: &AuditEntry<'_>,
) -> Result<Saved, StoreError> {
    let args =
        vec![business.to_string().into(), scope.tenant_arg(), department.to_string().into(), entry.at.into()];
    let stmts = vec![Stmt::new(ASSIGN_BUSINESS, args).exactly(1)];
    save(scope, stmts, entry, Saved::Unknown, Saved::Unknown).await
}

fn parent(department: &Department) -> Value {
    department.parent_id.map(|id| id.to_string()).into()
}
