//! The conformance suite of [`Kv`]: what the port promises, on every cache.
//!
//! A cache may be stale for a minute and forgets in its own time. So the suite writes each key once, before it is ever read,
//! and does not wait for anything to be forgotten; `tests/memory.rs` does, by the double's clock.

use std::sync::Arc;

use voicecore_ports::Kv;

/// The shortest time that a value may be kept for, in seconds.
const MIN_TTL_SECS: u32 = 60;

/// A backend under test.
pub type SharedKv = Arc<dyn Kv>;

/// Runs every case against a backend, and panics at the first promise that is broken; the output names the case. `run` is a
/// word that no earlier run against the same backend has used.
pub async fn suite(kv: SharedKv, run: &str) {
    macro_rules! cases {
        ($($case:ident),+ $(,)?) => {$(
            println!("{}", stringify!($case));
            $case(&*kv, run).await;
        )+};
    }
    cases!(bytes_come_back_as_they_went_in, keys_are_told_apart, a_value_is_kept_for_a_minute_at_least);
}

async fn put(kv: &dyn Kv, key: &str, value: &[u8]) {
    let done = kv.put(key, value.to_vec(), MIN_TTL_SECS).await;
    assert!(done.is_ok(), "put {key}: {done:?}");
}

async fn get(kv: &dyn Kv, key: &str) -> Option<Vec<u8>> {
    let found = kv.get(key).await;
    assert!(found.is_ok(), "get {key}: {found:?}");
    found.unwrap_or_default()
}

/// Nothing, every byte, and a megabyte that is no text. The same value may be written again, as caches do.
async fn bytes_come_back_as_they_went_in(kv: &dyn Kv, run: &str) {
    let every: Vec<u8> = (0..=u8::MAX).collect();
    for (index, value) in [vec![], every.clone(), every.repeat(4_096)].into_iter().enumerate() {
        let key = format!("{run}/bytes/{index}");
        for _ in 0..2 {
            put(kv, &key, &value).await;
            assert!(get(kv, &key).await.as_ref() == Some(&value), "{key}: other bytes came back");
        }
    }
}

async fn keys_are_told_apart(kv: &dyn Kv, run: &str) {
    let keys =
        ["k", "K", "k/k", "k.json", "k k", "k%20k", "k+k", "k?k#k", "é"].map(|name| format!("{run}/{name}"));
    for key in &keys {
        put(kv, key, key.as_bytes()).await;
    }
    for key in &keys {
        assert_eq!(get(kv, key).await.as_deref(), Some(key.as_bytes()), "{key}");
    }
    assert_eq!(get(kv, &format!("{run}/never written")).await, None);
}

/// Less is refused everywhere, because one platform does.
async fn a_value_is_kept_for_a_minute_at_least(kv: &dyn Kv, run: &str) {
    let key = format!("{run}/brief");
    for ttl_secs in [0, 1, MIN_TTL_SECS - 1] {
        let refused = kv.put(&key, vec![1], ttl_secs).await;
        assert!(refused.is_err(), "{ttl_secs} seconds");
    }
    assert_eq!(get(kv, &key).await, None);
}
