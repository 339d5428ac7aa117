//! Who is calling the API, and may they?
//!
//! A handler says what it needs by its argument: `Access<CallsRead>` is given only to a request with a valid API key or the
//! access token of a session that is good, and holds the tenant's `Scope`. There is no other way to a scope in a route, so no
//! route can forget to ask; a test compares what routes ask for with what the OpenAPI document says. Credentials that are not
//! valid are answered 401; those that do not allow what the route needs, 403.
//!
//! `Operator<TenantsRead>` is the same for what is about the installation: a super admin who is signed in. `SignedIn` is
//! anybody who is signed in, for what is about themselves.

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use voicecore_domain::{Permission, Permissions};
use voicecore_store::directory::sessions::{self, Session, SessionKind};
use voicecore_store::directory::{self, Principal};

use crate::idempotency::{self, Named};
use crate::{ApiError, AppState, etag, rate_limits, token};

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

needs!(
    CallsRead,
    CallsWrite,
    MessagesRead,
    MessagesWrite,
    LiveRead,
    UsersRead,
    UsersWrite,
    RolesRead,
    RolesWrite,
    DepartmentsRead,
    DepartmentsWrite,
    AgentsRead,
    AgentsWrite,
    QaRead,
    QaWrite,
    ApiKeysRead,
    ApiKeysWrite,
    AuditRead,
    ConfigRead,
    ConfigWrite,
    TenantsRead,
    TenantsWrite,
    TenantsImpersonate,
);

/// A request that may do `P`, for one tenant.
pub(crate) struct Access<P> {
    pub(crate) principal: Principal,
    permission: PhantomData<P>,
}

impl<P: Need> FromRequestParts<AppState> for Access<P> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        let mut principal = allowed(parts, app, P::PERMISSION).await?;
        etag::without_versions(parts)?;
        idempotency::admit(parts, app, &mut principal).await?;
        Ok(Self { principal, permission: PhantomData })
    }
}

/// A request of a super admin who is signed in, and may do `P` to the installation.
pub(crate) struct Operator<P> {
    pub(crate) session: Session,
    /// The request has an `Idempotency-Key`.
    pub(crate) named: Option<Named>,
    permission: PhantomData<P>,
}

impl<P: Need> FromRequestParts<AppState> for Operator<P> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        let session = operator(parts, app, P::PERMISSION).await?;
        etag::without_versions(parts)?;
        Ok(Self { session, named: parts.extensions.get().cloned(), permission: PhantomData })
    }
}

/// A request of somebody who is signed in.
pub(crate) struct SignedIn(pub(crate) Session);

impl FromRequestParts<AppState> for SignedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        match caller(parts, app).await? {
            Some(Caller::Person(session)) => {
                etag::without_versions(parts)?;
                Ok(Self(*session))
            }
            _ => Err(ApiError::Unauthenticated(None)),
        }
    }
}

/// Whose credentials are valid.
enum Caller {
    Program(Box<Principal>),
    Person(Box<Session>),
}

/// One function for all permissions: it is linked once.
async fn allowed(parts: &Parts, app: &AppState, needed: Permission) -> Result<Principal, ApiError> {
    let principal = match caller(parts, app).await? {
        None => return Err(ApiError::Unauthenticated(Some(needed))),
        Some(Caller::Program(principal)) => *principal,
        // Signed in, but not (any more) for a tenant.
        Some(Caller::Person(session)) => session.principal.ok_or(ApiError::Forbidden(needed))?,
    };
    if principal.suspended {
        return Err(ApiError::TenantSuspended);
    }
    if !principal.permissions.contains(needed) {
        return Err(ApiError::Forbidden(needed));
    }
    Ok(principal)
}

async fn operator(parts: &Parts, app: &AppState, needed: Permission) -> Result<Session, ApiError> {
    match caller(parts, app).await? {
        None => Err(ApiError::Unauthenticated(Some(needed))),
        Some(Caller::Person(session))
            if session.super_admin
                && session.kind == SessionKind::Login
                && Permissions::of_platform().contains(needed) =>
        {
            Ok(*session)
        }
        Some(_) => Err(ApiError::Forbidden(needed)),
    }
}

/// Who shows these credentials; counted here, so that nothing can be asked with them that is not, whatever is answered. Credentials that
/// nobody has are counted as what is asked without any; what of ours has run out or was ended, by itself: whoever shows it did not make it up,
/// and has to hear that it is over, whatever others make up.
async fn caller(parts: &Parts, app: &AppState) -> Result<Option<Caller>, ApiError> {
    let Some(credentials) = bearer(parts) else { return Ok(None) };
    let now = app.now();
    if let Ok(key) = credentials.parse() {
        let Some(principal) = directory::api_key(&app.ports.db, &key, now).await? else {
            return nobodys(parts, app).await;
        };
        let name = format!("api_key:{}", principal.actor.id());
        rate_limits::known_caller(app, &name, Some(&principal)).await?;
        return Ok(Some(Caller::Program(Box::new(principal))));
    }
    // Without the secret no token can be known; nor can one have been given out.
    let secret = app.config.keys.jwt_secret.get().ok();
    let Some((id, good)) = secret.and_then(|secret| token::read(secret, credentials, now)) else {
        return nobodys(parts, app).await;
    };
    let session = if good { sessions::session(&app.ports.db, id, now).await? } else { None };
    let Some(session) = session else {
        rate_limits::known_caller(app, &format!("session:{id}"), None).await?;
        return Ok(None);
    };
    let name = format!("user:{}", session.user_id);
    rate_limits::known_caller(app, &name, session.principal.as_ref()).await?;
    Ok(Some(Caller::Person(Box::new(session))))
}

async fn nobodys(parts: &Parts, app: &AppState) -> Result<Option<Caller>, ApiError> {
    let header = |name: &str| Some(parts.headers.get(name)?.to_str().ok()?.to_owned());
    rate_limits::admit_unknown(app, &header).await?;
    Ok(None)
}

/// What follows `Authorization: Bearer`, said exactly once.
fn bearer(parts: &Parts) -> Option<&str> {
    let mut values = parts.headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() {
        return None;
    }
    let (scheme, credentials) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| credentials.trim_start_matches(' '))
}

/// Nobody gives what they do not have.
pub(crate) fn may_give(principal: &Principal, wanted: &Permissions) -> Result<(), ApiError> {
    match wanted.iter().find(|permission| !principal.permissions.contains(*permission)) {
        Some(missing) => Err(ApiError::Forbidden(missing)),
        None => Ok(()),
    }
}

/// What is about all departments is for those who see all.
pub(crate) fn sees_all(principal: &Principal) -> Result<(), ApiError> {
    if principal.sees_all() { Ok(()) } else { Err(ApiError::Forbidden(Permission::DepartmentsAll)) }
}
