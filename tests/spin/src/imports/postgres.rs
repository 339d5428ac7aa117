use std::collections::HashMap;
use std::error::Error as StdError;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::BytesMut;
use voicecore_ports::postgres::numeric_bytes;
use voicecore_postgres::tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use voicecore_postgres::tokio_postgres::{self, Client, Config, NoTls};
use wasmtime::component::{Accessor, FutureReader, Resource, StreamReader};

use super::spin::postgres::postgres::{
    Column, DbDataType, DbError, DbValue, Error, Host, HostConnection, HostConnectionWithStore,
    ParameterValue, QueryError,
};
use super::{Instance, Whole};
use crate::manifest::Origin;

/// PostgreSQL's own.
const PORT: u16 = 5432;

/// Connections that somebody has done with, by address. Handed on as they were left, as Spin's pool does: whoever was dropped in the
/// middle of a transaction leaves it open.
#[derive(Clone, Default)]
pub(crate) struct Pool(Arc<Mutex<HashMap<String, Vec<Arc<Client>>>>>);

/// A connection; goes back to the pool when it is dropped.
#[expect(unreachable_pub, reason = "the bindings re-export it")]
pub struct Connection(Arc<Lent>);

struct Lent {
    address: String,
    client: Arc<Client>,
    pool: Pool,
}

impl Drop for Lent {
    fn drop(&mut self) {
        if !self.client.is_closed() {
            let mut idle = self.pool.0.lock().unwrap_or_else(PoisonError::into_inner);
            idle.entry(std::mem::take(&mut self.address)).or_default().push(Arc::clone(&self.client));
        }
    }
}

impl Pool {
    /// One that the server has not closed meanwhile.
    fn idle(&self, address: &str) -> Option<Arc<Client>> {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = idle.get_mut(address)?;
        idle.retain(|client| !client.is_closed());
        idle.pop()
    }

    async fn take(&self, address: String) -> Result<Connection, Error> {
        let client = if let Some(client) = self.idle(&address) {
            client
        } else {
            let connected = connect(&address).await;
            Arc::new(connected.map_err(|error| Error::ConnectionFailed(error.to_string()))?)
        };
        Ok(Connection(Arc::new(Lent { address, client, pool: self.clone() })))
    }
}

