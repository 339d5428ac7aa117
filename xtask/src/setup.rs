//! What must be on the machine before anything can be built, and getting it there: `cargo xtask setup`, and the same
//! things one by one for the commands that need them. Each looks first and is quick when nothing is missing; all can
//! be stopped at any time and begun again.

use std::fs::{self, File};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};

use crate::debian;
use crate::proc::{self, command, npm_bin, output, root, which};
use crate::progress::{self, spell};
use crate::python;
use crate::toolchain::{Target, Toolchain};

const CARGO_INSTALL_LIMIT: Duration = Duration::from_mins(40);
const NPM_LIMIT: Duration = Duration::from_mins(15);
const OLDEST_NODE: u32 = 20;
/// Goes with the `worker` crate: `functions/cloudflare` is proven with this pair.
const WORKER_BUILD: &str = "0.8.7";

/// Everything that turns `functions/cloudflare` into a worker.
pub(crate) struct WasmKit {
    pub(crate) toolchain: Toolchain,
    pub(crate) wasm_bindgen: PathBuf,
    pub(crate) worker_build: PathBuf,
}

/// `cargo xtask setup`.
pub(crate) fn all() -> Result<()> {
    let began = proc::now();
    let kit = wasm_kit()?;
    toolchain(Target::Spin)?;
    speech()?;
    postgres()?;
    schemathesis()?;
    pdf_reader()?;
    browser()?;
    println!(
        "ready ({}): {} for workers and components, wasm-bindgen {}, worker-build {WORKER_BUILD}, wrangler and workerd, espeak-ng, PostgreSQL, schemathesis, pypdf, Chromium",
        spell(began.elapsed()),
        kit.toolchain.version()?,
        wasm_bindgen_version()?
    );
    Ok(())
}

/// Compiler, wasm-bindgen, worker-build and the node tools.
pub(crate) fn wasm_kit() -> Result<WasmKit> {
    let _one_at_a_time = lock()?;
    node_tools()?;
    let toolchain = Toolchain::ready(Target::Workers)?;
    let wasm_bindgen = cargo_tool("wasm-bindgen-cli", "wasm-bindgen", &wasm_bindgen_version()?)?;
    let worker_build = cargo_tool("worker-build", "worker-build", WORKER_BUILD)?;
    Ok(WasmKit { toolchain, wasm_bindgen, worker_build })
}

/// The compiler alone.
pub(crate) fn toolchain(target: Target) -> Result<Toolchain> {
    let _one_at_a_time = lock()?;
    if target == Target::Spin {
        // Components are optimised as they are linked.
        node_tools()?;
    }
    Toolchain::ready(target)
}

/// wrangler, esbuild, wasm-opt and the oracles' packages, as package-lock.json has them.
pub(crate) fn node() -> Result<()> {
    let _one_at_a_time = lock()?;
    node_tools()
}

/// espeak-ng, which gives callers and the simulated assistant their voices.
pub(crate) fn speech() -> Result<()> {
    if which("espeak-ng").is_some() {
        return Ok(());
    }
    let _one_at_a_time = lock()?;
    if debian::is_debian() {
        return debian::install("speech synthesis", &["espeak-ng"]);
    }
    if which("brew").is_some() {
        let mut brew = command("brew");
        return progress::step("brew install espeak-ng", brew.args(["install", "espeak-ng"]), NPM_LIMIT);
    }
    bail!(
        "espeak-ng is missing: it makes the simulated caller's voice. Install it (https://github.com/espeak-ng/espeak-ng)"
    )
}

/// The browser of the dashboard's tests.
pub(crate) fn browser() -> Result<()> {
    let known = ["chromium", "chromium-browser", "google-chrome"];
    let on_mac = PathBuf::from("/Applications/Google Chrome.app").exists();
    if on_mac || known.iter().any(|name| which(name).is_some()) {
        Ok(())
    } else {
        install("Chromium", "chromium")
    }
}

/// A server of PostgreSQL for the tests, which start one of their own.
pub(crate) fn postgres() -> Result<()> {
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut installed = debian.map(|version| version.path().join("bin/initdb"));
    if (which("postgres").is_some() && which("initdb").is_some()) || installed.any(|path| path.is_file()) {
        return Ok(());
    }
    install("PostgreSQL", "postgresql")
}

/// schemathesis, which asks the API whatever its document allows (tests/contract).
pub(crate) fn schemathesis() -> Result<()> {
    let _one_at_a_time = lock()?;
    python::environment("contract", "tests/contract/requirements.txt").map(drop)
}

/// pypdf, which reads the files that we write (tests/oracles): where its environment is.
pub(crate) fn pdf_reader() -> Result<PathBuf> {
    let _one_at_a_time = lock()?;
    python::environment("oracles", "tests/oracles/requirements.txt")
}

