//! Passwords, and what is mailed: all of it happens before a tenant is known, and is looked up by an e-mail address or by the
//! hash of a token.

use std::sync::Arc;

use voicecore_domain::throttle::{FORGOTTEN_AFTER, Throttle};
use voicecore_domain::{InvitationToken, PasswordResetToken};
use voicecore_ports::{Db, DbError, Stmt};
use voicecore_types::{AuditEntryId, DepartmentId, Millis, TenantId, UserId};

use super::across_tenants;
use crate::audit_log::{self, AuditEntry};
use crate::row::{self, count_arg};
use crate::{Scope, StoreError};

/// Rows of each kind that one run of the scheduled job forgets.
const FORGOTTEN_AT_ONCE: u32 = 500;
/// Sessions and tokens are kept for so long after they are over: a month.
const KEPT_AFTER_END: Millis = Millis::from_secs(30 * 86_400);
/// Departments of one invitation that are looked at.
const MOST_DEPARTMENTS: usize = 20;

/// Somebody who can sign in.
#[derive(Debug, Clone)]
pub struct Account {
    /// Who.
    pub user_id: UserId,
    /// A PHC string; `None`: they have never chosen a password.
    pub password_hash: Option<String>,
}

/// An invitation that can be accepted.
#[derive(Debug, Clone)]
pub struct OpenInvitation {
    /// Who invites.
    pub tenant_id: TenantId,
    /// Their name.
    pub tenant_name: String,
    /// Who is invited.
    pub email: String,
    /// There is a user with this address who has a password: it stays.
    pub has_password: bool,
    departments: Vec<DepartmentId>,
}

/// Somebody accepts.
#[derive(Debug, Clone)]
pub struct Acceptance<'a> {
    /// By this token.
    pub token: &'a InvitationToken,
    /// The id of the user, unless the address is known already.
    pub user_id: UserId,
    /// Their name, in the place of the invitation's.
    pub name: Option<&'a str>,
    /// A PHC string: the password of a user who has none.
    pub password_hash: Option<&'a str>,
    /// When.
    pub now: Millis,
    /// The id of the entry in the audit log.
    pub audit_entry_id: AuditEntryId,
}

