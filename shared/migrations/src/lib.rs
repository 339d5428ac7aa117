//! Which migrations a database lacks, and the scripts that bring it there or back. Pure: files and what the database has
//! recorded come in, SQL goes out. The scheme is that of `migrations/README.md`.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::string_slice))]

mod plan;
mod schema;

pub use plan::{Applied, Direction, Step, plan};
pub use schema::{Engine, Migration, Schema};

/// What a database has been given, in the database itself. Safe to run again.
pub const RECORD: &str = "create table if not exists schema_migrations (
  name text primary key,
  checksum text,
  applied_at bigint not null
);";

/// The rows of [`RECORD`], as [`Applied`] takes them.
pub const READ_RECORD: &str =
    "select name, coalesce(checksum, '') as checksum from schema_migrations order by name;";

/// Why nothing was done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A file whose name is not `NNNN_<noun>.sql`.
    #[error("{0}: a migration is named NNNN_<noun>.sql")]
    Name(String),
    /// A number that is missing or taken twice.
    #[error("{found}: the next migration has the number {expected:04}")]
    Number {
        /// Which file.
        found: String,
        /// Which number it should have.
        expected: u32,
    },
    /// A file of one engine whose number no portable migration has, or a way back from nothing.
    #[error("{0} belongs to no migration of that number")]
    Stray(String),
    /// The database has a later migration, but not this one.
    #[error("{missing} was not applied to this database, but {after} was: there is a gap")]
    Gap {
        /// What is missing.
        missing: String,
        /// What was applied all the same.
        after: String,
    },
    /// The file is not what was applied.
    #[error("{0} was changed after it was applied to this database: write a new migration instead")]
    Changed(String),
    /// The database knows a migration that the tree does not have.
    #[error("{0} was applied to this database, but is not in this tree: it belongs to another version")]
    Unknown(String),
    /// A migration without a way back.
    #[error("there is no way back from {0}: it has no file in down/")]
    NoWayBack(String),
    /// A number beyond the last migration.
    #[error("there is no migration {0:04}")]
    NoSuch(u32),
}
