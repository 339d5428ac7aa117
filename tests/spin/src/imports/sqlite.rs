use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::types::{Value as SqlValue, ValueRef};
use wasmtime::component::{Accessor, FutureReader, Resource, StreamReader};

use super::spin::sqlite::sqlite::{Error, Host, HostConnection, HostConnectionWithStore, RowResult, Value};
use super::{Instance, Whole};

/// Open connections of one instance, as many as Spin allows.
const MAX_CONNECTIONS: usize = 256;

/// A connection of its own for whoever opens one: transactions are not shared. Closed, and so rolled back, when it is dropped.
#[derive(Clone)]
#[expect(unreachable_pub, reason = "the bindings re-export it")]
pub struct Connection(Arc<Mutex<rusqlite::Connection>>);

type Executed = (Vec<String>, StreamReader<RowResult>, FutureReader<Result<(), Error>>);

fn io(error: &rusqlite::Error) -> Error {
    Error::Io(error.to_string())
}

impl Connection {
    /// Runs it where waiting for a lock keeps nobody else from being served.
    async fn blocking<R: Send + 'static>(
        &self,
        work: impl FnOnce(&rusqlite::Connection) -> R + Send + 'static,
    ) -> wasmtime::Result<R> {
        let connection = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || {
            work(&connection.lock().unwrap_or_else(PoisonError::into_inner))
        });
        Ok(done.await?)
    }
}

/// The names of the columns, and the rows or what went wrong on the way.
type Answer = (Vec<String>, Result<Vec<RowResult>, Error>);

fn execute(connection: &rusqlite::Connection, sql: &str, parameters: Vec<Value>) -> Answer {
    let mut statement = match connection.prepare_cached(sql) {
        Ok(statement) => statement,
        Err(error) => return (Vec::new(), Err(io(&error))),
    };
    let columns: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
    let width = columns.len();
    let parameters = rusqlite::params_from_iter(parameters.into_iter().map(bind));
    let rows = statement.query_map(parameters, |row| {
        let values = (0..width).map(|column| row.get_ref(column).map(value));
        Ok(RowResult { values: values.collect::<rusqlite::Result<_>>()? })
    });
    (columns, rows.and_then(Iterator::collect).map_err(|error| io(&error)))
}

fn bind(value: Value) -> SqlValue {
    match value {
        Value::Integer(number) => SqlValue::Integer(number),
        Value::Real(number) => SqlValue::Real(number),
        Value::Text(text) => SqlValue::Text(text),
        Value::Blob(bytes) => SqlValue::Blob(bytes),
        Value::Null => SqlValue::Null,
    }
}

fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
        ValueRef::Null => Value::Null,
    }
}

impl Host for &mut Instance {}
impl HostConnection for &mut Instance {}

impl<T> HostConnectionWithStore<T> for Whole {
    async fn drop(accessor: &Accessor<T, Self>, connection: Resource<Connection>) -> wasmtime::Result<()> {
        accessor.with(|mut access| {
            let instance = access.get();
            instance.table.delete(connection)?;
            instance.connections -= 1;
            Ok(())
        })
    }

    async fn open_async(
        accessor: &Accessor<T, Self>,
        database: String,
    ) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        let outside = accessor.with(|mut access| Arc::clone(&access.get().outside));
        if !outside.grants.sqlite_databases.contains(&database) {
            return Ok(Err(Error::AccessDenied));
        }
        let connection = match rusqlite::Connection::open(outside.state.join(crate::DATABASE_FILE)) {
            Ok(connection) => Connection(Arc::new(Mutex::new(connection))),
            Err(error) => return Ok(Err(io(&error))),
        };
        accessor.with(|mut access| {
            let instance = access.get();
            if instance.connections >= MAX_CONNECTIONS {
                return Ok(Err(Error::Io("too many connections opened".to_owned())));
            }
            instance.connections += 1;
            Ok(Ok(instance.table.push(connection)?))
        })
    }

    /// An error in the statement, too, comes only after the rows, which there are none of: whoever does not read to the end
    /// takes it for an empty answer.
    async fn execute_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<Value>,
    ) -> wasmtime::Result<Result<Executed, Error>> {
        let connection = accessor.with(|mut access| access.get().table.get(&connection).cloned())?;
        let (columns, answer) =
            connection.blocking(move |connection| execute(connection, &statement, parameters)).await?;
        let (rows, ended) = match answer {
            Ok(rows) => (rows, Ok(())),
            Err(error) => (Vec::new(), Err(error)),
        };
        accessor.with(|mut access| {
            let rows = StreamReader::new(&mut access, rows)?;
            let ended = FutureReader::new(&mut access, async { wasmtime::error::Ok(ended) })?;
            Ok(Ok((columns, rows, ended)))
        })
    }

    async fn changes_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
    ) -> wasmtime::Result<u64> {
        let connection = accessor.with(|mut access| access.get().table.get(&connection).cloned())?;
        connection.blocking(rusqlite::Connection::changes).await
    }
}
