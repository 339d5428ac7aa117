use std::sync::Arc;
use std::time::Duration;

use send_wrapper::SendWrapper;
use spin_sdk::pg::{Connection, DbValue, Error, ParameterValue, PgError, QueryError};
use voicecore_ports::postgres::{self, Plan, Step};
use voicecore_ports::{Blob, BlobError, BoxFuture, Db, DbError, MAX_BLOB_BYTES, Row, Rows, Stmt, Value};

use super::deadline::within;

/// Names the variable with the address of the database. Not set, or blank: Spin's SQLite.
pub(crate) const DATABASE_URL: &str = "DATABASE_URL";
/// A database that has not answered by then counts as unavailable, as on Workers: the caller on the line must hear something.
const DEADLINE: Duration = Duration::from_secs(2);
/// A transaction whose owner has met its deadline is left open in the pool, with its locks, until somebody is given its connection: the
/// server ends it, and the connection, when nothing has come for so long. More than a deadline, so it never ends one that is waited for.
const END_IDLE_TRANSACTION: &str = "set local idle_in_transaction_session_timeout = '3s'";
/// Objects are larger than rows; nobody on the line waits for one.
const BLOB_DEADLINE: Duration = Duration::from_secs(10);
/// The port's limit.
const MAX_KEY_BYTES: usize = 512;
/// Keys listed at once.
const MAX_LISTED: u32 = 1_000;

/// PostgreSQL through Spin, which keeps the connections.
pub(crate) struct SpinPostgres {
    address: Arc<str>,
}

/// Objects as rows of the same database, for the reasons of `blob.rs`.
pub(crate) struct PgBlob {
    address: Arc<str>,
}

/// Both over one address.
pub(crate) fn open(address: &str) -> (SpinPostgres, PgBlob) {
    let address: Arc<str> = address.into();
    (SpinPostgres { address: Arc::clone(&address) }, PgBlob { address })
}

/// A connection without a transaction. Spin hands one on as its last user left it: dropped in the middle of a transaction, that is
/// still open. Outside of one, `rollback` does nothing.
async fn connect(address: &str) -> Result<Connection, DbError> {
    let connection = Connection::open(address).await.map_err(|error| db_error(&error))?;
    command(&connection, "rollback").await?;
    Ok(connection)
}

async fn command(connection: &Connection, sql: &str) -> Result<u64, DbError> {
    connection.execute(sql, vec![]).await.map_err(|error| db_error(&error))
}

async fn answer(address: &str, stmts: Vec<Stmt>) -> Result<Vec<Rows>, DbError> {
    let plan = Plan::new(stmts)?;
    if plan.steps.is_empty() {
        return Ok(Vec::new());
    }
    let connection = connect(address).await?;
    if !plan.transaction {
        return all(&connection, &plan).await;
    }
    command(&connection, "begin").await?;
    command(&connection, END_IDLE_TRANSACTION).await?;
    let done = all(&connection, &plan).await;
    if done.is_ok() {
        command(&connection, "commit").await?;
    } else {
        // What failed is what counts. Should this fail too, the next user of the connection rolls back (`connect`).
        let _ = command(&connection, "rollback").await;
    }
    done
}

async fn all(connection: &Connection, plan: &Plan) -> Result<Vec<Rows>, DbError> {
    let mut results = Vec::with_capacity(plan.steps.len());
    for step in &plan.steps {
        if let Some(reach) = &step.reach {
            rows(connection, reach, vec![]).await?;
        }
        results.push(one(connection, step).await?);
    }
    Ok(results)
}

/// Spin tells either the rows or their number. A statement that changes rows and gives some gives each that it changed.
async fn one(connection: &Connection, step: &Step) -> Result<Rows, DbError> {
    let (sql, args) = (step.sql_with_types(), step.args.iter().map(argument).collect());
    if step.gives_rows() {
        let rows = rows(connection, &sql, args).await?;
        let counted = rows.len() as u64;
        return step.outcome(rows, counted);
    }
    let counted = connection.execute(sql, args).await.map_err(|error| db_error(&error))?;
    step.outcome(vec![], counted)
}

/// Rows are read to the end: only `collect` then tells whether something failed on the way.
async fn rows(connection: &Connection, sql: &str, args: Vec<ParameterValue>) -> Result<Vec<Row>, DbError> {
    let found = connection.query(sql, args).await.map_err(|error| db_error(&error))?;
    let columns: Vec<String> = found.columns().iter().map(|column| column.name.clone()).collect();
    let rows = found.collect().await.map_err(|error| db_error(&error))?;
    let row = |row: &spin_sdk::pg::Row| {
        let cells = columns.iter().enumerate();
        cells.map(|(index, name)| Ok((name.clone(), cell(&row[index])?))).collect()
    };
    rows.iter().map(row).collect()
}

fn argument(value: &Value) -> ParameterValue {
    match value {
        Value::Null => ParameterValue::DbNull,
        Value::Int(number) => ParameterValue::Int64(*number),
        Value::Real(number) => ParameterValue::Floating64(*number),
        Value::Text(text) => ParameterValue::Str(text.clone()),
    }
}

