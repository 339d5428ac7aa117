//! API keys: what is stored of them is a prefix and a hash.

use voicecore_domain::{ApiKey, Permissions};
use voicecore_ports::{DbError, Stmt};
use voicecore_types::{ApiKeyId, Millis, Page, PageRequest, UserId};

use crate::audit_log::{self, AuditEntry};
use crate::paging::{self, Cursor};
use crate::row::{self, Reader};
use crate::{Scope, StoreError};

/// A key as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyRow {
    /// Its id.
    pub id: ApiKeyId,
    /// Its name.
    pub name: String,
    /// Its public part.
    pub prefix: String,
    /// What it allows.
    pub permissions: Permissions,
    /// When it was made.
    pub created_at: Millis,
    /// Who made it; `None`: set-up or the operator.
    pub created_by: Option<UserId>,
    /// From then on it opens nothing.
    pub expires_at: Option<Millis>,
    /// When it was used last, to the minute.
    pub last_used_at: Option<Millis>,
    /// When somebody took it back.
    pub revoked_at: Option<Millis>,
}

/// A key that is made.
#[derive(Debug, Clone)]
pub struct NewApiKey<'a> {
    /// Its id.
    pub id: ApiKeyId,
    /// Its name.
    pub name: &'a str,
    /// The key itself.
    pub key: &'a ApiKey,
    /// What it allows.
    pub permissions: &'a Permissions,
    /// When.
    pub created_at: Millis,
    /// Who makes it.
    pub created_by: Option<UserId>,
    /// From then on it opens nothing.
    pub expires_at: Option<Millis>,
}

/// The columns of an [`ApiKeyRow`], for `concat!`.
macro_rules! columns {
    () => {
        "select id, name, prefix, permissions, created_at, created_by, expires_at, last_used_at, revoked_at from api_keys"
    };
}

statements! {
    LIST = concat!(columns!(), " where tenant_id = ?1 order by created_at desc, id desc limit ?2 offset ?3");

    LIST_AFTER = concat!(columns!(), " where tenant_id = ?1 and (created_at, id) < (?2, ?3)
        order by created_at desc, id desc limit ?4 offset ?5");

    COUNT = "select count(*) as total from (select 1 from api_keys where tenant_id = ?1 limit ?2) as counted";

    GET = concat!(columns!(), " where id = ?1 and tenant_id = ?2");

    INSERT = "insert into api_keys (id, tenant_id, name, prefix, key_hash, permissions, created_at, created_by, expires_at)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";

    /// Only a key that is good can be replaced, and never does it live longer for it.
    EXPIRE = "update api_keys set expires_at = case when expires_at is null or expires_at > ?3 then ?3 else expires_at end
        where id = ?1 and tenant_id = ?2 and revoked_at is null and (expires_at is null or expires_at > ?4)";

    REVOKE = "update api_keys set revoked_at = ?3 where id = ?1 and tenant_id = ?2 and revoked_at is null";
}

fn map(r: &Reader<'_>) -> Result<ApiKeyRow, StoreError> {
    Ok(ApiKeyRow {
        id: r.parsed("id")?,
        name: r.text("name")?,
        prefix: r.text("prefix")?,
        permissions: Permissions::from_stored(&r.text("permissions")?).within_tenant(),
        created_at: r.moment("created_at")?,
        created_by: r.opt_text("created_by")?.and_then(|id| id.parse().ok()),
        expires_at: r.opt_moment("expires_at")?,
        last_used_at: r.opt_moment("last_used_at")?,
        revoked_at: r.opt_moment("revoked_at")?,
    })
}

/// The tenant's keys, the newest first, those that open nothing any more among them: a page by its number, or what follows `after`.
pub async fn list(
    scope: &Scope,
    after: Option<&Cursor>,
    request: PageRequest,
) -> Result<Page<ApiKeyRow>, StoreError> {
    let found = paging::find(scope, [LIST, LIST_AFTER], COUNT, &[], after, request).await?;
    found.page(request, |r| map(&r))
}

/// One of them.
pub async fn get(scope: &Scope, id: ApiKeyId) -> Result<Option<ApiKeyRow>, StoreError> {
    let rows = scope.query(Stmt::new(GET, vec![id.to_string().into(), scope.tenant_arg()])).await?;
    row::one(&rows, |r| map(&r))
}

fn insert(scope: &Scope, new: &NewApiKey<'_>) -> Stmt {
    let args = vec![
        new.id.to_string().into(),
        scope.tenant_arg(),
        new.name.into(),
        new.key.prefix().into(),
        new.key.hash().into(),
        new.permissions.to_string().into(),
        new.created_at.into(),
        new.created_by.map(|id| id.to_string()).into(),
        new.expires_at.into(),
    ];
    Stmt::new(INSERT, args).exactly(1)
}

/// Makes a key, on the tenant's record.
pub async fn create(scope: &Scope, new: &NewApiKey<'_>, entry: &AuditEntry<'_>) -> Result<(), StoreError> {
    scope.batch(vec![insert(scope, new), audit_log::entry(scope, entry)]).await?;
    Ok(())
}

/// Makes a key in the place of `old`, which opens nothing any more from `overlap_ends` on; on the tenant's record. `false`: the
/// old one was revoked or has expired; nothing was made.
pub async fn rotate(
    scope: &Scope,
    old: ApiKeyId,
    overlap_ends: Millis,
    new: &NewApiKey<'_>,
    entry: &AuditEntry<'_>,
) -> Result<bool, StoreError> {
    let args = vec![old.to_string().into(), scope.tenant_arg(), overlap_ends.into(), new.created_at.into()];
    scope
        .batch_once(vec![
            Stmt::new(EXPIRE, args).exactly(1),
            insert(scope, new),
            audit_log::entry(scope, entry),
        ])
        .await
}

/// Takes a key back, on the tenant's record. `false`: it is not the tenant's, or was taken back before.
pub async fn revoke(scope: &Scope, id: ApiKeyId, entry: &AuditEntry<'_>) -> Result<bool, StoreError> {
    let args = vec![id.to_string().into(), scope.tenant_arg(), entry.at.into()];
    match scope.batch(vec![Stmt::new(REVOKE, args).exactly(1), audit_log::entry(scope, entry)]).await {
        Ok(_) => Ok(true),
        Err(DbError::Unexpected { .. }) => Ok(false),
        Err(other) => Err(other.into()),
    }
}
