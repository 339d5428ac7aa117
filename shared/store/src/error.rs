use voicecore_ports::DbError;

use crate::seal::SealError;

/// Why the store could not do what was asked. `Display` never shows what is stored.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database could not do it. [`DbError::Unavailable`] is worth another try.
    #[error("the database could not answer")]
    Db(#[from] DbError),
    /// A stored row is not what this version writes: a fault of ours or somebody's hand in the database.
    #[error("column `{column}` holds something unexpected")]
    OddRow {
        /// Which column.
        column: &'static str,
    },
    /// A key that is stored wrapped could not be opened.
    #[error("a stored key could not be opened")]
    Key(#[from] SealError),
    /// The end of an audit log's chain is not the one that was sealed: somebody's hand in the database.
    #[error("the end of the audit log's chain does not fit")]
    BrokenChain,
    /// What the statement is about is not there, or belongs to somebody else.
    #[error("no such {0}")]
    NotFound(&'static str),
}
