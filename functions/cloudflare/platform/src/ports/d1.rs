use std::fmt;
use std::time::Duration;

use js_sys::futures::JsFuture;
use js_sys::{Array, JSON, Promise};
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use voicecore_ports::guard::{Guarded, sqlite_error};
use voicecore_ports::{BoxFuture, Db, DbError, MAX_INT, Row, Rows, Stmt, Value};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};
use worker::send::SendFuture;
use worker::{D1Database, D1PreparedStatement, Env};

use super::{binding, within};

/// A database that has not answered by then counts as unavailable: the caller on the line must hear something within
/// four seconds, and a database that hangs is no better than one that fails. A write that is stored all the same does no
/// harm: every write of ours is idempotent by a key.
const DEADLINE: Duration = Duration::from_secs(2);

/// D1 through `worker`'s binding (why not `sqlx-d1`: functions/README.md). What a batch demands of its row counts is
/// kept by guard statements: `voicecore_ports::guard`.
pub(crate) struct D1 {
    env: Env,
}

impl D1 {
    pub(crate) fn new(env: Env) -> Self {
        Self { env }
    }

    async fn run(&self, stmts: Vec<Stmt>) -> Result<Vec<Rows>, DbError> {
        within(DEADLINE, self.answer(stmts)).await.unwrap_or(Err(DbError::Unavailable))
    }

    async fn answer(&self, stmts: Vec<Stmt>) -> Result<Vec<Rows>, DbError> {
        if stmts.is_empty() {
            return Ok(Vec::new());
        }
        let guarded = Guarded::new(stmts)?;
        let database = self.env.d1(binding::DB).map_err(|_| DbError::Unavailable)?;
        let mut prepared = Vec::with_capacity(guarded.stmts.len());
        for stmt in &guarded.stmts {
            prepared.push(prepare(&database, stmt)?);
        }
        let answers =
            answers(&database, &prepared).await.map_err(|error| sqlite_error(&error.to_string()))?;
        let answers: Vec<Answer> = serde_json::from_str(&answers)
            .map_err(|_| DbError::Invalid("a column of a type that the port does not know".to_owned()))?;
        Ok(guarded.results(answers.into_iter().map(rows).collect()))
    }
}

#[wasm_bindgen]
extern "C" {
    // `worker`'s own `batch` gives results that can only be read value by value.
    type Database;
    #[wasm_bindgen(method, catch)]
    fn batch(this: &Database, statements: &Array) -> Result<Promise, JsValue>;
}

/// What D1 answers to each statement, as JSON. JavaScript writes it and one text comes over: read as JavaScript's values, each cell would be
/// several calls over the border (measured: functions/README.md).
async fn answers(database: &D1Database, prepared: &[D1PreparedStatement]) -> worker::Result<String> {
    let answers = match prepared {
        // A single statement is atomic by itself; `all` spares D1 the transaction.
        [single] => Array::of1(&JsFuture::from(single.inner().all()?).await?),
        several => {
            let database: &Database = AsRef::<JsValue>::as_ref(database).unchecked_ref();
            let statements = several.iter().map(D1PreparedStatement::inner).collect::<Array>();
            JsFuture::from(database.batch(&statements)?).await?.unchecked_into()
        }
    };
    Ok(JSON::stringify(&answers)?.into())
}

impl Db for D1 {
    fn query(&self, stmt: Stmt) -> BoxFuture<'_, Result<Rows, DbError>> {
        Box::pin(SendFuture::new(async move { Ok(self.run(vec![stmt]).await?.pop().unwrap_or_default()) }))
    }

    fn batch(&self, stmts: Vec<Stmt>) -> BoxFuture<'_, Result<Vec<Rows>, DbError>> {
        Box::pin(SendFuture::new(self.run(stmts)))
    }
}

fn prepare(database: &D1Database, stmt: &Stmt) -> Result<D1PreparedStatement, DbError> {
    let args: Vec<JsValue> = stmt.args.iter().map(argument).collect();
    let statement = database.prepare(stmt.sql.text());
    statement.bind(&args).map_err(|_| DbError::Invalid("an argument was not accepted".to_owned()))
}

/// D1 refuses `undefined`, so NULL is JavaScript's `null`; whole numbers are JavaScript numbers, which the port's ±2^53
/// allows.
fn argument(value: &Value) -> JsValue {
    match value {
        Value::Null => JsValue::NULL,
        Value::Int(number) => JsValue::from_f64(*number as f64),
        Value::Real(number) => JsValue::from_f64(*number),
        Value::Text(text) => JsValue::from_str(text),
    }
}

/// What D1 says of one statement.
#[derive(Deserialize)]
struct Answer {
    /// `null` or absent where it says that there can be none.
    results: Option<Vec<Line>>,
    meta: Option<Meta>,
}

#[derive(Deserialize)]
struct Meta {
    changes: Option<u64>,
}

fn rows(answer: Answer) -> Rows {
    let changed = answer.meta.and_then(|meta| meta.changes).unwrap_or(0);
    Rows { rows: answer.results.into_iter().flatten().map(|line| line.0).collect(), changed }
}

/// One row.
struct Line(Row);

impl<'de> Deserialize<'de> for Line {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(LineVisitor).map(Self)
    }
}

struct LineVisitor;

impl<'de> Visitor<'de> for LineVisitor {
    type Value = Row;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut cells: A) -> Result<Row, A::Error> {
        let mut row = Row::new();
        while let Some((name, Cell(value))) = cells.next_entry()? {
            row.insert(name, value);
        }
        Ok(row)
    }
}

/// One value of a row, as JavaScript writes it.
struct Cell(Value);

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CellVisitor).map(Self)
    }
}

struct CellVisitor;

impl Visitor<'_> for CellVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NULL, a number or text")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        self.visit_f64(value as f64)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        self.visit_f64(value as f64)
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        // A JavaScript number does not say whether it was an integer in SQL; a whole one within the port's range was.
        let whole = value.fract() == 0.0 && value.abs() <= MAX_INT as f64;
        Ok(if whole { Value::Int(value as i64) } else { Value::Real(value) })
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value))
    }
}
