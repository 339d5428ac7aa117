//! What has to be known before the tenant is: the only module that works without a [`Scope`].
//!
//! Each statement reads by a unique key (or writes the installation's own tables), gives out no more than the next step
//! needs, and turns what it finds into a [`Scope`]. A caller that is not found learns nothing else.

pub mod accounts;
pub mod installation;
pub mod people;
pub mod sessions;
pub mod watchers;

use std::sync::Arc;

use voicecore_domain::credentials::SETUP_TOKEN_LIFETIME;
use voicecore_domain::hub::Watcher;
use voicecore_domain::{ApiKey, CallStatus, Permission, Permissions, SetupToken, VoiceMode, limits};
use voicecore_ports::{Db, Reach, Stmt, Value};
use voicecore_types::{
    ApiKeyId, BusinessId, CallId, InvitationId, Millis, PhoneNumberId, SessionId, TenantId, UserId,
};

use crate::row::{self, Reader};
use crate::seal::{FreshKey, LookupHash, LookupKey, MasterKey, WrappedKey};
use crate::{Scope, StoreError};

/// How exactly it is known when a key was used last.
const KEY_USE_NOTED_EACH: Millis = Millis::from_secs(60);

/// A number of ours that somebody rings.
#[derive(Debug, Clone)]
pub struct DialledNumber {
    /// The tenant that owns it.
    pub scope: Scope,
    /// Which of its numbers.
    pub phone_number_id: PhoneNumberId,
    /// Who answers.
    pub business_id: BusinessId,
    /// The language of its assistant (ISO 639-1), if that has chosen one.
    pub language: Option<String>,
    /// How its calls are held, if it has chosen.
    pub voice_mode: Option<VoiceMode>,
    /// The tenant does not work now.
    pub suspended: bool,
    /// The tenant's data key.
    pub wrapped_key: WrappedKey,
}

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// A program, by its key.
    ApiKey(ApiKeyId),
    /// A user who is signed in.
    User {
        /// Who.
        user_id: UserId,
        /// By which session.
        session_id: SessionId,
    },
    /// A super admin who looks into the tenant.
    Impersonator {
        /// Who.
        user_id: UserId,
        /// By which session.
        session_id: SessionId,
    },
}

impl Actor {
    /// What has to be good as long as they listen to something.
    pub const fn watcher(self) -> Watcher {
        match self {
            Self::ApiKey(id) => Watcher::ApiKey(id),
            Self::User { session_id, .. } | Self::Impersonator { session_id, .. } => {
                Watcher::Session(session_id)
            }
        }
    }

    /// As the audit log names it.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::ApiKey(_) => "api_key",
            Self::User { .. } => "user",
            Self::Impersonator { .. } => "impersonator",
        }
    }

    /// Which one.
    pub fn id(self) -> String {
        match self {
            Self::ApiKey(id) => id.to_string(),
            Self::User { user_id, .. } | Self::Impersonator { user_id, .. } => user_id.to_string(),
        }
    }

    /// The user, unless it is a program.
    pub const fn user(self) -> Option<UserId> {
        match self {
            Self::ApiKey(_) => None,
            Self::User { user_id, .. } | Self::Impersonator { user_id, .. } => Some(user_id),
        }
    }
}

/// Somebody who acts for a tenant: a program with a valid key, or a user with a session that is good.
#[derive(Debug, Clone)]
pub struct Principal {
    /// The tenant they act for, as far as they see it.
    pub scope: Scope,
    /// Who it is.
    pub actor: Actor,
    /// What they may do.
    pub permissions: Permissions,
    /// The tenant's data key.
    pub wrapped_key: WrappedKey,
    /// The tenant does not work now.
    pub suspended: bool,
}

impl Principal {
    /// A user without the permission to see all departments sees their own and what is below them; a key is the tenant's.
    pub(crate) fn new(scope: Scope, actor: Actor, permissions: Permissions, wrapped_key: WrappedKey) -> Self {
        let scope = match actor {
            Actor::User { user_id, .. } if !permissions.contains(Permission::DepartmentsAll) => {
                scope.seen_by(user_id)
            }
            _ => scope,
        };
        Self { scope, actor, permissions, wrapped_key, suspended: false }
    }

    /// All departments are seen, and what belongs to none.
    pub fn sees_all(&self) -> bool {
        self.scope.viewer_args().is_none()
    }
}

