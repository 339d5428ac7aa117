//! Who is signed in. A session is found before its tenant is known, and one statement gives all that a request needs: session,
//! user, membership, role and tenant. So whatever is revoked or changed holds for the very next request.

use std::sync::Arc;

use voicecore_domain::credentials::REFRESH_GRACE;
use voicecore_domain::{BuiltinRole, Permissions, RefreshToken};
use voicecore_ports::{Db, Stmt, Value};
use voicecore_types::{Millis, SessionId, TenantId, UserId};

use super::{Actor, Principal, across_tenants};
use crate::row::{self, Reader};
use crate::{Scope, StoreError};

/// The most sessions of a list: more than anybody has devices.
const LISTED: u32 = 100;

/// What kind of session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionKind {
    /// A user has signed in.
    Login,
    /// A super admin looks into a tenant.
    Impersonation,
}

impl SessionKind {
    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Impersonation => "impersonation",
        }
    }
}

/// A session that is good, and what its user may do.
#[derive(Debug, Clone)]
pub struct Session {
    /// Which.
    pub id: SessionId,
    /// Whose.
    pub user_id: UserId,
    /// Their address.
    pub email: String,
    /// Their name.
    pub name: String,
    /// They run the installation.
    pub super_admin: bool,
    /// What kind.
    pub kind: SessionKind,
    /// The tenant that it works in.
    pub tenant_id: Option<TenantId>,
    /// That tenant's name.
    pub tenant_name: Option<String>,
    /// What the user is in the tenant; `None`: they do not work for it (any more).
    pub role: Option<String>,
    /// The tenant does not work now.
    pub suspended: bool,
    /// What may be done in the tenant; `None` as `role`.
    pub principal: Option<Principal>,
}

/// A session as its user sees it.
#[derive(Debug, Clone)]
pub struct SessionRow {
    /// Which.
    pub id: SessionId,
    /// What kind it is, as stored.
    pub kind: String,
    /// The tenant that it works in.
    pub tenant_id: Option<TenantId>,
    /// What the browser called itself.
    pub label: String,
    /// When somebody signed in.
    pub created_at: Millis,
    /// When it was refreshed last.
    pub last_used_at: Millis,
    /// When it ends by itself.
    pub expires_at: Millis,
}

/// A session that begins.
#[derive(Debug, Clone)]
pub struct NewSession<'a> {
    /// Its id.
    pub id: SessionId,
    /// Whose.
    pub user_id: UserId,
    /// The tenant that it works in.
    pub tenant_id: Option<TenantId>,
    /// What kind.
    pub kind: SessionKind,
    /// `None`: it cannot be refreshed.
    pub refresh: Option<&'a RefreshToken>,
    /// What the browser calls itself.
    pub label: &'a str,
    /// When.
    pub now: Millis,
    /// When it ends by itself.
    pub expires_at: Millis,
}

/// What a refresh token was good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refreshed {
    /// It was the current one; its successor is now.
    Rotated,
    /// It was the one before, used again within the grace: the same successor is current.
    Again,
    /// It was used long ago: whoever shows it may have stolen it, so the session is to be revoked, on record.
    Reused {
        /// Whose session it is.
        user_id: UserId,
        /// The tenant that it works in.
        tenant_id: Option<TenantId>,
    },
    /// It opens nothing.
    Unknown,
}

/// A tenant that a user works for.
#[derive(Debug, Clone)]
pub struct MembershipRow {
    /// Which tenant.
    pub tenant_id: TenantId,
    /// Its name.
    pub tenant_name: String,
    /// What they are there: a word, or the name of a custom role.
    pub role: String,
}

