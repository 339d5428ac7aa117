//! Users across all tenants, for super admins: who somebody is, and whether they sign in at all.

use std::sync::Arc;

use voicecore_ports::{Db, DbError, Stmt};
use voicecore_types::{AuditEntryId, Millis, TenantId, UserId};

use super::{accounts, across_tenants, installation};
use crate::audit_log::AuditEntry;
use crate::row::{self, Reader};
use crate::{Scope, StoreError, audit_log};

/// A user as a super admin sees them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonRow {
    /// Who.
    pub id: UserId,
    /// Their address.
    pub email: String,
    /// Their name.
    pub name: String,
    /// They run the installation.
    pub super_admin: bool,
    /// When they signed in last.
    pub last_login_at: Option<Millis>,
    /// Since when they sign in nowhere any more.
    pub deactivated_at: Option<Millis>,
}

/// What came of a wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// It is done.
    Done,
    /// There is no such user, or nobody would be left who runs the installation. Nothing was changed.
    Refused,
}

statements! {
    BY_ID = "select id, email, name, super_admin, last_login_at, deactivated_at from users where id = ?1";

    BY_EMAIL = "select id, email, name, super_admin, last_login_at, deactivated_at from users where email = ?1";

    /// Locks, on PostgreSQL, the one row that everybody locks who deactivates: of two super admins who deactivate each other, the
    /// second one sees what the first one did. Elsewhere a batch is alone.
    LOCK = "update users set super_admin = 1 where super_admin = 1
        and id = (select min(u.id) from users u where u.super_admin = 1)";

    DEACTIVATE = "update users set deactivated_at = coalesce(deactivated_at, ?2) where id = ?1 and (super_admin = 0
        or exists (select 1 from users o where o.super_admin = 1 and o.deactivated_at is null and o.id <> ?1))";

    REACTIVATE = "update users set deactivated_at = null where id = ?1";

    /// People who work for nobody and are invited by nobody: whoever leaves their last tenant is forgotten at once, but that was not always so.
    ALONE = "select u.id from users u where u.super_admin = 0
        and not exists (select 1 from memberships m where m.user_id = u.id)
        and not exists (select 1 from invitations i where i.email = u.email and i.accepted_at is null and i.revoked_at is null
        and i.expires_at > ?1)
        order by u.id limit ?2";

    /// Links that were sent to somebody who works for nobody any more.
    FORGET_LINKS = "delete from setup_tokens where email = (select u.email from users u where u.id = ?1
        and not exists (select 1 from memberships m where m.user_id = u.id))";

    FORGET_RESETS = "delete from password_resets where user_id = (select u.id from users u where u.id = ?1 and u.super_admin = 0
        and not exists (select 1 from memberships m where m.user_id = u.id))";

    FORGET_SESSIONS = "delete from sessions where user_id = (select u.id from users u where u.id = ?1 and u.super_admin = 0
        and not exists (select 1 from memberships m where m.user_id = u.id))";

    /// Whoever runs the installation stays.
    FORGET_PERSON = "delete from users where id = ?1 and super_admin = 0
        and not exists (select 1 from memberships m where m.user_id = users.id)";
}

fn map(r: &Reader<'_>) -> Result<PersonRow, StoreError> {
    Ok(PersonRow {
        id: r.parsed("id")?,
        email: r.text("email")?,
        name: r.text("name")?,
        super_admin: r.count("super_admin")? == 1,
        last_login_at: r.opt_moment("last_login_at")?,
        deactivated_at: r.opt_moment("deactivated_at")?,
    })
}

/// By their id.
pub async fn get(db: &dyn Db, id: UserId) -> Result<Option<PersonRow>, StoreError> {
    let rows = db.query(across_tenants(BY_ID, vec![id.to_string().into()])).await?;
    row::one(&rows, |r| map(&r))
}

/// By their address, in lower case.
pub async fn by_email(db: &dyn Db, email: &str) -> Result<Option<PersonRow>, StoreError> {
    let rows = db.query(across_tenants(BY_EMAIL, vec![email.into()])).await?;
    row::one(&rows, |r| map(&r))
}

/// From now on the user signs in nowhere, or may again; their sessions end. `entry` is written into the log of the installation, and
/// into those of `tenants`, with an id each.
pub async fn set_active(
    db: &Arc<dyn Db>,
    id: UserId,
    active: bool,
    entry: &AuditEntry<'_>,
    tenants: &[(TenantId, AuditEntryId)],
) -> Result<Activation, StoreError> {
    let user = || voicecore_ports::Value::from(id.to_string());
    let change = if active {
        across_tenants(REACTIVATE, vec![user()])
    } else {
        across_tenants(DEACTIVATE, vec![user(), entry.at.into()])
    };
    // Also when they come back: nothing of before opens anything.
    let mut stmts = vec![
        across_tenants(LOCK, vec![]),
        change.exactly(1),
        accounts::revoke_sessions(id, entry.at),
        installation::log(entry),
    ];
    for (tenant, entry_id) in tenants {
        let scope = Scope::new(Arc::clone(db), *tenant);
        stmts.push(audit_log::entry(&scope, &AuditEntry { id: *entry_id, ..entry.clone() }));
    }
    match db.batch(stmts).await {
        Ok(_) => Ok(Activation::Done),
        Err(DbError::Unexpected { .. }) => Ok(Activation::Refused),
        Err(other) => Err(other.into()),
    }
}

/// Forgets people who work for nobody and are invited by nobody, at most `limit`; whoever runs the installation stays. Looks through
/// everybody.
pub async fn forget_those_alone(db: &dyn Db, now: Millis, limit: u32) -> Result<(), StoreError> {
    let alone = db.query(across_tenants(ALONE, vec![now.into(), limit.into()])).await?;
    for user in row::all(&alone, |r| r.text("id"))? {
        match db.batch(forget_alone(&user).into()).await {
            // Something of theirs is kept: one who cannot be forgotten keeps nobody else from it.
            Ok(_) | Err(DbError::Constraint) => {}
            Err(other) => return Err(other.into()),
        }
    }
    Ok(())
}

/// The statements that forget a user who works for nobody any more, with their address, password, sessions and links; to stand behind the
/// one that takes them their last tenant, in its batch. Nothing happens to whoever has another tenant or runs the installation.
pub(crate) fn forget_alone(user: &str) -> [Stmt; 4] {
    [FORGET_LINKS, FORGET_RESETS, FORGET_SESSIONS, FORGET_PERSON]
        .map(|text| across_tenants(text, vec![user.into()]))
}
