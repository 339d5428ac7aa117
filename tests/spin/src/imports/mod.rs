//! What a component imports, one file for each interface, behaving as Spin's own implementation does
//! (`crates/factor-*` and `crates/sqlite-inproc` of its repository), traps included.

pub(crate) mod key_value;
pub(crate) mod outbound;
pub(crate) mod postgres;
pub(crate) mod sqlite;
pub(crate) mod variables;

use std::path::PathBuf;
use std::sync::Arc;

use wasmtime::component::{HasData, Linker, ResourceTable};
use wasmtime_wasi::{DirPerms, FilePerms, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::WasiHttpCtx;
use wasmtime_wasi_http::p3::{WasiHttpCtxView, WasiHttpView};

use crate::manifest::Grants;

wasmtime::component::bindgen!({
    path: "wit",
    world: "host",
    imports: { default: async | store | trappable },
    with: {
        "spin:key-value/key-value.store": key_value::Store,
        "spin:postgres/postgres.connection": postgres::Connection,
        "spin:sqlite/sqlite.connection": sqlite::Connection,
    },
});

/// What lasts longer than an instance.
pub(crate) struct Outside {
    pub(crate) grants: Grants,
    /// Folders that it may read, and where it sees them.
    pub(crate) folders: Vec<(PathBuf, String)>,
    /// Where databases lie.
    pub(crate) state: PathBuf,
    pub(crate) key_values: key_value::Shared,
    pub(crate) postgres: postgres::Pool,
}

/// What one instance works with.
pub(crate) struct Instance {
    pub(crate) table: ResourceTable,
    pub(crate) outside: Arc<Outside>,
    /// Open connections to databases.
    pub(crate) connections: usize,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: outbound::Hooks,
}

impl Instance {
    pub(crate) fn new(outside: &Arc<Outside>) -> wasmtime::Result<Self> {
        let mut wasi = WasiCtx::builder();
        wasi.inherit_stdout().inherit_stderr();
        for (folder, destination) in &outside.folders {
            wasi.preopened_dir(folder, destination, DirPerms::READ, FilePerms::READ)?;
        }
        Ok(Self {
            table: ResourceTable::new(),
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            hooks: outbound::Hooks::new(outside.grants.hosts.clone()),
            outside: Arc::clone(outside),
            connections: 0,
        })
    }
}

impl WasiView for Instance {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Instance {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.hooks, table: &mut self.table, ctx: &mut self.http }
    }
}

/// Names the host's part of an instance for the bindings: all of it.
pub(crate) struct Whole;

impl HasData for Whole {
    type Data<'a> = &'a mut Instance;
}

/// Everything that may be imported.
pub(crate) fn link(linker: &mut Linker<Instance>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    wasmtime_wasi::p3::add_to_linker(linker)?;
    wasmtime_wasi_http::p3::add_to_linker(linker)?;
    Host_::add_to_linker::<_, Whole>(linker, |instance| instance)
}
