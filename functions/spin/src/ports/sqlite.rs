use std::time::Duration;

use send_wrapper::SendWrapper;
use spin_sdk::sqlite::Value as SqlValue;
use voicecore_ports::guard::{changes_rows, check_limits};
use voicecore_ports::{BoxFuture, Db, DbError, Expect, Row, Rows, Stmt, Value};

use super::connection::{Connection, Found};
use super::deadline::within;
use crate::migrations;

/// A database that has not answered by then counts as unavailable, as on Workers: the caller on the line must hear something.
const DEADLINE: Duration = Duration::from_secs(2);
/// The same for applying the migrations, which happens once in the life of a database.
const MIGRATION_DEADLINE: Duration = Duration::from_secs(20);

/// Spin's SQLite. The transaction is in our hands, so row counts are compared here; no guard statements are needed.
pub(crate) struct Sqlite;

/// A connection to the database with its schema, for whoever speaks SQL that the port does not carry.
pub(super) async fn connect() -> Result<Connection, DbError> {
    let connection = within(DEADLINE, Connection::take()).await.ok_or(DbError::Unavailable)??;
    within(MIGRATION_DEADLINE, migrations::apply(&connection)).await.ok_or(DbError::Unavailable)??;
    Ok(connection)
}

async fn run(stmts: Vec<Stmt>) -> Result<Vec<Rows>, DbError> {
    check_limits(&stmts)?;
    if stmts.is_empty() {
        return Ok(Vec::new());
    }
    let connection = connect().await?;
    let answer = within(DEADLINE, answer(&connection, stmts)).await.ok_or(DbError::Unavailable)?;
    // After a failure the transaction has most likely been rolled back; closing makes sure.
    if answer.is_ok() {
        connection.keep();
    }
    answer
}

async fn answer(connection: &Connection, stmts: Vec<Stmt>) -> Result<Vec<Rows>, DbError> {
    match <[Stmt; 1]>::try_from(stmts) {
        // A single statement is atomic by itself.
        Ok([stmt]) if stmt.expect == Expect::Any => Ok(vec![one(connection, stmt, 0).await?]),
        Ok(single) => all(connection, single.into()).await,
        Err(several) => all(connection, several).await,
    }
}

async fn all(connection: &Connection, stmts: Vec<Stmt>) -> Result<Vec<Rows>, DbError> {
    connection
        .transaction(async || {
            let mut results = Vec::with_capacity(stmts.len());
            for (index, stmt) in stmts.into_iter().enumerate() {
                results.push(one(connection, stmt, index).await?);
            }
            Ok(results)
        })
        .await
}

async fn one(connection: &Connection, stmt: Stmt, index: usize) -> Result<Rows, DbError> {
    let args = stmt.args.into_iter().map(argument).collect();
    let found = connection.run(stmt.sql.text(), args).await?;
    // The engine's count is that of the last statement which changed rows: no answer for one that does not.
    let changed = if changes_rows(&stmt.sql) { connection.changes().await } else { 0 };
    match stmt.expect {
        Expect::Exactly(rows) if changed != u64::from(rows) => Err(DbError::Unexpected { index }),
        Expect::Exactly(_) | Expect::Any => Ok(Rows { rows: rows(found)?, changed }),
    }
}

fn argument(value: Value) -> SqlValue {
    match value {
        Value::Null => SqlValue::Null,
        Value::Int(number) => SqlValue::Integer(number),
        Value::Real(number) => SqlValue::Real(number),
        Value::Text(text) => SqlValue::Text(text),
    }
}

fn rows(found: Found) -> Result<Vec<Row>, DbError> {
    let row = |values: Vec<SqlValue>| {
        found.columns.iter().cloned().zip(values).map(|(name, value)| Ok((name, cell(value)?))).collect()
    };
    found.rows.into_iter().map(row).collect()
}

fn cell(value: SqlValue) -> Result<Value, DbError> {
    match value {
        SqlValue::Null => Ok(Value::Null),
        SqlValue::Integer(number) => Ok(Value::Int(number)),
        SqlValue::Real(number) => Ok(Value::Real(number)),
        SqlValue::Text(text) => Ok(Value::Text(text)),
        SqlValue::Blob(_) => {
            Err(DbError::Invalid("a column of a type that the port does not know".to_owned()))
        }
    }
}

impl Db for Sqlite {
    fn query(&self, stmt: Stmt) -> BoxFuture<'_, Result<Rows, DbError>> {
        Box::pin(SendWrapper::new(async move { Ok(run(vec![stmt]).await?.pop().unwrap_or_default()) }))
    }

    fn batch(&self, stmts: Vec<Stmt>) -> BoxFuture<'_, Result<Vec<Rows>, DbError>> {
        Box::pin(SendWrapper::new(run(stmts)))
    }
}
