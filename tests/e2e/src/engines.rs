//! The worker on each of its databases: D1, and PostgreSQL over Hyperdrive, on a server of this process's own.

use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use serde_json::Value as Json;
use voicecore_conformance::doubles::PostgresDb;
use voicecore_conformance::{outside, report};
use voicecore_ports::{Db as _, Reach, Sql, Stmt, Value};

use crate::cases::Outcome;
use crate::workerd::{Options, Workerd};

/// What `cargo xtask test` has built for these.
pub(crate) const WITH_POSTGRES: &str = "functions/cloudflare/build-postgres";
const SUITES: &str = "target/workers-probe";
/// The product's own.
const ACTORS: &str = "functions/cloudflare/actors/build";
/// A broken promise is a panic, after which the request gets no answer.
const SUITE_LIMIT: Duration = Duration::from_mins(1);
/// What the probe's requests may be counted by.
const RATE_LIMIT_PER_MIN: u32 = 20;

/// The suites that the probe runs besides that of the database: they do not depend on it.
fn other_suites() -> anyhow::Result<Vec<(String, &'static str)>> {
    let server = TcpListener::bind("127.0.0.1:0")?;
    let nobody = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let http = format!("/http?base=http://{}&nobody=http://{nobody}", server.local_addr()?);
    outside::serve(server);
    Ok(vec![
        ("/kv".to_owned(), "Kv"),
        ("/blob".to_owned(), "Blob"),
        ("/queue".to_owned(), "Queue"),
        (http, "Http"),
        ("/clock".to_owned(), "Clock"),
        ("/rng".to_owned(), "Rng"),
        (format!("/rate-limits?quota={RATE_LIMIT_PER_MIN}"), "RateLimits"),
        ("/actors".to_owned(), "Actors"),
    ])
}

/// A database of the worker's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    D1,
    Postgres,
}

impl Engine {
    /// For the table of what ran where.
    pub(crate) const fn backend(self) -> &'static str {
        match self {
            Self::D1 => "Workers D1",
            Self::Postgres => "Workers PostgreSQL",
        }
    }
}

/// The database of one system.
pub(crate) enum Database {
    /// workerd has it.
    D1,
    /// With every migration applied; workerd connects as the product does, to which row-level security applies.
    Postgres(PostgresDb),
}

impl Database {
    /// A new one.
    pub(crate) fn new(engine: Engine) -> Self {
        match engine {
            Engine::D1 => Self::D1,
            Engine::Postgres => Self::Postgres(PostgresDb::migrated()),
        }
    }

    pub(crate) const fn engine(&self) -> Engine {
        match self {
            Self::D1 => Engine::D1,
            Self::Postgres(_) => Engine::Postgres,
        }
    }

    /// What the harness has to be told for the product on it.
    pub(crate) fn options(&self) -> Options {
        match self {
            Self::D1 => Options::default(),
            Self::Postgres(db) => Options {
                build: Some(WITH_POSTGRES),
                postgres: Some(with_password(&db.address())),
                ..Options::default()
            },
        }
    }

    /// Runs a statement, whosever rows it is about.
    pub(crate) async fn run(
        &self,
        workerd: &Workerd,
        sql: &'static str,
        args: &[Json],
    ) -> anyhow::Result<()> {
        let Self::Postgres(db) = self else { return workerd.sql(sql, args).await.map(drop) };
        let args = args.iter().map(value).collect::<anyhow::Result<_>>()?;
        db.query(Stmt::of(Sql::new(sql), args).reaching(Reach::EveryTenant)).await?;
        Ok(())
    }
}

/// Hyperdrive wants one in its address. The tests' server asks for none.
fn with_password(address: &str) -> String {
    address.replacen('@', ":unused@", 1)
}

fn value(json: &Json) -> anyhow::Result<Value> {
    Ok(match json {
        Json::Null => Value::Null,
        Json::String(text) => text.as_str().into(),
        Json::Number(number) if number.is_i64() => number.as_i64().unwrap_or_default().into(),
        other => anyhow::bail!("{other} is no argument of SQL"),
    })
}

/// The suites of the ports, by the worker that is made of the product's own adapters (`tests/workers`).
pub(crate) async fn ports(engine: Engine, directory: &Path) -> anyhow::Result<Outcome> {
    // The suite makes tables of its own, in a database of its own.
    let db = (engine == Engine::Postgres).then(PostgresDb::empty);
    let options = Options {
        build: Some(SUITES),
        postgres: db.as_ref().map(|db| with_password(&db.owner_address())),
        actors: Some(ACTORS),
        ..Options::default()
    };
    let vars = serde_json::json!({"RATE_LIMIT_PER_MIN": RATE_LIMIT_PER_MIN.to_string()});
    let workerd = Workerd::start(0, &directory.join("state"), &vars, options).await?;
    let client = reqwest::Client::builder().timeout(SUITE_LIMIT).build()?;
    let mut problems = Vec::new();
    let mut passed = Vec::new();
    let others = if engine == Engine::D1 { other_suites()? } else { vec![] };
    for (path, suite) in std::iter::once(("/db".to_owned(), "Db")).chain(others) {
        let response = client.post(format!("{}{path}", workerd.url())).send().await;
        match response.and_then(reqwest::Response::error_for_status) {
            Ok(_) => {
                report::passed(suite, engine.backend());
                passed.push(suite);
            }
            Err(error) => problems.push(format!("{suite}: {:#}", anyhow::Error::from(error))),
        }
    }
    workerd.stop().await;
    if !problems.is_empty() {
        let log = std::fs::read_to_string(directory.join("state/workerd.log")).unwrap_or_default();
        problems.extend(log.lines().take(20).map(|line| format!("workerd: {line}")));
    }
    Ok(Outcome { note: passed.join(", "), problems })
}
