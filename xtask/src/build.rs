//! `cargo xtask build`: the Cloudflare worker and the Spin component, and their sizes.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::cargo_build;
use crate::proc::{self, npm_bin, root};
use crate::progress::spell;
use crate::setup::{self, WasmKit};
use crate::toolchain::Target;

/// The worker's crate.
pub(crate) const WORKER: &str = "voicecore-cloudflare";
/// The component's crate.
pub(crate) const COMPONENT: &str = "voicecore-spin";
/// The conformance suites as a component.
pub(crate) const PROBE: &str = "voicecore-spin-probe";
/// The host of components, with their tests.
pub(crate) const HOST: &str = "voicecore-spin-host";
/// In Cargo.toml.
pub(crate) const PROFILE: &str = "worker";
/// What cargo is told for a build with PostgreSQL.
const POSTGRES: [&str; 2] = ["--features", "postgres"];
/// What rustc and wasm-bindgen use of wasm, and workerd reads.
const WASM_FEATURES: [&str; 7] = [
    "--enable-mutable-globals",
    "--enable-sign-ext",
    "--enable-nontrapping-float-to-int",
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-reference-types",
    "--enable-exception-handling",
];
/// What the project allows itself of Cloudflare's limit for a gzipped script, with the API for people and tenants in it.
const WORKER_BUDGET: u64 = 900_000;
/// What it allows itself for a component, which is fetched by every node that runs it.
const COMPONENT_BUDGET: u64 = 900_000;

/// The size of what is deployed, in bytes.
pub(crate) struct Size {
    what: &'static str,
    raw: u64,
    gzipped: u64,
    budget: u64,
}

impl Size {
    /// Prints it; too much is an error.
    pub(crate) fn check(&self) -> Result<()> {
        let kb = |bytes: u64| bytes / 1000;
        let Self { what, raw, gzipped, budget } = *self;
        println!("{what}: {} kB, {} kB gzipped (budget {} kB)", kb(raw), kb(gzipped), kb(budget));
        if gzipped > budget {
            bail!("the {what} is {gzipped} bytes gzipped, over its budget of {budget}");
        }
        Ok(())
    }
}

/// `functions/cloudflare/build`.
pub(crate) fn output_dir() -> PathBuf {
    root().join("functions/cloudflare/build")
}

#[derive(clap::Args)]
pub(crate) struct Options {
    /// With PostgreSQL: through Hyperdrive on Workers, and Spin's own client (functions/README.md)
    #[arg(long)]
    postgres: bool,
}

/// `cargo xtask build`: both, within their sizes, and how quickly the component starts.
pub(crate) fn run(options: &Options) -> Result<()> {
    if options.postgres {
        // The host of our own that measures the start knows no PostgreSQL.
        worker_with(&POSTGRES)?.check()?;
        return component_with(&POSTGRES)?.check();
    }
    worker()?.check()?;
    component()?.check()?;
    cold_start()
}

/// Builds the worker for release unless it is up to date, and returns its size.
pub(crate) fn worker() -> Result<Size> {
    worker_with(&[])
}

fn worker_with(features: &[&str]) -> Result<Size> {
    let kit = setup::wasm_kit()?;
    let began = proc::now();
    // Cargo knows best whether anything has changed; worker-build, which would bind and optimise it all again, need
    // not run when the same wasm comes out of it.
    proc::run(
        kit.toolchain
            .program("cargo")
            .args([
                "build",
                "--lib",
                "--profile",
                PROFILE,
                "--target",
                Target::Workers.triple(),
                "-p",
                WORKER,
            ])
            .args(features),
    )?;
    let wasm = built(Target::Workers, "voicecore_cloudflare.wasm");
    let state = fingerprint(&kit, &wasm)?;
    let stamp = root().join("target/wasm/worker.built-from");
    let current = fs::read_to_string(&stamp).is_ok_and(|built| built == state);
    if !current || !output_dir().join("index.js").exists() {
        bind(&kit, features)?;
        fs::write(&stamp, state)?;
    }
    eprintln!("worker built · {}", spell(began.elapsed()));
    size()
}

fn bind(kit: &WasmKit, features: &[&str]) -> Result<()> {
    let mut build = kit.toolchain.command(&kit.worker_build);
    build
        .args(["--profile", PROFILE])
        .current_dir(root().join("functions/cloudflare"))
        .env("WASM_BINDGEN_BIN", &kit.wasm_bindgen)
        .env("ESBUILD_BIN", npm_bin("esbuild"));
    if !features.is_empty() {
        build.arg("--").args(features);
    }
    proc::run(&mut build)?;
    optimise(&output_dir().join("index_bg.wasm"))
}

