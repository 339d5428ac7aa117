//! Who listens to live streams, looked at again while they do: a socket outlives the request that opened it.

use std::sync::Arc;

use voicecore_domain::Permissions;
use voicecore_domain::hub::Watcher;
use voicecore_ports::{Db, Stmt};
use voicecore_types::{ApiKeyId, Millis, TenantId, UserId};

use super::{Actor, Principal, across_tenants, sessions};
use crate::row::{self, Reader};
use crate::{Scope, StoreError};

/// Looked at by one batch.
const LOOKED_AT_ONCE: usize = 50;

statements! {
    /// A key that has opened something, by its id.
    API_KEY_BY_ID = "select a.tenant_id, a.permissions, k.wrapped_key, t.suspended_at
        from api_keys a join tenant_keys k on k.tenant_id = a.tenant_id join tenants t on t.id = a.tenant_id
        where a.id = ?1 and a.revoked_at is null and (a.expires_at is null or a.expires_at > ?2)";

    TENANTS_OF_SESSIONS = "select distinct tenant_id from sessions where user_id = ?1 and tenant_id is not null limit ?2";
}

/// What each of them may do now, in the same order; `None`: nothing, because the session or the key is not good any more.
pub async fn principals(
    db: &Arc<dyn Db>,
    watchers: &[Watcher],
    now: Millis,
) -> Result<Vec<Option<Principal>>, StoreError> {
    let mut found = Vec::with_capacity(watchers.len());
    for watchers in watchers.chunks(LOOKED_AT_ONCE) {
        let results = db.batch(watchers.iter().map(|watcher| look_up(*watcher, now)).collect()).await?;
        if results.len() != watchers.len() {
            return Err(StoreError::OddRow { column: "id" });
        }
        for (watcher, rows) in watchers.iter().zip(&results) {
            found.push(match *watcher {
                Watcher::Session(_) => {
                    row::one(rows, |r| sessions::map_session(db, &r))?.and_then(|session| session.principal)
                }
                Watcher::ApiKey(id) => row::one(rows, |r| map_key(db, id, &r))?,
            });
        }
    }
    Ok(found)
}

/// Tenants in which a user is, or was of late, signed in; at most `limit`.
pub async fn tenants_of_sessions(db: &dyn Db, user: UserId, limit: u32) -> Result<Vec<TenantId>, StoreError> {
    let stmt = across_tenants(TENANTS_OF_SESSIONS, vec![user.to_string().into(), limit.into()]);
    row::all(&db.query(stmt).await?, |r| r.parsed("tenant_id"))
}

fn look_up(watcher: Watcher, now: Millis) -> Stmt {
    match watcher {
        Watcher::Session(id) => sessions::look_up(id, now),
        Watcher::ApiKey(id) => across_tenants(API_KEY_BY_ID, vec![id.to_string().into(), now.into()]),
    }
}

fn map_key(db: &Arc<dyn Db>, id: ApiKeyId, r: &Reader<'_>) -> Result<Principal, StoreError> {
    let scope = Scope::new(Arc::clone(db), r.parsed("tenant_id")?);
    let permissions = Permissions::from_stored(&r.text("permissions")?).within_tenant();
    let principal = Principal::new(scope, Actor::ApiKey(id), permissions, r.wrapped_key("wrapped_key")?);
    Ok(Principal { suspended: r.opt_moment("suspended_at")?.is_some(), ..principal })
}
