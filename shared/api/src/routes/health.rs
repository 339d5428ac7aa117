//! Is the process there, and has it got what it needs?

use axum::Json;
use axum::extract::State;
use voicecore_api_types::{Health, Problem, Readiness};
use voicecore_store::directory;

use crate::{ApiError, AppState};

/// The process runs. Always 200; says nothing about anything else.
#[utoipa::path(get, path = "/health", tag = "health", security(()), responses((status = 200, description = "It runs.", body = Health)))]
pub(crate) async fn health() -> Json<Health> {
    Json(Health { status: "ok".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() })
}

/// Everything that a call needs is there: the configuration is complete, the database answers and was written with the
/// `MASTER_KEY` that is configured.
#[utoipa::path(get, path = "/ready", tag = "health", security(()), responses(
    (status = 200, description = "Everything is there.", body = Readiness),
    (status = 503, description = "Something is missing, or does not answer.", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn ready(State(app): State<AppState>) -> Result<Json<Readiness>, ApiError> {
    let mut missing = app.config.missing();
    missing.extend(app.config.platform_misses);
    if !missing.is_empty() {
        return Err(ApiError::ConfigMissing(missing));
    }
    directory::ready(&*app.ports.db).await?;
    app.lookup_key().await?;
    Ok(Json(Readiness { status: "ready".to_owned() }))
}