statements! {
    THROTTLE = "select failures, blocked_until, updated_at from login_throttles where throttle_key = ?1";

    /// Only where nobody else has tried since.
    THROTTLED = "insert into login_throttles (throttle_key, failures, blocked_until, updated_at) values (?1, ?2, ?3, ?4)
        on conflict (throttle_key) do update set failures = excluded.failures, blocked_until = excluded.blocked_until,
        updated_at = excluded.updated_at
        where login_throttles.failures = ?5 and login_throttles.updated_at = ?6";

    CLEAR_THROTTLE = "delete from login_throttles where throttle_key = ?1";

    FORGET_THROTTLES = "delete from login_throttles where throttle_key in
        (select l.throttle_key from login_throttles l where l.updated_at < ?1 limit ?2)";

    FORGET_SESSIONS = "delete from sessions where id in (select s.id from sessions s where s.expires_at < ?1 limit ?2)";

    FORGET_RESETS = "delete from password_resets where token_hash in
        (select p.token_hash from password_resets p where p.expires_at < ?1 limit ?2)";

    ACCOUNT = "select id, password_hash from users where email = ?1 and deactivated_at is null";

    SIGNED_IN = "update users set last_login_at = ?2 where id = ?1";

    WORKS_FOR = "update memberships set last_login_at = ?3 where user_id = ?1 and tenant_id = ?2";

    NEW_RESET = "insert into password_resets (token_hash, user_id, created_at, expires_at) values (?1, ?2, ?3, ?4)";

    RESET = "select u.id, u.email from password_resets p join users u on u.id = p.user_id
        where p.token_hash = ?1 and p.used_at is null and p.expires_at > ?2 and u.deactivated_at is null";

    USE_RESET = "update password_resets set used_at = ?2 where token_hash = ?1 and used_at is null and expires_at > ?2";

    VOID_RESETS = "update password_resets set used_at = ?2 where user_id = ?1 and used_at is null";

    NEW_PASSWORD = "update users set password_hash = ?2, password_changed_at = ?3 where id = ?1";

    REVOKE_SESSIONS = "update sessions set revoked_at = ?2 where user_id = ?1 and revoked_at is null";

    /// What a user did about themselves is on record in the first tenant that they work for.
    LOG = "insert into audit_log (id, tenant_id, at, actor_kind, actor_id, action, subject_id)
        select ?1, m.tenant_id, ?2, 'user', m.user_id, ?3, m.user_id from memberships m where m.user_id = ?4
        order by m.created_at, m.tenant_id limit 1";

    /// Who works for none is on the record of the installation.
    LOG_ALONE = "insert into installation_log (id, at, actor_kind, actor_id, action, subject_id)
        select ?1, ?2, case when u.super_admin = 1 then 'super_admin' else 'user' end, u.id, ?3, u.id from users u
        where u.id = ?4 and not exists (select 1 from memberships m where m.user_id = u.id)";

    INVITATION = "select i.tenant_id, i.email, i.departments, t.name as tenant_name,
        case when u.password_hash is null then 0 else 1 end as has_password
        from invitations i join tenants t on t.id = i.tenant_id left join users u on u.email = i.email
        where i.token_hash = ?1 and i.accepted_at is null and i.revoked_at is null and i.expires_at > ?2";

    ACCEPT = "update invitations set accepted_at = ?2
        where token_hash = ?1 and accepted_at is null and revoked_at is null and expires_at > ?2";

    NEW_USER = "insert into users (id, email, name, created_at)
        select ?1, i.email, coalesce(?2, i.name), ?3 from invitations i where i.token_hash = ?4
        on conflict (email) do nothing";

    FIRST_PASSWORD = "update users set password_hash = ?2, password_changed_at = ?3
        where password_hash is null and email = (select i.email from invitations i where i.token_hash = ?1)";

    /// Whoever is invited anew begins anew: they do not come back to the departments that they had.
    LEAVE_DEPARTMENTS = "delete from membership_departments where (tenant_id, user_id) in
        (select m.tenant_id, m.user_id from invitations i join users u on u.email = i.email
        join memberships m on m.tenant_id = i.tenant_id and m.user_id = u.id
        where i.token_hash = ?1 and m.deactivated_at is not null)";

    /// Whoever works for the tenant already stays what they are.
    JOIN = "insert into memberships (user_id, tenant_id, role, role_id, created_at)
        select u.id, i.tenant_id, i.role, i.role_id, ?2 from invitations i join users u on u.email = i.email
        where i.token_hash = ?1
        on conflict (tenant_id, user_id) do update set role = excluded.role, role_id = excluded.role_id, deactivated_at = null,
        version = memberships.version + 1
        where memberships.deactivated_at is not null";

    JOIN_DEPARTMENT = "insert into membership_departments (tenant_id, user_id, department_id)
        select d.tenant_id, u.id, d.id from invitations i join users u on u.email = i.email
        join departments d on d.id = ?2 and d.tenant_id = i.tenant_id where i.token_hash = ?1
        on conflict (tenant_id, user_id, department_id) do nothing";

    LOG_JOIN = "insert into audit_log (id, tenant_id, at, actor_kind, actor_id, action, subject_id)
        select ?1, i.tenant_id, ?2, 'user', u.id, 'user.join', u.id
        from invitations i join users u on u.email = i.email where i.token_hash = ?3";

    NOTIFY_JOIN = "insert into notifications (id, tenant_id, kind, subject_id, created_at)
        select ?1, i.tenant_id, 'invitation_accepted', u.id, cast(?2 as bigint)
        from invitations i join users u on u.email = i.email where i.token_hash = ?3";
}

