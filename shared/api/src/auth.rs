//! Who is calling the API, and may they?
//!
//! A handler says what it needs by its argument: `Access<CallsRead>` is given only to a request with a valid API key, and
//! holds the tenant's `Scope`. There is no other way to a scope in a route, so no route can forget to ask; a test compares
//! what routes ask for with what the OpenAPI document says. So far every key is an owner's and carries every permission.

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use voicecore_domain::ApiKey;
use voicecore_store::directory::{self, Principal};

use crate::{ApiError, AppState};

/// A permission as a type: what a route needs.
pub(crate) trait Permission: Send + Sync {
    /// As stored with a key and shown in the OpenAPI document.
    const NAME: &'static str;
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $text:literal),* $(,)?) => {
        $(
            $(#[$doc])*
            pub(crate) struct $name;

            impl Permission for $name {
                const NAME: &'static str = $text;
            }
        )*
    };
}

permissions! {
    /// See calls and what was said.
    CallsRead = "calls:read",
    /// Act on calls.
    CallsWrite = "calls:write",
    /// See messages that callers left.
    MessagesRead = "messages:read",
    /// Follow running calls.
    LiveRead = "live:read",
}

/// A request that may do `P`, for one tenant.
pub(crate) struct Access<P> {
    pub(crate) principal: Principal,
    permission: PhantomData<P>,
}

impl<P: Permission> FromRequestParts<AppState> for Access<P> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        let refused = || ApiError::Unauthenticated(Some(P::NAME));
        let key = bearer(parts).ok_or_else(refused)?;
        let principal = directory::api_key(&app.ports.db, &key).await?;
        let principal = principal.ok_or_else(refused)?;
        Ok(Self { principal, permission: PhantomData })
    }
}

/// The key of `Authorization: Bearer vc_…`, said exactly once.
fn bearer(parts: &Parts) -> Option<ApiKey> {
    let mut values = parts.headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() {
        return None;
    }
    let (scheme, key) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim_start_matches(' ').parse().ok())?
}
