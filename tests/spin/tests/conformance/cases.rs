//! What is tested.

use std::collections::BTreeMap;
use std::net::TcpListener;

use anyhow::{Result, ensure};
use serde_json::Value;
use voicecore_conformance::doubles::{Numbers, PostgresDb, SqliteDb};
use voicecore_conformance::http_api::{Answer, Ask, Site, suite};
use voicecore_conformance::{block_on, outside, report};
use voicecore_domain::credentials::SetupToken;
use voicecore_e2e::turn_based::{ACCOUNT_SID, AUTH_TOKEN, PUBLIC_URL};
use voicecore_ports::{Db as _, Stmt};

use crate::Case;
use crate::host::{App, Host, JOBS_SECRET, Kind};
use crate::tenant::{EMAIL, setup_row, setup_token};

/// Where the probe may send requests to (its manifest says so).
const OUTSIDE_PORT: u16 = 47_319;
/// The same, where nobody is.
const NOBODYS_PORT: u16 = 47_320;

/// Every case by its name.
pub(crate) fn all() -> Vec<(&'static str, Case)> {
    cases!(
        ports_pass_their_suites,
        ports_pass_their_suites_on_postgres,
        hosts_that_the_manifest_does_not_name_are_not_reached,
        instances_that_start_at_once_migrate_once,
        the_component_passes_the_http_suite,
        the_component_passes_the_http_suite_on_postgres,
        a_database_that_is_locked_is_unavailable_and_recovers,
        jobs_run_for_those_who_know_the_secret,
        who_has_no_secret_for_the_timer_is_not_ready,
        a_job_that_ends_its_instance_costs_no_other_an_attempt,
    )
}

async fn ports_pass_their_suites(kind: Kind) -> Result<()> {
    let host = Host::start(kind, App::Probe).await?;
    // Its manifest says where it may ask; nobody is at the other place.
    outside::serve(TcpListener::bind(("127.0.0.1", OUTSIDE_PORT))?);
    let http = format!("/http?http://127.0.0.1:{OUTSIDE_PORT}&http://127.0.0.1:{NOBODYS_PORT}");
    for (suite, path) in [
        ("Db", "/db"),
        ("Blob", "/blob"),
        ("Kv", "/kv?run"),
        ("Queue", "/queue"),
        ("Http", &http),
        ("Clock", "/clock"),
        ("Rng", "/rng"),
        ("RateLimits", "/rate-limits?run"),
        ("Actors", "/actors"),
    ] {
        host.probe(path).await?;
        report::passed(suite, kind.backend());
    }
    Ok(())
}

/// The suite of `Db` makes tables of its own, so it connects as the owner of the others.
async fn ports_pass_their_suites_on_postgres(kind: Kind) -> Result<()> {
    let db = PostgresDb::migrated();
    let host = Host::start_on_postgres(kind, App::Probe, &db.owner_address()).await?;
    let suites = [("Db", "/db"), ("Blob", "/blob"), ("Queue", "/queue"), ("RateLimits", "/rate-limits?run")];
    for (suite, path) in suites {
        host.probe(path).await?;
        report::passed(suite, kind.backend_on_postgres());
    }
    Ok(())
}

/// Whatever listens there: the probe is told that nobody does.
async fn hosts_that_the_manifest_does_not_name_are_not_reached(kind: Kind) -> Result<()> {
    let host = Host::start(kind, App::Probe).await?;
    let server = TcpListener::bind("127.0.0.1:0")?;
    let address = server.local_addr()?;
    outside::serve(server);
    let said = host.probe(&format!("/reach?http://{address}/echo")).await?;
    ensure!(said == "unreachable", "{said}");
    Ok(())
}

