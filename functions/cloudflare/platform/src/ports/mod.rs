//! The ports on Workers, one file each. Contracts are in `voicecore-ports`.

mod actors;
mod clock;
mod d1;
mod http;
#[cfg(feature = "postgres")]
mod hyperdrive;
mod kv;
mod queue;
mod r2;
mod rate_limits;
mod rng;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use voicecore_ports::{Db, Ports};
use worker::{Delay, Env};

pub use actors::{object_name, stub};
pub use clock::now;

/// Names of the bindings in `wrangler.toml`.
pub mod binding {
    /// The database, D1.
    pub const DB: &str = "DB";
    /// The database, PostgreSQL.
    #[cfg(feature = "postgres")]
    pub const HYPERDRIVE: &str = "HYPERDRIVE";
    /// Key and value.
    pub const CACHE: &str = "CACHE";
    /// Objects.
    pub const BLOBS: &str = "BLOBS";
    /// The queue of jobs.
    pub const JOBS: &str = "JOBS";
    /// Actors of calls.
    pub const CALL_ACTOR: &str = "CALL_ACTOR";
    /// How often a key or a user may ask the API.
    pub const API_LIMIT: &str = "API_LIMIT";
    /// How often all of a tenant may.
    pub const TENANT_LIMIT: &str = "TENANT_LIMIT";
    /// How often a client without credentials may.
    pub const CLIENT_LIMIT: &str = "CLIENT_LIMIT";
    /// Hubs of tenants.
    pub const HUB_ACTOR: &str = "HUB_ACTOR";
    /// The dashboard's files.
    pub const ASSETS: &str = "ASSETS";
}

/// Every port, over the bindings of `env`. A binding that is missing shows when its port is used, as `Unavailable`.
pub fn all(env: &Env) -> Ports {
    Ports {
        db: db(env),
        kv: Arc::new(kv::WorkersKv::new(env.clone())),
        blob: Arc::new(r2::R2::new(env.clone())),
        queue: Arc::new(queue::WorkersQueue::new(env.clone())),
        http: Arc::new(http::Fetch),
        clock: Arc::new(clock::Date),
        rng: Arc::new(rng::WebCrypto),
        actors: Arc::new(actors::DurableObjects::new(env.clone())),
        rate_limits: Arc::new(rate_limits::WorkersRateLimits::new(env.clone())),
    }
}

/// PostgreSQL where Hyperdrive is bound, else D1.
fn db(env: &Env) -> Arc<dyn Db> {
    #[cfg(feature = "postgres")]
    if let Some(postgres) = hyperdrive::bound(env) {
        return Arc::new(postgres);
    }
    Arc::new(d1::D1::new(env.clone()))
}

/// What `work` gives, or `None` when it takes longer than `limit`: then it is given up.
async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    match select(pin!(work), pin!(Delay::from(limit))).await {
        Either::Left((done, _)) => Some(done),
        Either::Right(_) => None,
    }
}
