use pollster::block_on;
use voicecore_ports::{BoxFuture, Db, DbError, Rows, Stmt};

#[cfg(feature = "postgres")]
use super::PostgresDb;
use super::{Numbers, SqliteDb};

/// Names the engine that tests of the product run on, for those who want another one than SQLite: `postgres`.
#[cfg(feature = "postgres")]
const ENGINE: &str = "VOICECORE_TEST_DATABASE";

/// A migrated database on the engine of this run: SQLite in memory, unless `VOICECORE_TEST_DATABASE=postgres`.
pub enum TestDb {
    /// Numbers bound as D1 binds them.
    Sqlite(SqliteDb),
    /// As the product connects to it, row-level security and all.
    #[cfg(feature = "postgres")]
    Postgres(PostgresDb),
}

impl TestDb {
    /// Empty but for the migrations.
    pub fn migrated() -> Self {
        #[cfg(feature = "postgres")]
        if std::env::var(ENGINE).is_ok_and(|engine| engine == "postgres") {
            return Self::Postgres(PostgresDb::migrated());
        }
        Self::Sqlite(SqliteDb::migrated(Numbers::Doubles))
    }

    /// What the table of conformance calls it.
    pub fn backend(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "native SQLite",
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => "native PostgreSQL",
        }
    }

    /// Every stored text of every table (on PostgreSQL, every value), for tests that look for what must not be there.
    pub fn dump(&self) -> Vec<String> {
        match self {
            Self::Sqlite(db) => db.dump(),
            #[cfg(feature = "postgres")]
            Self::Postgres(db) => db.dump(),
        }
    }

    fn inner(&self) -> &dyn Db {
        match self {
            Self::Sqlite(db) => db,
            #[cfg(feature = "postgres")]
            Self::Postgres(db) => db,
        }
    }
}

/// Answers at the first poll: to the tests' clock, which moves on whenever all wait, a database takes no time.
impl Db for TestDb {
    fn query(&self, stmt: Stmt) -> BoxFuture<'_, Result<Rows, DbError>> {
        Box::pin(async move { block_on(self.inner().query(stmt)) })
    }

    fn batch(&self, stmts: Vec<Stmt>) -> BoxFuture<'_, Result<Vec<Rows>, DbError>> {
        Box::pin(async move { block_on(self.inner().batch(stmts)) })
    }
}
