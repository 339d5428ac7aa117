use voicecore_ports::{Sql, Stmt, Value};
use voicecore_types::{AuditEntryId, Millis, Page, PageRequest};

use crate::paging::{self, COUNT_LIMIT};
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

/// The tenant's entries, newest first.
pub async fn list(
    scope: &Scope,
    filter: &AuditFilter<'_>,
    request: PageRequest,
) -> Result<Page<AuditRow>, StoreError> {
    let found = paging::run(scope, list_stmts(scope, filter, request)).await?;
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
pub(crate) fn list_stmts(scope: &Scope, filter: &AuditFilter<'_>, request: PageRequest) -> [Stmt; 2] {
    let mut page = Stmt::of(Sql::new(LIST), vec![scope.tenant_arg()]);
    let mut count = Stmt::of(Sql::new(COUNT), vec![scope.tenant_arg()]);
    for (condition, arg) in conditions(filter) {
        for stmt in [&mut page, &mut count] {
            stmt.sql.push(condition);
            stmt.args.push(arg.clone());
        }
    }
    page.sql.push("order by at desc, id desc limit ? offset ?");
    page.args.extend(paging::window(request));
    count.sql.push("limit ?) as counted");
    count.args.push(count_arg(COUNT_LIMIT));
    [page, count]
}

fn conditions(filter: &AuditFilter<'_>) -> Vec<(&'static str, Value)> {
    let mut conditions = Vec::new();
    let mut add = |condition, arg: Option<Value>| conditions.extend(arg.map(|arg| (condition, arg)));
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