/// The schema is then what the native tests have, and each migration is recorded once.
async fn instances_that_start_at_once_migrate_once(kind: Kind) -> Result<()> {
    let mut host = Host::start(kind, App::Product).await?;
    let url = host.url("/ready");
    let all: Vec<_> = (0..16).map(|_| tokio::spawn(host.client().get(&url).send())).collect();
    for one in all {
        let status = one.await??.status();
        ensure!(status.is_success(), "{status}\n{}", host.log());
    }
    let schema = |rows: Vec<(String, String)>| -> BTreeMap<String, String> {
        rows.into_iter().map(|(name, sql)| (name, uncommented(&sql))).collect()
    };
    let select = "select name, sql from sqlite_schema where sql is not null order by name";
    let database = host.database()?;
    let mut statement = database.prepare(select)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut found = schema(rows.collect::<rusqlite::Result<_>>()?);
    // What only this platform has.
    found.retain(|name, _| !["schema_migrations", "jobs", "jobs_by_due", "blobs"].contains(&name.as_str()));
    let native = block_on(SqliteDb::migrated(Numbers::Integers).query(Stmt::new(select, vec![])))?;
    let text = |value: Option<&voicecore_ports::Value>| match value {
        Some(voicecore_ports::Value::Text(text)) => text.clone(),
        _ => String::new(),
    };
    let native = native.rows.iter().map(|row| (text(row.get("name")), text(row.get("sql")))).collect();
    let native = schema(native);
    ensure!(found == native, "the schema is another:\n{found:#?}\n{native:#?}");
    host.restart().await?;
    ensure!(host.client().get(&url).send().await?.status().is_success(), "after a restart");
    Ok(())
}

/// SQLite keeps a statement as it was written; our splitting of files leaves comments out.
fn uncommented(sql: &str) -> String {
    let code = sql.lines().flat_map(|line| line.split("--").next().unwrap_or_default().split_whitespace());
    code.collect::<Vec<_>>().join(" ")
}

async fn the_component_passes_the_http_suite(kind: Kind) -> Result<()> {
    let mut host = Host::start(kind, App::Product).await?;
    let token = setup_token(&host).await?;
    http_suite(&host, &token).await;
    report::passed("HTTP API", kind.backend());
    // Nothing of it is lost with the process.
    host.restart().await?;
    let tenants: u32 = host.database()?.query_row("select count(*) from tenants", [], |row| row.get(0))?;
    ensure!(tenants == 1 && host.client().get(host.url("/ready")).send().await?.status().is_success());
    let traces = host.traces(Some(EMAIL)).await?;
    ensure!(traces.is_empty(), "{traces:#?}");
    Ok(())
}

/// As the product connects: a role that owns nothing, under row-level security.
async fn the_component_passes_the_http_suite_on_postgres(kind: Kind) -> Result<()> {
    let db = PostgresDb::migrated();
    let host = Host::start_on_postgres(kind, App::Product, &db.address()).await?;
    let (token, insert, row) = setup_row();
    db.query(Stmt::new(insert, row)).await?;
    http_suite(&host, &token).await;
    let tenants = db.admin("select count(*) from tenants");
    ensure!(tenants == [["1"]], "{tenants:?} tenants");
    let traces = host.traces(None).await?;
    ensure!(traces.is_empty(), "{traces:#?}");
    report::passed("HTTP API", kind.backend_on_postgres());
    Ok(())
}

async fn http_suite(host: &Host, token: &SetupToken) {
    suite(&Site {
        send: &|ask| Box::pin(send(host, ask)),
        public_url: PUBLIC_URL,
        account_sid: ACCOUNT_SID,
        auth_token: AUTH_TOKEN,
        setup_token: token.expose(),
        setup_email: EMAIL,
        number: "+12025550150",
    })
    .await;
}

async fn send(host: &Host, ask: Ask) -> Result<Answer, String> {
    let method = ask.method.parse().map_err(|_| "no method".to_owned())?;
    let mut request = host.client().request(method, host.url(&ask.path)).body(ask.body);
    for (name, value) in ask.headers {
        request = request.header(name, value);
    }
    let response = request.send().await.map_err(|error| error.to_string())?;
    let header = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
        (name.to_string(), value.to_str().unwrap_or_default().to_owned())
    };
    Ok(Answer {
        status: response.status().as_u16(),
        headers: response.headers().iter().map(header).collect(),
        body: response.bytes().await.map_err(|error| error.to_string())?.into(),
    })
}

async fn a_database_that_is_locked_is_unavailable_and_recovers(kind: Kind) -> Result<()> {
    let host = Host::start(kind, App::Product).await?;
    let ready = async || anyhow::Ok(host.client().get(host.url("/ready")).send().await?.status().as_u16());
    ensure!(ready().await? == 200, "{}", host.log());
    let database = host.database()?;
    database.execute_batch("begin exclusive")?;
    ensure!(ready().await? == 503, "a locked database answers");
    database.execute_batch("rollback")?;
    ensure!(ready().await? == 200, "it does not recover: {}", host.log());
    Ok(())
}

