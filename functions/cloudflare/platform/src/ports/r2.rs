use voicecore_ports::{Blob, BlobError, BoxFuture, MAX_BLOB_BYTES};
use worker::send::SendFuture;
use worker::{Bucket, Env};

use super::binding;

/// R2 takes keys of up to 1,024 bytes; the port promises less.
const MAX_KEY_BYTES: usize = 512;

/// R2 lists no more at once.
const MAX_LISTED: u32 = 1_000;

/// R2.
pub(crate) struct R2 {
    env: Env,
}

impl R2 {
    pub(crate) fn new(env: Env) -> Self {
        Self { env }
    }

    fn bucket(&self, key: &str) -> Result<Bucket, BlobError> {
        if key.is_empty() || key.len() > MAX_KEY_BYTES {
            return Err(BlobError::Invalid);
        }
        self.env.bucket(binding::BLOBS).map_err(|_| BlobError::Unavailable)
    }
}

impl Blob for R2 {
    fn put<'a>(&'a self, key: &'a str, bytes: Vec<u8>) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(SendFuture::new(async move {
            let bucket = self.bucket(key)?;
            if bytes.len() > MAX_BLOB_BYTES {
                return Err(BlobError::Invalid);
            }
            bucket.put(key, bytes).execute().await.map(drop).map_err(|_| BlobError::Unavailable)
        }))
    }

    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Vec<u8>>, BlobError>> {
        Box::pin(SendFuture::new(async move {
            let found = self.bucket(key)?.get(key).execute().await.map_err(|_| BlobError::Unavailable)?;
            let Some(object) = found else { return Ok(None) };
            let body = object.body().ok_or(BlobError::Unavailable)?;
            body.bytes().await.map(Some).map_err(|_| BlobError::Unavailable)
        }))
    }

    fn list<'a>(&'a self, prefix: &'a str, limit: u32) -> BoxFuture<'a, Result<Vec<String>, BlobError>> {
        Box::pin(SendFuture::new(async move {
            let bucket = self.bucket(prefix)?;
            let found = bucket.list().prefix(prefix).limit(limit.clamp(1, MAX_LISTED)).execute().await;
            let found = found.map_err(|_| BlobError::Unavailable)?;
            Ok(found.objects().iter().map(worker::Object::key).collect())
        }))
    }

    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(SendFuture::new(async move {
            self.bucket(key)?.delete(key).await.map_err(|_| BlobError::Unavailable)
        }))
    }
}