statements! {
    SESSION = "select s.id, s.user_id, s.tenant_id, s.kind, u.email, u.name, u.super_admin, m.role, m.role_id, r.permissions,
        k.wrapped_key, t.name as tenant_name, t.suspended_at
        from sessions s
        join users u on u.id = s.user_id
        left join tenants t on t.id = s.tenant_id
        left join tenant_keys k on k.tenant_id = s.tenant_id
        left join memberships m on m.tenant_id = s.tenant_id and m.user_id = s.user_id and m.deactivated_at is null
        left join roles r on r.id = m.role_id and r.tenant_id = m.tenant_id
        where s.id = ?1 and s.revoked_at is null and s.expires_at > ?2 and u.deactivated_at is null";

    INSERT = "insert into sessions (id, user_id, tenant_id, kind, refresh_hash, rotated_at, label, created_at, last_used_at,
        expires_at) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?6, ?6, ?8)";

    ROTATE = "update sessions set previous_hash = refresh_hash, refresh_hash = ?3, rotated_at = ?4, last_used_at = ?4
        where id = ?1 and refresh_hash = ?2 and revoked_at is null and expires_at > ?4
        and exists (select 1 from users u where u.id = sessions.user_id and u.deactivated_at is null)";

    PREVIOUS = "select refresh_hash, previous_hash, rotated_at, user_id, tenant_id from sessions
        where id = ?1 and revoked_at is null and expires_at > ?2 and refresh_hash is not null";

    REVOKE_OWN = "update sessions set revoked_at = ?3 where id = ?1 and user_id = ?2 and revoked_at is null and expires_at > ?3";

    REVOKE_OTHERS = "update sessions set revoked_at = ?3 where user_id = ?2 and id <> ?1 and revoked_at is null";

    LIST = "select id, kind, tenant_id, label, created_at, last_used_at, expires_at from sessions
        where user_id = ?1 and revoked_at is null and expires_at > ?2 order by created_at desc limit ?3";

    SWITCH = "update sessions set tenant_id = ?3 where id = ?1 and user_id = ?2 and kind = 'login' and exists
        (select 1 from memberships m where m.user_id = ?2 and m.tenant_id = ?3 and m.deactivated_at is null)";

    MEMBERSHIPS = "select m.tenant_id, t.name as tenant_name, m.role, r.name as role_name
        from memberships m
        join tenants t on t.id = m.tenant_id
        left join roles r on r.id = m.role_id and r.tenant_id = m.tenant_id
        where m.user_id = ?1 and m.deactivated_at is null order by m.created_at, m.tenant_id limit ?2";
}

/// The session of an access token, if it is good now, with everything that its user may do.
pub async fn session(db: &Arc<dyn Db>, id: SessionId, now: Millis) -> Result<Option<Session>, StoreError> {
    let rows = db.query(look_up(id, now)).await?;
    row::one(&rows, |r| map_session(db, &r))
}

pub(super) fn look_up(id: SessionId, now: Millis) -> Stmt {
    across_tenants(SESSION, vec![id.to_string().into(), now.into()])
}

pub(super) fn map_session(db: &Arc<dyn Db>, r: &Reader<'_>) -> Result<Session, StoreError> {
    let id = r.parsed("id")?;
    let user_id = r.parsed("user_id")?;
    let super_admin = r.count("super_admin")? == 1;
    let suspended = r.opt_moment("suspended_at")?.is_some();
    let kind = match r.text("kind")?.as_str() {
        "login" => SessionKind::Login,
        "impersonation" => SessionKind::Impersonation,
        _ => return Err(StoreError::OddRow { column: "kind" }),
    };
    let tenant_id: Option<TenantId> = r.opt_parsed("tenant_id")?;
    let (role, permissions) = match kind {
        // Good only as long as whoever looks into the tenant runs the installation.
        SessionKind::Impersonation => {
            let role = super_admin.then_some(BuiltinRole::TenantAdmin);
            (role.map(|role| role.as_str().to_owned()), role.map(BuiltinRole::permissions))
        }
        SessionKind::Login => membership(r)?,
    };
    let principal = match (tenant_id, permissions) {
        (Some(tenant), Some(permissions)) => {
            let actor = match kind {
                SessionKind::Login => Actor::User { user_id, session_id: id },
                SessionKind::Impersonation => Actor::Impersonator { user_id, session_id: id },
            };
            let scope = Scope::new(Arc::clone(db), tenant);
            let principal = Principal::new(scope, actor, permissions, r.wrapped_key("wrapped_key")?);
            // Whoever runs the installation looks into tenants that do not work, too.
            let suspended = suspended && kind == SessionKind::Login;
            Some(Principal { suspended, ..principal })
        }
        _ => None,
    };
    Ok(Session {
        id,
        user_id,
        email: r.text("email")?,
        name: r.text("name")?,
        super_admin,
        kind,
        tenant_id,
        tenant_name: r.opt_text("tenant_name")?,
        role,
        suspended,
        principal,
    })
}

/// The role of a membership and what it allows. A role that this version does not know allows nothing.
fn membership(r: &Reader<'_>) -> Result<(Option<String>, Option<Permissions>), StoreError> {
    let Some(role) = r.opt_text("role")? else { return Ok((None, None)) };
    let permissions = match r.opt_text("role_id")? {
        Some(_) => Permissions::from_stored(&r.opt_text("permissions")?.unwrap_or_default()).within_tenant(),
        None => role.parse().map(BuiltinRole::permissions).unwrap_or_default(),
    };
    Ok((Some(r.opt_text("role_id")?.unwrap_or(role)), Some(permissions)))
}

