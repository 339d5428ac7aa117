use voicecore_ports::{Stmt, Value};
use voicecore_types::{AuditEntryId, Millis, Page, PageRequest};

use crate::paging::{self, Condition, Cursor, Order};
use crate::row::{self, Reader, count_arg};
use crate::{Scope, StoreError};

/// The most entries of one step of an export.
pub const MAX_EXPORTED: u32 = 1_000;

/// An entry as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Its id.
    pub id: AuditEntryId,
    /// When.
    pub at: Millis,
    /// What kind of actor.
    pub actor_kind: String,
    /// Which one.
    pub actor_id: Option<String>,
    /// `<noun>.<verb>`.
    pub action: String,
    /// What it was done to.
    pub subject_id: Option<String>,
    /// Names of the fields that were changed, with blanks between them.
    pub fields: Option<String>,
    /// Its place in the chain, from 1, and its link. `None`: it has not been sealed yet.
    pub sealed: Option<(u64, String)>,
}

/// Which entries; every part that is given must fit.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter<'a> {
    /// By this actor.
    pub actor_id: Option<&'a str>,
    /// Of this action.
    pub action: Option<&'a str>,
    /// Done to this.
    pub subject_id: Option<&'a str>,
    /// At this moment or later.
    pub since: Option<Millis>,
    /// Before this moment.
    pub until: Option<Millis>,
}

/// The columns of an [`AuditRow`], for `concat!`.
macro_rules! audit_columns {
    () => {
        "id, at, actor_kind, actor_id, action, subject_id, fields, seq, hash"
    };
}
pub(super) use audit_columns;

statements! {
    LIST = concat!("select ", audit_columns!(), " from audit_log where tenant_id = ?");

    COUNT = "select count(*) as total from (select 1 from audit_log where tenant_id = ?";

    EXPORT = concat!("select ", audit_columns!(), " from audit_log
        where tenant_id = ?1 and seq > ?2 order by seq limit ?3");
}

/// The tenant's entries, newest first: a page by its number, or what follows `after`.
pub async fn list(
    scope: &Scope,
    filter: &AuditFilter<'_>,
    after: Option<&Cursor>,
    request: PageRequest,
) -> Result<Page<AuditRow>, StoreError> {
    let found = paging::run(scope, list_stmts(scope, filter, after, request)).await?;
    found.page(request, |r| map_audit(&r))
}

/// The sealed entries after place `after` of the chain, in its order, at most `limit` and at most [`MAX_EXPORTED`].
pub async fn export(scope: &Scope, after: u64, limit: u32) -> Result<Vec<AuditRow>, StoreError> {
    let limit = limit.min(MAX_EXPORTED);
    let rows =
        scope.query(Stmt::new(EXPORT, vec![scope.tenant_arg(), count_arg(after), limit.into()])).await?;
    row::all(&rows, |r| map_audit(&r))
}

/// The page and the count.
pub(crate) fn list_stmts(
    scope: &Scope,
    filter: &AuditFilter<'_>,
    after: Option<&Cursor>,
    request: PageRequest,
) -> [Stmt; 2] {
    let order = Order { by: "order by at desc, id desc", after: "and (at, id) < (cast(? as bigint), ?)" };
    paging::stmts([LIST, COUNT], &[scope.tenant_arg()], &conditions(filter), &order, after, request)
}

fn conditions(filter: &AuditFilter<'_>) -> Vec<Condition> {
    let mut conditions = Vec::new();
    let mut add = |condition, arg: Option<Value>| paging::add(&mut conditions, condition, arg);
    add("and actor_id = ?", filter.actor_id.map(Into::into));
    add("and action = ?", filter.action.map(Into::into));
    add("and subject_id = ?", filter.subject_id.map(Into::into));
    add("and at >= ?", filter.since.map(Into::into));
    add("and at < ?", filter.until.map(Into::into));
    conditions
}

pub(super) fn map_audit(r: &Reader<'_>) -> Result<AuditRow, StoreError> {
    let place = r.opt_count("seq")?;
    Ok(AuditRow {
        id: r.parsed("id")?,
        at: r.moment("at")?,
        actor_kind: r.text("actor_kind")?,
        actor_id: r.opt_text("actor_id")?,
        action: r.text("action")?,
        subject_id: r.opt_text("subject_id")?,
        fields: r.opt_text("fields")?,
        sealed: match place {
            None => None,
            Some(place) => Some((place, r.text("hash")?)),
        },
    })
}
