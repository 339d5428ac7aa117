use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, MAIN_DB, Statement, ToSql};
use voicecore_migrations::Engine;
use voicecore_ports::guard::{self, Guarded};
use voicecore_ports::{BoxFuture, Db, DbError, Expect, Row, Rows, Stmt, Value};

use crate::migrations;

/// How integers are handed to the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbers {
    /// As integers: Spin.
    Integers,
    /// As floating-point numbers, which is what JavaScript makes of them: D1. `'n' || ?` is then `n1.0`, and only
    /// columns with integer affinity turn them back. Tests use this one because it forgives less.
    Doubles,
}

/// Statements that a connection keeps prepared: more than the store has.
const PREPARED: usize = 128;

/// The migrated database of which tests get copies: they are applied once in a process, not once in each of a hundred cases.
static MIGRATED: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let db = SqliteDb::empty(Numbers::Integers);
    for migration in migrations::schema(Engine::Sqlite).migrations {
        let applied = db.script(&migration.up);
        assert!(applied.is_ok(), "{}: {applied:?}", migration.name);
    }
    let serialized = db.lock().serialize(MAIN_DB).map(|data| data.to_vec());
    assert!(serialized.is_ok(), "{serialized:?}");
    serialized.unwrap_or_default()
});

/// SQLite in memory, behind the same guard statements and the same reading of error messages that D1's adapter uses.
pub struct SqliteDb {
    connection: Mutex<Connection>,
    numbers: Numbers,
}

impl SqliteDb {
    /// An empty database. References are enforced, as D1 does.
    ///
    /// # Panics
    /// When SQLite cannot make a database in memory.
    pub fn empty(numbers: Numbers) -> Self {
        let connection = Connection::open_in_memory().and_then(|connection| {
            connection.execute_batch("pragma foreign_keys = on")?;
            connection.set_prepared_statement_cache_capacity(PREPARED);
            Ok(connection)
        });
        match connection {
            Ok(connection) => Self { connection: Mutex::new(connection), numbers },
            Err(error) => unreachable!("SQLite in memory: {error}"),
        }
    }

    /// A database with every migration applied.
    ///
    /// # Panics
    /// When a migration is wrong.
    pub fn migrated(numbers: Numbers) -> Self {
        let db = Self::empty(numbers);
        let copied = db.lock().deserialize_read_exact(MAIN_DB, &MIGRATED[..], MIGRATED.len(), false);
        assert!(copied.is_ok(), "{copied:?}");
        db
    }

    /// Runs a script, as a runner of migrations does. `Err`: what the engine says.
    pub fn script(&self, sql: &str) -> Result<(), String> {
        self.lock().execute_batch(sql).map_err(|error| error.to_string())
    }

    /// The statement is accepted by the engine, with this number of parameters.
    pub fn parameters(&self, sql: &str) -> Result<usize, String> {
        let connection = self.lock();
        connection.prepare(sql).map(|statement| statement.parameter_count()).map_err(|e| e.to_string())
    }

