//! Who is asked: the release worker, the baseline and the platform's floor. All hold the same calls.

use std::fmt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::Serialize;
use serde_json::json;
use tokio::time::sleep;

use super::Options;
use super::load::Route;
use crate::load::http::{Door, get_status, send};
use crate::process::pinned;
use crate::subjects::{PASSWORD, Running, in_workerd, root, running, storage_in_memory, voicecore};

/// Calls that there are.
pub(crate) const CALLS: u32 = 10_000;
const FASTAPI_PORT: u16 = 19_804;
const NOBODY_PORT: u16 = 9;
const FASTAPI_KEY: &str = "vc_0123456789abcdef_0123456789abcdef0123456789abcdef0123456789abcdef";
const TRIES: u32 = 600;

/// A REST API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Subject {
    /// The baseline.
    Fastapi,
    /// The platform's floor: the least that a worker can do, in JavaScript. *List* and *get* only.
    JsWorker,
    /// The release worker in workerd.
    Workers,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Fastapi => "FastAPI",
            Self::JsWorker => "JavaScript worker",
            Self::Workers => "Workers",
        })
    }
}

impl Subject {
    /// It answers this.
    pub(crate) fn serves(self, route: Route) -> bool {
        self != Self::JsWorker || matches!(route, Route::List | Route::Get)
    }

    /// Starts it on `core`, filled.
    pub(crate) async fn start(self, core: u16, options: &Options) -> anyhow::Result<Running> {
        match self {
            Self::Fastapi => fastapi(core, &options.python).await,
            Self::JsWorker => js_worker(core, &options.build).await,
            Self::Workers => workers(core, &options.build).await,
        }
    }
}

/// The id of a call, from 1.
pub(crate) fn call_id(number: u32) -> String {
    format!("01939a2b-0000-7000-8000-{number:012x}")
}

async fn workers(core: u16, build: &Path) -> anyhow::Result<Running> {
    let mut running = voicecore(core, build, "on", &[]).await?;
    // A real call, of which the others are copies: its caller's number is sealed, and each copy is opened when it is shown.
    let door = Door {
        app: &running.app,
        public_url: &running.public_url,
        webhook: &running.webhook,
        account_sid: &running.account_sid,
        auth_token: &running.auth_token,
        to: &running.to,
    };
    send(&running.app, &door.voice("CA00000000000000000000000000000001")).await?;
    let numbers = format!(
        "with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < {CALLS})"
    );
    running.sql(&json!({"sql": format!(
        "insert into calls (id, tenant_id, business_id, phone_number_id, carrier_call_id, direction, status, caller_number,
            caller_number_hash, started_at, answered_at, ended_at, finished_at, end_reason, attempts, model_sessions,
            interaction_count, model, cost_micros)
         {numbers}
         select '01939a2b-0000-7000-8000-' || printf('%012x', n), c.tenant_id, c.business_id, c.phone_number_id,
            'CB' || printf('%032x', n), c.direction, 'completed', c.caller_number, c.caller_number_hash,
            1700000000000 + n * 60000, 1700000001000 + n * 60000, 1700000061000 + n * 60000, 1700000061000 + n * 60000,
            'caller_hung_up', 1, 1, 20, 'gpt-realtime', 50000
         from numbers, calls c where c.carrier_call_id like 'CA%'"
    )}))?;
    running.sql(&json!({"sql": format!(
        "insert into call_words (tenant_id, word, at, call_id)
         {numbers}, words(k) as (select 0 union all select k + 1 from words where k < 19)
         select c.tenant_id, 'w' || ((n * 7 + k) % 500), 1700000000000 + n * 60000,
            '01939a2b-0000-7000-8000-' || printf('%012x', n)
         from numbers, words, calls c where c.carrier_call_id like 'CA%'"
    )}))?;
    running.sql(&json!({"sql": "delete from call_events"}))?;
    running.sql(&json!({"sql": "delete from calls where carrier_call_id like 'CA%'"}))?;
    Ok(running)
}

/// The floor on the database that the product has filled. It opens no sealed numbers: they lie open in it.
async fn js_worker(core: u16, build: &Path) -> anyhow::Result<Running> {
    let mut filled = workers(core, build).await?;
    filled.sql(&json!({"sql": "update calls set caller_number = '+15005550199'"}))?;
    let (storage, api_key) = (filled.storage.take().context("no storage")?, filled.api_key.clone());
    drop(filled);
    let mut running = in_workerd(core, storage, &json!({"build": "tests/bench/js-worker", "actors": false}))?;
    running.api_key = api_key;
    Ok(running)
}

/// `cargo xtask bench` has made its environment.
async fn fastapi(core: u16, python: &Path) -> anyhow::Result<Running> {
    let storage = storage_in_memory()?;
    let log = std::fs::File::create(storage.path().join("log"))?;
    let child = pinned(core, &python.join("bin/uvicorn").to_string_lossy())
        .args(["app:app", "--host", "127.0.0.1", "--port", &FASTAPI_PORT.to_string()])
        .args(["--workers", "1", "--no-access-log"])
        .current_dir(root().join("tests/bench/fastapi"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("BENCH_DATABASE", storage.path().join("bench.db"))
        .env("BENCH_CALLS", CALLS.to_string())
        .env("BENCH_KEY", FASTAPI_KEY)
        .env("BENCH_PASSWORD", PASSWORD)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()?;
    let mut running = running(FASTAPI_PORT, NOBODY_PORT, "", child);
    FASTAPI_KEY.clone_into(&mut running.api_key);
    running.storage = Some(storage);
    for _ in 0..TRIES {
        if get_status(&running.app, "/api/v1/calls").await.is_ok_and(|status| status == 401) {
            return Ok(running);
        }
        sleep(Duration::from_millis(100)).await;
    }
    bail!("the baseline is not ready")
}
