use voicecore_domain::CallStatus;
use voicecore_ports::{Stmt, Value};
use voicecore_types::{BusinessId, CallId, Millis, Page, PageRequest};

use super::{Call, call_columns, map_call};
use crate::paging::{self, COUNT_LIMIT};
use crate::row::{self, count_arg};
use crate::scope::VISIBLE;
use crate::seal::LookupHash;
use crate::{Scope, StoreError};

/// Which calls; every part that is given must fit.
#[derive(Debug, Clone, Default)]
pub struct CallFilter {
    /// In this status.
    pub status: Option<CallStatus>,
    /// Answered by this business.
    pub business_id: Option<BusinessId>,
    /// From this number (exact; hashed by `LookupKey::caller`).
    pub caller: Option<LookupHash>,
    /// That came in at this moment or later.
    pub from: Option<Millis>,
    /// That came in before this moment.
    pub to: Option<Millis>,
}

/// In which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CallSort {
    /// The newest first.
    #[default]
    Newest,
    /// The oldest first.
    Oldest,
}

statements! {
    GET = concat!("select ", call_columns!(), " from calls where id = ? and tenant_id = ?");

    LIST = concat!("select ", call_columns!(), " from calls where tenant_id = ?");

    COUNT = "select count(*) as total from (select 1 from calls where tenant_id = ?";
}

/// One call, if it is of a department that the scope sees.
pub async fn get(scope: &Scope, call: CallId) -> Result<Option<Call>, StoreError> {
    let rows = scope.query(get_stmt(scope, call)).await?;
    row::one(&rows, |r| map_call(&r))
}

pub(crate) fn get_stmt(scope: &Scope, call: CallId) -> Stmt {
    let mut stmt = Stmt::new(GET, vec![call.to_string().into(), scope.tenant_arg()]);
    if let Some(args) = scope.viewer_args() {
        stmt.sql.push(VISIBLE);
        stmt.args.extend(args);
    }
    stmt
}

/// The tenant's calls, of the departments that the scope sees.
pub async fn list(
    scope: &Scope,
    filter: &CallFilter,
    sort: CallSort,
    request: PageRequest,
) -> Result<Page<Call>, StoreError> {
    let results = scope.batch(list_stmts(scope, filter, sort, request).into()).await?;
    let [rows, total] = results.as_slice() else {
        return Err(StoreError::OddRow { column: "total" });
    };
    paging::page(request, rows, total, |r| map_call(&r))
}

/// The page and the count.
pub(crate) fn list_stmts(
    scope: &Scope,
    filter: &CallFilter,
    sort: CallSort,
    request: PageRequest,
) -> [Stmt; 2] {
    let mut page = Stmt::new(LIST, vec![scope.tenant_arg()]);
    let mut count = Stmt::new(COUNT, vec![scope.tenant_arg()]);
    for (condition, arg) in conditions(filter) {
        for stmt in [&mut page, &mut count] {
            stmt.sql.push(condition);
            stmt.args.push(arg.clone());
        }
    }
    if let Some(args) = scope.viewer_args() {
        for stmt in [&mut page, &mut count] {
            stmt.sql.push(VISIBLE);
            stmt.args.extend(args.clone());
        }
    }
    page.sql.push(match sort {
        CallSort::Newest => "order by started_at desc, id desc",
        CallSort::Oldest => "order by started_at, id",
    });
    page.sql.push("limit ? offset ?");
    page.args.extend(paging::window(request));
    count.sql.push("limit ?) as counted");
    count.args.push(count_arg(COUNT_LIMIT));
    [page, count]
}

fn conditions(filter: &CallFilter) -> Vec<(&'static str, Value)> {
    let mut conditions = Vec::new();
    let mut add = |condition, arg: Option<Value>| conditions.extend(arg.map(|arg| (condition, arg)));
    add("and status = ?", filter.status.map(|s| s.as_str().into()));
    add("and business_id = ?", filter.business_id.map(|id| id.to_string().into()));
    add("and caller_number_hash = ?", filter.caller.as_ref().map(Into::into));
    add("and started_at >= ?", filter.from.map(Into::into));
    add("and started_at < ?", filter.to.map(Into::into));
    conditions
}