    /// The engine's plan for a statement, one step a line, e.g. `SEARCH calls USING INDEX …` or `SCAN calls`.
    pub fn plan(&self, sql: &str) -> Result<Vec<String>, String> {
        let connection = self.lock();
        let steps = |mut statement: Statement<'_>| {
            // Parameters that are not bound are null, which does not change the plan.
            statement.raw_query().mapped(|row| row.get("detail")).collect()
        };
        connection.prepare(&format!("explain query plan {sql}")).and_then(steps).map_err(|e| e.to_string())
    }

    /// Every stored text of every table, for tests that look for what must not be there.
    pub fn dump(&self) -> Vec<String> {
        let tables = self.texts("select name from sqlite_schema where type = 'table'");
        tables.iter().flat_map(|table| self.texts(&format!("select * from {table}"))).collect()
    }

    fn texts(&self, sql: &str) -> Vec<String> {
        let rows = run_one(&self.lock(), self.numbers, sql, &[]).unwrap_or_default();
        let values = rows.rows.into_iter().flat_map(Row::into_values);
        values.filter_map(|value| if let Value::Text(text) = value { Some(text) } else { None }).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A test that panicked in between has rolled back already.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run_batch(&self, stmts: Vec<Stmt>) -> Result<Vec<Rows>, DbError> {
        let guarded = Guarded::new(stmts)?;
        let mut connection = self.lock();
        let transaction = connection.transaction().map_err(|e| error(&e))?;
        let mut results = Vec::with_capacity(guarded.stmts.len());
        for stmt in &guarded.stmts {
            results.push(run_one(&transaction, self.numbers, stmt.sql.text(), &stmt.args)?);
        }
        transaction.commit().map_err(|e| error(&e))?;
        Ok(guarded.results(results))
    }

    fn run_query(&self, stmt: Stmt) -> Result<Rows, DbError> {
        if stmt.expect != Expect::Any {
            return Ok(self.run_batch(vec![stmt])?.pop().unwrap_or_default());
        }
        guard::check_limits(std::slice::from_ref(&stmt))?;
        run_one(&self.lock(), self.numbers, stmt.sql.text(), &stmt.args)
    }
}

impl Db for SqliteDb {
    fn query(&self, stmt: Stmt) -> BoxFuture<'_, Result<Rows, DbError>> {
        Box::pin(async move { self.run_query(stmt) })
    }

    fn batch(&self, stmts: Vec<Stmt>) -> BoxFuture<'_, Result<Vec<Rows>, DbError>> {
        Box::pin(async move { self.run_batch(stmts) })
    }
}

fn run_one(connection: &Connection, numbers: Numbers, sql: &str, args: &[Value]) -> Result<Rows, DbError> {
    let mut statement = connection.prepare_cached(sql).map_err(|e| error(&e))?;
    let params: Vec<Box<dyn ToSql>> = args.iter().map(|arg| bind(numbers, arg)).collect();
    let rows = read(&mut statement, &params).map_err(|e| error(&e))?;
    let changed = if statement.readonly() { 0 } else { connection.changes() };
    Ok(Rows { rows, changed })
}

fn read(statement: &mut Statement<'_>, params: &[Box<dyn ToSql>]) -> rusqlite::Result<Vec<Row>> {
    let columns: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
    let params = rusqlite::params_from_iter(params.iter());
    if columns.is_empty() {
        statement.execute(params)?;
        return Ok(vec![]);
    }
    let rows = statement.query_map(params, |row| {
        columns
            .iter()
            .enumerate()
            .map(|(index, name)| Ok((name.clone(), value(row.get_ref(index)?)?)))
            .collect::<rusqlite::Result<Row>>()
    })?;
    rows.collect()
}

#[expect(clippy::cast_precision_loss, reason = "the port's limits keep integers within ±2^53")]
fn bind(numbers: Numbers, arg: &Value) -> Box<dyn ToSql> {
    match arg {
        Value::Null => Box::new(rusqlite::types::Null),
        Value::Int(n) if numbers == Numbers::Doubles => Box::new(*n as f64),
        Value::Int(n) => Box::new(*n),
        Value::Real(x) => Box::new(*x),
        Value::Text(text) => Box::new(text.clone()),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "only where the number is whole and small enough")]
fn value(stored: ValueRef<'_>) -> rusqlite::Result<Value> {
    Ok(match stored {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(n) => Value::Int(n),
        // JavaScript does not tell 1.0 from 1; nor does the port.
        ValueRef::Real(x) if x.fract() == 0.0 && x.abs() <= 9_007_199_254_740_992.0 => Value::Int(x as i64),
        ValueRef::Real(x) => Value::Real(x),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(_) => {
            return Err(rusqlite::Error::InvalidColumnType(
                0,
                "blob".to_owned(),
                rusqlite::types::Type::Blob,
            ));
        }
    })
}

fn error(error: &rusqlite::Error) -> DbError {
    guard::sqlite_error(&error.to_string())
}
