//! VoiceCore as a Spin component: entry point and ports. No rule of the business is here.
//!
//! **Invariants:** nothing panics on input, and no panic takes another request with it (`alone.rs`).
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::string_slice))]

mod alone;
mod app;
mod assets;
mod jobs;
mod migrations;
mod panic;
mod ports;

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use http::header::{CONNECTION, TRANSFER_ENCODING, UPGRADE};
use spin_sdk::http::Request;
use spin_sdk::http_service;
use tower::ServiceExt as _;
use voicecore_api::Cause;

/// Answers one request. Both bodies are streamed.
#[http_service]
async fn handle(request: Request) -> Response {
    panic::install_hook();
    alone::alone(answer(request)).await.map(Body::new)
}

/// The answer, and why it is none of success, for the log.
async fn answer(request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let response = route(request).await;
    if let Some(Cause(cause)) = response.extensions().get() {
        eprintln!("{} {path}: {cause}", response.status().as_u16());
    }
    sendable(response)
}

async fn route(request: Request) -> Response {
    if let Some(file) = assets::answer(request.method(), request.uri().path(), request.headers()) {
        return file;
    }
    let router = match app::router().await {
        Ok(router) => router,
        Err(unavailable) => return unavailable.into_response(),
    };
    match router.oneshot(to_axum(request)).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// Without the headers that are the connection's: a host that is handed one refuses the whole answer. We set one, `upgrade`, where
/// an address is for sockets; there is nothing here to upgrade to.
fn sendable(mut response: Response) -> Response {
    for name in [CONNECTION, TRANSFER_ENCODING, UPGRADE] {
        response.headers_mut().remove(name);
    }
    response
}

/// The address as the other platforms have it: without the origin, which the host guesses from the `Host` header.
fn to_axum(request: Request) -> http::Request<Body> {
    let (mut parts, body) = request.into_parts();
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    if let Ok(uri) = target.parse() {
        parts.uri = uri;
    }
    http::Request::from_parts(parts, Body::new(body))
}