/// What is known of earlier tries.
pub async fn throttle(db: &dyn Db, key: &str) -> Result<Throttle, StoreError> {
    let rows = db.query(across_tenants(THROTTLE, vec![key.into()])).await?;
    let known = row::one(&rows, |r| {
        Ok(Throttle {
            failures: r.count("failures")?,
            blocked_until: r.moment("blocked_until")?,
            updated_at: r.moment("updated_at")?,
        })
    })?;
    Ok(known.unwrap_or_default())
}

/// Notes a try that begins. `false`: somebody else tried at the same moment; nothing was noted.
pub async fn note_try(db: &dyn Db, key: &str, before: Throttle, after: Throttle) -> Result<bool, StoreError> {
    let args = vec![
        key.into(),
        count_arg(after.failures),
        after.blocked_until.into(),
        after.updated_at.into(),
        count_arg(before.failures),
        before.updated_at.into(),
    ];
    Ok(db.query(across_tenants(THROTTLED, args)).await?.changed == 1)
}

/// The statement that forgets failures: a try succeeded.
pub fn clear_throttle(key: &str) -> Stmt {
    across_tenants(CLEAR_THROTTLE, vec![key.into()])
}

/// Forgets tries that nobody repeated for a day, and sessions and tokens that are long over; a limited number at once. For the
/// scheduled job.
pub async fn forget(db: &dyn Db, now: Millis) -> Result<(), StoreError> {
    let before = |span| vec![now.since(span).into(), FORGOTTEN_AT_ONCE.into()];
    db.batch(vec![
        across_tenants(FORGET_THROTTLES, before(FORGOTTEN_AFTER)),
        across_tenants(FORGET_SESSIONS, before(KEPT_AFTER_END)),
        across_tenants(FORGET_RESETS, before(KEPT_AFTER_END)),
    ])
    .await?;
    Ok(())
}

/// Who signs in with this address (lower case).
pub async fn account(db: &dyn Db, email: &str) -> Result<Option<Account>, StoreError> {
    let rows = db.query(across_tenants(ACCOUNT, vec![email.into()])).await?;
    row::one(&rows, |r| Ok(Account { user_id: r.parsed("id")?, password_hash: r.opt_text("password_hash")? }))
}

/// The statement that notes when somebody signed in.
pub fn signed_in(user: UserId, now: Millis) -> Stmt {
    across_tenants(SIGNED_IN, vec![user.to_string().into(), now.into()])
}

/// The statement that notes when somebody began to work for a tenant of theirs.
pub fn works_for(user: UserId, tenant: TenantId, now: Millis) -> Stmt {
    across_tenants(WORKS_FOR, vec![user.to_string().into(), tenant.to_string().into(), now.into()])
}

/// Notes the token of a mail by which somebody chooses a new password.
pub async fn create_password_reset(
    db: &dyn Db,
    token: &PasswordResetToken,
    user: UserId,
    now: Millis,
    expires_at: Millis,
) -> Result<(), StoreError> {
    let args = vec![token.hash().into(), user.to_string().into(), now.into(), expires_at.into()];
    db.query(across_tenants(NEW_RESET, args)).await?;
    Ok(())
}

/// Whose token it is, and their address, as long as it is good.
pub async fn password_reset(
    db: &dyn Db,
    token: &PasswordResetToken,
    now: Millis,
) -> Result<Option<(UserId, String)>, StoreError> {
    let rows = db.query(across_tenants(RESET, vec![token.hash().into(), now.into()])).await?;
    row::one(&rows, |r| Ok((r.parsed("id")?, r.text("email")?)))
}