fn cell(value: &DbValue) -> Result<Value, DbError> {
    let odd = || DbError::Invalid("a column of a type that the port does not know".to_owned());
    match value {
        DbValue::DbNull => Ok(Value::Null),
        DbValue::Boolean(yes) => Ok((*yes).into()),
        DbValue::Int16(number) => Ok(Value::Int((*number).into())),
        DbValue::Int32(number) => Ok(Value::Int((*number).into())),
        DbValue::Int64(number) => Ok(Value::Int(*number)),
        DbValue::Floating64(number) => Ok(Value::Real(*number)),
        DbValue::Str(text) => Ok(Value::Text(text.clone())),
        // What `sum` makes of whole numbers.
        DbValue::Decimal(text) => postgres::numeric_text(text).ok_or_else(odd),
        _ => Err(odd()),
    }
}

fn db_error(error: &Error) -> DbError {
    match error {
        Error::PgError(PgError::QueryFailed(QueryError::DbError(error))) => {
            postgres::error(Some(&error.code))
        }
        Error::PgError(PgError::BadParameter(_) | PgError::ValueConversionFailed(_)) | Error::Decode(_) => {
            DbError::Invalid("an argument or a column was not accepted".to_owned())
        }
        Error::PgError(
            PgError::ConnectionFailed(_) | PgError::QueryFailed(QueryError::Text(_)) | PgError::Other(_),
        ) => DbError::Unavailable,
    }
}

async fn run(address: Arc<str>, stmts: Vec<Stmt>) -> Result<Vec<Rows>, DbError> {
    within(DEADLINE, answer(&address, stmts)).await.unwrap_or(Err(DbError::Unavailable))
}

impl Db for SpinPostgres {
    fn query(&self, stmt: Stmt) -> BoxFuture<'_, Result<Rows, DbError>> {
        let done = run(Arc::clone(&self.address), vec![stmt]);
        Box::pin(SendWrapper::new(async move { Ok(done.await?.pop().unwrap_or_default()) }))
    }

    fn batch(&self, stmts: Vec<Stmt>) -> BoxFuture<'_, Result<Vec<Rows>, DbError>> {
        Box::pin(SendWrapper::new(run(Arc::clone(&self.address), stmts)))
    }
}

/// One statement about an object, or about the keys that begin with `key`, and the column that it gives. It reaches what is the tenant's
/// whom the key names, and nothing else.
async fn column(
    address: &str,
    key: &str,
    sql: &str,
    bytes: Option<Vec<u8>>,
) -> Result<Vec<DbValue>, BlobError> {
    let too_large = bytes.as_ref().is_some_and(|bytes| bytes.len() > MAX_BLOB_BYTES);
    if key.is_empty() || key.len() > MAX_KEY_BYTES || too_large {
        return Err(BlobError::Invalid);
    }
    let reach = postgres::set_reach(postgres::reach_of_key(key).ok_or(BlobError::Invalid)?);
    let mut args = vec![ParameterValue::Str(key.to_owned())];
    args.extend(bytes.map(ParameterValue::Binary));
    let work = async {
        // What fails on the way is rolled back by whoever has the connection next (`connect`).
        let connection = connect(address).await.ok()?;
        command(&connection, "begin").await.ok()?;
        rows(&connection, &reach, vec![]).await.ok()?;
        let found = connection.query(sql, args).await.ok()?.collect().await.ok()?;
        command(&connection, "commit").await.ok()?;
        Some(found)
    };
    let rows = within(BLOB_DEADLINE, work).await.flatten().ok_or(BlobError::Unavailable)?;
    Ok(rows.iter().map(|row| row[0].clone()).collect())
}

impl Blob for PgBlob {
    fn put<'a>(&'a self, key: &'a str, bytes: Vec<u8>) -> BoxFuture<'a, Result<(), BlobError>> {
        const PUT: &str = "insert into blobs (key, bytes) values ($1, $2)
            on conflict (key) do update set bytes = excluded.bytes";
        Box::pin(SendWrapper::new(
            async move { column(&self.address, key, PUT, Some(bytes)).await.map(drop) },
        ))
    }

    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Vec<u8>>, BlobError>> {
        const GET: &str = "select bytes from blobs where key = $1";
        Box::pin(SendWrapper::new(async move {
            match column(&self.address, key, GET, None).await?.into_iter().next() {
                None => Ok(None),
                Some(DbValue::Binary(bytes)) => Ok(Some(bytes)),
                Some(_) => Err(BlobError::Unavailable),
            }
        }))
    }

    fn list<'a>(&'a self, prefix: &'a str, limit: u32) -> BoxFuture<'a, Result<Vec<String>, BlobError>> {
        // As in `blob.rs`; by bytes whatever the database's own order is.
        const LIST: &str = "select key from blobs
            where key collate \"C\" >= $1 and key collate \"C\" < $1 || '\u{10FFFF}' order by key collate \"C\"";
        Box::pin(SendWrapper::new(async move {
            let sql = format!("{LIST} limit {}", limit.min(MAX_LISTED));
            let keys = column(&self.address, prefix, &sql, None).await?.into_iter();
            Ok(keys.filter_map(|key| if let DbValue::Str(key) = key { Some(key) } else { None }).collect())
        }))
    }

    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), BlobError>> {
        const DELETE: &str = "delete from blobs where key = $1";
        Box::pin(SendWrapper::new(async move { column(&self.address, key, DELETE, None).await.map(drop) }))
    }
}
