//! The conformance suites as a component. It is made of the very source of `functions/spin/src/ports`, because a component
//! shows nothing of itself to other crates. `POST /<suite>` runs one: 200, or a trap with the broken promise on standard error.

// The paths of functions/spin, where these files mean each other.
#[path = "../../../../functions/spin/src/alone.rs"]
mod alone;
#[path = "../../../../functions/spin/src/migrations.rs"]
mod migrations;
#[path = "../../../../functions/spin/src/ports/mod.rs"]
mod ports;

mod queue_suite;

use std::time::Duration;

use http::StatusCode;
use spin_sdk::http::Request;
use spin_sdk::http_service;
use voicecore_conformance::{blob, db, kv};
use voicecore_ports::{Db, HttpError, HttpRequest, Stmt};

/// How long a request of the tests takes that is in the middle of something.
const SLOW: Duration = Duration::from_millis(500);

#[http_service]
async fn handle(request: Request) -> (StatusCode, String) {
    let _alone = alone::Alone::begin();
    let ports = ports::all();
    let query = request.uri().query().unwrap_or_default().to_owned();
    match request.uri().path() {
        "/db" => db::suite(ports.db).await,
        "/blob" => blob::suite(ports.blob).await,
        // The query is a word that no earlier run has used.
        "/kv" => kv::suite(ports.kv, &query).await,
        "/queue" => queue_suite::run(&ports).await,
        "/count" => return count(&*ports.db).await,
        "/slow" => spin_sdk::time::sleep(SLOW).await,
        "/panic" => {
            // In the middle of something, so that others could be in the same instance.
            spin_sdk::time::sleep(SLOW / 5).await;
            unreachable!("on purpose");
        }
        "/http" => return (StatusCode::OK, fetch(&*ports.http, &query).await),
        _ => return (StatusCode::NOT_FOUND, String::new()),
    }
    (StatusCode::OK, "passed".to_owned())
}

/// Adds one to a counter that every instance shares.
async fn count(db: &dyn Db) -> (StatusCode, String) {
    let table = Stmt::new("create table if not exists probe_count (n bigint not null)", vec![]);
    let first = "insert into probe_count (n) select 0 where not exists (select 1 from probe_count)";
    let add = Stmt::new("update probe_count set n = n + 1 returning n", vec![]);
    match db.batch(vec![table, Stmt::new(first, vec![]), add.exactly(1)]).await {
        Ok(_) => (StatusCode::OK, String::new()),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
    }
}

/// What the port makes of a GET of `<timeout>&<url>`.
async fn fetch(http: &dyn voicecore_ports::Http, query: &str) -> String {
    let (timeout, url) = query.split_once('&').unwrap_or_default();
    let request = HttpRequest {
        method: "POST",
        url: url.to_owned(),
        headers: vec![("x-probe".to_owned(), "yes".to_owned())],
        body: b"ping".to_vec(),
        timeout_ms: timeout.parse().unwrap_or_default(),
    };
    match http.send(request).await {
        Ok(response) => format!("{} {}", response.status, String::from_utf8_lossy(&response.body)),
        Err(HttpError::Unreachable) => "unreachable".to_owned(),
        Err(HttpError::TimedOut) => "timed out".to_owned(),
        Err(HttpError::Invalid) => "invalid".to_owned(),
    }
}
