//! The component, compiled, and its instances: reused and shared by requests as Spin does it.

use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};
use wasmtime::component::{Component, GuestTaskId, InstancePre, Linker};
use wasmtime::{Config, Engine, Store, StoreContextMut};
use wasmtime_wasi_http::handler::{
    HandlerState, Instance as Worker, Proxy, ShouldAccept, ViewFn, WorkerExpiration, WorkerState,
    WorkerStatus,
};
use wasmtime_wasi_http::p3::WasiHttpView as _;
use wasmtime_wasi_http::p3::bindings::Service;

use crate::imports::{self, Instance, Outside};

/// How instances are used. The defaults are Spin's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reuse {
    /// Requests that one instance serves in its life.
    pub(crate) total: usize,
    /// Requests that it serves at once.
    pub(crate) concurrent: usize,
    /// What a request may take until its answer begins. It is told so late if it lets nobody else run.
    pub(crate) request: Duration,
}

/// An instance that nobody needs is dropped after this long.
const IDLE: Duration = Duration::from_secs(1);

/// Makes instances.
pub(crate) struct Instances {
    engine: Engine,
    component: InstancePre<Instance>,
    outside: Arc<Outside>,
    reuse: Reuse,
}

impl Instances {
    /// Compiles the component, or takes what was compiled of the same bytes before.
    pub(crate) fn load(wasm: &Path, cache: &Path, outside: Outside, reuse: Reuse) -> anyhow::Result<Self> {
        let mut config = Config::new();
        config.wasm_component_model_async(true);
        let engine = Engine::new(&config)?;
        let bytes = std::fs::read(wasm).with_context(|| format!("reading {}", wasm.display()))?;
        let mut linker = Linker::new(&engine);
        imports::link(&mut linker)?;
        let component = linker.instantiate_pre(&compiled(&engine, &bytes, cache)?)?;
        Ok(Self { engine, component, outside: Arc::new(outside), reuse })
    }
}

/// What a component exports and imports, a name each, as `import wasi:http/types@0.3.0`.
pub(crate) fn interfaces(wasm: &Path) -> anyhow::Result<Vec<String>> {
    let mut config = Config::new();
    config.wasm_component_model_async(true);
    let engine = Engine::new(&config)?;
    let component = Component::new(&engine, std::fs::read(wasm)?)?;
    let of = component.component_type();
    let exports = of.exports(&engine).map(|(name, _)| format!("export {name}"));
    let imports = of.imports(&engine).map(|(name, _)| format!("import {name}"));
    Ok(exports.chain(imports).collect())
}

/// The file is our own, in a folder of our own: that is what `deserialize_file` has to trust.
#[expect(unsafe_code, reason = "the only way to load what was compiled before")]
fn compiled(engine: &Engine, bytes: &[u8], cache: &Path) -> anyhow::Result<Component> {
    let name = format!("{:x}-{}.cwasm", Sha256::digest(bytes), env!("CARGO_PKG_VERSION"));
    let file = cache.join(name);
    if file.exists()
        // SAFETY: it was written below, by `serialize`, and is found by the hash of what it was made of. wasmtime checks the
        // version and the settings itself.
        && let Ok(component) = unsafe { Component::deserialize_file(engine, &file) }
    {
        return Ok(component);
    }
    let component = Component::new(engine, bytes)?;
    std::fs::create_dir_all(cache)?;
    // Renamed when it is whole: two hosts may start at once.
    let half = cache.join(format!("{}.half", std::process::id()));
    std::fs::write(&half, component.serialize()?)?;
    std::fs::rename(&half, &file)?;
    Ok(component)
}

/// How long an instance may do what it does.
pub(crate) struct Expiration {
    sleep: Pin<Box<tokio::time::Sleep>>,
    request: Duration,
}

impl WorkerExpiration for Expiration {
    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        status: WorkerStatus,
        start: Instant,
    ) -> Poll<()> {
        let limit = if status == WorkerStatus::Idle { IDLE } else { self.request };
        let deadline = (start + limit).into();
        if self.sleep.deadline() != deadline {
            self.sleep.as_mut().reset(deadline);
        }
        self.sleep.as_mut().poll(context)
    }
}

impl WorkerState for Reuse {
    type StoreData = Instance;
    type RequestId = ();

    fn should_accept_request(&self, concurrent: usize, total: usize) -> ShouldAccept {
        if total >= self.total {
            ShouldAccept::Never
        } else if concurrent >= self.concurrent {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        _: StoreContextMut<'_, Instance>,
        (): (),
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + 'static + Send + Sync>> {
        Box::pin(tokio::time::sleep(self.request))
    }

    fn drop(&self, store: Store<Instance>, result: wasmtime::Result<()>) {
        if let Err(error) = result {
            eprintln!("an instance failed: {error:#}");
        }
        drop(store);
    }
}

impl HandlerState for Instances {
    type StoreData = Instance;
    type WorkerExpiration = Expiration;
    type WorkerState = Reuse;

    async fn instantiate(&self) -> wasmtime::Result<Worker<Instance, Expiration, Reuse>> {
        let mut store = Store::new(&self.engine, Instance::new(&self.outside)?);
        let instance = self.component.instantiate_async(&mut store).await?;
        let proxy = Proxy::P3(Service::new(&mut store, &instance)?);
        let sleep = Box::pin(tokio::time::sleep(IDLE));
        let expiration = Expiration { sleep, request: self.reuse.request };
        let view = ViewFn::P3(|instance: &mut Instance| instance.http());
        Ok(Worker { store, proxy, view, expiration, state: self.reuse })
    }
}
