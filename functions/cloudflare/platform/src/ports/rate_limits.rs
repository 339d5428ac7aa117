use voicecore_ports::{BoxFuture, RateLimit, RateLimitError, RateLimits};
use voicecore_types::{Quota, RateVerdict, network};
use worker::Env;
use worker::send::SendFuture;

use super::binding;

/// Cloudflare sets it itself, whatever the client has sent.
const CLIENT_ADDRESS: &str = "cf-connecting-ip";

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
    fn take<'a>(
        &'a self,
        limit: RateLimit,
        key: &'a str,
        quota: Quota,
    ) -> BoxFuture<'a, Result<RateVerdict, RateLimitError>> {
        let name = match limit {
            RateLimit::Caller => binding::API_LIMIT,
            RateLimit::Tenant => binding::TENANT_LIMIT,
            RateLimit::Stranger => binding::CLIENT_LIMIT,
        };
        Box::pin(SendFuture::new(async move {
            let limiter = self.env.rate_limiter(name).map_err(|_| RateLimitError)?;
            let outcome = limiter.limit(key.to_owned()).await.map_err(|_| RateLimitError)?;
            // It does not say when: after its period there is a new quota.
            Ok(if outcome.success {
                RateVerdict::Allowed
            } else {
                RateVerdict::Limited { retry_after: quota.per }
            })
        }))
    }

    fn network(&self, header: &dyn Fn(&str) -> Option<String>) -> Option<[u8; 8]> {
        network(&header(CLIENT_ADDRESS)?)
    }
}
