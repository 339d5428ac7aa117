//! What every response gets: a request id, headers that keep browsers from doing anything clever with it, and a client that
//! can hear it.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use voicecore_types::Millis;

use crate::deadline::within;
use crate::{AppState, hex};

/// Names one request in logs and answers.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Set unless the handler has set its own.
const SECURITY_HEADERS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// The most that is read, only to be dropped, of a body that nobody wanted: what is sent by mistake is seldom larger.
pub const MAX_DROPPED_BYTES: u64 = 4 * 1024 * 1024;
/// The longest that it is waited for.
const MAX_DROPPING: Millis = Millis::from_secs(5);

/// Reads the rest of a body that no handler has read to its end (too large, of the wrong type, for nobody's address) before the
/// answer is sent. A server that answers without doing so has to close the connection (RFC 9112, 9.6); what the client was
/// still sending then makes TCP reset it, and the client sees a broken connection where the answer should be. Up to a limit:
/// who sends more may have to do without the answer.
pub(crate) async fn read_out(State(app): State<AppState>, request: Request, next: Next) -> Response {
    if request.body().is_end_stream() || declared(request.headers()) > MAX_DROPPED_BYTES {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let body = Shared(Arc::new(Mutex::new(body)));
    let rest = body.clone();
    let response = next.run(Request::from_parts(parts, Body::new(body))).await;
    // Whether it came to its end does not matter any more.
    let _ = within(&*app.ports.clock, MAX_DROPPING, rest.drop_all()).await;
    response
}

/// `Content-Length`; 0 when there is none.
fn declared(headers: &HeaderMap) -> u64 {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    length.unwrap_or(0)
}

/// A body of which the handler has one hold, and whoever reads the rest another.
#[derive(Clone)]
struct Shared(Arc<Mutex<Body>>);

impl Shared {
    fn with<T>(&self, ask: impl FnOnce(Pin<&mut Body>) -> T) -> T {
        ask(Pin::new(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    async fn drop_all(self) {
        let mut dropped = 0;
        while dropped <= MAX_DROPPED_BYTES {
            if self.with(|body| body.is_end_stream()) {
                return;
            }
            let Some(Ok(frame)) = poll_fn(|context| self.with(|body| body.poll_frame(context))).await else {
                return;
            };
            dropped += frame.data_ref().map_or(0, |data| data.len() as u64);
        }
    }
}

impl HttpBody for Shared {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        self.with(|body| body.poll_frame(context))
    }

    fn is_end_stream(&self) -> bool {
        self.with(|body| body.is_end_stream())
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.with(|body| body.size_hint())
    }
}

/// Makes a request id and adds the headers. The id is always ours: one from outside could be made to mislead.
pub(crate) async fn finish(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let mut random = [0; 12];
    app.ports.rng.fill(&mut random);
    let limited = request.uri().path().starts_with("/api/");
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if limited {
        let policy = format!("\"default\";q={};w=60", app.config.requests_per_minute);
        if let Ok(policy) = HeaderValue::from_str(&policy) {
            headers.insert("ratelimit-policy", policy);
        }
    }
    if let Ok(id) = HeaderValue::from_str(&hex(&random)) {
        headers.insert(REQUEST_ID, id);
    }
    for (name, value) in SECURITY_HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
