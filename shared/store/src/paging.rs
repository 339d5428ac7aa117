use voicecore_ports::{Rows, Value};
use voicecore_types::{Page, PageRequest};

use crate::StoreError;
use crate::row::{self, Reader, count_arg};

/// What an unbounded count stops at: one more than is shown, to know that there is more.
pub(crate) const COUNT_LIMIT: u64 = Page::<()>::TOTAL_CAP + 1;

/// The arguments of `limit ? offset ?`.
pub(crate) fn window(page: PageRequest) -> [Value; 2] {
    [page.page_size.into(), count_arg(page.offset())]
}

/// A page from its rows and a `select count(*) as total`.
pub(crate) fn page<T>(
    request: PageRequest,
    rows: &Rows,
    total: &Rows,
    map: impl Fn(Reader<'_>) -> Result<T, StoreError>,
) -> Result<Page<T>, StoreError> {
    let total = row::one(total, |r| r.count("total"))?.ok_or(StoreError::OddRow { column: "total" })?;
    Ok(Page {
        items: row::all(rows, map)?,
        total: total.min(Page::<T>::TOTAL_CAP),
        total_capped: total > Page::<T>::TOTAL_CAP,
        page: request.page,
        page_size: request.page_size,
    })
}
