//! One connection to Spin's SQLite, used by one future at a time.

use std::cell::RefCell;

use spin_sdk::sqlite::{self, Value};
use voicecore_ports::DbError;
use voicecore_ports::guard::sqlite_error;

/// As spin.toml names it.
const DATABASE: &str = "default";
/// Idle connections that an instance keeps. More are opened when more requests want one at once.
const MAX_IDLE: usize = 4;

thread_local! {
    static IDLE: RefCell<Vec<sqlite::Connection>> = const { RefCell::new(Vec::new()) };
}

/// What a statement gave.
pub(crate) struct Found {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<Value>>,
}

/// A connection of nobody else's, so that a transaction is nobody else's either.
///
/// Dropped in the middle of something, its engine's connection is closed, which rolls back. Only [`Connection::keep`] hands it
/// on, after everything has ended well.
pub(crate) struct Connection(sqlite::Connection);

impl Connection {
    /// An idle one, or a new one.
    pub(crate) async fn take() -> Result<Self, DbError> {
        let idle = IDLE.with(|idle| idle.borrow_mut().pop());
        match idle {
            Some(idle) => Ok(Self(idle)),
            None => sqlite::Connection::open(DATABASE).await.map(Self).map_err(|error| db_error(&error)),
        }
    }

    /// Leaves it for the next one.
    pub(crate) fn keep(self) {
        IDLE.with(|idle| {
            let mut idle = idle.borrow_mut();
            if idle.len() < MAX_IDLE {
                idle.push(self.0);
            }
        });
    }

    /// Runs one statement. Its rows are read to the end: only then does the host tell whether it failed.
    pub(crate) async fn run(&self, sql: &str, args: Vec<Value>) -> Result<Found, DbError> {
        let result = self.0.execute(sql, args).await.map_err(|error| db_error(&error))?;
        let columns = result.columns().to_vec();
        let rows = result.collect().await.map_err(|error| db_error(&error))?;
        Ok(Found { columns, rows: rows.into_iter().map(|row| row.values).collect() })
    }

    /// Rows that the last `insert`, `update` or `delete` changed.
    pub(crate) async fn changes(&self) -> u64 {
        self.0.changes().await
    }

    /// Runs `work` in a transaction, all or nothing. It is a writer's from the beginning: one that reads first and writes later
    /// could not wait for another writer, but would fail.
    pub(crate) async fn transaction<T>(
        &self,
        work: impl AsyncFnOnce() -> Result<T, DbError>,
    ) -> Result<T, DbError> {
        self.run("begin immediate", vec![]).await?;
        let done = match work().await {
            Ok(done) => self.run("commit", vec![]).await.map(|_| done),
            Err(error) => Err(error),
        };
        if done.is_err() {
            // Some errors have rolled back already; then there is nothing to roll back, and this fails without harm.
            let _ = self.run("rollback", vec![]).await;
        }
        done
    }
}

fn db_error(error: &sqlite::Error) -> DbError {
    match error {
        sqlite::Error::Io(message) => sqlite_error(message),
        sqlite::Error::NoSuchDatabase
        | sqlite::Error::AccessDenied
        | sqlite::Error::InvalidConnection
        | sqlite::Error::DatabaseFull => DbError::Unavailable,
    }
}
