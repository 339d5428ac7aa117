//! `POST /jobs/run`: what waits in the queue and the job of every minute, for an outside timer, because Spin has none.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use subtle::ConstantTimeEq as _;
use voicecore_api::{ApiError, AppState, ConfigMissing, jobs};
use voicecore_ports::DbError;
use voicecore_types::Secret;

use crate::ports::queue;

/// Where the timer asks.
pub(crate) const PATH: &str = "/jobs/run";
/// The configuration value that the timer must show.
pub(crate) const SECRET: &str = "JOBS_SECRET";
/// Its fewest bytes, as of `JWT_SECRET`.
const MIN_SECRET_BYTES: usize = 32;

/// What runs jobs.
pub(crate) struct Runner {
    app: AppState,
    secret: Result<Secret<String>, ConfigMissing>,
}

/// What a run did.
#[derive(Serialize, Default)]
struct Ran {
    /// Jobs done.
    done: u32,
    /// Jobs that failed, and wait for another try.
    failed: u32,
    /// Jobs given up since the last run.
    given_up: u64,
    /// Calls closed whose end never came.
    closed: u32,
    /// Calls that could not be closed now.
    not_closed: u32,
    /// Entries of audit logs that were sealed.
    sealed: u32,
    /// Tenants whose entries could not be sealed now.
    not_sealed: u32,
    /// Keys that are wrapped by the new `MASTER_KEY` now.
    rewrapped: u32,
    /// Keys that neither `MASTER_KEY` nor `MASTER_KEY_PREVIOUS` opens.
    not_rewrapped: u32,
    /// Tenants of whom nothing is left.
    tenants_deleted: u32,
    /// Tenants whose deletion could not go on now.
    tenants_not_deleted: u32,
    /// A limit was reached: ask again soon.
    more: bool,
}

impl Runner {
    pub(crate) fn new(app: AppState, secret: Result<Secret<String>, ConfigMissing>) -> Self {
        Self { app, secret }
    }

    /// `Authorization: Bearer <JOBS_SECRET>`, compared in a time that says nothing of where they differ.
    fn authorize(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        let secret = self.secret.as_ref().map_err(|missing| ApiError::ConfigMissing(vec![*missing]))?;
        let shown = headers.get(header::AUTHORIZATION).map(http::HeaderValue::as_bytes);
        let shown = shown.and_then(|value| value.strip_prefix(b"Bearer ")).unwrap_or_default();
        if bool::from(shown.ct_eq(secret.expose().as_bytes())) {
            Ok(())
        } else {
            Err(ApiError::Unauthenticated(None))
        }
    }

    async fn run(&self) -> Result<Ran, ApiError> {
        let (ports, mut ran) = (&self.app.ports, Ran::default());
        let drained = queue::drain(&*ports.db, &*ports.clock, |job| self.work(job)).await;
        let drained = drained.map_err(|error| unavailable(&error))?;
        (ran.done, ran.failed) = (drained.done, drained.failed);
        (ran.given_up, ran.more) = (drained.given_up, drained.more);
        // No answer of success: whoever set the timer up must see that it fails. What the queue held is done all the same.
        let swept = jobs::scheduled(&self.app).await.map_err(|error| {
            eprintln!("the scheduled job failed: {error}");
            ApiError::Unavailable { part: "scheduled job", cause: error.to_string() }
        })?;
        (ran.closed, ran.not_closed) = (swept.closed, swept.failed);
        (ran.sealed, ran.not_sealed) = (swept.sealed, swept.unsealed);
        (ran.rewrapped, ran.not_rewrapped) = (swept.rewrapped, swept.not_rewrapped);
        (ran.tenants_deleted, ran.tenants_not_deleted) = (swept.tenants_deleted, swept.tenants_not_deleted);
        Ok(ran)
    }

    async fn work(&self, job: String) -> Result<(), String> {
        let job = serde_json::from_str(&job).map_err(|_| "it is not JSON".to_owned())?;
        jobs::handle(&self.app, job).await.map_err(|error| error.to_string())
    }
}

/// What the timer must show, as it is configured. Without it no job is ever done, so `/ready` misses it.
pub(crate) fn secret(configured: Option<String>) -> Result<Secret<String>, ConfigMissing> {
    match configured.filter(|secret| !secret.trim().is_empty()) {
        None => Err(ConfigMissing { name: SECRET, invalid: false }),
        Some(short) if short.len() < MIN_SECRET_BYTES => Err(ConfigMissing { name: SECRET, invalid: true }),
        Some(secret) => Ok(Secret::new(secret)),
    }
}

fn unavailable(error: &DbError) -> ApiError {
    ApiError::Unavailable { part: "database", cause: error.to_string() }
}

/// Answers the timer.
pub(crate) async fn run(State(runner): State<Arc<Runner>>, headers: HeaderMap) -> Response {
    let ran = match runner.authorize(&headers) {
        Ok(()) => runner.run().await,
        Err(refused) => Err(refused),
    };
    match ran {
        Ok(ran) => ([(header::CACHE_CONTROL, "no-store")], Json(ran)).into_response(),
        Err(error) => error.into_response(),
    }
}
