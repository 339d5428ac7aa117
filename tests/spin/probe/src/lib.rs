//! The conformance suites as a component. It is made of the very source of `functions/spin/src/ports`, because a component
//! shows nothing of itself to other crates. `POST /<suite>` runs one: 200, or a trap with the broken promise on standard error.

// The paths of functions/spin, where these files mean each other.
#[path = "../../../../functions/spin/src/alone.rs"]
mod alone;
#[path = "../../../../functions/spin/src/migrations.rs"]
mod migrations;
#[path = "../../../../functions/spin/src/ports/mod.rs"]
mod ports;

#[cfg(feature = "postgres")]
mod pg_traps;
mod queue_suite;

use std::cell::Cell;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::unfold;
use http::StatusCode;
use http_body::Frame;
use http_body_util::{Full, StreamBody};
use send_wrapper::SendWrapper;
use spin_sdk::http::{BoxBody, Request, box_body};
use spin_sdk::http_service;
use voicecore_conformance::{actors, blob, clock, db, http as outbound, kv, queue, rate_limits, rng};
use voicecore_ports::{Db, HttpError, HttpRequest, Kv, Ports, Stmt};
use voicecore_types::Quota;

/// How long a request of the tests takes that is in the middle of something.
const SLOW: Duration = Duration::from_millis(500);
/// The key of a number in the key-value store.
const COUNTER: &str = "probe-count";
/// How long one takes that lets nobody else do anything: longer than the time that the tests' host gives it.
const BUSY: Duration = Duration::from_secs(2);

thread_local! {
    /// Requests that this instance has begun, and that it is in the middle of.
    static BEGUN: Cell<u32> = const { Cell::new(0) };
    static INSIDE: Cell<u32> = const { Cell::new(0) };
}

#[http_service]
async fn handle(request: Request) -> http::Response<BoxBody> {
    BEGUN.set(BEGUN.get() + 1);
    match request.uri().path().strip_prefix("/shared") {
        Some(path) => shared(path).await,
        None => alone::alone(alone(request)).await.map(box_body),
    }
}

/// Those of the product: with the feature, over PostgreSQL where the manifest gives its address.
async fn ports() -> Ports {
    #[cfg(feature = "postgres")]
    if let Ok(address) = spin_sdk::variables::get(ports::postgres::DATABASE_URL.to_lowercase()).await {
        return ports::all_with_postgres(&address);
    }
    ports::all()
}

/// What a component is in for that does not ask to be alone, as the product does: to show that the host is like that.
async fn shared(path: &str) -> http::Response<BoxBody> {
    INSIDE.set(INSIDE.get() + 1);
    let panics = path == "/panic";
    spin_sdk::time::sleep(if panics { SLOW / 2 } else { SLOW }).await;
    assert!(!panics, "on purpose");
    let inside = INSIDE.get();
    INSIDE.set(inside - 1);
    answer(StatusCode::OK, inside.to_string())
}