async fn jobs_run_for_those_who_know_the_secret(kind: Kind) -> Result<()> {
    let host = Host::start(kind, App::Product).await?;
    let run = async |secret: &str| {
        let request = host.client().post(host.url("/jobs/run")).header("authorization", secret);
        let response = request.send().await?;
        let status = response.status().as_u16();
        anyhow::Ok((status, response.json::<Value>().await?))
    };
    for bad in ["", "Bearer ", "Bearer wrong", JOBS_SECRET, &format!("Bearer {JOBS_SECRET}x"), "Bearer a"] {
        let (status, problem) = run(bad).await?;
        ensure!(
            (status, problem["code"].as_str()) == (401, Some("unauthenticated")),
            "{bad}: {status} {problem}"
        );
    }
    let good = format!("Bearer {JOBS_SECRET}");
    let (status, ran) = run(&good).await?;
    ensure!(
        (status, &ran["done"], &ran["failed"]) == (200, &Value::from(0), &Value::from(0)),
        "{status} {ran}"
    );
    // One is done (a call that nobody knows), one is no job of ours and waits for another try, one is given up.
    let database = host.database()?;
    let put = "insert into jobs (id, job, due_at, attempts) values (?1, ?2, 0, ?3)";
    let known = r#"{"job":"take_status","carrier_call_id":"CA0123456789abcdef0123456789abcdef","status":"completed","at":1}"#;
    database.execute(put, rusqlite::params!["a", known, 0])?;
    database.execute(put, rusqlite::params!["b", r#"{"job":"unknown"}"#, 0])?;
    database.execute(put, rusqlite::params!["c", "{", 10])?;
    let (status, ran) = run(&good).await?;
    let counts = (&ran["done"], &ran["failed"], &ran["given_up"]);
    ensure!(status == 200 && counts == (&1.into(), &1.into(), &1.into()), "{status} {ran}\n{}", host.log());
    let left: String = database.query_row(
        "select group_concat(id || attempts) from (select * from jobs order by id)",
        [],
        |row| row.get(0),
    )?;
    ensure!(left == "b1,c10", "{left}");
    ensure!(run(&good).await?.1["failed"] == 0, "what failed is tried again at once");
    Ok(())
}

/// Nothing that waits would ever be done; the telephone is answered.
async fn who_has_no_secret_for_the_timer_is_not_ready(kind: Kind) -> Result<()> {
    for value in ["", "too short"] {
        let host = Host::start_set(kind, "JOBS_SECRET", value).await?;
        let answer = host.client().get(host.url("/ready")).send().await?;
        let (status, problem) = (answer.status().as_u16(), answer.json::<Value>().await?);
        ensure!((status, problem["code"].as_str()) == (503, Some("config_missing")), "{status} {problem}");
        ensure!(problem["missing"] == serde_json::json!(["JOBS_SECRET"]), "{problem}");
        let unsigned = host.client().post(host.url("/webhooks/twilio/voice")).send().await?;
        ensure!(unsigned.status().as_u16() == 403, "{}", unsigned.status());
    }
    Ok(())
}

/// What lies behind it is not taken with it, and is done when the timer asks again.
async fn a_job_that_ends_its_instance_costs_no_other_an_attempt(kind: Kind) -> Result<()> {
    let host = Host::start(kind, App::Probe).await?;
    ensure!(host.probe("/drain").await? == "0 done, 0 given up");
    let database = host.database()?;
    for (due_at, id, job) in [(1, "a", "0"), (2, "b", "\"panic\""), (3, "c", "0"), (4, "d", "0")] {
        let put = "insert into jobs (id, job, due_at) values (?1, ?2, ?3)";
        database.execute(put, rusqlite::params![id, job, due_at])?;
    }
    let left = || {
        let all = "select group_concat(id || attempts) from (select * from jobs order by id)";
        database.query_row(all, [], |row| row.get::<_, String>(0))
    };
    ensure!(host.probe("/drain").await.is_err(), "nothing has ended");
    ensure!(left()? == "b1,c0,d0", "{}\n{}", left()?, host.log());
    ensure!(host.probe("/drain").await? == "2 done, 0 given up");
    ensure!(left()? == "b1", "{}", left()?);
    Ok(())
}
