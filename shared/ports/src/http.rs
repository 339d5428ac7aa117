use crate::BoxFuture;

/// A request to another service. Redirects are not followed.
#[derive(Debug, Clone)]
pub struct HttpRequest {
    /// `GET`, `POST`, …
    pub method: &'static str,
    /// Absolute http(s) address.
    pub url: String,
    /// Headers in order.
    pub headers: Vec<(String, String)>,
    /// The body; empty for none.
    pub body: Vec<u8>,
    /// Give up after this long.
    pub timeout_ms: u32,
}

/// Its answer, whatever the status.
#[derive(Debug, Clone)]
pub struct HttpResponse {
    /// The status.
    pub status: u16,
    /// The body, at most 1 MiB; more is an error.
    pub body: Vec<u8>,
}

/// There was no answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The service could not be reached, or the connection broke.
    #[error("the service could not be reached")]
    Unreachable,
    /// No answer in time.
    #[error("the service did not answer in time")]
    TimedOut,
    /// The answer is larger than allowed, or the request is not valid.
    #[error("the request or its answer is not valid")]
    Invalid,
}

/// Requests to other services.
pub trait Http: Send + Sync {
    /// Sends one request; never retries by itself.
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>>;
}
