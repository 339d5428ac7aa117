//! `cargo xtask build`: the Cloudflare worker, and its size.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::proc::{self, npm_bin, root};
use crate::progress::spell;
use crate::setup::{self, WasmKit};
use crate::toolchain::TARGET;

/// The worker's crate.
pub(crate) const WORKER: &str = "voicecore-cloudflare";
/// In Cargo.toml.
const PROFILE: &str = "worker";
/// What the project allows itself of Cloudflare's limit for a gzipped script.
const GZIPPED_BUDGET: u64 = 700_000;

/// The size of what is deployed, in bytes.
pub(crate) struct Size {
    pub(crate) raw: u64,
    pub(crate) gzipped: u64,
}

impl Size {
    /// Prints it; too much is an error.
    pub(crate) fn check(&self) -> Result<()> {
        let kb = |bytes: u64| bytes / 1000;
        println!(
            "worker: {} kB, {} kB gzipped (budget {} kB)",
            kb(self.raw),
            kb(self.gzipped),
            kb(GZIPPED_BUDGET)
        );
        if self.gzipped > GZIPPED_BUDGET {
            bail!("the worker is {} bytes gzipped, over its budget of {GZIPPED_BUDGET}", self.gzipped);
        }
        Ok(())
    }
}

/// `functions/cloudflare/build`.
pub(crate) fn output_dir() -> PathBuf {
    root().join("functions/cloudflare/build")
}

/// Builds the worker for release unless it is up to date, and returns its size.
pub(crate) fn worker() -> Result<Size> {
    let kit = setup::wasm_kit()?;
    let began = proc::now();
    // Cargo knows best whether anything has changed; worker-build, which would bind and optimise it all again, need
    // not run when the same wasm comes out of it.
    proc::run(kit.toolchain.program("cargo").args([
        "build",
        "--lib",
        "--profile",
        PROFILE,
        "--target",
        TARGET,
        "-p",
        WORKER,
    ]))?;
    let wasm = root().join("target/wasm").join(TARGET).join(PROFILE).join("voicecore_cloudflare.wasm");
    let state = fingerprint(&kit, &wasm)?;
    let stamp = root().join("target/wasm/worker.built-from");
    let current = fs::read_to_string(&stamp).is_ok_and(|built| built == state);
    if !current || !output_dir().join("index.js").exists() {
        bind(&kit)?;
        fs::write(&stamp, state)?;
    }
    eprintln!("worker built · {}", spell(began.elapsed()));
    size()
}

fn bind(kit: &WasmKit) -> Result<()> {
    let mut build = kit.toolchain.command(&kit.worker_build);
    build
        .args(["--profile", PROFILE])
        .current_dir(root().join("functions/cloudflare"))
        .env("WASM_BINDGEN_BIN", &kit.wasm_bindgen)
        .env("ESBUILD_BIN", npm_bin("esbuild"))
        .env("WASM_OPT_BIN", npm_bin("wasm-opt"));
    proc::run(&mut build)
}

/// What the contents of the output depend on.
fn fingerprint(kit: &WasmKit, wasm: &Path) -> Result<String> {
    let mut hash = Sha256::new();
    hash.update(fs::read(wasm).with_context(|| format!("reading {}", wasm.display()))?);
    hash.update(kit.wasm_bindgen.as_os_str().as_encoded_bytes());
    hash.update(kit.worker_build.as_os_str().as_encoded_bytes());
    hash.update(fs::read(root().join("package-lock.json"))?);
    hash.update(fs::read(root().join("functions/cloudflare/Cargo.toml"))?);
    Ok(format!("{:x}", hash.finalize()))
}

/// Scripts and wasm together, as wrangler uploads and Cloudflare measures them.
fn size() -> Result<Size> {
    let mut bytes = Vec::new();
    for name in ["index.js", "index_bg.wasm"] {
        let path = output_dir().join(name);
        bytes.extend(fs::read(&path).with_context(|| format!("reading {}", path.display()))?);
    }
    Ok(Size { raw: bytes.len() as u64, gzipped: gzip(&bytes)? })
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
