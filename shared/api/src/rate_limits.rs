//! How often the API may be asked: by a key or a user, by a tenant, and without credentials. Twilio is never refused by a rate limit: its
//! calls have limits of their own, which are spoken.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use voicecore_domain::rate_limits::{OF_A_TENANT, OF_ALL_STRANGERS, api_requests};
use voicecore_ports::{BoxFuture, Clock, Db, RateLimit, RateLimitError, RateLimits};
use voicecore_store::directory::Principal;
use voicecore_types::{Quota, RateVerdict};

use crate::sign::{CLIENT_KEY, sign};
use crate::{ApiError, AppState, cookies, hex};

/// Milliseconds of a day: so long a client's network has one name among the counters.
const DAY_MS: u64 = 86_400_000;

/// What needs no credentials and is counted, by families: what is like each other, has one quota. Signed webhooks are not among them, nor
/// what those ask who watch over the system (`/health`, `/ready`) or read the document.
const FAMILIES: [(&str, &str); 10] = [
    ("/api/v1/auth/login", "login"),
    ("/api/v1/auth/refresh", "refresh"),
    ("/api/v1/auth/forgot-password", "forgot"),
    ("/api/v1/auth/reset-password", "link"),
    ("/api/v1/auth/accept-invitation", "link"),
    ("/api/v1/setup/claim", "link"),
    ("/reset-password", "link"),
    ("/invitation", "link"),
    ("/setup", "link"),
    (crate::live::LIVE_PATH, "live"),
];

/// The family of whatever is asked with credentials that nobody has.
const UNKNOWN_CREDENTIALS: &str = "credentials";

/// Counters in the database: for platforms without counters of their own.
pub struct SqlRateLimits {
    db: Arc<dyn Db>,
    clock: Arc<dyn Clock>,
}

impl SqlRateLimits {
    /// In this database, by this clock.
    pub fn new(db: Arc<dyn Db>, clock: Arc<dyn Clock>) -> Self {
        Self { db, clock }
    }
}

impl RateLimits for SqlRateLimits {
    fn take<'a>(
        &'a self,
        _limit: RateLimit,
        key: &'a str,
        quota: Quota,
    ) -> BoxFuture<'a, Result<RateVerdict, RateLimitError>> {
        Box::pin(async move {
            let taken = voicecore_store::rate_limits::take(&*self.db, key, quota, self.clock.now()).await;
            taken.map_err(|_| RateLimitError)
        })
    }
}

/// One request of this key, or of this user by whichever of their sessions; and one of the tenant's that they act for. What a key or a user
/// may not ask any more is not taken from the others of the tenant.
pub(crate) async fn known_caller(
    app: &AppState,
    name: &str,
    principal: Option<&Principal>,
) -> Result<(), ApiError> {
    take(app, RateLimit::Caller, name, 1).await?;
    let Some(principal) = principal else { return Ok(()) };
    let tenant = format!("tenant:{}", principal.scope.tenant());
    take(app, RateLimit::Tenant, &tenant, OF_A_TENANT).await
}

/// Whether a route of this path is counted although it needs no credentials.
pub(crate) fn is_for_strangers(path: &str) -> bool {
    family(path).is_some()
}

fn family(path: &str) -> Option<&'static str> {
    FAMILIES.iter().find(|(counted, _)| *counted == path).map(|(_, family)| *family)
}

/// Counts what needs no credentials, before anything of it is read.
pub(crate) async fn strangers(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let admitted = {
        let header = |name: &str| Some(request.headers().get(name)?.to_str().ok()?.to_owned());
        admit(&app, request.uri().path(), &header, Some(request.headers()))
    };
    match admitted.await {
        Ok(()) => next.run(request).await,
        Err(refused) => refused.into_response(),
    }
}

/// Takes one request to `path` from what may be asked without credentials, if that is counted there. Where the platform tells one client
/// from another each has a quota; elsewhere each browser on which somebody has signed in, and all the rest have a larger one together. For
/// adapters that answer such a path themselves (the upgrade to the live stream, where no cookie is sent); the router asks by itself.
pub fn admit_stranger(
    app: &AppState,
    path: &str,
    header: &dyn Fn(&str) -> Option<String>,
) -> impl Future<Output = Result<(), ApiError>> + Send + use<> {
    admit(app, path, header, None)
}

fn admit(
    app: &AppState,
    path: &str,
    header: &dyn Fn(&str) -> Option<String>,
    sent: Option<&HeaderMap>,
) -> impl Future<Output = Result<(), ApiError>> + Send + use<> {
    let counted = family(path).map(|family| counter(app, family, header, sent));
    let app = app.clone();
    async move {
        match counted {
            Some((key, times)) => take(&app, RateLimit::Stranger, &key, times).await,
            None => Ok(()),
        }
    }
}

/// Takes one request with credentials that nobody has from what may be asked without credentials: a family of its own, whatever is asked.
pub(crate) async fn admit_unknown(
    app: &AppState,
    header: &(dyn Fn(&str) -> Option<String> + Sync),
) -> Result<(), ApiError> {
    let (key, times) = counter(app, UNKNOWN_CREDENTIALS, header, None);
    take(app, RateLimit::Stranger, &key, times).await
}

/// What counts a request without credentials, and how many times the quota of one it has.
fn counter(
    app: &AppState,
    family: &str,
    header: &dyn Fn(&str) -> Option<String>,
    sent: Option<&HeaderMap>,
) -> (String, u32) {
    match client(app, family, header, sent) {
        Some(client) => (client, 1),
        None => (format!("everybody:{family}"), OF_ALL_STRANGERS),
    }
}

/// What a client's network is called today, or its browser where networks are not told apart: a hash that only this system can make, and
/// that says nothing tomorrow. It is given to the platform's counters and to nobody else.
fn client(
    app: &AppState,
    family: &str,
    header: &dyn Fn(&str) -> Option<String>,
    sent: Option<&HeaderMap>,
) -> Option<String> {
    let secret = app.config.keys.jwt_secret.get().ok()?;
    let (kind, name) = match app.ports.rate_limits.network(header) {
        Some(network) => ("client", network.to_vec()),
        None => ("browser", cookies::browser(secret, sent?)?.into_bytes()),
    };
    let day = (app.now().0 / DAY_MS).to_be_bytes();
    Some(format!("{kind}:{family}:{}", hex(&sign(secret, CLIENT_KEY, &[&day, &name]))))
}

/// Counters that cannot be reached let everybody in: a limit protects the service, it must not be what takes it down.
async fn take(app: &AppState, limit: RateLimit, key: &str, times: u32) -> Result<(), ApiError> {
    let quota = api_requests(app.config.requests_per_minute, times);
    match app.ports.rate_limits.take(limit, key, quota).await {
        Ok(RateVerdict::Limited { retry_after }) => Err(ApiError::RateLimited(retry_after)),
        Ok(RateVerdict::Allowed) | Err(_) => Ok(()),
    }
}
