//! Runs the component of `spin.toml` with the arguments of `spin up`, for machines that have no Spin.
//!
//! Instances are reused and shared as Spin does it, and the imports behave like Spin's. What it has not: TLS, PostgreSQL, static
//! files, routes, more than one component.

mod engine;
mod imports;
mod manifest;
mod server;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};
use tokio::net::TcpListener;
use wasmtime_wasi_http::handler::{HandlerState as _, ProxyHandler};

use crate::engine::{Instances, Reuse};
use crate::imports::Outside;
use crate::imports::key_value::Shared;

/// The database called `default`, where Spin keeps it, too.
const DATABASE_FILE: &str = "sqlite_db.db";
/// The key-value store.
const KEY_VALUE_FILE: &str = "sqlite_key_value.db";

#[derive(Parser)]
#[command(name = "voicecore-spin-host", about = "Runs a Spin component where there is no Spin.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Like `spin up`
    Up(Up),
}

#[derive(clap::Args)]
struct Up {
    /// The manifest
    #[arg(short = 'f', long = "from")]
    from: PathBuf,
    /// Where to listen
    #[arg(long)]
    listen: String,
    /// Where databases lie
    #[arg(long)]
    state_dir: PathBuf,
    /// A variable (secrets are better given as SPIN_VARIABLE_NAME in the environment)
    #[arg(long = "variable", value_parser = name_and_value)]
    variables: Vec<(String, String)>,
    /// Requests that one instance serves in its life
    #[arg(long, default_value_t = 128)]
    max_instance_reuse_count: usize,
    /// Requests that it serves at once
    #[arg(long, default_value_t = 16)]
    max_instance_concurrent_reuse_count: usize,
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected name=value")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[tokio::main]
async fn main() -> Result<()> {
    let Command::Up(up) = Cli::parse().command;
    let given: BTreeMap<_, _> = up.variables.into_iter().collect();
    let app = manifest::read(&up.from, &given, &|name| std::env::var(name).ok())?;
    std::fs::create_dir_all(&up.state_dir)?;
    let outside = Outside {
        grants: app.grants,
        key_values: Shared::open(&up.state_dir.join(KEY_VALUE_FILE))?,
        state: up.state_dir,
    };
    let reuse = Reuse {
        total: up.max_instance_reuse_count,
        concurrent: up.max_instance_concurrent_reuse_count,
    };
    let began = now();
    let cache = app.wasm.parent().context("the component lies nowhere")?.join("compiled");
    let instances = Instances::load(&app.wasm, &cache, outside, reuse)?;
    let loaded = began.elapsed();
    // Shows what a first request waits for, and that the component can be instantiated at all.
    let began = now();
    drop(instances.instantiate().await?);
    let instantiated = began.elapsed();
    let listener = TcpListener::bind(&up.listen).await.with_context(|| format!("listening on {}", up.listen))?;
    println!(
        "Serving http://{} (host: wasmtime; loaded in {:.1} ms, instantiated in {:.2} ms)",
        listener.local_addr()?,
        loaded.as_secs_f64() * 1000.0,
        instantiated.as_secs_f64() * 1000.0
    );
    server::serve(listener, ProxyHandler::new(instances)).await
}

#[expect(clippy::disallowed_methods, reason = "a tool on the host measures by the host's clock")]
fn now() -> Instant {
    Instant::now()
}
