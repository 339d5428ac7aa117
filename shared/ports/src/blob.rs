use crate::BoxFuture;

/// The largest object: bigger ones are streamed by features of their own.
pub const MAX_BLOB_BYTES: usize = 25 * 1024 * 1024;

/// What went wrong with an object.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// The store cannot be reached. Trying again may help.
    #[error("the object store is unavailable")]
    Unavailable,
    /// Larger than [`MAX_BLOB_BYTES`], or the key is empty or over 512 bytes; in PostgreSQL also a key that names no tenant.
    #[error("the object is too large or its key is not valid")]
    Invalid,
}

/// Objects by key. Keys begin with `t/<tenant>/`, so that deleting a tenant is deleting a prefix.
/// Reads see the last completed write.
pub trait Blob: Send + Sync {
    /// Writes or replaces an object, atomically.
    fn put<'a>(&'a self, key: &'a str, bytes: Vec<u8>) -> BoxFuture<'a, Result<(), BlobError>>;
    /// The object, or `None`.
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Vec<u8>>, BlobError>>;
    /// Keys that begin with `prefix` (not empty, and no longer than a key), in their order, at most `limit` (at most 1,000). Sees
    /// every write that was completed before.
    fn list<'a>(&'a self, prefix: &'a str, limit: u32) -> BoxFuture<'a, Result<Vec<String>, BlobError>>;
    /// Deletes an object; deleting what is not there is success.
    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), BlobError>>;
}
