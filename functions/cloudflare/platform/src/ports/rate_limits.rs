use voicecore_ports::{BoxFuture, RateLimitError, RateLimits};
use voicecore_types::{Quota, RateVerdict};
use worker::Env;
use worker::send::SendFuture;

use super::binding;

/// Workers' own counters: by data centre, and by the quota that stands in `wrangler.toml` beside the binding.
pub(crate) struct WorkersRateLimits {
    env: Env,
}

impl WorkersRateLimits {
    pub(crate) fn new(env: Env) -> Self {
        Self { env }
    }
}

impl RateLimits for WorkersRateLimits {
    fn take<'a>(&'a self, key: &'a str, quota: Quota) -> BoxFuture<'a, Result<RateVerdict, RateLimitError>> {
        Box::pin(SendFuture::new(async move {
            let limiter = self.env.rate_limiter(binding::API_LIMIT).map_err(|_| RateLimitError)?;
            let outcome = limiter.limit(key.to_owned()).await.map_err(|_| RateLimitError)?;
            // It does not say when: after its period there is a new quota.
            Ok(if outcome.success {
                RateVerdict::Allowed
            } else {
                RateVerdict::Limited { retry_after: quota.per }
            })
        }))
    }
}