/// Uses the token up: the password is another one, every session of the user is revoked, other tokens are void. `false`: the
/// token is not good any more; nothing was changed.
pub async fn reset_password(
    db: &dyn Db,
    token: &PasswordResetToken,
    user: UserId,
    password_hash: &str,
    audit_entry_id: AuditEntryId,
    now: Millis,
) -> Result<bool, StoreError> {
    let id = || voicecore_ports::Value::from(user.to_string());
    let mut stmts = vec![
        across_tenants(USE_RESET, vec![token.hash().into(), now.into()]).exactly(1),
        across_tenants(NEW_PASSWORD, vec![id(), password_hash.into(), now.into()]).exactly(1),
        across_tenants(VOID_RESETS, vec![id(), now.into()]),
        revoke_sessions(user, now),
    ];
    stmts.extend(log(audit_entry_id, user, "password.reset", now));
    match db.batch(stmts).await {
        Ok(_) => Ok(true),
        Err(DbError::Unexpected { .. }) => Ok(false),
        Err(other) => Err(other.into()),
    }
}

/// The statement that revokes every session of a user.
pub(super) fn revoke_sessions(user: UserId, now: Millis) -> Stmt {
    across_tenants(REVOKE_SESSIONS, vec![user.to_string().into(), now.into()])
}

/// The statements that put on record what a user did about themselves: in their first tenant, or, where they work for none, in the
/// installation's record. One of them writes.
pub fn log(id: AuditEntryId, user: UserId, action: &'static str, now: Millis) -> [Stmt; 2] {
    let args = vec![id.to_string().into(), now.into(), action.into(), user.to_string().into()];
    [across_tenants(LOG, args.clone()), across_tenants(LOG_ALONE, args)]
}

/// The same in a tenant.
pub fn log_in(db: &Arc<dyn Db>, tenant: TenantId, entry: &AuditEntry<'_>) -> Stmt {
    audit_log::entry(&Scope::new(Arc::clone(db), tenant), entry)
}

/// An invitation, as long as it is good.
pub async fn invitation(
    db: &dyn Db,
    token: &InvitationToken,
    now: Millis,
) -> Result<Option<OpenInvitation>, StoreError> {
    let rows = db.query(across_tenants(INVITATION, vec![token.hash().into(), now.into()])).await?;
    row::one(&rows, |r| {
        let departments = r.text("departments")?;
        Ok(OpenInvitation {
            tenant_id: r.parsed("tenant_id")?,
            tenant_name: r.text("tenant_name")?,
            email: r.text("email")?,
            has_password: r.count("has_password")? == 1,
            departments: departments.split_ascii_whitespace().filter_map(|id| id.parse().ok()).collect(),
        })
    })
}

/// Uses an invitation up: there is a user, and they work for the tenant. `false`: it is not good any more; nothing was changed.
pub async fn accept(
    db: &dyn Db,
    invitation: &OpenInvitation,
    by: &Acceptance<'_>,
) -> Result<bool, StoreError> {
    let token = || voicecore_ports::Value::from(by.token.hash());
    let mut stmts = vec![
        across_tenants(ACCEPT, vec![token(), by.now.into()]).exactly(1),
        across_tenants(NEW_USER, vec![by.user_id.to_string().into(), by.name.into(), by.now.into(), token()]),
    ];
    if let Some(hash) = by.password_hash {
        stmts.push(across_tenants(FIRST_PASSWORD, vec![token(), hash.into(), by.now.into()]));
    }
    stmts.push(across_tenants(LEAVE_DEPARTMENTS, vec![token()]));
    stmts.push(across_tenants(JOIN, vec![token(), by.now.into()]));
    for department in invitation.departments.iter().take(MOST_DEPARTMENTS) {
        stmts.push(across_tenants(JOIN_DEPARTMENT, vec![token(), department.to_string().into()]));
    }
    // The entry of the record and what is told of it have one id.
    let entry = || vec![by.audit_entry_id.to_string().into(), by.now.into(), token()];
    stmts.push(across_tenants(LOG_JOIN, entry()).exactly(1));
    stmts.push(across_tenants(NOTIFY_JOIN, entry()).exactly(1));
    match db.batch(stmts).await {
        Ok(_) => Ok(true),
        Err(DbError::Unexpected { .. }) => Ok(false),
        Err(other) => Err(other.into()),
    }
}
