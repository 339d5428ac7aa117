use serde::{Deserialize, Serialize};

/// Which part of a list is wanted: page 1, 2, … of `page_size` rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    /// From 1.
    pub page: u32,
    /// From 1 to [`PageRequest::MAX_SIZE`].
    pub page_size: u32,
}

impl PageRequest {
    /// Rows of a page when nothing is said.
    pub const DEFAULT_SIZE: u32 = 50;
    /// The most rows of a page.
    pub const MAX_SIZE: u32 = 100;
    /// The last page that can be asked for: deeper paging goes by cursor.
    pub const MAX_PAGE: u32 = 10_000;

    /// Rows to pass over.
    #[must_use]
    pub const fn offset(self) -> u64 {
        (self.page.saturating_sub(1) as u64) * (self.page_size as u64)
    }
}

impl Default for PageRequest {
    fn default() -> Self {
        Self { page: 1, page_size: Self::DEFAULT_SIZE }
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Rows in all, counted exactly up to [`Page::TOTAL_CAP`].
    pub total: u64,
    /// There are more rows than `total` says.
    pub total_capped: bool,
    /// The page that this is, from 1.
    pub page: u32,
    /// Rows asked for.
    pub page_size: u32,
}

impl<T> Page<T> {
    /// Where counting stops: an exact count of a huge list costs more than it is worth.
    pub const TOTAL_CAP: u64 = 10_000;

    /// A page of a list that is there as a whole.
    #[must_use]
    pub fn of_all(all: Vec<T>, request: PageRequest) -> Self {
        let total = all.len() as u64;
        let skipped = usize::try_from(request.offset()).unwrap_or(usize::MAX);
        Self {
            items: all.into_iter().skip(skipped).take(request.page_size as usize).collect(),
            total,
            total_capped: false,
            page: request.page,
            page_size: request.page_size,
        }
    }
}
