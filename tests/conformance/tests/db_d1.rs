//! The suite of `Db` against D1 under workerd (Miniflare): its engine, its batches, its error messages, its numbers.
//! What is on this side of the wire is [`Guarded`] and [`guard::sqlite_error`], as in the worker's adapter.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value as Json, json};
use voicecore_conformance::{block_on, db, report};
use voicecore_ports::guard::{self, Guarded};
use voicecore_ports::{BoxFuture, Db, DbError, Row, Rows, Stmt, Value};

/// A D1 database in a process of its own, which ends with this value.
struct D1(Mutex<Pipe>);

struct Pipe {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl D1 {
    /// Fails where node or miniflare is missing: `cargo xtask setup` brings both.
    fn start() -> io::Result<Self> {
        let mut child = Command::new("node")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("d1.mjs"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (Some(to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let mut pipe = Pipe { child, to, from: BufReader::new(from) };
        assert_eq!(pipe.read()?, json!({ "ready": true }));
        Ok(Self(Mutex::new(pipe)))
    }

    fn run(&self, stmts: Vec<Stmt>) -> Result<Vec<Rows>, DbError> {
        if stmts.is_empty() {
            return Ok(vec![]);
        }
        let guarded = Guarded::new(stmts)?;
        let lines = guarded.stmts.iter().map(|stmt| {
            json!({ "sql": stmt.sql.text(), "args": stmt.args.iter().map(to_json).collect::<Vec<_>>() })
        });
        let mut pipe = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = pipe.ask(&lines.collect()).map_err(|_| DbError::Unavailable)?;
        match answer.get("results").and_then(Json::as_array) {
            Some(results) => Ok(guarded.results(results.iter().map(rows).collect())),
            None => Err(guard::sqlite_error(answer["error"].as_str().unwrap_or_default())),
        }
    }
}

impl Pipe {
    fn ask(&mut self, question: &Json) -> io::Result<Json> {
        writeln!(self.to, "{question}")?;
        self.read()
    }

    fn read(&mut self) -> io::Result<Json> {
        let mut line = String::new();
        self.from.read_line(&mut line)?;
        Ok(serde_json::from_str(&line)?)
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // Only the process that this value started; there is nothing to be done if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn to_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Int(n) => json!(n),
        Value::Real(x) => json!(x),
        Value::Text(text) => json!(text),
    }
}

fn rows(result: &Json) -> Rows {
    let row = |row: &Json| -> Row {
        let columns = row.as_object().into_iter().flatten();
        columns.map(|(name, value)| (name.clone(), from_json(value))).collect()
    };
    let rows = result["rows"].as_array().into_iter().flatten().map(row).collect();
    Rows { rows, changed: result["changed"].as_u64().unwrap_or_default() }
}

fn from_json(value: &Json) -> Value {
    match value {
        Json::Null => Value::Null,
        Json::String(text) => Value::Text(text.clone()),
        Json::Number(n) => match n.as_i64() {
            Some(n) => Value::Int(n),
            None => Value::Real(n.as_f64().unwrap_or(f64::NAN)),
        },
        other => unreachable!("D1 gave {other}"),
    }
}

impl Db for D1 {
    fn query(&self, stmt: Stmt) -> BoxFuture<'_, Result<Rows, DbError>> {
        Box::pin(async move { Ok(self.run(vec![stmt])?.pop().unwrap_or_default()) })
    }

    fn batch(&self, stmts: Vec<Stmt>) -> BoxFuture<'_, Result<Vec<Rows>, DbError>> {
        Box::pin(async move { self.run(stmts) })
    }
}

#[test]
fn d1_keeps_the_promises_of_db() {
    block_on(db::suite(Arc::new(D1::start().unwrap())));
    report::passed("Db", "Workers");
}