async fn connect(address: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(address, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Where an address leads to, as the manifest names it: `postgres://host:port`.
fn origin(address: &str) -> Option<Origin> {
    let config: Config = address.parse().ok()?;
    let [tokio_postgres::config::Host::Tcp(host)] = config.get_hosts() else { return None };
    let port = config.get_ports().first().copied().unwrap_or(PORT);
    Origin::of(&format!("postgres://{host}:{port}").parse().ok()?)
}

fn failed(error: &tokio_postgres::Error) -> Error {
    Error::QueryFailed(match error.as_db_error() {
        None => QueryError::Text(error.to_string()),
        Some(said) => QueryError::DbError(DbError {
            as_text: error.to_string(),
            severity: said.severity().to_owned(),
            code: said.code().code().to_owned(),
            message: said.message().to_owned(),
            detail: said.detail().map(str::to_owned),
            extras: Vec::new(),
        }),
    })
}

type Anything = Box<dyn StdError + Sync + Send>;

/// An argument: sent as what it is, so the statement has to want exactly that.
#[derive(Debug)]
struct Argument(ParameterValue);

impl ToSql for Argument {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Anything> {
        match &self.0 {
            ParameterValue::DbNull => Ok(IsNull::Yes),
            ParameterValue::Boolean(yes) => yes.to_sql_checked(kind, out),
            ParameterValue::Int64(number) => number.to_sql_checked(kind, out),
            ParameterValue::Floating64(number) => number.to_sql_checked(kind, out),
            ParameterValue::Str(text) => text.to_sql_checked(kind, out),
            ParameterValue::Binary(bytes) => bytes.to_sql_checked(kind, out),
            _ => Err("this host does not know that type".into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

struct Cell(DbValue);

impl<'a> FromSql<'a> for Cell {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Anything> {
        Ok(Self(match *kind {
            Type::BOOL => DbValue::Boolean(bool::from_sql(kind, raw)?),
            Type::INT2 => DbValue::Int16(i16::from_sql(kind, raw)?),
            Type::INT4 => DbValue::Int32(i32::from_sql(kind, raw)?),
            Type::INT8 => DbValue::Int64(i64::from_sql(kind, raw)?),
            Type::FLOAT8 => DbValue::Floating64(f64::from_sql(kind, raw)?),
            Type::BYTEA => DbValue::Binary(raw.to_vec()),
            Type::NUMERIC => match numeric_bytes(raw).ok_or("a number out of range")? {
                voicecore_ports::Value::Int(number) => DbValue::Decimal(number.to_string()),
                voicecore_ports::Value::Real(number) => DbValue::Decimal(number.to_string()),
                _ => return Err("no number".into()),
            },
            _ if <String as FromSql>::accepts(kind) => DbValue::Str(String::from_sql(kind, raw)?),
            _ => DbValue::Unsupported(raw.to_vec()),
        }))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Anything> {
        Ok(Self(DbValue::DbNull))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

fn data_type(kind: &Type) -> DbDataType {
    match *kind {
        Type::BOOL => DbDataType::Boolean,
        Type::INT2 => DbDataType::Int16,
        Type::INT4 => DbDataType::Int32,
        Type::INT8 => DbDataType::Int64,
        Type::FLOAT8 => DbDataType::Floating64,
        Type::BYTEA => DbDataType::Binary,
        Type::NUMERIC => DbDataType::Decimal,
        _ if <String as FromSql>::accepts(kind) => DbDataType::Str,
        _ => DbDataType::Other(kind.name().to_owned()),
    }
}

type Answer = (Vec<Column>, Vec<Vec<DbValue>>);

async fn query(
    client: &Client,
    statement: &str,
    arguments: &[Argument],
) -> Result<Answer, tokio_postgres::Error> {
    let prepared = client.prepare(statement).await?;
    let column = |column: &tokio_postgres::Column| Column {
        name: column.name().to_owned(),
        data_type: data_type(column.type_()),
    };
    let columns = prepared.columns().iter().map(column).collect();
    let rows = client.query(&prepared, &borrowed(arguments)).await?;
    let cells = |row: &tokio_postgres::Row| -> Result<Vec<DbValue>, tokio_postgres::Error> {
        (0..row.len()).map(|index| row.try_get::<_, Cell>(index).map(|cell| cell.0)).collect()
    };
    Ok((columns, rows.iter().map(cells).collect::<Result<_, _>>()?))
}

fn borrowed(arguments: &[Argument]) -> Vec<&(dyn ToSql + Sync)> {
    arguments.iter().map(|argument| argument as &(dyn ToSql + Sync)).collect()
}

impl Host for &mut Instance {}
impl HostConnection for &mut Instance {}

type Executed = (Vec<Column>, StreamReader<Vec<DbValue>>, FutureReader<Result<(), Error>>);

impl<T> HostConnectionWithStore<T> for Whole {
    async fn drop(accessor: &Accessor<T, Self>, connection: Resource<Connection>) -> wasmtime::Result<()> {
        accessor.with(|mut access| {
            access.get().table.delete(connection)?;
            Ok(())
        })
    }

    async fn open_async(
        accessor: &Accessor<T, Self>,
        address: String,
    ) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        let outside = accessor.with(|mut access| Arc::clone(&access.get().outside));
        if !origin(&address).is_some_and(|origin| outside.grants.hosts.contains(&origin)) {
            return Ok(Err(Error::ConnectionFailed("the manifest does not allow it".to_owned())));
        }
        match outside.postgres.take(address).await {
            Ok(connection) => accessor.with(|mut access| Ok(Ok(access.get().table.push(connection)?))),
            Err(error) => Ok(Err(error)),
        }
    }

    /// What fails comes only after the rows, as with SQLite.
    async fn query_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        statement: String,
        arguments: Vec<ParameterValue>,
    ) -> wasmtime::Result<Result<Executed, Error>> {
        let lent = accessor
            .with(|mut access| wasmtime::error::Ok(Arc::clone(&access.get().table.get(&connection)?.0)))?;
        let arguments: Vec<_> = arguments.into_iter().map(Argument).collect();
        let ((columns, rows), ended) = match query(&lent.client, &statement, &arguments).await {
            Ok(answer) => (answer, Ok(())),
            Err(error) => (Answer::default(), Err(failed(&error))),
        };
        accessor.with(|mut access| {
            let rows = StreamReader::new(&mut access, rows)?;
            let ended = FutureReader::new(&mut access, async { wasmtime::error::Ok(ended) })?;
            Ok(Ok((columns, rows, ended)))
        })
    }

    async fn execute_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        statement: String,
        arguments: Vec<ParameterValue>,
    ) -> wasmtime::Result<Result<u64, Error>> {
        let lent = accessor
            .with(|mut access| wasmtime::error::Ok(Arc::clone(&access.get().table.get(&connection)?.0)))?;
        let arguments: Vec<_> = arguments.into_iter().map(Argument).collect();
        let done = lent.client.execute(&statement, &borrowed(&arguments)).await;
        Ok(done.map_err(|error| failed(&error)))
    }
}
