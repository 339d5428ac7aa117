//! The control API under `/sim`: rings the product, shows what happened, breaks things.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use futures_util::stream::unfold;
use serde_json::json;

use super::place::{CallSpec, Twilio};
use super::report::Event;
use super::wav::wav;
use crate::openai::FaultPlan;

/// The routes of the control API.
pub(super) fn router(twilio: Twilio) -> Router {
    Router::new()
        .route("/sim/calls", post(place_call))
        .route("/sim/calls/{call}", get(show_call))
        .route("/sim/calls/{call}/wav", get(call_wav))
        .route("/sim/faults", post(set_faults))
        .route("/sim/sessions", get(async |State(twilio): State<Twilio>| Json(twilio.model().sessions())))
        .route("/sim/violations", get(list_violations).delete(clear_violations))
        .with_state(twilio)
}

/// Rings and streams what happens, one JSON object a line; the last one is `ended` (or `failed`).
async fn place_call(State(twilio): State<Twilio>, Json(spec): Json<CallSpec>) -> Response {
    let handle = match twilio.ring(spec).await {
        Ok(handle) => handle,
        Err(error) => {
            let failed = Event::Failed { error: error.to_string() };
            return (StatusCode::INTERNAL_SERVER_ERROR, line(&failed)).into_response();
        }
    };
    let lines = unfold(handle.events, async |mut events| {
        let event = events.recv().await?;
        Some((Ok::<_, std::convert::Infallible>(line(&event)), events))
    });
    ([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response()
}

fn line(event: &Event) -> String {
    let mut text = serde_json::to_string(event)
        .unwrap_or_else(|error| json!({"event": "failed", "error": error.to_string()}).to_string());
    text.push('\n');
    text
}

async fn show_call(State(twilio): State<Twilio>, Path(call): Path<String>) -> Response {
    match twilio.find(&call) {
        None => StatusCode::NOT_FOUND.into_response(),
        Some(entry) => match entry.report {
            Some(report) => Json(report.as_ref()).into_response(),
            None => {
                (StatusCode::ACCEPTED, Json(json!({"status": entry.state.status().as_str()}))).into_response()
            }
        },
    }
}

/// What the caller heard, sample for sample since the answer.
async fn call_wav(State(twilio): State<Twilio>, Path(call): Path<String>) -> Response {
    match twilio.find(&call).and_then(|entry| entry.report) {
        Some(report) => ([(header::CONTENT_TYPE, "audio/wav")], wav(&report.heard)).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn set_faults(State(twilio): State<Twilio>, Json(plan): Json<FaultPlan>) -> StatusCode {
    twilio.model().set_faults(plan);
    StatusCode::NO_CONTENT
}

async fn list_violations(State(twilio): State<Twilio>) -> Response {
    let violations = twilio.violations();
    Json(json!({"total": violations.total(), "violations": violations.all()})).into_response()
}

async fn clear_violations(State(twilio): State<Twilio>) -> StatusCode {
    twilio.violations().clear();
    StatusCode::NO_CONTENT
}

impl Twilio {
    /// Everything that Twilio serves: the REST API and the control API.
    pub fn router(&self) -> Router {
        router(self.clone())
            .merge(super::screen::router(self.clone()))
            .merge(super::rest::router(self.clone()))
    }
}
