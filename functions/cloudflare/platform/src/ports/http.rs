use std::time::Duration;

use futures_util::StreamExt;
use voicecore_ports::{BoxFuture, Http, HttpError, HttpRequest, HttpResponse};
use worker::send::SendFuture;
use worker::{AbortController, Headers, Method, Request, RequestInit, RequestRedirect, Response};

use super::within;

/// The port's limit of an answer.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// `fetch`.
pub(crate) struct Fetch;

impl Http for Fetch {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        Box::pin(SendFuture::new(async move {
            let limit = Duration::from_millis(u64::from(request.timeout_ms));
            let abort = AbortController::default();
            let signal = abort.signal();
            let request = outgoing(&request)?;
            let exchange = async {
                let fetch = worker::Fetch::Request(request);
                let response = fetch.send_with_signal(&signal).await.map_err(|_| HttpError::Unreachable)?;
                incoming(response).await
            };
            within(limit, exchange).await.unwrap_or_else(|| {
                abort.abort();
                Err(HttpError::TimedOut)
            })
        }))
    }
}

fn outgoing(request: &HttpRequest) -> Result<Request, HttpError> {
    let headers = Headers::new();
    for (name, value) in &request.headers {
        headers.append(name, value).map_err(|_| HttpError::Invalid)?;
    }
    let mut init = RequestInit::new();
    init.with_method(Method::from(request.method.to_owned()))
        .with_headers(headers)
        .with_redirect(RequestRedirect::Manual);
    if !request.body.is_empty() {
        init.with_body(Some(js_sys::Uint8Array::from(request.body.as_slice()).into()));
    }
    Request::new_with_init(&request.url, &init).map_err(|_| HttpError::Invalid)
}

async fn incoming(mut response: Response) -> Result<HttpResponse, HttpError> {
    let status = response.status_code();
    let mut body = Vec::new();
    // No stream is no body (204, or an answer to HEAD).
    if let Ok(mut stream) = response.stream() {
        while let Some(part) = stream.next().await {
            let part = part.map_err(|_| HttpError::Unreachable)?;
            if body.len() + part.len() > MAX_BODY_BYTES {
                return Err(HttpError::Invalid);
            }
            body.extend_from_slice(&part);
        }
    }
    Ok(HttpResponse { status, body })
}
