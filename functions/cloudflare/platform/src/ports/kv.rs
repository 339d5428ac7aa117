use voicecore_ports::{BoxFuture, Kv, KvError};
use worker::Env;
use worker::send::SendFuture;

use super::binding;

/// Workers KV.
pub(crate) struct WorkersKv {
    env: Env,
}

impl WorkersKv {
    pub(crate) fn new(env: Env) -> Self {
        Self { env }
    }
}

impl Kv for WorkersKv {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Vec<u8>>, KvError>> {
        Box::pin(SendFuture::new(async move {
            let kv = self.env.kv(binding::CACHE).map_err(|_| KvError)?;
            kv.get(key).bytes().await.map_err(|_| KvError)
        }))
    }

    fn put<'a>(&'a self, key: &'a str, value: Vec<u8>, ttl_secs: u32) -> BoxFuture<'a, Result<(), KvError>> {
        Box::pin(SendFuture::new(async move {
            let kv = self.env.kv(binding::CACHE).map_err(|_| KvError)?;
            let put = kv.put_bytes(key, &value).map_err(|_| KvError)?;
            put.expiration_ttl(u64::from(ttl_secs)).execute().await.map_err(|_| KvError)
        }))
    }
}
