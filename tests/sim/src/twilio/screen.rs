//! What the dashboard asks for that `cargo xtask dev` serves: which scenarios there are, and to be rung by one. Pages of this machine may ask,
//! others may not.

use std::path::PathBuf;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};

use super::place::{CallSpec, Twilio};
use crate::scenario::Scenario;

/// The scenarios that come with the simulators.
const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios");

/// `GET /sim/scenarios` and `POST /sim/scenarios/{name}/calls`.
pub(super) fn router(twilio: Twilio) -> Router {
    Router::new()
        .route("/sim/scenarios", get(list))
        .route("/sim/scenarios/{name}/calls", post(ring))
        .layer(from_fn(pages_of_this_machine))
        .with_state(twilio)
}

/// Who rings, and whom.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ring {
    to: String,
    from: String,
}

/// Names and what they show, by name. A file that cannot be read is left out: `voicecore-sim call` says what is wrong with it.
async fn list() -> Result<Json<Value>, StatusCode> {
    let entries = std::fs::read_dir(SHIPPED).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let files = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut scenarios: Vec<Scenario> = files.filter_map(|file| Scenario::load(&file).ok()).collect();
    scenarios.sort_by(|a, b| a.name.cmp(&b.name));
    let items: Vec<_> = scenarios.iter().map(|s| json!({"name": s.name, "about": s.about})).collect();
    Ok(Json(json!({ "items": items })))
}

/// Rings as the scenario's caller, whose words are made first. The call is then watched where every call is watched.
async fn ring(
    State(twilio): State<Twilio>,
    Path(name): Path<String>,
    Json(Ring { to, from }): Json<Ring>,
) -> Response {
    let known = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let file = PathBuf::from(SHIPPED).join(format!("{name}.toml"));
    let Some(scenario) = known.then(|| Scenario::load(&file).ok()).flatten() else {
        return (StatusCode::NOT_FOUND, Json(json!({"error": "there is no such scenario"}))).into_response();
    };
    match twilio.ring(CallSpec { to, from, scenario }).await {
        Ok(handle) => (StatusCode::ACCEPTED, Json(json!({"call_sid": handle.call_sid}))).into_response(),
        Err(error) => {
            (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({"error": error.to_string()}))).into_response()
        }
    }
}

/// CORS for pages that a server of this machine has sent.
async fn pages_of_this_machine(request: Request, next: Next) -> Response {
    let origin = origin(request.headers());
    let mut response = if request.method() == Method::OPTIONS {
        StatusCode::NO_CONTENT.into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("content-type"));
    }
    response
}

fn origin(headers: &HeaderMap) -> Option<HeaderValue> {
    let origin = headers.get(header::ORIGIN)?;
    let authority = origin.to_str().ok()?.strip_prefix("http://")?;
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    ["127.0.0.1", "localhost"].contains(&host).then(|| origin.clone())
}
