//! The ports on Spin, one file each. Contracts are in `voicecore-ports`.

mod actors;
mod blob;
mod clock;
pub(crate) mod connection;
mod deadline;
mod http;
mod kv;
pub(crate) mod queue;
mod rng;
mod sqlite;

use std::sync::Arc;

use voicecore_api::SqlRateLimits;
use voicecore_ports::Ports;

/// Every port. What the manifest does not grant shows when its port is used, as `Unavailable`.
pub(crate) fn all() -> Ports {
    let db = Arc::new(sqlite::Sqlite);
    let (clock, rng) = (Arc::new(clock::Wall), Arc::new(rng::WasiRandom));
    Ports {
        rate_limits: Arc::new(SqlRateLimits::new(db.clone(), clock.clone())),
        queue: Arc::new(queue::SqlQueue::new(db.clone(), clock.clone(), rng.clone())),
        db,
        kv: Arc::new(kv::SpinKv::new(clock.clone())),
        blob: Arc::new(blob::SqlBlob),
        http: Arc::new(http::WasiHttp),
        clock,
        rng,
        actors: Arc::new(actors::NoActors),
    }
}
