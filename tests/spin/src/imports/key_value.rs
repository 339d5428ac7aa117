use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::OptionalExtension as _;
use wasmtime::component::{Accessor, Resource};

use super::spin::key_value::key_value::{Error, Host, HostStore, HostStoreWithStore};
use super::{Instance, Whole};

/// One connection for all, as Spin has it.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Mutex<rusqlite::Connection>>);

/// An open store: its label.
#[expect(unreachable_pub, reason = "the bindings re-export it")]
pub struct Store(String);

impl Shared {
    pub(crate) fn open(file: &Path) -> rusqlite::Result<Self> {
        let connection = rusqlite::Connection::open(file)?;
        connection.execute(
            "create table if not exists spin_key_value (store text not null, key text not null, value blob not null,
             primary key (store, key))",
            [],
        )?;
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    fn lock(&self) -> MutexGuard<'_, rusqlite::Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn other(error: &rusqlite::Error) -> Error {
    Error::Other(error.to_string())
}

/// The label of the store, and the table.
fn parts<T>(accessor: &Accessor<T, Whole>, store: &Resource<Store>) -> wasmtime::Result<(String, Shared)> {
    accessor.with(|mut access| {
        let instance = access.get();
        Ok((instance.table.get(store)?.0.clone(), instance.outside.key_values.clone()))
    })
}

impl Host for &mut Instance {}
impl HostStore for &mut Instance {}

impl<T> HostStoreWithStore<T> for Whole {
    async fn drop(accessor: &Accessor<T, Self>, store: Resource<Store>) -> wasmtime::Result<()> {
        accessor.with(|mut access| access.get().table.delete(store).map(drop).map_err(Into::into))
    }

    async fn open(
        accessor: &Accessor<T, Self>,
        label: String,
    ) -> wasmtime::Result<Result<Resource<Store>, Error>> {
        accessor.with(|mut access| {
            let instance = access.get();
            if !instance.outside.grants.key_value_stores.contains(&label) {
                return Ok(Err(Error::AccessDenied));
            }
            Ok(Ok(instance.table.push(Store(label))?))
        })
    }

    async fn get(
        accessor: &Accessor<T, Self>,
        store: Resource<Store>,
        key: String,
    ) -> wasmtime::Result<Result<Option<Vec<u8>>, Error>> {
        let (label, shared) = parts(accessor, &store)?;
        let select = "select value from spin_key_value where store = ?1 and key = ?2";
        let found = shared.lock().query_row(select, [&label, &key], |row| row.get(0)).optional();
        Ok(found.map_err(|error| other(&error)))
    }

    async fn set(
        accessor: &Accessor<T, Self>,
        store: Resource<Store>,
        key: String,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), Error>> {
        let (label, shared) = parts(accessor, &store)?;
        let upsert = "insert into spin_key_value (store, key, value) values (?1, ?2, ?3)
                      on conflict (store, key) do update set value = excluded.value";
        let stored = shared.lock().execute(upsert, rusqlite::params![label, key, value]);
        Ok(stored.map(drop).map_err(|error| other(&error)))
    }

    async fn delete(
        accessor: &Accessor<T, Self>,
        store: Resource<Store>,
        key: String,
    ) -> wasmtime::Result<Result<(), Error>> {
        let (label, shared) = parts(accessor, &store)?;
        let deleted =
            shared.lock().execute("delete from spin_key_value where store = ?1 and key = ?2", [label, key]);
        Ok(deleted.map(drop).map_err(|error| other(&error)))
    }
}
