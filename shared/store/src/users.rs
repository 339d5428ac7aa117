//! Who works for a tenant. Users are global; what is here is what they are in one tenant.

use voicecore_domain::{BuiltinRole, Permissions};
use voicecore_ports::{DbError, Stmt, Value};
use voicecore_types::{DepartmentId, Millis, Page, PageRequest, RoleId, UserId};

use crate::agents;
use crate::audit_log::{self, AuditEntry};
use crate::directory::people;
use crate::messages;
use crate::notifications;
use crate::paging::{self, Cursor};
use crate::preferences;
use crate::roles::{Saved, bump, save};
use crate::row::{self, Reader};
use crate::saved_views;
use crate::{Scope, StoreError};

/// The most departments that somebody belongs to by themselves.
pub const MAX_DEPARTMENTS: usize = 20;

/// What somebody is in a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleRef {
    /// What every tenant has.
    Builtin(BuiltinRole),
    /// What the tenant has made.
    Custom(RoleId),
}

impl RoleRef {
    /// The columns `role` and `role_id`.
    pub(crate) fn columns(self) -> [Value; 2] {
        match self {
            Self::Builtin(role) => [role.as_str().into(), Value::Null],
            Self::Custom(id) => ["custom".into(), id.to_string().into()],
        }
    }

    fn is_admin(self) -> bool {
        self == Self::Builtin(BuiltinRole::TenantAdmin)
    }
}

/// A user as the tenant sees them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// Their address.
    pub email: String,
    /// Their name.
    pub name: String,
    /// The word of the built-in role, or the id of the custom one.
    pub role: String,
    /// What the role is called.
    pub role_name: String,
    /// What it allows.
    pub permissions: Permissions,
    /// Since when they work for the tenant.
    pub joined_at: Millis,
    /// When they last began to work for the tenant: signed in to it, or went over to it.
    pub last_login_at: Option<Millis>,
    /// Since when they do nothing in the tenant any more.
    pub deactivated_at: Option<Millis>,
    /// Of what they are in the tenant: grows by one with every change.
    pub version: u64,
}

/// What changes of a membership; `None` stays.
#[derive(Debug, Clone, Default)]
pub struct UserChange {
    /// What they are.
    pub role: Option<RoleRef>,
    /// What they belong to.
    pub departments: Option<Vec<DepartmentId>>,
    /// Whether they work.
    pub active: Option<bool>,
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// It is made.
    Done,
    /// The tenant would be left without an administrator.
    LastAdmin,
    /// One of the departments is not the tenant's.
    NoSuchDepartment,
    /// It is another version by now.
    Outrun,
}

/// The columns of a [`User`], of memberships, users and roles, for `concat!`.
macro_rules! columns {
    () => {
        "select u.id, u.email, u.name, m.last_login_at, m.role, m.role_id, r.name as role_name, r.permissions,
        m.created_at, m.deactivated_at, m.version
        from memberships m join users u on u.id = m.user_id
        left join roles r on r.id = m.role_id and r.tenant_id = m.tenant_id "
    };
}

/// Somebody else is left who can do everything, or this one could not anyhow.
macro_rules! not_the_last_admin {
    () => {
        " and (role not in ('owner', 'tenant_admin') or deactivated_at is not null or exists (
        select 1 from memberships o join users ou on ou.id = o.user_id and ou.deactivated_at is null
        where o.tenant_id = ?1 and o.user_id <> ?2 and o.role in ('owner', 'tenant_admin') and o.deactivated_at is null))"
    };
}

