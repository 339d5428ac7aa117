//! Roles that a tenant has made. Those that every tenant has are in `voicecore_domain::BuiltinRole`.

use voicecore_domain::Permissions;
use voicecore_ports::{DbError, Stmt};
use voicecore_types::{Millis, RoleId};

use crate::audit_log::{self, AuditEntry};
use crate::row::{self, Reader, count_arg};
use crate::{Scope, StoreError};

/// The most roles of a tenant.
pub const MAX_ROLES: u32 = 100;

/// A role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Its id.
    pub id: RoleId,
    /// Its name.
    pub name: String,
    /// What it allows.
    pub permissions: Permissions,
    /// When it was made.
    pub created_at: Millis,
    /// When it was changed last.
    pub updated_at: Millis,
    /// Grows by one with every change.
    pub version: u64,
}

/// What became of a change of something that has a name of its own and may be in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    /// It is made.
    Done,
    /// There is one with this name.
    NameTaken,
    /// The tenant has as many as it may have.
    TooMany,
    /// It is not the tenant's.
    Unknown,
    /// Somebody or something belongs to it.
    InUse,
    /// It is another version by now.
    Outrun,
}

statements! {
    LIST = "select id, name, permissions, created_at, updated_at, version from roles where tenant_id = ?1 order by name limit ?2";

    GET = "select id, name, permissions, created_at, updated_at, version from roles where id = ?1 and tenant_id = ?2";

    INSERT = "insert into roles (id, tenant_id, name, permissions, created_at, updated_at)
        select ?1, t.id, ?3, ?4, ?5, ?5 from tenants t
        where t.id = ?2 and (select count(*) from roles r where r.tenant_id = ?2) < ?6";

    BUMP = "update roles set version = version + 1 where id = ?1 and tenant_id = ?2 and version = ?3";

    UPDATE = "update roles set name = ?3, permissions = ?4, updated_at = ?5 where id = ?1 and tenant_id = ?2";

    /// An invitation that is over does not keep a role.
    FORGET = "update invitations set role_id = null where role_id = ?1 and tenant_id = ?2
        and (accepted_at is not null or revoked_at is not null or expires_at <= ?3)";

    DELETE = "delete from roles where id = ?1 and tenant_id = ?2";
}

fn map(r: &Reader<'_>) -> Result<Role, StoreError> {
    Ok(Role {
        id: r.parsed("id")?,
        name: r.text("name")?,
        permissions: Permissions::from_stored(&r.text("permissions")?).within_tenant(),
        created_at: r.moment("created_at")?,
        updated_at: r.moment("updated_at")?,
        version: r.count("version")?,
    })
}

/// The tenant's own roles, by name.
pub async fn list(scope: &Scope) -> Result<Vec<Role>, StoreError> {
    let rows = scope.query(Stmt::new(LIST, vec![scope.tenant_arg(), MAX_ROLES.into()])).await?;
    row::all(&rows, |r| map(&r))
}

/// One of them.
pub async fn get(scope: &Scope, id: RoleId) -> Result<Option<Role>, StoreError> {
    let rows = scope.query(Stmt::new(GET, vec![id.to_string().into(), scope.tenant_arg()])).await?;
    row::one(&rows, |r| map(&r))
}

/// Makes a role, on the tenant's record.
pub async fn create(scope: &Scope, role: &Role, entry: &AuditEntry<'_>) -> Result<Saved, StoreError> {
    let args = vec![
        role.id.to_string().into(),
        scope.tenant_arg(),
        role.name.as_str().into(),
        role.permissions.to_string().into(),
        role.created_at.into(),
        MAX_ROLES.into(),
    ];
    save(scope, vec![Stmt::new(INSERT, args).exactly(1)], entry, Saved::TooMany, Saved::NameTaken).await
}

/// Changes a role whose version is the one before `role.version`, on the tenant's record. Whoever has it may do what it says from the next request on.
pub async fn update(scope: &Scope, role: &Role, entry: &AuditEntry<'_>) -> Result<Saved, StoreError> {
    let args = vec![
        role.id.to_string().into(),
        scope.tenant_arg(),
        role.name.as_str().into(),
        role.permissions.to_string().into(),
        role.updated_at.into(),
    ];
    let stmts =
        vec![bump(scope, BUMP, &role.id, role.version.saturating_sub(1)), Stmt::new(UPDATE, args).exactly(1)];
    save(scope, stmts, entry, Saved::Unknown, Saved::NameTaken).await
}

/// Deletes a role of this version that nobody has, on the tenant's record.
pub async fn delete(
    scope: &Scope,
    id: RoleId,
    version: u64,
    entry: &AuditEntry<'_>,
) -> Result<Saved, StoreError> {
    let forget = vec![id.to_string().into(), scope.tenant_arg(), entry.at.into()];
    let stmts = vec![
        bump(scope, BUMP, &id, version),
        Stmt::new(FORGET, forget),
        Stmt::new(DELETE, vec![id.to_string().into(), scope.tenant_arg()]).exactly(1),
    ];
    save(scope, stmts, entry, Saved::Unknown, Saved::InUse).await
}

/// The statement that moves a version on by one, if it still is the one that was read: the first of a batch that is to be made for
/// that version alone.
pub(crate) fn bump(scope: &Scope, text: &'static str, id: &dyn ToString, version: u64) -> Stmt {
    Stmt::new(text, vec![id.to_string().into(), scope.tenant_arg(), count_arg(version)]).exactly(1)
}

/// Whether a statement is one of [`bump`].
fn is_bump(stmt: &Stmt) -> bool {
    stmt.sql.text().contains(" set version = version + 1 where ")
}

/// Carries a change out: what it means when no row fits (but for a version that was moved on, see [`bump`]), and when a key or a
/// reference refuses it.
pub(crate) async fn save(
    scope: &Scope,
    mut stmts: Vec<Stmt>,
    entry: &AuditEntry<'_>,
    missed: Saved,
    refused: Saved,
) -> Result<Saved, StoreError> {
    stmts.push(audit_log::entry(scope, entry));
    let for_version = stmts.first().is_some_and(is_bump);
    match scope.batch(stmts).await {
        Ok(_) => Ok(Saved::Done),
        Err(DbError::Unexpected { index: 0 }) if for_version => Ok(Saved::Outrun),
        Err(DbError::Unexpected { .. }) => Ok(missed),
        Err(DbError::Constraint) => Ok(refused),
        Err(other) => Err(other.into()),
    }
}
