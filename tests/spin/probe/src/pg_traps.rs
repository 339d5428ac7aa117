//! Traps of Spin's PostgreSQL, each as whoever does not know it meets it (`raw`), and as the port does.

use spin_sdk::pg::{Connection, DbValue, ParameterValue};
use voicecore_ports::{Ports, Rows, Stmt, Value};

use crate::ports::postgres::DATABASE_URL;
use crate::queue_suite;

/// Gives five rows, of which the third cannot be made.
const BREAKS: &str = "select 6 / (3 - n) as q from generate_series(1, 5) as n";
/// What an open transaction has made, and nobody else can see.
const LEFT: &str = "create table left_behind (n int)";
const FIND_LEFT: &str = "select count(*) as n from pg_class where relname = 'left_behind'";

/// Where a `numeric` is wanted.
const TO_NUMERIC: &str = "select cast(cast(?1 as numeric) as text) as n";
/// What nobody can read, as something that everybody can.
const AS_TEXT: &str =
    "select cast(cast('2026-11-27 23:00:00+00' as timestamptz) at time zone 'UTC' as text) as t";
const AS_EPOCH: &str =
    "select cast(extract(epoch from cast('2026-11-27 23:00:00+00' as timestamptz)) as bigint) as t";

/// What comes of one of them, in words.
pub(crate) async fn run(ports: &Ports, path: &str) -> String {
    match path {
        "/pg/raw/leave" => {
            let connection = open().await;
            for sql in ["begin", LEFT] {
                assert!(connection.execute(sql, vec![]).await.is_ok(), "{sql}");
            }
            "left in the middle".to_owned()
        }
        "/pg/raw/find" => raw(FIND_LEFT).await,
        "/pg/port/find" => port(ports, FIND_LEFT).await,
        "/pg/raw/breaks" => raw(BREAKS).await,
        "/pg/port/locked" => port(ports, "select n from left_locked").await,
        "/pg/port/late" => late(ports).await,
        "/pg/port/breaks" => port(ports, BREAKS).await,
        "/pg/port/time" => port(ports, "select now() as t").await,
        "/pg/port/json" => port(ports, "select '[1]'::json as j").await,
        "/pg/port/text" => port(ports, AS_TEXT).await,
        "/pg/port/epoch" => port(ports, AS_EPOCH).await,
        "/pg/raw/number" => number().await,
        "/pg/port/number" => port_with(ports, Stmt::new(TO_NUMERIC, vec![Value::Int(1)])).await,
        "/pg/port/cast" => port(ports, "select '[1]'::json::text as j").await,
        "/pg/raw/two" => match open().await.query("select 1; select 2", vec![]).await {
            Ok(rows) => rows.result().await.map_or_else(|_| "refused".to_owned(), |()| "taken".to_owned()),
            Err(_) => "refused".to_owned(),
        },
        "/pg/port/raced" => queue_suite::raced(ports).await,
        _ => "no such trap".to_owned(),
    }
}

/// A transaction whose last statement takes longer than the port waits, after one that has locked a row.
async fn late(ports: &Ports) -> String {
    let lock = Stmt::new("update left_locked set n = n + 1", vec![]);
    let done = ports.db.batch(vec![lock, Stmt::new("select pg_sleep(2.5)", vec![])]).await;
    done.map_or_else(|error| error.to_string(), |_| "in time".to_owned())
}

/// `Int64`, where a `numeric` is wanted.
async fn number() -> String {
    let asked =
        open().await.query("select cast(cast($1 as numeric) as text)", vec![ParameterValue::Int64(1)]).await;
    let Ok(rows) = asked else { return "refused".to_owned() };
    rows.collect().await.map_or_else(|_| "refused".to_owned(), |_| "taken".to_owned())
}

pub(crate) async fn open() -> Connection {
    let address = spin_sdk::variables::get(DATABASE_URL.to_lowercase()).await.unwrap_or_default();
    match Connection::open(address).await {
        Ok(connection) => connection,
        Err(error) => unreachable!("{error:?}"),
    }
}

/// Reads as long as rows come, and asks no further.
async fn raw(sql: &str) -> String {
    let mut rows = match open().await.query(sql, vec![]).await {
        Ok(rows) => rows,
        Err(error) => return format!("error {error:?}"),
    };
    let mut read = Vec::new();
    while let Some(row) = rows.next().await {
        read.push(match &row[0] {
            DbValue::Int64(number) => number.to_string(),
            DbValue::Int32(number) => number.to_string(),
            other => format!("{other:?}"),
        });
    }
    format!("rows {}", read.join(" "))
}

async fn port(ports: &Ports, sql: &'static str) -> String {
    port_with(ports, Stmt::new(sql, vec![])).await
}

async fn port_with(ports: &Ports, stmt: Stmt) -> String {
    let said = |rows: Rows| {
        let cells = rows.rows.into_iter().flat_map(voicecore_ports::Row::into_values);
        let cells: Vec<String> = cells
            .map(|value| match value {
                Value::Int(number) => number.to_string(),
                Value::Text(text) => text,
                other => format!("{other:?}"),
            })
            .collect();
        format!("rows {}", cells.join(" "))
    };
    ports.db.query(stmt).await.map_or_else(|_| "error".to_owned(), said)
}
