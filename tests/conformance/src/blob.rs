//! The conformance suite of [`Blob`]: what the port promises, on every object store.
//!
//! Every object lies below [`PREFIX`] and is deleted in the end, so a store that is not empty may be used.

use std::sync::Arc;

use voicecore_ports::{Blob, BlobError, MAX_BLOB_BYTES};

/// Where the suite's objects lie: below a tenant that nobody has.
pub const PREFIX: &str = "t/00000000-0000-7000-8000-0c04f0a3a2ce/";

/// The longest key that the port takes.
const MAX_KEY_BYTES: usize = 512;

/// A backend under test.
pub type SharedBlob = Arc<dyn Blob>;

/// Runs every case against a backend, and panics at the first promise that is broken; the output names the case.
pub async fn suite(blob: SharedBlob) {
    macro_rules! cases {
        ($($case:ident),+ $(,)?) => {$(
            println!("{}", stringify!($case));
            $case(&*blob).await;
        )+};
    }
    cases!(
        bytes_come_back_as_they_went_in,
        a_read_sees_the_last_write,
        what_is_not_there_is_none,
        keys_are_told_apart,
        a_prefix_lists_what_begins_with_it,
        limits_are_the_same_everywhere,
    );
}

fn key(name: &str) -> String {
    format!("{PREFIX}{name}")
}

async fn put(blob: &dyn Blob, key: &str, bytes: &[u8]) {
    let done = blob.put(key, bytes.to_vec()).await;
    assert!(done.is_ok(), "put {key}: {done:?}");
}

async fn get(blob: &dyn Blob, key: &str) -> Option<Vec<u8>> {
    let found = blob.get(key).await;
    assert!(found.is_ok(), "get {key}: {found:?}");
    found.unwrap_or_default()
}

async fn delete(blob: &dyn Blob, key: &str) {
    let done = blob.delete(key).await;
    assert!(done.is_ok(), "delete {key}: {done:?}");
}

/// Nothing, every byte, and a megabyte that is no text.
async fn bytes_come_back_as_they_went_in(blob: &dyn Blob) {
    let every: Vec<u8> = (0..=u8::MAX).collect();
    let key = key("bytes");
    for bytes in [vec![], every.clone(), every.repeat(4_096)] {
        put(blob, &key, &bytes).await;
        assert!(get(blob, &key).await == Some(bytes), "other bytes came back");
    }
    delete(blob, &key).await;
}

/// A write replaces all of what was there, a longer object too.
async fn a_read_sees_the_last_write(blob: &dyn Blob) {
    let key = key("twice");
    for bytes in [&b"a longer object"[..], b"short", b"", b"again"] {
        put(blob, &key, bytes).await;
        assert_eq!(get(blob, &key).await.as_deref(), Some(bytes));
    }
    delete(blob, &key).await;
    assert_eq!(get(blob, &key).await, None);
}

/// Never written or deleted is all one, and deleting it is success.
async fn what_is_not_there_is_none(blob: &dyn Blob) {
    let key = key("nothing");
    assert_eq!(get(blob, &key).await, None);
    for _ in 0..2 {
        delete(blob, &key).await;
        assert_eq!(get(blob, &key).await, None);
    }
}

/// By case, by what follows, by what looks like a folder or like an escape.
async fn keys_are_told_apart(blob: &dyn Blob) {
    let keys = ["k", "K", "k/", "k/k", "k.json", "k k", "k%20k", "k+k", "é"].map(key);
    for key in &keys {
        put(blob, key, key.as_bytes()).await;
    }
    for key in &keys {
        assert_eq!(get(blob, key).await.as_deref(), Some(key.as_bytes()), "{key}");
    }
    let [first, rest @ ..] = &keys;
    delete(blob, first).await;
    assert_eq!(get(blob, first).await, None);
    for key in rest {
        assert!(get(blob, key).await.is_some(), "{key} went with {first}");
        delete(blob, key).await;
    }
}

/// In order, no more than asked for, nothing that only looks like it; also names with signs that mean something to a pattern.
async fn a_prefix_lists_what_begins_with_it(blob: &dyn Blob) {
    let (inside, outside) = (
        ["list/1", "list/1%", "list/2/x", "list/_", "list/é"].map(key),
        ["list", "list0", "LIST/1"].map(key),
    );
    for key in inside.iter().chain(&outside) {
        put(blob, key, b"x").await;
    }
    let list = async |limit| {
        let found = blob.list(&key("list/"), limit).await;
        assert!(found.is_ok(), "list: {found:?}");
        found.unwrap_or_default()
    };
    assert_eq!(list(100).await, inside);
    assert_eq!(list(2).await, inside[..2]);
    for key in inside.iter().chain(&outside) {
        delete(blob, key).await;
    }
    assert_eq!(list(100).await, [""; 0]);
    assert!(matches!(blob.list("", 10).await, Err(BlobError::Invalid)));
}

/// The longest key works everywhere; one byte more, no key at all, and an object that is too large are refused everywhere.
async fn limits_are_the_same_everywhere(blob: &dyn Blob) {
    let fill = |length: usize| format!("{PREFIX}{}", "k".repeat(length - PREFIX.len()));
    let longest = fill(MAX_KEY_BYTES);
    put(blob, &longest, b"x").await;
    assert_eq!(get(blob, &longest).await.as_deref(), Some(&b"x"[..]));
    delete(blob, &longest).await;
    for bad in [String::new(), fill(MAX_KEY_BYTES + 1)] {
        assert!(matches!(blob.put(&bad, vec![]).await, Err(BlobError::Invalid)));
        assert!(matches!(blob.get(&bad).await, Err(BlobError::Invalid)));
        assert!(matches!(blob.delete(&bad).await, Err(BlobError::Invalid)));
    }
    let large = key("large");
    assert!(matches!(blob.put(&large, vec![0; MAX_BLOB_BYTES + 1]).await, Err(BlobError::Invalid)));
    assert_eq!(get(blob, &large).await, None);
}
