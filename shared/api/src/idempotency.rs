//! `Idempotency-Key`: a client names a change, and may then send it again without making it twice.
//!
//! The layer reads the key and the body, `auth` adds who asks and looks for what has been carried out, and the store takes the key
//! along in the batch of the change (`voicecore_store::idempotency`). A request that fails leaves nothing. Keys count where a
//! tenant's credentials are asked for, and where a super admin makes a tenant; other routes (signing in, set-up) take no notice of them.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use voicecore_store::directory::Principal;
use voicecore_store::idempotency::{self, Answer, Carried, Once};
use voicecore_types::UserId;

use crate::etag::etag;
use crate::{ApiError, AppState, MAX_BODY_BYTES, hex};

/// Names a change, by its client.
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that an answer is that of before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// The longest key.
pub(crate) const MAX_KEY_BYTES: usize = 255;

/// A request that has a key, on its way to who knows who asks.
#[derive(Clone)]
pub(crate) struct Named {
    key: String,
    body_hash: String,
    outcome: Arc<Mutex<Outcome>>,
}

/// What is known of it when it has been handled.
#[derive(Default)]
enum Outcome {
    /// Nobody has asked.
    #[default]
    Nothing,
    /// It was new.
    New(Arc<Once>),
    /// It has been carried out before.
    Before(Carried),
}

/// Takes the key of a change, and gives the answer of before where there is one.
pub(crate) async fn carry_out_once(request: Request, next: Next) -> Response {
    let is_change = [Method::POST, Method::PUT, Method::PATCH, Method::DELETE].contains(request.method());
    let may_be_named = is_change && request.uri().path().starts_with("/api/");
    if !may_be_named || !request.headers().contains_key(IDEMPOTENCY_KEY) {
        return next.run(request).await;
    }
    match named(request).await {
        Ok((named, request)) => {
            let outcome = Arc::clone(&named.outcome);
            let body_hash = named.body_hash.clone();
            let response = next.run(request).await;
            let outcome = std::mem::take(&mut *outcome.lock().unwrap_or_else(PoisonError::into_inner));
            answer_of(outcome, &body_hash, response)
        }
        Err(error) => error.into_response(),
    }
}

async fn named(request: Request) -> Result<(Named, Request), ApiError> {
    let mut keys = request.headers().get_all(IDEMPOTENCY_KEY).iter();
    let key = keys.next().and_then(|key| key.to_str().ok()).unwrap_or_default().to_owned();
    if key.is_empty() || key.len() > MAX_KEY_BYTES || keys.next().is_some() {
        let rule = format!("`Idempotency-Key` must be one text of 1 to {MAX_KEY_BYTES} ASCII characters.");
        return Err(ApiError::Malformed(rule));
    }
    let (mut parts, body) = request.into_parts();
    let bytes = to_bytes(body, MAX_BODY_BYTES).await.map_err(|_| ApiError::PayloadTooLarge)?;
    let precondition = parts.headers.get(header::IF_MATCH).map(HeaderValue::as_bytes).unwrap_or_default();
    let query = parts.uri.query().unwrap_or_default();
    let body_hash = hash(&[query.as_bytes(), precondition, &bytes]);
    let named = Named { key, body_hash, outcome: Arc::default() };
    parts.extensions.insert(named.clone());
    Ok((named, Request::from_parts(parts, Body::from(bytes))))
}

/// Called with whoever asks: an error when the request has been carried out before, in whose place the layer then answers.
pub(crate) async fn admit(parts: &Parts, app: &AppState, principal: &mut Principal) -> Result<(), ApiError> {
    let Some(named) = parts.extensions.get::<Named>() else { return Ok(()) };
    let scope = &principal.scope;
    let actor = principal.actor;
    let tenant = scope.tenant().to_string();
    let once = named.once(app, [&tenant, actor.kind(), &actor.id(), parts.method.as_str(), parts.uri.path()]);
    let carried = idempotency::find(scope, &once).await?;
    principal.scope = principal.scope.clone().once(Arc::clone(&once));
    named.admitted(once, carried)
}

