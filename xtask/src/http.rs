//! Requests to servers on this machine.

use anyhow::{Context, Result, bail};
use serde_json::Value;

const LIMIT_SECONDS: u64 = 30;

/// The status of a GET.
pub(crate) fn status(url: &str) -> Result<u16> {
    let answer = minreq::get(url).with_timeout(LIMIT_SECONDS).send().with_context(|| format!("GET {url}"))?;
    u16::try_from(answer.status_code).context("a status out of range")
}

/// The status of a POST without a body, with a secret.
pub(crate) fn post(url: &str, secret: &str) -> Result<u16> {
    let post = minreq::post(url).with_header("authorization", format!("Bearer {secret}"));
    let answer = post.with_timeout(LIMIT_SECONDS).send().with_context(|| format!("POST {url}"))?;
    u16::try_from(answer.status_code).context("a status out of range")
}

/// GETs JSON, whatever the status.
pub(crate) fn get_json(url: &str) -> Result<(u16, Value)> {
    let answer = minreq::get(url).with_timeout(LIMIT_SECONDS).send().with_context(|| format!("GET {url}"))?;
    Ok((u16::try_from(answer.status_code)?, serde_json::from_slice(answer.as_bytes()).unwrap_or(Value::Null)))
}

/// POSTs JSON and returns the JSON of a 2xx answer; anything else is an error that shows the answer.
pub(crate) fn post_json(url: &str, body: &Value) -> Result<Value> {
    post_body(minreq::post(url), url, body)
}

/// The same, with an API key.
pub(crate) fn post_json_as(url: &str, key: &str, body: &Value) -> Result<Value> {
    post_body(minreq::post(url).with_header("authorization", format!("Bearer {key}")), url, body)
}

fn post_body(post: minreq::Request, url: &str, body: &Value) -> Result<Value> {
    let answer = post
        .with_header("content-type", "application/json")
        .with_body(body.to_string())
        .with_timeout(LIMIT_SECONDS)
        .send()
        .with_context(|| format!("POST {url}"))?;
    if !(200..300).contains(&answer.status_code) {
        bail!("POST {url}: {} {}", answer.status_code, answer.as_str().unwrap_or("(not text)"));
    }
    serde_json::from_slice(answer.as_bytes()).with_context(|| format!("POST {url}: the answer is not JSON"))
}