statements! {
    LIST = concat!(columns!(), "where m.tenant_id = ?1 order by m.created_at desc, m.user_id desc limit ?2 offset ?3");

    LIST_AFTER = concat!(columns!(), "where m.tenant_id = ?1 and (m.created_at, m.user_id) < (?2, ?3)
        order by m.created_at desc, m.user_id desc limit ?4 offset ?5");

    COUNT = "select count(*) as total from (select 1 from memberships where tenant_id = ?1 limit ?2) as counted";

    GET = concat!(columns!(), "where m.tenant_id = ?1 and m.user_id = ?2");

    DEPARTMENTS = "select department_id from membership_departments where tenant_id = ?1 and user_id = ?2
        order by department_id";

    /// Serialises changes of one tenant's people on PostgreSQL, where two administrators could otherwise remove each other.
    LOCK = "update tenants set max_concurrent_calls = max_concurrent_calls where id = ?1";

    BUMP = "update memberships set version = version + 1 where user_id = ?1 and tenant_id = ?2 and version = ?3";

    SET_ROLE = "update memberships set role = ?3, role_id = ?4 where tenant_id = ?1 and user_id = ?2";

    TAKE_ROLE = concat!("update memberships set role = ?3, role_id = ?4 where tenant_id = ?1 and user_id = ?2",
        not_the_last_admin!());

    DEACTIVATE = concat!("update memberships set deactivated_at = coalesce(deactivated_at, ?3)
        where tenant_id = ?1 and user_id = ?2", not_the_last_admin!());

    ACTIVATE = "update memberships set deactivated_at = null where tenant_id = ?1 and user_id = ?2";

    LEAVE_DEPARTMENTS = "delete from membership_departments where tenant_id = ?1 and user_id = ?2";

    JOIN_DEPARTMENT = "insert into membership_departments (tenant_id, user_id, department_id)
        select d.tenant_id, ?2, d.id from departments d where d.id = ?3 and d.tenant_id = ?1";

    REMOVE = concat!("delete from memberships where tenant_id = ?1 and user_id = ?2", not_the_last_admin!());

    FORGET_INVITATIONS = "delete from invitations where tenant_id = ?1 and email = (select u.email from users u where u.id = ?2)";

    REVOKE_SESSIONS = "update sessions set revoked_at = ?3 where user_id = ?2 and tenant_id = ?1 and revoked_at is null";
}

fn map(r: &Reader<'_>) -> Result<User, StoreError> {
    let stored = r.text("role")?;
    let (role, role_name, permissions) = match r.opt_text("role_id")? {
        Some(id) => {
            let words = r.opt_text("permissions")?.unwrap_or_default();
            (id, r.opt_text("role_name")?.unwrap_or_default(), Permissions::from_stored(&words))
        }
        None => match stored.parse::<BuiltinRole>() {
            Ok(role) => (role.as_str().to_owned(), role.as_str().to_owned(), role.permissions()),
            // A word of a newer version: it allows nothing here.
            Err(_) => (stored.clone(), stored, Permissions::default()),
        },
    };
    Ok(User {
        id: r.parsed("id")?,
        email: r.text("email")?,
        name: r.text("name")?,
        role,
        role_name,
        permissions: permissions.within_tenant(),
        joined_at: r.moment("created_at")?,
        last_login_at: r.opt_moment("last_login_at")?,
        deactivated_at: r.opt_moment("deactivated_at")?,
        version: r.count("version")?,
    })
}

/// The tenant's users, who joined last first: a page by its number, or what follows `after`.
pub async fn list(
    scope: &Scope,
    after: Option<&Cursor>,
    request: PageRequest,
) -> Result<Page<User>, StoreError> {
    let found = paging::find(scope, [LIST, LIST_AFTER], COUNT, &[], after, request).await?;
    found.page(request, |r| map(&r))
}

/// One of the tenant's users.
pub async fn get(scope: &Scope, user: UserId) -> Result<Option<User>, StoreError> {
    let rows = scope.query(Stmt::new(GET, member(scope, user))).await?;
    row::one(&rows, |r| map(&r))
}

/// The departments that a user belongs to by themselves.
pub async fn departments(scope: &Scope, user: UserId) -> Result<Vec<DepartmentId>, StoreError> {
    let rows = scope.query(Stmt::new(DEPARTMENTS, member(scope, user))).await?;
    row::all(&rows, |r| r.parsed("department_id"))
}

/// Changes what a user of this version is in the tenant, on its record. That they are one of its users has been found out before.
pub async fn update(
    scope: &Scope,
    (user, version): (UserId, u64),
    change: &UserChange,
    entry: &AuditEntry<'_>,
) -> Result<Changed, StoreError> {
    let mut stmts = vec![bump(scope, BUMP, &user, version), Stmt::new(LOCK, vec![scope.tenant_arg()])];
    if let Some(role) = change.role {
        let args = [member(scope, user), role.columns().into()].concat();
        stmts.push(Stmt::new(if role.is_admin() { SET_ROLE } else { TAKE_ROLE }, args).exactly(1));
    }
    match change.active {
        Some(true) => stmts.push(Stmt::new(ACTIVATE, member(scope, user)).exactly(1)),
        Some(false) => {
            stmts.push(Stmt::new(DEACTIVATE, at(scope, user, entry.at)).exactly(1));
            stmts.push(Stmt::new(REVOKE_SESSIONS, at(scope, user, entry.at)));
            // What was sent to them before does not bring them back.
            stmts.push(Stmt::new(FORGET_INVITATIONS, member(scope, user)));
        }
        None => {}
    }
    let people = stmts.len();
    if let Some(departments) = &change.departments {
        stmts.push(Stmt::new(LEAVE_DEPARTMENTS, member(scope, user)));
        for department in departments.iter().take(MAX_DEPARTMENTS) {
            let args = [member(scope, user), vec![department.to_string().into()]].concat();
            stmts.push(Stmt::new(JOIN_DEPARTMENT, args).exactly(1));
        }
    }
    stmts.push(audit_log::entry(scope, entry));
    match scope.batch(stmts).await {
        Ok(_) => Ok(Changed::Done),
        Err(DbError::Unexpected { index: 0 }) => Ok(Changed::Outrun),
        Err(DbError::Unexpected { index }) if index < people => Ok(Changed::LastAdmin),
        // A department that was named twice is refused by its key.
        Err(DbError::Unexpected { .. } | DbError::Constraint) => Ok(Changed::NoSuchDepartment),
        Err(other) => Err(other.into()),
    }
}

/// The user of this version does not work for the tenant any more, on its record. What was sent to their address does not bring them back, and
/// if the tenant was their last one, nothing is kept of them but their id.
pub async fn remove(
    scope: &Scope,
    (user, version): (UserId, u64),
    entry: &AuditEntry<'_>,
) -> Result<Changed, StoreError> {
    let mut stmts = vec![
        bump(scope, BUMP, &user, version),
        Stmt::new(LOCK, vec![scope.tenant_arg()]),
        Stmt::new(LEAVE_DEPARTMENTS, member(scope, user)),
        preferences::forget(scope, user),
        agents::forget_user(scope, user),
        messages::leave(scope, user),
        saved_views::forget(scope, user),
        Stmt::new(REVOKE_SESSIONS, at(scope, user, entry.at)),
        Stmt::new(REMOVE, member(scope, user)).exactly(1),
    ];
    stmts.extend(notifications::leave(scope, user));
    stmts.push(Stmt::new(FORGET_INVITATIONS, member(scope, user)));
    stmts.extend(people::forget_alone(&user.to_string()));
    Ok(match save(scope, stmts, entry, Saved::InUse, Saved::InUse).await? {
        Saved::Done => Changed::Done,
        Saved::Outrun => Changed::Outrun,
        _ => Changed::LastAdmin,
    })
}

fn member(scope: &Scope, user: UserId) -> Vec<Value> {
    vec![scope.tenant_arg(), user.to_string().into()]
}

fn at(scope: &Scope, user: UserId, now: Millis) -> Vec<Value> {
    vec![scope.tenant_arg(), user.to_string().into(), now.into()]
}
