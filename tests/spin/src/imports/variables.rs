use wasmtime::component::Accessor;

use super::spin::variables::variables::{Error, Host, HostWithStore};
use super::{Instance, Whole};

impl Host for &mut Instance {}

impl<T> HostWithStore<T> for Whole {
    async fn get(accessor: &Accessor<T, Self>, name: String) -> wasmtime::Result<Result<String, Error>> {
        let valid = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !valid {
            return Ok(Err(Error::InvalidName(name)));
        }
        let value = accessor.with(|mut access| access.get().outside.grants.variables.get(&name).cloned());
        Ok(value.ok_or(Error::Undefined(name)))
    }
}
