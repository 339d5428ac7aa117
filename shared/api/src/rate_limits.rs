//! How often the API may be asked. Twilio is never refused by a rate limit: its calls have limits of their own, which are spoken.

use std::sync::Arc;

use voicecore_domain::rate_limits;
use voicecore_ports::{BoxFuture, Clock, Db, RateLimitError, RateLimits};
use voicecore_store::directory::Actor;
use voicecore_types::{Quota, RateVerdict, SessionId};

use crate::{ApiError, AppState};

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
    fn take<'a>(&'a self, key: &'a str, quota: Quota) -> BoxFuture<'a, Result<RateVerdict, RateLimitError>> {
        Box::pin(async move {
            let taken = voicecore_store::rate_limits::take(&*self.db, key, quota, self.clock.now()).await;
            taken.map_err(|_| RateLimitError)
        })
    }
}

/// One request with this key, or of this session.
pub(crate) async fn api_request(app: &AppState, actor: Actor) -> Result<(), ApiError> {
    match actor {
        Actor::ApiKey(key) => request(app, format!("api_key:{key}")).await,
        Actor::User { session_id, .. } | Actor::Impersonator { session_id, .. } => {
            session_request(app, session_id).await
        }
    }
}

/// One request of this session.
pub(crate) async fn session_request(app: &AppState, session: SessionId) -> Result<(), ApiError> {
    request(app, format!("session:{session}")).await
}

/// Counters that cannot be reached let everybody in: a limit protects the service, it must not be what takes it down.
async fn request(app: &AppState, key: String) -> Result<(), ApiError> {
    let quota = rate_limits::api_requests(app.config.requests_per_minute);
    match app.ports.rate_limits.take(&key, quota).await {
        Ok(RateVerdict::Limited { retry_after }) => Err(ApiError::RateLimited(retry_after)),
        Ok(RateVerdict::Allowed) | Err(_) => Ok(()),
    }
}
