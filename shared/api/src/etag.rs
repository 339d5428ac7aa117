//! Versions of what can be changed: `ETag` with an answer, `If-Match` with a change (RFC 9110, 8.8.3 and 13.1.1).

use axum::extract::MatchedPath;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, header};

use crate::ApiError;

/// Routes of what has a version; their handlers ask for it.
pub(crate) const WITH_VERSIONS: [&str; 16] = [
    "/api/v1/config/business/{id}",
    "/api/v1/assistants/{id}",
    "/api/v1/assistants/{id}/publish",
    "/api/v1/assistants/{id}/versions/{number}/restore",
    "/api/v1/calls/{id}/notes/{note_id}",
    "/api/v1/preferences",
    "/api/v1/agents/{id}",
    "/api/v1/saved-views/{id}",
    "/api/v1/messages/{id}",
    "/api/v1/departments/{id}",
    "/api/v1/roles/{id}",
    "/api/v1/users/{id}",
    "/api/v1/phone-numbers/{id}",
    "/api/v1/businesses/{id}/opening-hours",
    "/api/v1/config/providers/{provider}",
    "/api/v1/config/qa",
];

/// The tag of a version.
pub(crate) fn etag(version: u64) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{version}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

/// Whether a change says which version it is meant for.
pub(crate) fn is_asked(headers: &HeaderMap) -> bool {
    headers.contains_key(header::IF_MATCH)
}

/// Refuses a change that was meant for another version than `current`: 412. Without `If-Match` it is made, whatever the version is.
pub(crate) fn check(headers: &HeaderMap, current: u64) -> Result<(), ApiError> {
    let wanted = headers.get_all(header::IF_MATCH);
    let mut tags = wanted.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    let current = format!("\"{current}\"");
    let none = wanted.iter().next().is_none();
    if none || tags.any(|tag| tag.trim() == "*" || tag.trim() == current) {
        return Ok(());
    }
    Err(ApiError::PreconditionFailed)
}

/// The same of what several people change: without `If-Match`, 428.
pub(crate) fn demand(headers: &HeaderMap, current: u64) -> Result<(), ApiError> {
    if !is_asked(headers) {
        return Err(ApiError::PreconditionRequired);
    }
    check(headers, current)
}

/// What is said when somebody else was faster than between our reading and our writing.
pub(crate) fn outrun(headers: &HeaderMap, what: &'static str) -> ApiError {
    if is_asked(headers) { ApiError::PreconditionFailed } else { ApiError::Conflict(what) }
}

/// Refuses `If-Match` with a change of what has no version: 412, as no tag of ours can have been meant. Called with whoever asks.
pub(crate) fn without_versions(parts: &Parts) -> Result<(), ApiError> {
    let is_change = ![Method::GET, Method::HEAD].contains(&parts.method);
    let path = parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str).unwrap_or_default();
    if !is_change || !is_asked(&parts.headers) || WITH_VERSIONS.contains(&path) {
        return Ok(());
    }
    // `*`: whatever version it is.
    let anything = parts.headers.get_all(header::IF_MATCH).iter().any(|value| value.as_bytes() == b"*");
    if anything { Ok(()) } else { Err(ApiError::PreconditionFailed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (header::IF_MATCH, value.parse().unwrap())).collect()
    }

    #[test]
    fn a_change_is_for_the_version_that_it_names() {
        for good in [&["\"7\""][..], &["*"], &["\"6\", \"7\""], &["\"6\"", "\"7\""]] {
            assert!(check(&with(good), 7).is_ok() && demand(&with(good), 7).is_ok(), "{good:?}");
        }
        for bad in [&["\"6\""][..], &["7"], &["W/\"7\""], &[""], &["\"77\""]] {
            assert!(matches!(check(&with(bad), 7), Err(ApiError::PreconditionFailed)), "{bad:?}");
        }
        assert!(check(&with(&[]), 7).is_ok());
        assert!(matches!(demand(&with(&[]), 7), Err(ApiError::PreconditionRequired)));
    }
}
