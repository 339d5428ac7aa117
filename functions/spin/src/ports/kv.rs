use std::sync::Arc;
use std::time::Duration;

use send_wrapper::SendWrapper;
use spin_sdk::key_value::Store;
use voicecore_ports::{BoxFuture, Clock, Kv, KvError};

use super::deadline::within;

/// As spin.toml names it.
const STORE: &str = "default";
/// The port's shortest time to keep a value.
const MIN_TTL_SECS: u32 = 60;
/// A cache that is slower than this is none.
const DEADLINE: Duration = Duration::from_secs(2);

/// Spin's key-value store. It forgets nothing by itself, so each value begins with the moment from which it counts as
/// forgotten (milliseconds, eight bytes, big-endian); it is deleted when it is found after that.
pub(crate) struct SpinKv {
    clock: Arc<dyn Clock>,
}

impl SpinKv {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock }
    }

    async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, KvError> {
        let store = Store::open(STORE).await.map_err(|_| KvError)?;
        let Some(stored) = store.get(key).await.map_err(|_| KvError)? else { return Ok(None) };
        let Some((until, value)) = stored.split_first_chunk() else { return Ok(None) };
        if u64::from_be_bytes(*until) > self.clock.now().0 {
            return Ok(Some(value.to_vec()));
        }
        // Should it fail, the next reader tries.
        let _ = store.delete(key).await;
        Ok(None)
    }

    async fn write(&self, key: &str, value: &[u8], ttl_secs: u32) -> Result<(), KvError> {
        if ttl_secs < MIN_TTL_SECS {
            return Err(KvError);
        }
        let until = self.clock.now().0.saturating_add(u64::from(ttl_secs) * 1000);
        let store = Store::open(STORE).await.map_err(|_| KvError)?;
        store.set(key, [&until.to_be_bytes(), value].concat()).await.map_err(|_| KvError)
    }
}

impl Kv for SpinKv {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Vec<u8>>, KvError>> {
        Box::pin(SendWrapper::new(
            async move { within(DEADLINE, self.read(key)).await.unwrap_or(Err(KvError)) },
        ))
    }

    fn put<'a>(&'a self, key: &'a str, value: Vec<u8>, ttl_secs: u32) -> BoxFuture<'a, Result<(), KvError>> {
        Box::pin(SendWrapper::new(async move {
            within(DEADLINE, self.write(key, &value, ttl_secs)).await.unwrap_or(Err(KvError))
        }))
    }
}