/// A call that the carrier, its own actor or the closing job speaks of.
#[derive(Debug, Clone)]
pub struct CallLocation {
    /// Whose call.
    pub scope: Scope,
    /// Our name of it.
    pub call_id: CallId,
    /// The carrier's name of it.
    pub carrier_call_id: String,
    /// Where it is in its life.
    pub status: CallStatus,
    /// It is over for us: its summary has been stored, and nobody has taken it over since.
    pub finished: bool,
    /// It is, or was, held turn by turn (`dialogues`).
    pub turn_based: bool,
}

/// A tenant that has entries in its audit log which wait to be sealed.
#[derive(Debug, Clone)]
pub struct UnsealedAudit {
    /// Whose.
    pub scope: Scope,
    /// The tenant's data key.
    pub wrapped_key: WrappedKey,
}

/// The columns of a [`CallLocation`], of `calls c left join dialogues d`, for `concat!`.
macro_rules! location {
    () => {
        "c.tenant_id, c.id, c.carrier_call_id, c.status,
        case when d.call_id is null then c.finished_at else d.finished_at end as finished_at,
        case when d.call_id is null then 0 else 1 end as turn_based"
    };
}

statements! {
    /// Touches what the last of the migrations has made, so that a half-migrated database is not called ready.
    READY = "select count(*) as entries from (select end_hash from audit_chains limit 1) as t";

    FIRST_TENANTS = "select count(*) as tenants from (select id from tenants limit 2) as t";

    LOOKUP_KEY = "select wrapped_key from platform_keys where name = 'lookup'";

    NEW_LOOKUP_KEY = "insert into platform_keys (name, wrapped_key, created_at) values ('lookup', ?1, ?2)
        on conflict (name) do nothing";

    DIALLED_NUMBER = "select p.tenant_id, p.id, p.business_id, v.language, b.voice_mode, k.wrapped_key, t.suspended_at
        from phone_numbers p
        join businesses b on b.id = p.business_id and b.tenant_id = p.tenant_id
        join tenants t on t.id = p.tenant_id
        join tenant_keys k on k.tenant_id = p.tenant_id
        left join assistants a on a.id = b.assistant_id and a.tenant_id = b.tenant_id
        left join assistant_versions v on v.assistant_id = a.id and v.number = a.published_version and v.tenant_id = a.tenant_id
        where p.number_hash = ?1";

    API_KEY = "select a.tenant_id, a.id, a.key_hash, a.permissions, a.last_used_at, k.wrapped_key, t.suspended_at
        from api_keys a join tenant_keys k on k.tenant_id = a.tenant_id join tenants t on t.id = a.tenant_id
        where a.prefix = ?1 and a.revoked_at is null and (a.expires_at is null or a.expires_at > ?2)";

    KEY_USED = "update api_keys set last_used_at = ?3 where id = ?1 and tenant_id = ?2
        and (last_used_at is null or last_used_at <= ?4)";

    CALL = concat!("select ", location!(), " from calls c left join dialogues d on d.call_id = c.id where c.id = ?1");

    CALL_BY_CARRIER_ID = concat!("select ", location!(), " from calls c left join dialogues d on d.call_id = c.id
        where c.carrier_call_id = ?1");

    /// Each part walks a small partial index: calls without a summary, calls on the line, dialogues that go on.
    OVERDUE_CALLS = concat!("select ", location!(), " from calls c left join dialogues d on d.call_id = c.id
        where c.finished_at is null and c.started_at < ?1
        union
        select ", location!(), " from calls c left join dialogues d on d.call_id = c.id
        where c.ended_at is null and c.started_at < ?2
        union
        select ", location!(), " from dialogues d join calls c on c.id = d.call_id
        where d.finished_at is null and d.updated_at < ?4
        limit ?3");

    /// By the index of the tokens: those that have none yet, which are few.
    UNSENT_INVITATIONS = "select tenant_id, id from invitations
        where token_hash is null and accepted_at is null and revoked_at is null and created_at < ?1 and expires_at > ?2
        order by created_at, id limit ?3";

    /// Walks the entries that wait, which are few.
    UNSEALED_AUDITS = "select distinct l.tenant_id, k.wrapped_key
        from audit_log l join tenant_keys k on k.tenant_id = l.tenant_id
        where l.seq is null and l.tenant_id > ?1 order by l.tenant_id limit ?2";

    NEW_SETUP_TOKEN = "insert into setup_tokens (token_hash, email, created_at, expires_at) values (?1, ?2, ?3, ?4)";

    SETUP_TOKEN = "select email from setup_tokens where token_hash = ?1 and used_at is null and expires_at > ?2";
}

/// A statement that looks through the rows of every tenant. There is no other function that makes one; besides this module,
/// jobs that go through all tenants use it (`master_key`, `tenant_deletions`).
pub(crate) fn across_tenants(sql: &'static str, args: Vec<Value>) -> Stmt {
    Stmt::new(sql, args).reaching(Reach::EveryTenant)
}

/// Whether there is more than one tenant.
pub async fn has_several_tenants(db: &dyn Db) -> Result<bool, StoreError> {
    let rows = db.query(across_tenants(FIRST_TENANTS, vec![])).await?;
    Ok(row::one(&rows, |r| r.count("tenants"))?.unwrap_or(0) > 1)
}

/// The database can be reached and every migration has been applied.
pub async fn ready(db: &dyn Db) -> Result<(), StoreError> {
    db.query(Stmt::new(READY, vec![])).await?;
    Ok(())
}

/// The platform's look-up key; `None` until [`ensure_lookup_key`] has made one, and then no number can be known.
/// It never changes, so it may be kept in memory.
pub async fn lookup_key(db: &dyn Db, master: &MasterKey) -> Result<Option<LookupKey>, StoreError> {
    let wrapped = wrapped_lookup_key(db).await?;
    Ok(wrapped.map(|wrapped| master.open_lookup(&wrapped)).transpose()?)
}

/// The same as it is stored.
pub(crate) async fn wrapped_lookup_key(db: &dyn Db) -> Result<Option<WrappedKey>, StoreError> {
    let rows = db.query(Stmt::new(LOOKUP_KEY, vec![])).await?;
    row::one(&rows, |r| r.wrapped_key("wrapped_key"))
}

/// The platform's look-up key, made from `fresh` if there is none. Of two at the same time one wins, and both get it.
pub async fn ensure_lookup_key(
    db: &dyn Db,
    master: &MasterKey,
    fresh: &FreshKey,
    now: Millis,
) -> Result<LookupKey, StoreError> {
    let wrapped = master.new_lookup_key(fresh)?;
    db.query(Stmt::new(NEW_LOOKUP_KEY, vec![(&wrapped).into(), now.into()])).await?;
    lookup_key(db, master).await?.ok_or(StoreError::NotFound("look-up key"))
}

/// Whose number is rung.
pub async fn dialled_number(
    db: &Arc<dyn Db>,
    number: &LookupHash,
) -> Result<Option<DialledNumber>, StoreError> {
    let rows = db.query(across_tenants(DIALLED_NUMBER, vec![number.into()])).await?;
    row::one(&rows, |r| {
        Ok(DialledNumber {
            scope: Scope::new(Arc::clone(db), r.parsed("tenant_id")?),
            phone_number_id: r.parsed("id")?,
            business_id: r.parsed("business_id")?,
            language: r.opt_text("language")?,
            // A word of a newer version is no choice that this one could follow.
            voice_mode: r.opt_text("voice_mode")?.and_then(|word| word.parse().ok()),
            suspended: r.opt_moment("suspended_at")?.is_some(),
            wrapped_key: r.wrapped_key("wrapped_key")?,
        })
    })
}

/// Authenticates by API key. `None` for a key that is unknown, wrong, expired or revoked, without telling which. Notes, to the
/// minute, when the key was used last.
pub async fn api_key(db: &Arc<dyn Db>, key: &ApiKey, now: Millis) -> Result<Option<Principal>, StoreError> {
    let rows = db.query(across_tenants(API_KEY, vec![key.prefix().into(), now.into()])).await?;
    let found = row::one(&rows, |r| {
        let id = r.parsed("id")?;
        let scope = Scope::new(Arc::clone(db), r.parsed("tenant_id")?);
        let permissions = Permissions::from_stored(&r.text("permissions")?).within_tenant();
        let mut principal =
            Principal::new(scope, Actor::ApiKey(id), permissions, r.wrapped_key("wrapped_key")?);
        principal.suspended = r.opt_moment("suspended_at")?.is_some();
        Ok((r.text("key_hash")?, r.opt_moment("last_used_at")?, id, principal))
    })?;
    let Some((hash, last_used, id, principal)) = found else { return Ok(None) };
    if !key.matches(&hash) {
        return Ok(None);
    }
    let stale = now.since(KEY_USE_NOTED_EACH);
    if last_used.is_none_or(|at| at <= stale) {
        let args = vec![id.to_string().into(), principal.scope.tenant_arg(), now.into(), stale.into()];
        principal.scope.query(Stmt::new(KEY_USED, args)).await?;
    }
    Ok(Some(principal))
}

/// A call by our name of it: for its actor and for callbacks whose address we signed.
pub async fn call(db: &Arc<dyn Db>, id: CallId) -> Result<Option<CallLocation>, StoreError> {
    let rows = db.query(across_tenants(CALL, vec![id.to_string().into()])).await?;
    row::one(&rows, |r| location(db, &r))
}

/// A call by the carrier's name of it: for status callbacks, after their signature was checked.
pub async fn call_by_carrier_id(
    db: &Arc<dyn Db>,
    carrier_call_id: &str,
) -> Result<Option<CallLocation>, StoreError> {
    let rows = db.query(across_tenants(CALL_BY_CARRIER_ID, vec![carrier_call_id.into()])).await?;
    row::one(&rows, |r| location(db, &r))
}

/// Calls whose end should have come long ago (see [`limits`]), at most [`limits::OVERDUE_BATCH`]: those without a summary,
/// those that never got a carrier's end, and dialogues of which nothing was heard any more. For the scheduled job.
pub async fn overdue_calls(db: &Arc<dyn Db>, now: Millis) -> Result<Vec<CallLocation>, StoreError> {
    let args = vec![
        now.since(limits::UNFINISHED_AFTER).into(),
        now.since(limits::UNENDED_AFTER).into(),
        limits::OVERDUE_BATCH.into(),
        now.since(limits::DIALOGUE_QUIET_AFTER).into(),
    ];
    let rows = db.query(across_tenants(OVERDUE_CALLS, args)).await?;
    row::all(&rows, |r| location(db, &r))
}

/// Invitations of before `made_before` that are open and whose mail nobody has begun to write, the oldest first. For the scheduled job.
pub async fn unsent_invitations(
    db: &Arc<dyn Db>,
    made_before: Millis,
    now: Millis,
    limit: u32,
) -> Result<Vec<(TenantId, InvitationId)>, StoreError> {
    let args = vec![made_before.into(), now.into(), limit.into()];
    let rows = db.query(across_tenants(UNSENT_INVITATIONS, args)).await?;
    row::all(&rows, |r| Ok((r.parsed("tenant_id")?, r.parsed("id")?)))
}

/// Tenants with entries in their audit logs that wait to be sealed, by their ids, those behind `after`. For the sealing job.
pub async fn unsealed_audits(
    db: &Arc<dyn Db>,
    after: Option<TenantId>,
    limit: u32,
) -> Result<Vec<UnsealedAudit>, StoreError> {
    let after = after.map(|tenant| tenant.to_string()).unwrap_or_default();
    let rows = db.query(across_tenants(UNSEALED_AUDITS, vec![after.into(), limit.into()])).await?;
    row::all(&rows, |r| {
        let scope = Scope::new(Arc::clone(db), r.parsed("tenant_id")?);
        Ok(UnsealedAudit { scope, wrapped_key: r.wrapped_key("wrapped_key")? })
    })
}

fn location(db: &Arc<dyn Db>, r: &Reader<'_>) -> Result<CallLocation, StoreError> {
    Ok(CallLocation {
        scope: Scope::new(Arc::clone(db), r.parsed("tenant_id")?),
        call_id: r.parsed("id")?,
        carrier_call_id: r.text("carrier_call_id")?,
        status: r.parsed("status")?,
        finished: r.opt_moment("finished_at")?.is_some(),
        turn_based: r.count("turn_based")? > 0,
    })
}

/// Notes a one-use setup link for whoever reads mail at `email`, good for [`SETUP_TOKEN_LIFETIME`].
pub async fn create_setup_token(
    db: &dyn Db,
    token: &SetupToken,
    email: &str,
    now: Millis,
) -> Result<(), StoreError> {
    let args = vec![
        token.hash().into(),
        email.trim().to_lowercase().into(),
        now.into(),
        now.plus(SETUP_TOKEN_LIFETIME).into(),
    ];
    db.query(Stmt::new(NEW_SETUP_TOKEN, args)).await?;
    Ok(())
}

/// The e-mail address of a setup link that is still good. [`tenants::provision`](crate::tenants::provision) uses it up.
pub async fn setup_token(db: &dyn Db, token: &SetupToken, now: Millis) -> Result<Option<String>, StoreError> {
    let rows = db.query(Stmt::new(SETUP_TOKEN, vec![token.hash().into(), now.into()])).await?;
    row::one(&rows, |r| r.text("email"))
}