/// The baseline of `bench api`: where its environment is.
pub(crate) fn fastapi() -> Result<PathBuf> {
    let _one_at_a_time = lock()?;
    python::environment("fastapi", "tests/bench/fastapi/requirements.txt")
}

/// A command line of an engine's, by the name of the program and of Debian's package.
pub(crate) fn program(name: &str, package: &str) -> Result<()> {
    if which(name).is_some() { Ok(()) } else { install(name, package) }
}

fn install(what: &str, package: &str) -> Result<()> {
    let _one_at_a_time = lock()?;
    if debian::is_debian() {
        return debian::install(what, &[package]);
    }
    bail!("{what} is missing: install it (https://www.postgresql.org/download, https://sqlite.org)")
}

/// Two set-ups at once would disturb each other; the second waits.
fn lock() -> Result<File> {
    fs::create_dir_all(proc::cache())?;
    let file = File::create(proc::cache().join("setup.lock"))?;
    if file.try_lock().is_err() {
        eprintln!("  … waiting for another `cargo xtask` to finish its set-up");
        file.lock()?;
    }
    Ok(file)
}

/// The wasm-bindgen CLI must be of exactly the version of the library.
fn wasm_bindgen_version() -> Result<String> {
    let lock = fs::read_to_string(root().join("Cargo.lock")).context("reading Cargo.lock")?;
    let mut lines = lock.lines().skip_while(|line| *line != "name = \"wasm-bindgen\"").skip(1);
    lines
        .next()
        .and_then(|line| line.strip_prefix("version = \"")?.strip_suffix('"'))
        .map(str::to_owned)
        .context("Cargo.lock has no wasm-bindgen")
}

/// A program from the Rust registry in exactly this version: an installed one when it fits, else built once.
pub(crate) fn cargo_tool(package: &str, program: &str, version: &str) -> Result<PathBuf> {
    if let Some(installed) = installed_tool(package, program, version) {
        return Ok(installed);
    }
    let home = cargo_tool_home(package, version);
    let ours = home.join("bin").join(program);
    let install = |locked: &[&str]| {
        let mut install = proc::cargo();
        install
            // Kept until it has succeeded, so that an interrupted build goes on where it was.
            .env("CARGO_TARGET_DIR", proc::cache().join("build"))
            // These run for seconds and are built on small machines: less optimising is less waiting.
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
            .args(["install", package, "--version", version, "--bin", program, "--root"])
            .arg(&home)
            .args(locked);
        progress::step(&format!("building {program} {version}"), &mut install, CARGO_INSTALL_LIMIT)
    };
    if install(&["--locked"]).is_err() {
        eprintln!(
            "    not with the versions it was released with (mirrors of the registry may lack some); taking newer ones"
        );
        install(&[])?;
    }
    Ok(ours)
}

/// The program in exactly this version, if it is there.
pub(crate) fn installed_tool(package: &str, program: &str, version: &str) -> Option<PathBuf> {
    let ours = cargo_tool_home(package, version).join("bin").join(program);
    let shared = proc::cache().join("tools/bin").join(program);
    let mut candidates = [Some(ours), Some(shared), which(program)].into_iter().flatten();
    candidates.find(|candidate| candidate.is_file() && says_version(candidate, version))
}

/// Where [`cargo_tool`] installs what is not there already.
fn cargo_tool_home(package: &str, version: &str) -> PathBuf {
    proc::cache().join("tools").join(format!("{package}-{version}"))
}

fn says_version(program: &PathBuf, version: &str) -> bool {
    output(command(program).arg("--version"))
        .is_ok_and(|said| said.split_whitespace().any(|word| word == version))
}

fn node_tools() -> Result<()> {
    let version = output(command("node").arg("--version"))
        .context("Node.js is missing (https://nodejs.org, version 20 or newer)")?;
    let major: u32 =
        version.trim().trim_start_matches('v').split('.').next().and_then(|m| m.parse().ok()).unwrap_or(0);
    if major < OLDEST_NODE {
        bail!("Node.js {} is too old: version {OLDEST_NODE} or newer is needed", version.trim());
    }
    if node_modules_fit()? && npm_bin("wrangler").exists() {
        return Ok(());
    }
    let mut ci = command("npm");
    progress::step(
        "npm ci (wrangler, workerd, esbuild, wasm-opt, test oracles)",
        ci.args(["ci", "--no-audit", "--no-fund"]),
        NPM_LIMIT,
    )
}

/// npm leaves its own record in `node_modules` as the last act of an installation: newer than what was asked for, it is
/// whole and up to date.
fn node_modules_fit() -> Result<bool> {
    let changed = |file: &str| -> Result<SystemTime> { Ok(fs::metadata(root().join(file))?.modified()?) };
    let wanted = changed("package-lock.json").context("reading package-lock.json")?;
    Ok(changed("node_modules/.package-lock.json").is_ok_and(|installed| installed >= wanted))
}
