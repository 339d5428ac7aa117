//! Ways to look at a list that users have kept for themselves, or for everybody in their tenant.

use voicecore_ports::{Stmt, Value};
use voicecore_types::{Millis, SavedViewId, UserId};

use crate::audit_log::{self, AuditEntry};
use crate::row::{self, Reader, count_arg};
use crate::seal::Sealed;
use crate::{Scope, StoreError};

/// The most views of one user in a tenant.
pub const MAX_SAVED_VIEWS: u32 = 100;
/// The most that one user is shown: their own, and what others share.
const MAX_SHOWN: u32 = 1_000;

/// A view.
#[derive(Debug, Clone)]
pub struct SavedView {
    /// Its id.
    pub id: SavedViewId,
    /// Whose it is.
    pub user_id: UserId,
    /// Its name.
    pub name: String,
    /// Of what the list is.
    pub noun: String,
    /// Since when everybody in the tenant sees it, if they do.
    pub shared_at: Option<Millis>,
    /// Filters, columns, order; sealed for `Column::SavedView`.
    pub document: Sealed,
    /// Grows by one with every change.
    pub version: u64,
    /// When it was made.
    pub created_at: Millis,
    /// When it was changed last.
    pub updated_at: Millis,
}

statements! {
    LIST = "select id, user_id, name, noun, shared_at, document, version, created_at, updated_at from saved_views
        where tenant_id = ?1 and (user_id = ?2 or shared_at is not null) order by name, id limit ?3";

    GET = "select id, user_id, name, noun, shared_at, document, version, created_at, updated_at from saved_views
        where id = ?1 and tenant_id = ?2 and (user_id = ?3 or shared_at is not null)";

    INSERT = "insert into saved_views (id, tenant_id, user_id, name, noun, shared_at, document, version, created_at, updated_at)
        select ?1, t.id, ?3, ?4, ?5, cast(?6 as bigint), ?7, 1, cast(?8 as bigint), cast(?8 as bigint)
        from tenants t where t.id = ?2
        and (select count(*) from saved_views n where n.tenant_id = ?2 and n.user_id = ?3) < ?9";

    UPDATE = "update saved_views set name = ?4, shared_at = ?5, document = ?6, updated_at = ?7, version = version + 1
        where id = ?1 and tenant_id = ?2 and user_id = ?3 and version = ?8";

    DELETE = "delete from saved_views where id = ?1 and tenant_id = ?2 and user_id = ?3 and version = ?4";

    FORGET = "delete from saved_views where tenant_id = ?1 and user_id = ?2";
}

fn map(r: &Reader<'_>) -> Result<SavedView, StoreError> {
    Ok(SavedView {
        id: r.parsed("id")?,
        user_id: r.parsed("user_id")?,
        name: r.text("name")?,
        noun: r.text("noun")?,
        shared_at: r.opt_moment("shared_at")?,
        document: r.sealed("document")?.ok_or(StoreError::OddRow { column: "document" })?,
        version: r.count("version")?,
        created_at: r.moment("created_at")?,
        updated_at: r.moment("updated_at")?,
    })
}

/// A user's views and those that are shared, by name.
pub async fn list(scope: &Scope, user: UserId) -> Result<Vec<SavedView>, StoreError> {
    let args = vec![scope.tenant_arg(), user.to_string().into(), MAX_SHOWN.into()];
    row::all(&scope.query(Stmt::new(LIST, args)).await?, |r| map(&r))
}

/// One of them.
pub async fn get(scope: &Scope, user: UserId, id: SavedViewId) -> Result<Option<SavedView>, StoreError> {
    row::one(&scope.query(Stmt::new(GET, names(scope, user, id))).await?, |r| map(&r))
}

/// Keeps a view, on the tenant's record. `false`: the user has as many as they may have.
pub async fn create(scope: &Scope, new: &SavedView, entry: &AuditEntry<'_>) -> Result<bool, StoreError> {
    let mut args = names(scope, new.user_id, new.id);
    args.extend([
        new.name.as_str().into(),
        new.noun.as_str().into(),
        new.shared_at.into(),
        (&new.document).into(),
        new.created_at.into(),
        MAX_SAVED_VIEWS.into(),
    ]);
    scope.batch_once(vec![Stmt::new(INSERT, args).exactly(1), audit_log::entry(scope, entry)]).await
}

/// Changes a user's own view whose version is the one before `view.version`, on the tenant's record. `false`: it is another one by
/// now.
pub async fn update(scope: &Scope, view: &SavedView, entry: &AuditEntry<'_>) -> Result<bool, StoreError> {
    let mut args = names(scope, view.user_id, view.id);
    args.extend([
        view.name.as_str().into(),
        view.shared_at.into(),
        (&view.document).into(),
        view.updated_at.into(),
        count_arg(view.version.saturating_sub(1)),
    ]);
    scope.batch_once(vec![Stmt::new(UPDATE, args).exactly(1), audit_log::entry(scope, entry)]).await
}

/// Deletes this version of a user's own view, on the tenant's record. `false`: it is another one by now.
pub async fn delete(scope: &Scope, view: &SavedView, entry: &AuditEntry<'_>) -> Result<bool, StoreError> {
    let mut args = names(scope, view.user_id, view.id);
    args.push(count_arg(view.version));
    scope.batch_once(vec![Stmt::new(DELETE, args).exactly(1), audit_log::entry(scope, entry)]).await
}

/// The statement that forgets a user's views, shared or not, for the batch by which they leave the tenant.
pub(crate) fn forget(scope: &Scope, user: UserId) -> Stmt {
    Stmt::new(FORGET, vec![scope.tenant_arg(), user.to_string().into()])
}

fn names(scope: &Scope, user: UserId, id: SavedViewId) -> Vec<Value> {
    vec![id.to_string().into(), scope.tenant_arg(), user.to_string().into()]
}
