use voicecore_ports::{Rows, Stmt, Value};
use voicecore_types::{Millis, Page, PageRequest};

use crate::row::{self, Reader, count_arg};
use crate::{Scope, StoreError};

/// What an unbounded count stops at: one more than is shown, to know that there is more.
pub(crate) const COUNT_LIMIT: u64 = Page::<()>::TOTAL_CAP + 1;

/// The arguments of `limit ? offset ?`.
pub(crate) fn window(page: PageRequest) -> [Value; 2] {
    [page.page_size.into(), count_arg(page.offset())]
}

/// A place in a list: what follows it begins the next page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// What the list is ordered by: a moment or a length.
    pub key: Millis,
    /// The row there.
    pub id: String,
}

/// The text of an order, and of what follows a place in it (by its key and its id).
pub(crate) struct Order {
    pub(crate) by: &'static str,
    pub(crate) after: &'static str,
}

/// A condition and its arguments, in the order of its text.
pub(crate) type Condition = (&'static str, Vec<Value>);

/// Adds a condition where there is something to compare with.
pub(crate) fn add(conditions: &mut Vec<Condition>, condition: &'static str, arg: Option<Value>) {
    conditions.extend(arg.map(|arg| (condition, vec![arg])));
}

/// The page and the count of a list that begins with `texts`, whose arguments are `args`: a page by its number, or what follows
/// `after`.
pub(crate) fn stmts(
    texts: [&'static str; 2],
    args: &[Value],
    conditions: &[Condition],
    order: &Order,
    after: Option<&Cursor>,
    request: PageRequest,
) -> [Stmt; 2] {
    let [mut page, mut count] = texts.map(|text| {
        let mut stmt = Stmt::new(text, args.to_vec());
        for (condition, args) in conditions {
            stmt.sql.push(condition);
            stmt.args.extend(args.iter().cloned());
        }
        stmt
    });
    if let Some(after) = after {
        page.sql.push(order.after);
        page.args.extend([after.key.into(), after.id.as_str().into()]);
    }
    page.sql.push(order.by);
    page.sql.push("limit ? offset ?");
    page.args.extend(window(request));
    count.sql.push("limit ?) as counted");
    count.args.push(count_arg(COUNT_LIMIT));
    [page, count]
}

/// What a list has found: the rows of a page, and how many there are.
pub(crate) struct Found {
    rows: Rows,
    total: Rows,
}

/// Looks a page up by its number, or what follows `after`: the first of `lists` takes the tenant, `args`, `limit` and `offset`, the
/// second the place behind `args`; `count` takes the tenant, `args` and the most that is counted.
pub(crate) async fn find(
    scope: &Scope,
    lists: [&'static str; 2],
    count: &'static str,
    args: &[Value],
    after: Option<&Cursor>,
    request: PageRequest,
) -> Result<Found, StoreError> {
    let common = || [scope.tenant_arg()].into_iter().chain(args.iter().cloned());
    let [list, rest] = lists;
    let mut list = Stmt::new(if after.is_some() { rest } else { list }, common().collect());
    list.args.extend(after.into_iter().flat_map(|after| [after.key.into(), after.id.as_str().into()]));
    list.args.extend(window(request));
    let count = Stmt::new(count, common().chain([count_arg(COUNT_LIMIT)]).collect());
    run(scope, [list, count]).await
}

/// Looks a page up by statements that are ready.
pub(crate) async fn run(scope: &Scope, list_and_count: [Stmt; 2]) -> Result<Found, StoreError> {
    Found::of(scope.batch(list_and_count.into()).await?)
}

impl Found {
    /// From what the two statements gave.
    pub(crate) fn of(results: Vec<Rows>) -> Result<Self, StoreError> {
        let Ok([rows, total]) = <[Rows; 2]>::try_from(results) else {
            return Err(StoreError::OddRow { column: "total" });
        };
        Ok(Self { rows, total })
    }

    /// The page; `total` is the column that counts.
    pub(crate) fn page<T>(
        &self,
        request: PageRequest,
        map: impl Fn(Reader<'_>) -> Result<T, StoreError>,
    ) -> Result<Page<T>, StoreError> {
        let total =
            row::one(&self.total, |r| r.count("total"))?.ok_or(StoreError::OddRow { column: "total" })?;
        Ok(Page {
            items: row::all(&self.rows, map)?,
            total: total.min(Page::<T>::TOTAL_CAP),
            total_capped: total > Page::<T>::TOTAL_CAP,
            page: request.page,
            page_size: request.page_size,
        })
    }
}
