use std::time::Duration;

use send_wrapper::SendWrapper;
use spin_sdk::sqlite::Value;
use voicecore_ports::{Blob, BlobError, BoxFuture, MAX_BLOB_BYTES};

use super::connection::Found;
use super::deadline::within;
use super::sqlite::connect;

/// The port's limit.
const MAX_KEY_BYTES: usize = 512;
/// Keys listed at once.
const MAX_LISTED: u32 = 1_000;
/// Objects are larger than rows; nobody on the line waits for one.
const DEADLINE: Duration = Duration::from_secs(10);

/// Objects as rows of SQLite. Not in the key-value store: some of its backends (the manifest does not say which) take no more
/// than 400 kB and read what was written a while ago, and a back-up of the database then holds everything.
pub(crate) struct SqlBlob;

async fn run(key: &str, sql: &str, bytes: Option<Vec<u8>>) -> Result<Found, BlobError> {
    let too_large = bytes.as_ref().is_some_and(|bytes| bytes.len() > MAX_BLOB_BYTES);
    if key.is_empty() || key.len() > MAX_KEY_BYTES || too_large {
        return Err(BlobError::Invalid);
    }
    let connection = connect().await.map_err(|_| BlobError::Unavailable)?;
    let mut args = vec![Value::Text(key.to_owned())];
    args.extend(bytes.map(Value::Blob));
    let answer = within(DEADLINE, connection.run(sql, args)).await;
    let found = answer.and_then(Result::ok).ok_or(BlobError::Unavailable)?;
    connection.keep();
    Ok(found)
}

impl Blob for SqlBlob {
    fn put<'a>(&'a self, key: &'a str, bytes: Vec<u8>) -> BoxFuture<'a, Result<(), BlobError>> {
        const PUT: &str = "insert into blobs (key, bytes) values (?1, ?2)
            on conflict (key) do update set bytes = excluded.bytes";
        Box::pin(SendWrapper::new(async move { run(key, PUT, Some(bytes)).await.map(drop) }))
    }

    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Vec<u8>>, BlobError>> {
        Box::pin(SendWrapper::new(async move {
            let found = run(key, "select bytes from blobs where key = ?1", None).await?;
            match found.rows.into_iter().flatten().next() {
                None => Ok(None),
                Some(Value::Blob(bytes)) => Ok(Some(bytes)),
                Some(_) => Err(BlobError::Unavailable),
            }
        }))
    }

    fn list<'a>(&'a self, prefix: &'a str, limit: u32) -> BoxFuture<'a, Result<Vec<String>, BlobError>> {
        // A range of the key, by bytes. No pattern: keys may hold signs that mean something there. No character is higher than the
        // last one.
        const LIST: &str = "select key from blobs where key >= ?1 and key < ?1 || '\u{10FFFF}' order by key";
        Box::pin(SendWrapper::new(async move {
            let found = run(prefix, &format!("{LIST} limit {}", limit.min(MAX_LISTED)), None).await?;
            let keys = found.rows.into_iter().flatten();
            Ok(keys.filter_map(|key| if let Value::Text(key) = key { Some(key) } else { None }).collect())
        }))
    }

    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(SendWrapper::new(async move {
            run(key, "delete from blobs where key = ?1", None).await.map(drop)
        }))
    }
}
