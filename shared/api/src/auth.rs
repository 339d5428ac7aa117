//! Who is calling the API, and may they?
//!
//! A handler says what it needs by its argument: `Access<CallsRead>` is given only to a request with a valid API key, and
//! holds the tenant's `Scope`. There is no other way to a scope in a route, so no route can forget to ask; a test compares
//! what routes ask for with what the OpenAPI document says. A key that is not valid is answered 401; one that does not allow
//! what the route needs, 403.

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use voicecore_domain::{ApiKey, Permission};
use voicecore_store::directory::{self, Principal};

use crate::{ApiError, AppState, rate_limits};

/// A permission as a type: what a route needs.
pub(crate) trait Need: Send + Sync {
    /// Shown in the OpenAPI document by its word.
    const PERMISSION: Permission;
}

macro_rules! needs {
    ($($name:ident),* $(,)?) => {
        $(
            /// The permission of this name.
            pub(crate) struct $name;

            impl Need for $name {
                const PERMISSION: Permission = Permission::$name;
            }
        )*
    };
}

needs!(CallsRead, CallsWrite, MessagesRead, LiveRead, AuditRead, ProvidersRead, ProvidersWrite);

/// A request that may do `P`, for one tenant.
pub(crate) struct Access<P> {
    pub(crate) principal: Principal,
    permission: PhantomData<P>,
}

impl<P: Need> FromRequestParts<AppState> for Access<P> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        let refused = || ApiError::Unauthenticated(Some(P::PERMISSION));
        let key = bearer(parts).ok_or_else(refused)?;
        let principal = directory::api_key(&app.ports.db, &key, app.now()).await?;
        let principal = principal.ok_or_else(refused)?;
        if !principal.permissions.contains(P::PERMISSION) {
            return Err(ApiError::Forbidden(P::PERMISSION));
        }
        rate_limits::api_request(app, principal.api_key_id).await?;
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
