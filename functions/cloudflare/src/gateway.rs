//! HTTP between Workers and axum, the two WebSocket routes, which go to actors, and the pages of the dashboard, whose addresses are no files.
//!
//! The conversion is our own because `worker`'s panics on a request with an HTTP version it does not know and refuses
//! one with a header that is not ASCII; here such a header is left out.

use std::cell::OnceCell;

use axum::body::Body;
use axum::response::IntoResponse as _;
use http::header::{HeaderName, HeaderValue, UPGRADE};
use tower::ServiceExt as _;
use voicecore_api::{Cause, admit_stranger, live, media};
use voicecore_cloudflare_platform::ports::{self, binding, object_name};
use voicecore_cloudflare_platform::{App, into_worker, path_and_query};
use worker::{Fetcher, Request, RequestInit, Response, Result};

/// Twilio's signature of a request.
const SIGNATURE_HEADER: &str = "X-Twilio-Signature";
/// Files whose names tell their contents; nothing there is a page.
const HASHED: &str = "assets/";

thread_local! {
    /// Made with the first request that is not for an actor.
    static ROUTER: OnceCell<axum::Router> = const { OnceCell::new() };
}

/// Answers one request.
pub(crate) async fn serve(app: &App, request: Request) -> Result<Response> {
    let url = request.inner().url();
    let path_and_query = path_and_query(&url);
    if is_websocket(&request) {
        if path_and_query.starts_with(media::MEDIA_PATH) {
            return open_media(app, request, path_and_query).await;
        }
        if is_live(path_and_query) {
            return open_live(app, request, path_and_query).await;
        }
    }
    if is_page(path_only(path_and_query)) {
        return page(&app.env.assets(binding::ASSETS)?, &request, &url).await;
    }
    let Ok(request) = to_axum(&request, path_and_query) else {
        return into_worker(http::StatusCode::BAD_REQUEST.into_response()).await;
    };
    let router = ROUTER.with(|cell| cell.get_or_init(|| voicecore_api::router(app.state.clone())).clone());
    let response = match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    if let Some(Cause(cause)) = response.extensions().get() {
        worker::console_error!("{} {}: {cause}", response.status().as_u16(), path_only(path_and_query));
    }
    into_worker(response).await
}

/// The media socket of a call. Nothing is woken before the signature was verified.
async fn open_media(app: &App, request: Request, path_and_query: &str) -> Result<Response> {
    let signature = request.headers().get(SIGNATURE_HEADER).ok().flatten();
    match media::authorize_upgrade(&app.state, path_and_query, signature.as_deref()).await {
        Ok(call) => forward(app, binding::CALL_ACTOR, &object_name(call), request).await,
        Err(refusal) => into_worker(refusal.into_response()).await,
    }
}

/// The live stream of a tenant. The ticket names the hub, which knows whether it is still good; one that is
/// not of our making wakes nobody.
async fn open_live(app: &App, request: Request, path_and_query: &str) -> Result<Response> {
    let header = |name: &str| request.headers().get(name).ok().flatten();
    if let Err(refusal) = admit_stranger(&app.state, live::LIVE_PATH, &header).await {
        return into_worker(refusal.into_response()).await;
    }
    match live::authorize_live(&app.config, path_and_query) {
        Ok(access) => forward(app, binding::HUB_ACTOR, &object_name(access.tenant_id), request).await,
        Err(refusal) => into_worker(refusal.into_response()).await,
    }
}

/// The page of every address below `/app/` that is no file: the one at the top. Files are served before anybody asks us, so whatever else is
/// below `/app/` is not there; no headers of a file's go with that answer, or browsers would keep it for a year.
async fn page(assets: &Fetcher, request: &Request, url: &str) -> Result<Response> {
    let mut init = RequestInit::new();
    init.with_method(request.method()).with_headers(request.headers().clone());
    let path = path_and_query(url).len();
    let origin = url.get(..url.len().saturating_sub(path)).unwrap_or_default();
    assets.fetch(format!("{origin}/"), Some(init)).await?.try_into()
}

/// Whether it is the address of a page: `/app`, or below it one whose last part has no ending, as on Spin.
fn is_page(path: &str) -> bool {
    let Some(below) = path.strip_prefix("/app") else { return false };
    let Some(below) = below.strip_prefix('/') else { return below.is_empty() };
    let last = below.rsplit('/').next().unwrap_or_default();
    !last.contains('.') && !below.starts_with(HASHED)
}

async fn forward(app: &App, binding: &str, name: &str, request: Request) -> Result<Response> {
    match ports::stub(&app.env, binding, name) {
        Some(stub) => stub.fetch_with_request(request).await,
        None => into_worker(http::StatusCode::SERVICE_UNAVAILABLE.into_response()).await,
    }
}

fn is_websocket(request: &Request) -> bool {
    let upgrade = request.headers().get(UPGRADE.as_str()).ok().flatten();
    upgrade.is_some_and(|value| value.eq_ignore_ascii_case("websocket"))
}

fn is_live(path_and_query: &str) -> bool {
    path_only(path_and_query) == live::LIVE_PATH
}

fn path_only(path_and_query: &str) -> &str {
    path_and_query.split(['?', '#']).next().unwrap_or_default()
}

fn to_axum(request: &Request, path_and_query: &str) -> std::result::Result<http::Request<Body>, http::Error> {
    let mut builder = http::Request::builder().method(request.inner().method().as_str()).uri(path_and_query);
    if let Some(headers) = builder.headers_mut() {
        for (name, value) in request.headers().entries() {
            if let (Ok(name), Ok(value)) =
                (HeaderName::try_from(name), HeaderValue::from_bytes(value.as_bytes()))
            {
                headers.append(name, value);
            }
        }
    }
    let body = match request.inner().body() {
        Some(stream) => Body::new(worker::Body::new(stream)),
        None => Body::empty(),
    };
    builder.body(body)
}
