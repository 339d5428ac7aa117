//! Runs the component of `spin.toml` with the arguments of `spin up`, for machines that have no Spin.
//!
//! Instances are reused and shared as Spin does it, and the imports behave like Spin's. What it has not: TLS, routes, more
//! than one component.

mod engine;
mod imports;
mod manifest;
mod server;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use clap::{Parser, Subcommand};
use http_body_util::{BodyExt as _, Empty};
use tokio::net::TcpListener;
use wasmtime_wasi_http::handler::ProxyHandler;

use crate::engine::{Instances, Reuse};
use crate::imports::Outside;
use crate::imports::key_value::Shared;
use crate::imports::postgres::Pool;
use crate::manifest::App;

/// The database called `default`, where Spin keeps it, too.
const DATABASE_FILE: &str = "sqlite_db.db";
/// Instances that are made to measure one.
const COLD_STARTS: usize = 21;
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
    /// Lists what the component exports and imports
    Interfaces {
        /// The manifest
        #[arg(short = 'f', long = "from")]
        from: PathBuf,
    },
    /// Measures how long a new instance takes to answer
    ColdStart {
        /// The manifest
        #[arg(short = 'f', long = "from")]
        from: PathBuf,
    },
    /// Runs statements on the database of a state directory, of this host's or of Spin's
    Sql {
        /// Where databases lie
        #[arg(long)]
        state_dir: PathBuf,
        statements: String,
    },
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
    /// What a request may take until its answer begins, in seconds or with a unit: 30, 1s, 500ms (Spin's default is: for ever)
    #[arg(long, default_value = "60s", value_parser = seconds)]
    request_timeout: Duration,
}

fn seconds(text: &str) -> Result<Duration, std::num::ParseIntError> {
    if let Some(milliseconds) = text.strip_suffix("ms") {
        return milliseconds.parse().map(Duration::from_millis);
    }
    text.strip_suffix('s').unwrap_or(text).parse().map(Duration::from_secs)
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected name=value")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[tokio::main]
async fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Up(up) => serve(up).await,
        Command::Interfaces { from } => {
            let app = manifest::read(&from, &BTreeMap::new(), &|name| std::env::var(name).ok())?;
            engine::interfaces(&app.wasm)?.iter().for_each(|name| println!("{name}"));
            Ok(())
        }
        Command::ColdStart { from } => cold_start(&from).await,
        Command::Sql { state_dir, statements } => {
            let database = rusqlite::Connection::open(state_dir.join(DATABASE_FILE))?;
            Ok(database.execute_batch(&statements)?)
        }
    }
}

/// The component of a manifest, ready to make instances of.
fn load(from: &Path, given: &BTreeMap<String, String>, state: PathBuf, reuse: Reuse) -> Result<Instances> {
    let app = manifest::read(from, given, &|name| std::env::var(name).ok())?;
    std::fs::create_dir_all(&state)?;
    let cache = app.wasm.parent().context("the component lies nowhere")?.join("compiled");
    let key_values = Shared::open(&state.join(KEY_VALUE_FILE))?;
    let App { wasm, grants, folders } = app;
    let outside = Outside { grants, folders, state, key_values, postgres: Pool::default() };
    Instances::load(&wasm, &cache, outside, reuse)
}

async fn serve(up: Up) -> Result<()> {
    let given: BTreeMap<_, _> = up.variables.into_iter().collect();
    let reuse = Reuse {
        total: up.max_instance_reuse_count,
        concurrent: up.max_instance_concurrent_reuse_count,
        request: up.request_timeout,
    };
    let instances = load(&up.from, &given, up.state_dir, reuse)?;
    let listener =
        TcpListener::bind(&up.listen).await.with_context(|| format!("listening on {}", up.listen))?;
    println!("Serving http://{} (host: wasmtime)", listener.local_addr()?);
    server::serve(listener, ProxyHandler::new(instances)).await
}

/// Each request gets an instance of its own; what was compiled is kept, as hosts keep it.
async fn cold_start(from: &Path) -> Result<()> {
    let state = std::env::temp_dir().join(format!("voicecore-cold-start-{}", std::process::id()));
    let reuse = Reuse { total: 1, concurrent: 1, request: Duration::from_mins(1) };
    drop(load(from, &BTreeMap::new(), state.clone(), reuse)?);
    let began = now();
    let handler = ProxyHandler::new(load(from, &BTreeMap::new(), state.clone(), reuse)?);
    let loaded = began.elapsed();
    let mut answered = Vec::new();
    for _ in 0..COLD_STARTS {
        let began = now();
        let body = Empty::new().map_err(|never| match never {}).boxed_unsync();
        let request = http::Request::get("http://localhost/health").body(body)?;
        let response = handler.handle((), request).await?;
        ensure!(response.status().is_success(), "GET /health: {}", response.status());
        answered.push(began.elapsed());
    }
    std::fs::remove_dir_all(state)?;
    answered.sort_unstable();
    let ms = |span: Option<&Duration>| span.map_or(0.0, |span| span.as_secs_f64() * 1000.0);
    println!(
        "cold start: {:.1} ms to load what was compiled, then {:.2} ms from a request to the answer of a new instance \
         (median of {COLD_STARTS}; {:.2} ms at worst; host: wasmtime)",
        ms(Some(&loaded)),
        ms(answered.get(answered.len() / 2)),
        ms(answered.last())
    );
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a tool on the host measures by the host's clock")]
fn now() -> Instant {
    Instant::now()
}
