//! An actor's storage, as two types, so that the output gate cannot be closed by mistake.
//!
//! A storage write makes the runtime hold back every later `send` and `fetch` of the actor until the write is confirmed,
//! awaited or not: audio would stall. [`Unconfirmed`] can only write with `allowUnconfirmed`, which does not close the gate
//! (workerd, `ActorSqlite::onWrite`): it is all that code beside running audio ever holds. [`Records`] writes with
//! confirmation and is held by the actor itself, for what happens when no audio flows.

use std::rc::Rc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use voicecore_types::Millis;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};
use worker::{ListOptions, State, Storage};

#[wasm_bindgen]
extern "C" {
    // `worker` 0.8.7's `put` takes no options, and its alarm options are spelt in a way the runtime does not read.
    #[derive(Clone)]
    type RawStorage;
    #[wasm_bindgen(method, catch, js_name = put)]
    fn put_with(
        this: &RawStorage,
        key: &str,
        value: &str,
        options: &JsValue,
    ) -> Result<js_sys::Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = setAlarm)]
    fn set_alarm_with(this: &RawStorage, at: f64, options: &JsValue) -> Result<js_sys::Promise, JsValue>;
}

/// Storage that never makes audio wait. What it writes may be lost when the actor dies within the next moments.
#[derive(Clone)]
pub(crate) struct Unconfirmed {
    raw: RawStorage,
    options: JsValue,
    on_failure: Rc<Closure<dyn FnMut(JsValue)>>,
}

impl Unconfirmed {
    pub(crate) fn new(state: &State) -> Self {
        let options = js_sys::Object::new();
        // Setting a property of a fresh object cannot fail.
        let _ = js_sys::Reflect::set(&options, &"allowUnconfirmed".into(), &JsValue::TRUE);
        let on_failure = |_| worker::console_error!("a write of a running call failed");
        let on_failure =
            Rc::new(Closure::wrap_assert_unwind_safe(Box::new(on_failure) as Box<dyn FnMut(JsValue)>));
        Self { raw: raw_storage(state), options: options.into(), on_failure }
    }

    /// Writes `value`, in order with other writes.
    pub(crate) fn put(&self, key: &str, value: &str) {
        self.observe(self.raw.put_with(key, value, &self.options));
    }

    /// Sets the actor's one alarm.
    pub(crate) fn set_alarm(&self, at: Millis) {
        self.observe(self.raw.set_alarm_with(at.0 as f64, &self.options));
    }

    /// Sees to it that a write that fails is logged. Nobody waits for it.
    fn observe(&self, write: Result<js_sys::Promise, JsValue>) {
        match write {
            Ok(promise) => drop(promise.catch(&self.on_failure)),
            Err(_) => worker::console_error!("a write of a running call was refused"),
        }
    }
}

fn raw_storage(state: &State) -> RawStorage {
    let storage = state.storage();
    let raw: &JsValue = storage.as_raw().as_ref();
    raw.clone().unchecked_into()
}

/// The actor's storage failed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StorageError;

/// Storage that confirms what it writes, as JSON. Not for use while audio flows.
pub(crate) struct Records {
    storage: Storage,
}

impl Records {
    pub(crate) fn new(state: &State) -> Self {
        Self { storage: state.storage() }
    }

    /// The record under `key`. One that this version cannot read is an error, so that it is not overwritten.
    pub(crate) async fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, StorageError> {
        let text: Option<String> = self.storage.get(key).await.map_err(|_| StorageError)?;
        text.map(|text| serde_json::from_str(&text).map_err(|_| StorageError)).transpose()
    }

    /// Writes the record under `key` and waits until it is safe.
    pub(crate) async fn put<T: Serialize>(&self, key: &str, value: &T) -> Result<(), StorageError> {
        let text = serde_json::to_string(value).map_err(|_| StorageError)?;
        self.storage.put_raw(key, text).await.map_err(|_| StorageError)
    }

    /// The texts under every key that begins with `prefix`, at most `limit`, in the order of their keys.
    pub(crate) async fn texts(&self, prefix: &str, limit: usize) -> Result<Vec<String>, StorageError> {
        let options = ListOptions::new().prefix(prefix).limit(limit);
        let map = self.storage.list_with_options(options).await.map_err(|_| StorageError)?;
        let values = map.values().into_iter().filter_map(Result::ok);
        Ok(values.filter_map(|value| value.as_string()).collect())
    }

    /// Sets the actor's one alarm.
    pub(crate) async fn set_alarm(&self, at: Millis, now: Millis) -> Result<(), StorageError> {
        let offset = i64::try_from(at.since(now).0).unwrap_or(i64::MAX);
        self.storage.set_alarm(offset).await.map_err(|_| StorageError)
    }

    /// Deletes everything, the alarm included.
    pub(crate) async fn wipe(&self) -> Result<(), StorageError> {
        self.storage.delete_alarm().await.map_err(|_| StorageError)?;
        self.storage.delete_all().await.map_err(|_| StorageError)
    }
}