/// With the guard of the product.
async fn alone(request: Request) -> http::Response<BoxBody> {
    let ports = ports().await;
    let query = request.uri().query().unwrap_or_default().to_owned();
    match request.uri().path() {
        "/db" => db::suite(ports.db).await,
        "/blob" => blob::suite(ports.blob).await,
        // The query is a word that no earlier run has used.
        "/kv" => kv::suite(ports.kv, &query).await,
        "/queue" => {
            let (sender, clock) = (Arc::clone(&ports.queue), Arc::clone(&ports.clock));
            queue::suite(sender, clock, async || queue_suite::delivered(&ports).await).await;
            queue_suite::run(&ports).await;
        }
        "/drain" => return answer(StatusCode::OK, queue_suite::drained(&ports).await),
        "/clock" => clock::suite(ports.clock).await,
        "/rng" => rng::suite(&ports.rng),
        "/rate-limits" => rate_limits::suite(ports.rate_limits, &query, Quota::per_minute(20)).await,
        "/actors" => actors::suite_without(ports.actors).await,
        "/http" => {
            let (base, nobody) = query.split_once('&').unwrap_or_default();
            outbound::suite(ports.http, base, nobody).await;
        }
        "/count" => return count(&*ports.db).await,
        "/count-late" => {
            spin_sdk::time::sleep(SLOW).await;
            return count(&*ports.db).await;
        }
        "/count-in-kv" => count_in_kv(&*ports.kv).await,
        "/counted-in-kv" => return answer(StatusCode::OK, counted_in_kv(&*ports.kv).await.to_string()),
        "/reach" => return answer(StatusCode::OK, reach(&*ports.http, query).await),
        "/slow" => spin_sdk::time::sleep(SLOW).await,
        // The answer goes out, and what was spawned goes on.
        "/later" => spin_sdk::wasip3::spawn(async move {
            spin_sdk::time::sleep(SLOW).await;
            count(&*ports.db).await;
        }),
        #[cfg(feature = "postgres")]
        path if path.starts_with("/pg/") => return answer(StatusCode::OK, pg_traps::run(&ports, path).await),
        "/panic" => {
            // In the middle of something, so that others could be in the same instance.
            spin_sdk::time::sleep(SLOW / 5).await;
            unreachable!("on purpose");
        }
        "/busy" => busy(),
        "/begun" => return answer(StatusCode::OK, BEGUN.get().to_string()),
        "/parts" => return in_parts(),
        _ => return answer(StatusCode::NOT_FOUND, String::new()),
    }
    answer(StatusCode::OK, "passed".to_owned())
}

fn answer(status: StatusCode, text: String) -> http::Response<BoxBody> {
    let mut response = http::Response::new(box_body(Full::new(Bytes::from(text))));
    *response.status_mut() = status;
    response
}

/// Two parts, the second one long after the first.
fn in_parts() -> http::Response<BoxBody> {
    let parts = unfold(0, |part| async move {
        if part == 2 {
            return None;
        }
        if part == 1 {
            spin_sdk::time::sleep(SLOW).await;
        }
        Some((Ok::<_, Infallible>(Frame::data(Bytes::from(format!("part {part}\n")))), part + 1))
    });
    http::Response::new(box_body(StreamBody::new(SendWrapper::new(parts))))
}

/// Never gives the host a chance to do anything else with this instance.
#[expect(clippy::disallowed_methods, reason = "a loop that must not wait has to look at the clock")]
fn busy() {
    let began = std::time::Instant::now();
    while began.elapsed() < BUSY {
        std::hint::spin_loop();
    }
}

/// The number in the key-value store.
async fn counted_in_kv(kv: &dyn Kv) -> u32 {
    let stored = kv.get(COUNTER).await.ok().flatten();
    stored.and_then(|text| String::from_utf8(text).ok()?.parse().ok()).unwrap_or(0)
}

/// Adds one to it, in the only way there is.
async fn count_in_kv(kv: &dyn Kv) {
    let before = counted_in_kv(kv).await;
    // Others look at the same time.
    spin_sdk::time::sleep(SLOW / 10).await;
    assert!(kv.put(COUNTER, (before + 1).to_string().into_bytes(), 3_600).await.is_ok());
}

/// Adds one to a counter that every instance shares.
async fn count(db: &dyn Db) -> http::Response<BoxBody> {
    let table = Stmt::new("create table if not exists probe_count (n bigint not null)", vec![]);
    let first = "insert into probe_count (n) select 0 where not exists (select 1 from probe_count)";
    let add = Stmt::new("update probe_count set n = n + 1 returning n", vec![]);
    match db.batch(vec![table, Stmt::new(first, vec![]), add.exactly(1)]).await {
        Ok(_) => answer(StatusCode::OK, String::new()),
        Err(error) => answer(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
    }
}

/// What the port says of a server.
async fn reach(http: &dyn voicecore_ports::Http, url: String) -> String {
    let request =
        HttpRequest { method: "GET", url, headers: Vec::new(), body: Vec::new(), timeout_ms: 10_000 };
    match http.send(request).await {
        Ok(response) => response.status.to_string(),
        Err(HttpError::Unreachable) => "unreachable".to_owned(),
        Err(error) => error.to_string(),
    }
}