/// The same of the super admin `by` who makes a tenant: there is none yet that the key could lie with.
pub(crate) async fn admit_founder(
    named: Option<&Named>,
    app: &AppState,
    by: UserId,
) -> Result<Option<Arc<Once>>, ApiError> {
    let Some(named) = named else { return Ok(None) };
    let once = named.once(app, ["", "super_admin", &by.to_string(), "POST", "/api/v1/tenants"]);
    let carried = idempotency::find_founded(&*app.ports.db, &once).await?;
    named.admitted(Arc::clone(&once), carried)?;
    Ok(Some(once))
}

impl Named {
    /// Of the request of whom these say: the tenant, who asks, the route.
    fn once(&self, app: &AppState, whose: [&str; 5]) -> Arc<Once> {
        let [tenant, kind, id, method, path] = whose.map(str::as_bytes);
        let key_hash = hash(&[tenant, kind, id, method, path, self.key.as_bytes()]);
        Arc::new(Once::new(key_hash, self.body_hash.clone(), app.now()))
    }

    /// Tells the layer what is known of it.
    fn admitted(&self, once: Arc<Once>, carried: Option<Carried>) -> Result<(), ApiError> {
        let (outcome, admitted) = match carried {
            Some(carried) => (Outcome::Before(carried), Err(ApiError::RequestInProgress)),
            None => (Outcome::New(once), Ok(())),
        };
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = outcome;
        admitted
    }
}

fn answer_of(outcome: Outcome, body_hash: &str, response: Response) -> Response {
    match outcome {
        Outcome::Before(carried) if carried.body_hash != body_hash => {
            ApiError::IdempotencyKeyReused.into_response()
        }
        Outcome::Before(Carried { answer: Some(answer), .. }) => {
            let mut response = shown(&answer);
            response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
            response
        }
        Outcome::Before(Carried { answer: None, .. }) => {
            ApiError::Conflict("This was done before, by the same key. Its answer was not kept.")
                .into_response()
        }
        Outcome::New(once) if once.is_lost() => ApiError::RequestInProgress.into_response(),
        Outcome::New(_) | Outcome::Nothing => response,
    }
}

/// The answer of a change that is about to be stored, kept with it if the client has named it. Not for what shows a secret.
pub(crate) fn answer<T: Serialize>(
    principal: &Principal,
    status: StatusCode,
    body: &T,
    version: Option<u64>,
) -> Result<Response, ApiError> {
    answer_once(principal.scope.request(), status, body, version)
}

/// The same of the request itself.
pub(crate) fn answer_once<T: Serialize>(
    once: Option<&Once>,
    status: StatusCode,
    body: &T,
    version: Option<u64>,
) -> Result<Response, ApiError> {
    let body = serde_json::to_string(body).map_err(|error| ApiError::Internal(error.to_string()))?;
    Ok(kept(once, Answer { status: status.as_u16(), body, version }))
}

/// The same of what shows something that lies encrypted elsewhere: it is not kept.
pub(crate) fn answer_unkept<T: Serialize>(
    status: StatusCode,
    body: &T,
    version: Option<u64>,
) -> Result<Response, ApiError> {
    let body = serde_json::to_string(body).map_err(|error| ApiError::Internal(error.to_string()))?;
    Ok(shown(&Answer { status: status.as_u16(), body, version }))
}

/// The same without a body.
pub(crate) fn nothing_to_say(principal: &Principal) -> Response {
    kept(
        principal.scope.request(),
        Answer { status: StatusCode::NO_CONTENT.as_u16(), body: String::new(), version: None },
    )
}

fn kept(once: Option<&Once>, answer: Answer) -> Response {
    let response = shown(&answer);
    if let Some(once) = once {
        once.answers(answer);
    }
    response
}

fn shown(answer: &Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = (status, answer.body.clone()).into_response();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    if !answer.body.is_empty() {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    if let Some(version) = answer.version {
        headers.insert(header::ETAG, etag(version));
    }
    response
}

/// Each part is preceded by its length, so that no two lists of parts are the same.
fn hash(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex(&hash.finalize())
}