/// Functions in the order of their names lie beside those that are alike, which takes 4 % off the gzipped size; then the names go,
/// unless `VOICECORE_NAMES` is set, for a profile that shows them.
fn optimise(wasm: &Path) -> Result<()> {
    let mut command = proc::command(npm_bin("wasm-opt"));
    command.arg(wasm).arg("-o").arg(wasm).args(["-Os", "--reorder-functions-by-name"]).args(WASM_FEATURES);
    if std::env::var_os("VOICECORE_NAMES").is_some() {
        command.arg("--debuginfo");
    } else {
        command.args(["--strip-debug", "--strip-producers"]);
    }
    proc::run(&mut command)
}

/// What the contents of the output depend on.
fn fingerprint(kit: &WasmKit, wasm: &Path) -> Result<String> {
    let mut hash = Sha256::new();
    hash.update(fs::read(wasm).with_context(|| format!("reading {}", wasm.display()))?);
    hash.update(kit.wasm_bindgen.as_os_str().as_encoded_bytes());
    hash.update(kit.worker_build.as_os_str().as_encoded_bytes());
    hash.update(fs::read(root().join("package-lock.json"))?);
    hash.update(fs::read(root().join("functions/cloudflare/Cargo.toml"))?);
    hash.update(fs::read(root().join("xtask/src/build.rs"))?);
    hash.update([u8::from(std::env::var_os("VOICECORE_NAMES").is_some())]);
    Ok(format!("{:x}", hash.finalize()))
}

/// Scripts and wasm together, as wrangler uploads and Cloudflare measures them.
fn size() -> Result<Size> {
    let mut bytes = Vec::new();
    for name in ["index.js", "index_bg.wasm"] {
        let path = output_dir().join(name);
        bytes.extend(fs::read(&path).with_context(|| format!("reading {}", path.display()))?);
    }
    Ok(Size { what: "worker", raw: bytes.len() as u64, gzipped: gzip(&bytes)?, budget: WORKER_BUDGET })
}

/// Where cargo leaves what it has built for wasm.
fn built(target: Target, file: &str) -> PathBuf {
    root().join("target/wasm").join(target.triple()).join(PROFILE).join(file)
}

/// Builds the component for release, puts it where `spin.toml` expects it, and returns its size.
pub(crate) fn component() -> Result<Size> {
    component_with(&[])
}

fn component_with(features: &[&str]) -> Result<Size> {
    let bytes = for_spin(COMPONENT, features, "voicecore_spin.wasm", "voicecore.wasm")?;
    Ok(Size { what: "component", raw: bytes.len() as u64, gzipped: gzip(&bytes)?, budget: COMPONENT_BUDGET })
}

/// Builds the component that runs the conformance suites.
pub(crate) fn probe() -> Result<()> {
    for_spin(PROBE, &[], "voicecore_spin_probe.wasm", "probe.wasm").map(drop)
}

fn for_spin(package: &str, features: &[&str], file: &str, name: &str) -> Result<Vec<u8>> {
    let toolchain = setup::toolchain(Target::Spin)?;
    let began = proc::now();
    let mut build = toolchain.program("cargo");
    build.args(["build", "--lib", "--profile", PROFILE, "--target", Target::Spin.triple(), "-p", package]);
    build.args(features);
    proc::run(&mut build)?;
    let file = built(Target::Spin, file);
    let bytes = fs::read(&file).with_context(|| format!("reading {}", file.display()))?;
    let place = proc::work_dir("spin")?.join(name);
    // What has not changed is not written: hosts keep what they have compiled of it.
    if fs::read(&place).ok().as_ref() != Some(&bytes) {
        fs::write(&place, &bytes).with_context(|| format!("writing {}", place.display()))?;
    }
    eprintln!("{name} built · {}", spell(began.elapsed()));
    Ok(bytes)
}

/// The host of components. Built with its tests: for them its crates get more features, and without them wasmtime and its compiler
/// would be built a second time.
pub(crate) fn host() -> Result<PathBuf> {
    cargo_build::binary(HOST, &["--tests"])
}

/// How long a new instance takes to answer, as a host measures it.
pub(crate) fn cold_start() -> Result<()> {
    let host = host()?;
    proc::run(proc::command(host).args(["cold-start", "-f"]).arg(root().join("spin.toml")))
}

fn gzip(bytes: &[u8]) -> Result<u64> {
    let mut child = Command::new("gzip")
        .arg("-9")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("starting gzip")?;
    let mut stdin = child.stdin.take().context("gzip has no input")?;
    let feeder = std::thread::spawn({
        let bytes = bytes.to_vec();
        move || stdin.write_all(&bytes)
    });
    let done = child.wait_with_output()?;
    feeder.join().map_err(|_| anyhow::anyhow!("feeding gzip failed"))??;
    Ok(done.stdout.len() as u64)
}
