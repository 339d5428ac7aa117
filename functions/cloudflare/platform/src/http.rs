use axum::body::to_bytes;
use worker::{Headers, Response, Result};

/// The largest answer. Lists are paged, so an honest one is far smaller.
const MAX_RESPONSE_BYTES: usize = 8 * 1024 * 1024;

/// `/path?query` of an absolute address.
pub fn path_and_query(url: &str) -> &str {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    authority.find('/').and_then(|at| authority.get(at..)).unwrap_or("/")
}

/// An axum response as one of the runtime. `Err`: its body cannot be read, or is larger than 8 MiB.
pub async fn into_worker(response: axum::response::Response) -> Result<Response> {
    let (parts, body) = response.into_parts();
    let headers = Headers::new();
    for (name, value) in &parts.headers {
        if let Ok(value) = value.to_str() {
            headers.append(name.as_str(), value)?;
        }
    }
    let body = to_bytes(body, MAX_RESPONSE_BYTES).await.map_err(|error| error.to_string())?;
    let response = Response::builder().with_status(parts.status.as_u16()).with_headers(headers);
    // A response that may have no body (204, 304) must have none.
    Ok(if body.is_empty() { response.empty() } else { response.fixed(body.to_vec()) })
}
