use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt as _, Full};
use send_wrapper::SendWrapper;
use voicecore_ports::{BoxFuture, Http, HttpError, HttpRequest, HttpResponse};

use super::deadline::within;

/// The port's limit of an answer.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// `wasi:http`. The host follows no redirects, and refuses hosts that spin.toml does not allow.
pub(crate) struct WasiHttp;

impl Http for WasiHttp {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        Box::pin(SendWrapper::new(async move {
            let limit = Duration::from_millis(u64::from(request.timeout_ms));
            let request = outgoing(request)?;
            within(limit, exchange(request)).await.unwrap_or(Err(HttpError::TimedOut))
        }))
    }
}

/// With its length, or the host would send it in chunks, which not every server takes.
fn outgoing(request: HttpRequest) -> Result<http::Request<Full<Bytes>>, HttpError> {
    let mut builder = http::Request::builder().method(request.method).uri(request.url);
    for (name, value) in request.headers {
        builder = builder.header(name, value);
    }
    builder
        .header(http::header::CONTENT_LENGTH, request.body.len())
        .body(Full::from(request.body))
        .map_err(|_| HttpError::Invalid)
}

async fn exchange(request: http::Request<Full<Bytes>>) -> Result<HttpResponse, HttpError> {
    let response = spin_sdk::http::send(request).await.map_err(|_| HttpError::Unreachable)?;
    let status = response.status().as_u16();
    let mut stream = response.into_body();
    let mut body = BytesMut::new();
    while let Some(frame) = stream.frame().await {
        let Ok(part) = frame.map_err(|_| HttpError::Unreachable)?.into_data() else { continue };
        if body.len() + part.len() > MAX_BODY_BYTES {
            return Err(HttpError::Invalid);
        }
        body.extend_from_slice(&part);
    }
    Ok(HttpResponse { status, body: body.into() })
}
