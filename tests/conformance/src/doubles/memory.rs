use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value as Json;
use voicecore_ports::{
    Blob, BlobError, BoxFuture, Clock as _, Kv, KvError, MAX_BLOB_BYTES, Queue, QueueError, RateLimit,
    RateLimitError, RateLimits,
};
use voicecore_types::{Millis, Quota, RateVerdict, network};

use super::ManualClock;

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A cache that forgets by its clock.
#[derive(Debug)]
pub struct MemoryKv {
    clock: Arc<ManualClock>,
    values: Mutex<BTreeMap<String, (Millis, Vec<u8>)>>,
}

impl MemoryKv {
    /// Empty.
    pub fn new(clock: Arc<ManualClock>) -> Self {
        Self { clock, values: Mutex::default() }
    }
}

impl MemoryKv {
    /// Every key and value that is there.
    pub fn entries(&self) -> Vec<(String, Vec<u8>)> {
        lock(&self.values).iter().map(|(key, (_, value))| (key.clone(), value.clone())).collect()
    }
}

impl Kv for MemoryKv {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Vec<u8>>, KvError>> {
        let now = self.clock.now();
        let found = lock(&self.values).get(key).filter(|(until, _)| *until > now).map(|(_, v)| v.clone());
        Box::pin(async move { Ok(found) })
    }

    fn put<'a>(&'a self, key: &'a str, value: Vec<u8>, ttl_secs: u32) -> BoxFuture<'a, Result<(), KvError>> {
        // Workers KV refuses less than a minute.
        let stored = if ttl_secs < 60 {
            Err(KvError)
        } else {
            let until = self.clock.now().plus(Millis::from_secs(ttl_secs.into()));
            lock(&self.values).insert(key.to_owned(), (until, value));
            Ok(())
        };
        Box::pin(async move { stored })
    }
}

/// Counters in memory, which vouch for the address of a client as Cloudflare does.
#[derive(Debug)]
pub struct MemoryRateLimits {
    clock: Arc<ManualClock>,
    full_at: Mutex<BTreeMap<String, Millis>>,
    away: AtomicBool,
}

impl MemoryRateLimits {
    /// Nothing has been done yet.
    pub fn new(clock: Arc<ManualClock>) -> Self {
        Self { clock, full_at: Mutex::default(), away: AtomicBool::new(false) }
    }

    /// From now on they cannot be reached, or can again.
    pub fn away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }

    /// What is counted.
    pub fn keys(&self) -> Vec<String> {
        lock(&self.full_at).keys().cloned().collect()
    }
}

impl RateLimits for MemoryRateLimits {
    fn take<'a>(
        &'a self,
        _limit: RateLimit,
        key: &'a str,
        quota: Quota,
    ) -> BoxFuture<'a, Result<RateVerdict, RateLimitError>> {
        let mut states = lock(&self.full_at);
        let state = states.entry(key.to_owned()).or_insert(Millis(0));
        let (verdict, after) = quota.take(*state, self.clock.now());
        *state = after;
        let answer = if self.away.load(Ordering::SeqCst) { Err(RateLimitError) } else { Ok(verdict) };
        Box::pin(async move { answer })
    }

    fn network(&self, header: &dyn Fn(&str) -> Option<String>) -> Option<[u8; 8]> {
        network(&header("cf-connecting-ip")?)
    }
}

/// Objects in memory.
#[derive(Debug, Default)]
pub struct MemoryBlob(Mutex<BTreeMap<String, Vec<u8>>>);

impl MemoryBlob {
    /// The keys that are there, in order.
    pub fn keys(&self) -> Vec<String> {
        lock(&self.0).keys().cloned().collect()
    }
}

const fn valid_key(key: &str) -> bool {
    !key.is_empty() && key.len() <= 512
}

impl Blob for MemoryBlob {
    fn put<'a>(&'a self, key: &'a str, bytes: Vec<u8>) -> BoxFuture<'a, Result<(), BlobError>> {
        let stored = if valid_key(key) && bytes.len() <= MAX_BLOB_BYTES {
            lock(&self.0).insert(key.to_owned(), bytes);
            Ok(())
        } else {
            Err(BlobError::Invalid)
        };
        Box::pin(async move { stored })
    }

    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Vec<u8>>, BlobError>> {
        let found =
            if valid_key(key) { Ok(lock(&self.0).get(key).cloned()) } else { Err(BlobError::Invalid) };
        Box::pin(async move { found })
    }

    fn list<'a>(&'a self, prefix: &'a str, limit: u32) -> BoxFuture<'a, Result<Vec<String>, BlobError>> {
        let found = if valid_key(prefix) {
            let objects = lock(&self.0);
            let keys = objects.keys().filter(|key| key.starts_with(prefix)).take(limit as usize);
            Ok(keys.cloned().collect())
        } else {
            Err(BlobError::Invalid)
        };
        Box::pin(async move { found })
    }

    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), BlobError>> {
        let deleted = if valid_key(key) {
            lock(&self.0).remove(key);
            Ok(())
        } else {
            Err(BlobError::Invalid)
        };
        Box::pin(async move { deleted })
    }
}

/// The longest job, as JSON text.
const MAX_JOB_BYTES: usize = 64 * 1024;

/// Jobs, kept until the test takes them.
#[derive(Debug, Default)]
pub struct MemoryQueue {
    jobs: Mutex<Vec<Json>>,
    away: AtomicBool,
}

impl MemoryQueue {
    /// Takes every job that has been sent, in order.
    pub fn take(&self) -> Vec<Json> {
        std::mem::take(&mut lock(&self.jobs))
    }

    /// From now on it takes nothing, or does again.
    pub fn away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }
}

impl Queue for MemoryQueue {
    fn send<'a>(&'a self, job: &'a Json) -> BoxFuture<'a, Result<(), QueueError>> {
        let sent = if self.away.load(Ordering::SeqCst) || job.to_string().len() > MAX_JOB_BYTES {
            Err(QueueError)
        } else {
            lock(&self.jobs).push(job.clone());
            Ok(())
        };
        Box::pin(async { sent })
    }
}
