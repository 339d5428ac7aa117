//! SQL text and row mapping, one file per noun, over [`voicecore_ports::Db`]. `README.md` has the invariants.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::string_slice))]

/// Declares SQL statements as constants, and for the tests as a list, so that none escapes them.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:expr;)+) => {
        $($(#[$doc])* const $name: &str = $sql;)+

        #[cfg(test)]
        pub(crate) const STATEMENTS: &[(&str, &str)] = &[$((stringify!($name), $sql)),+];
    };
}

pub mod agents;
pub mod analytics;
pub mod api_keys;
pub mod assistants;
pub mod audit_log;
pub mod blob_keys;
pub mod business_config;
pub mod businesses;
mod call_latencies;
pub mod call_notes;
pub mod call_words;
pub mod calls;
pub mod departments;
pub mod dialogues;
pub mod directory;
mod error;
pub mod idempotency;
pub mod invitations;
pub mod master_key;
pub mod messages;
pub mod notifications;
pub mod old_rows;
pub mod opening_hours;
mod paging;
pub mod phone_numbers;
pub mod preferences;
pub mod providers;
pub mod qa_results;
pub mod qa_rules;
pub mod rate_limits;
pub mod roles;
mod row;
pub mod saved_views;
mod scope;
pub mod seal;
pub mod setup_progress;
pub mod tenant_deletions;
pub mod tenants;
pub mod test_calls;
pub mod text_words;
pub mod tool_runs;
pub mod users;

pub use error::StoreError;
pub use paging::Cursor;
pub use scope::Scope;

#[cfg(test)]
mod tests;
