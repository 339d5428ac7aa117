//! Native doubles of the ports: real where a real engine can be linked in (SQLite), in memory elsewhere. Nothing here
//! waits, and time and randomness do what the test says.

mod database;
mod db;
mod memory;
mod outside;
#[cfg(feature = "postgres")]
mod postgres;
mod time;

use std::sync::Arc;

pub use database::TestDb;
pub use db::{Numbers, SqliteDb};
pub use memory::{MemoryBlob, MemoryKv, MemoryQueue, MemoryRateLimits};
pub use outside::{ActorName, RecordingActors, ScriptedHttp};
#[cfg(feature = "postgres")]
pub use postgres::PostgresDb;
pub use time::{ManualClock, SeededRng};
use voicecore_ports::Ports;
use voicecore_types::Millis;

/// One of each, to be looked into while [`TestPorts::ports`] is used.
#[derive(Clone)]
pub struct TestPorts {
    /// All migrations applied.
    pub db: Arc<TestDb>,
    /// Forgets by `clock`.
    pub kv: Arc<MemoryKv>,
    /// Keeps everything.
    pub blob: Arc<MemoryBlob>,
    /// Keeps jobs until they are taken.
    pub queue: Arc<MemoryQueue>,
    /// Answers what the test has put in.
    pub http: Arc<ScriptedHttp>,
    /// Stands still until it is moved.
    pub clock: Arc<ManualClock>,
    /// Repeats itself in every run.
    pub rng: Arc<SeededRng>,
    /// Answers as the test says.
    pub actors: Arc<RecordingActors>,
    /// Counts by `clock`, unless it is told to be away.
    pub rate_limits: Arc<MemoryRateLimits>,
}

impl TestPorts {
    /// Empty and migrated, at `now`, on the engine of this run ([`TestDb::migrated`]).
    pub fn new(now: Millis) -> Self {
        Self::on(TestDb::migrated(), now)
    }

    /// Over this database.
    pub fn on(db: TestDb, now: Millis) -> Self {
        let clock = Arc::new(ManualClock::new(now));
        Self {
            rate_limits: Arc::new(MemoryRateLimits::new(Arc::clone(&clock))),
            db: Arc::new(db),
            kv: Arc::new(MemoryKv::new(Arc::clone(&clock))),
            blob: Arc::default(),
            queue: Arc::default(),
            http: Arc::default(),
            clock,
            rng: Arc::new(SeededRng::new(1)),
            actors: Arc::default(),
        }
    }

    /// As the product takes them.
    pub fn ports(&self) -> Ports {
        Ports {
            db: self.db.clone(),
            kv: self.kv.clone(),
            blob: self.blob.clone(),
            queue: self.queue.clone(),
            http: self.http.clone(),
            clock: self.clock.clone(),
            rng: self.rng.clone(),
            actors: self.actors.clone(),
            rate_limits: self.rate_limits.clone(),
        }
    }
}