/// The statement that begins a session.
pub fn begin(new: &NewSession<'_>) -> Stmt {
    let args = vec![
        new.id.to_string().into(),
        new.user_id.to_string().into(),
        new.tenant_id.map(|tenant| tenant.to_string()).into(),
        new.kind.as_str().into(),
        new.refresh.map(RefreshToken::hash).into(),
        new.now.into(),
        new.label.into(),
        new.expires_at.into(),
    ];
    across_tenants(INSERT, args).exactly(1)
}

/// Uses a refresh token: `next` is current from now on. Of two that use the same one at once, one rotates and the other one
/// finds out that it has been used a moment ago.
///
/// The signature of `token` has been checked: what is neither current nor the one before was current once, and counts as
/// [`Refreshed::Reused`].
pub async fn refresh(
    db: &dyn Db,
    token: &RefreshToken,
    next: &RefreshToken,
    now: Millis,
) -> Result<Refreshed, StoreError> {
    let id = || Value::from(token.session().to_string());
    let rotate = across_tenants(ROTATE, vec![id(), token.hash().into(), next.hash().into(), now.into()]);
    if db.query(rotate).await?.changed == 1 {
        return Ok(Refreshed::Rotated);
    }
    let rows = db.query(across_tenants(PREVIOUS, vec![id(), now.into()])).await?;
    let known = row::one(&rows, |r| {
        let tenant_id = r.opt_text("tenant_id")?.and_then(|id| id.parse().ok());
        let reused = Refreshed::Reused { user_id: r.parsed("user_id")?, tenant_id };
        Ok((r.text("refresh_hash")?, r.opt_text("previous_hash")?, r.moment("rotated_at")?, reused))
    })?;
    let Some((current, previous, rotated_at, reused)) = known else { return Ok(Refreshed::Unknown) };
    if current == token.hash() {
        // It would have rotated, but for the user, who is not active any more.
        return Ok(Refreshed::Unknown);
    }
    if previous == Some(token.hash()) && current == next.hash() && now.since(rotated_at) <= REFRESH_GRACE {
        return Ok(Refreshed::Again);
    }
    Ok(reused)
}

/// The statement that revokes one session of a user. It changes no row when it is not theirs or not good any more.
pub fn revoke(id: SessionId, user: UserId, now: Millis) -> Stmt {
    across_tenants(REVOKE_OWN, vec![id.to_string().into(), user.to_string().into(), now.into()])
}

/// The statement that revokes all sessions of a user but this one.
pub fn revoke_others(keep: SessionId, user: UserId, now: Millis) -> Stmt {
    across_tenants(REVOKE_OTHERS, vec![keep.to_string().into(), user.to_string().into(), now.into()])
}

/// A user's sessions that are good, the newest first; at most a hundred.
pub async fn list(db: &dyn Db, user: UserId, now: Millis) -> Result<Vec<SessionRow>, StoreError> {
    let rows =
        db.query(across_tenants(LIST, vec![user.to_string().into(), now.into(), LISTED.into()])).await?;
    row::all(&rows, |r| {
        Ok(SessionRow {
            id: r.parsed("id")?,
            kind: r.text("kind")?,
            tenant_id: r.opt_text("tenant_id")?.and_then(|id| id.parse().ok()),
            label: r.text("label")?,
            created_at: r.moment("created_at")?,
            last_used_at: r.moment("last_used_at")?,
            expires_at: r.moment("expires_at")?,
        })
    })
}

/// Lets a session work in another tenant of its user. `false`: they do not work for that one.
pub async fn switch(db: &dyn Db, id: SessionId, user: UserId, to: TenantId) -> Result<bool, StoreError> {
    let args = vec![id.to_string().into(), user.to_string().into(), to.to_string().into()];
    Ok(db.query(across_tenants(SWITCH, args)).await?.changed == 1)
}

/// The tenants that a user works for, the oldest membership first; at most a hundred.
pub async fn memberships(db: &dyn Db, user: UserId) -> Result<Vec<MembershipRow>, StoreError> {
    let rows = db.query(across_tenants(MEMBERSHIPS, vec![user.to_string().into(), LISTED.into()])).await?;
    row::all(&rows, |r| {
        Ok(MembershipRow {
            tenant_id: r.parsed("tenant_id")?,
            tenant_name: r.text("tenant_name")?,
            role: r.opt_text("role_name")?.map_or_else(|| r.text("role").map(|role| shown(&role)), Ok)?,
        })
    })
}

/// A built-in role by the one name that the API has for it.
fn shown(stored: &str) -> String {
    stored.parse::<BuiltinRole>().map_or_else(|_| stored.to_owned(), |role| role.as_str().to_owned())
}
