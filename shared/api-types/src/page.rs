use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One page of a list: the wire form of `voicecore_types::Page`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Page<T: ToSchema> {
    /// The rows, in the order that was asked for.
    pub items: Vec<T>,
    /// Rows in all, counted exactly up to 10,000.
    pub total: u64,
    /// There are more rows than `total` says.
    pub total_capped: bool,
    /// The page that this is, from 1.
    pub page: u32,
    /// Rows asked for.
    pub page_size: u32,
    /// The value of `cursor` for the rows after these, where the list can go on in that way. Absent at its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

impl<T: ToSchema> Page<T> {
    /// The wire form of `page`, each row turned by `row`.
    pub fn from_rows<R>(page: voicecore_types::Page<R>, row: impl FnMut(R) -> T) -> Self {
        Self {
            items: page.items.into_iter().map(row).collect(),
            total: page.total,
            total_capped: page.total_capped,
            page: page.page,
            page_size: page.page_size,
            next_cursor: None,
        }
    }
}
