//! Whatever is answered to any test of this program: the OpenAPI document must have its status and its media type.

use std::sync::LazyLock;

use axum::http::Method;
use serde_json::Value;
use voicecore_api::openapi_document;

use crate::world::Reply;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::to_value(openapi_document()).unwrap());

/// Panics when the operation may not answer so. Nothing is said of what is no operation of the document, nor of 405.
#[track_caller]
pub(crate) fn check(method: &Method, path: &str, reply: &Reply) {
    let Some(operation) = operation(method, path) else { return };
    let status = reply.status.as_str();
    let responses = &operation["responses"];
    let range = format!("{}XX", &status[..1]);
    let Some(response) = responses.get(status).or_else(|| responses.get(&range)) else {
        panic!("{method} {path}: the document does not have {status}: {}", reply.body)
    };
    let pointer = response["$ref"].as_str().map(|reference| reference.trim_start_matches('#'));
    let response = pointer.map_or(response, |pointer| DOCUMENT.pointer(pointer).unwrap());
    let essence = reply.content_type().split(';').next().unwrap_or_default();
    let known = match response["content"].as_object() {
        Some(content) => content.contains_key(essence),
        None => reply.body.is_empty(),
    };
    assert!(known, "{method} {path}: the document does not have {essence:?} with {status}");
}

/// Of paths that fit, the one with the fewest parameters is meant.
fn operation(method: &Method, path: &str) -> Option<&'static Value> {
    let paths = DOCUMENT["paths"].as_object()?;
    let fitting = paths.iter().filter(|(template, _)| fits(template, path));
    let (_, item) = fitting.min_by_key(|(template, _)| template.matches('{').count())?;
    item.get(method.as_str().to_lowercase())
}

fn fits(template: &str, path: &str) -> bool {
    let (wanted, given): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    let is_like =
        |(wanted, given): (&&str, &&str)| wanted == given || (wanted.starts_with('{') && !given.is_empty());
    wanted.len() == given.len() && wanted.iter().zip(&given).all(is_like)
}
