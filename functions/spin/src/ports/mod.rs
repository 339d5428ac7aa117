//! The ports on Spin, one file each. Contracts are in `voicecore-ports`.

mod actors;
mod blob;
mod clock;
pub(crate) mod connection;
mod deadline;
mod http;
mod kv;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
pub(crate) mod queue;
mod rng;
mod sqlite;

use std::sync::Arc;

use voicecore_api::SqlRateLimits;
use voicecore_ports::{Blob, Db, Ports};

/// Every port. What the manifest does not grant shows when its port is used, as `Unavailable`.
pub(crate) fn all() -> Ports {
    over(Arc::new(sqlite::Sqlite), Arc::new(blob::SqlBlob))
}

/// The same with rows and objects in PostgreSQL, whose schema `cargo xtask migrate` has made.
#[cfg(feature = "postgres")]
pub(crate) fn all_with_postgres(address: &str) -> Ports {
    let (db, blob) = postgres::open(address);
    over(Arc::new(db), Arc::new(blob))
}

fn over(db: Arc<dyn Db>, blob: Arc<dyn Blob>) -> Ports {
    let (clock, rng) = (Arc::new(clock::Wall), Arc::new(rng::WasiRandom));
    Ports {
        rate_limits: Arc::new(SqlRateLimits::new(db.clone(), clock.clone())),
        queue: Arc::new(queue::SqlQueue::new(db.clone(), clock.clone(), rng.clone())),
        db,
        kv: Arc::new(kv::SpinKv::new(clock.clone())),
        blob,
        http: Arc::new(http::WasiHttp),
        clock,
        rng,
        actors: Arc::new(actors::NoActors),
    }
}
