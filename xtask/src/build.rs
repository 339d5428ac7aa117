//! `cargo xtask build`: the two scripts for Cloudflare and the component for Spin, and their sizes.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::cargo_build;
use crate::dashboard;
use crate::proc::{self, npm_bin, root};
use crate::programs;
use crate::progress::spell;
use crate::setup::{self, WasmKit};
use crate::spin_manifest;
use crate::toolchain::Target;

/// The worker's crate: the script in front.
pub(crate) const WORKER: &str = "voicecore-cloudflare";
/// The crate of the script that has the actors.
pub(crate) const ACTORS: &str = "voicecore-cloudflare-actors";
/// What both are made of.
pub(crate) const PLATFORM: &str = "voicecore-cloudflare-platform";
/// The component's crate.
pub(crate) const COMPONENT: &str = "voicecore-spin";
/// The component with PostgreSQL, as a file.
pub(crate) const WITH_POSTGRES: &str = "voicecore-postgres.wasm";
/// The conformance suites as a component.
pub(crate) const PROBE: &str = "voicecore-spin-probe";
/// The conformance suites as a worker.
pub(crate) const WORKERS_PROBE: &str = "voicecore-workers-probe";
/// The host of components, with their tests.
pub(crate) const HOST: &str = "voicecore-spin-host";
/// Those tests.
const HOST_TEST: &str = "conformance";
/// In Cargo.toml.
pub(crate) const PROFILE: &str = "worker";
/// What cargo is told for a build with PostgreSQL.
const POSTGRES: [&str; 2] = ["--features", "postgres"];
/// For `wasm-opt`: functions in the order of their names lie beside those that are alike, which takes 4 % off the gzipped size; then the
/// names go. No value lies in the first kilobyte (it is the end of the stack, which grows towards 0), so an address and an offset never
/// wrap around, and become one operand: 0.6 %. And what rustc and wasm-bindgen use of wasm, and workerd and Spin read.
pub(crate) const WASM_OPT: [&str; 11] = [
    "--low-memory-unused",
    "--reorder-functions-by-name",
    "--strip-debug",
    "--strip-producers",
    "--enable-mutable-globals",
    "--enable-sign-ext",
    "--enable-nontrapping-float-to-int",
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-reference-types",
    "--enable-exception-handling",
];
/// What the project allows itself of Cloudflare's limit for a gzipped script: webhooks and the whole API.
const WORKER_BUDGET: u64 = 900_000;
/// The same for what holds calls.
const ACTORS_BUDGET: u64 = 700_000;
/// PostgreSQL's client on top of it.
const POSTGRES_BUDGET: u64 = 150_000;
/// What it allows itself for a component, which is fetched by every node that runs it.
const COMPONENT_BUDGET: u64 = 900_000;
/// The same on top of a component, which then has both engines.
const COMPONENT_POSTGRES_BUDGET: u64 = 50_000;

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

/// The sizes of the scripts that are deployed together.
pub(crate) struct Sizes([Size; 2]);

impl Sizes {
    /// Prints them; too much is an error.
    pub(crate) fn check(&self) -> Result<()> {
        self.0.iter().try_for_each(Size::check)
    }
}

/// A script that can be built.
struct Worker {
    what: &'static str,
    package: &'static str,
    /// Where its crate is.
    directory: &'static str,
    /// Where its scripts and wasm go, from there.
    output: &'static str,
    features: &'static [&'static str],
    budget: u64,
}

/// What is deployed: the script in front (`wrangler.toml`) and that of the actors.
const DEPLOYED: [Worker; 2] = [
    Worker {
        what: "worker",
        package: WORKER,
        directory: "functions/cloudflare",
        output: "build",
        features: &[],
        budget: WORKER_BUDGET,
    },
    Worker {
        what: "actors",
        package: ACTORS,
        directory: "functions/cloudflare/actors",
        output: "build",
        features: &[],
        budget: ACTORS_BUDGET,
    },
];
/// For tests only.
const SUITES: Worker = Worker {
    what: "suites",
    budget: u64::MAX,
    package: WORKERS_PROBE,
    directory: "tests/workers",
    output: "../../target/workers-probe",
    features: &[],
};

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
        worker_with_postgres()?.check()?;
        return component_with_postgres()?.check();
    }
    worker()?.check()?;
    component()?.check()?;
    cold_start()
}

/// The same with PostgreSQL, beside them: tests need both.
fn with_postgres() -> [Worker; 2] {
    DEPLOYED.map(|script| Worker {
        output: "build-postgres",
        features: &POSTGRES,
        budget: script.budget + POSTGRES_BUDGET,
        ..script
    })
}

/// Builds the dashboard and both scripts for release unless they are up to date, and returns the scripts' sizes.
pub(crate) fn worker() -> Result<Sizes> {
    scripts(DEPLOYED)
}

/// The same with PostgreSQL.
pub(crate) fn worker_with_postgres() -> Result<Sizes> {
    scripts(with_postgres())
}

/// The main modules in the order in which the scripts are deployed: the actors', then that of the one in front.
pub(crate) fn main_modules(postgres: bool) -> [PathBuf; 2] {
    let [front, actors] = if postgres { with_postgres() } else { DEPLOYED };
    [actors, front].map(|script| script.output_dir().join("index.js"))
}

fn scripts([front, actors]: [Worker; 2]) -> Result<Sizes> {
    // wrangler uploads it with the script in front.
    dashboard::build()?;
    // One after the other: cargo would give what they share other features if it were asked for both at once.
    front.build()?;
    actors.build()?;
    Ok(Sizes([front.size()?, actors.size()?]))
}

/// Builds the worker that runs the conformance suites.
pub(crate) fn workers_probe() -> Result<()> {
    SUITES.build()
}

impl Worker {
    fn output_dir(&self) -> PathBuf {
        root().join(self.directory).join(self.output)
    }

    /// Builds it unless it is up to date.
    fn build(&self) -> Result<()> {
        let kit = setup::wasm_kit()?;
        let began = proc::now();
        let mut build = kit.toolchain.program("cargo");
        build.args(["build", "--lib", "--profile", PROFILE, "--target", Target::Workers.triple()]);
        // Cargo knows best whether anything has changed; worker-build, which would bind and optimise it all again, need
        // not run when the same wasm comes out of it.
        proc::run(build.args(["-p", self.package]).args(self.features))?;
        let wasm = built(Target::Workers, &format!("{}.wasm", self.package.replace('-', "_")));
        let state = self.fingerprint(&kit, &wasm)?;
        let name = Path::new(self.output).file_name().unwrap_or_default().to_string_lossy();
        let stamp = root().join(format!("target/wasm/{}-{name}.built-from", self.package));
        let current = fs::read_to_string(&stamp).is_ok_and(|built| built == state);
        if !current || !self.output_dir().join("index.js").exists() {
            // A build that fails half-way is not taken for one that has ended.
            let _ = fs::remove_file(&stamp);
            self.bind(&kit)?;
            fs::write(&stamp, state)?;
        }
        eprintln!("{} built · {}", self.package, spell(began.elapsed()));
        Ok(())
    }

    fn bind(&self, kit: &WasmKit) -> Result<()> {
        let mut build = kit.toolchain.command(&kit.worker_build);
        build
            .args(["--profile", PROFILE, "--out-dir", self.output])
            .current_dir(root().join(self.directory))
            .env("WASM_BINDGEN_BIN", &kit.wasm_bindgen)
            .env("ESBUILD_BIN", npm_bin("esbuild"));
        if !self.features.is_empty() {
            build.arg("--").args(self.features);
        }
        proc::run(&mut build)?;
        optimise(&self.output_dir().join("index_bg.wasm"))
    }

    /// What the contents of the output depend on.
    fn fingerprint(&self, kit: &WasmKit, wasm: &Path) -> Result<String> {
        let mut hash = Sha256::new();
        hash.update(fs::read(wasm).with_context(|| format!("reading {}", wasm.display()))?);
        hash.update(kit.wasm_bindgen.as_os_str().as_encoded_bytes());
        hash.update(kit.worker_build.as_os_str().as_encoded_bytes());
        hash.update(fs::read(root().join("package-lock.json"))?);
        hash.update(fs::read(root().join(self.directory).join("Cargo.toml"))?);
        hash.update(fs::read(root().join("xtask/src/build.rs"))?);
        hash.update([u8::from(std::env::var_os("VOICECORE_NAMES").is_some())]);
        Ok(format!("{:x}", hash.finalize()))
    }

    /// Scripts and wasm together, as wrangler uploads and Cloudflare measures them.
    fn size(&self) -> Result<Size> {
        let Self { what, budget, .. } = *self;
        let mut bytes = Vec::new();
        for name in ["index.js", "index_bg.wasm"] {
            let path = self.output_dir().join(name);
            bytes.extend(fs::read(&path).with_context(|| format!("reading {}", path.display()))?);
        }
        Ok(Size { what, raw: bytes.len() as u64, gzipped: gzip(&bytes)?, budget })
    }
}

/// Without the names of functions, unless `VOICECORE_NAMES` is set, for a profile that shows them.
fn optimise(wasm: &Path) -> Result<()> {
    let names = std::env::var_os("VOICECORE_NAMES").is_some();
    let options = WASM_OPT
        .iter()
        .map(|option| if names && *option == "--strip-debug" { "--debuginfo" } else { option });
    proc::run(proc::command(npm_bin("wasm-opt")).arg(wasm).arg("-o").arg(wasm).arg("-Os").args(options))
}

/// Where cargo leaves what it has built for wasm.
fn built(target: Target, file: &str) -> PathBuf {
    root().join("target/wasm").join(target.triple()).join(PROFILE).join(file)
}

/// Builds the dashboard and the component for release, puts them where `spin.toml` expects them, and returns the component's size.
pub(crate) fn component() -> Result<Size> {
    component_with(&[])
}

fn component_with(features: &[&str]) -> Result<Size> {
    // A host takes it along with the component.
    dashboard::pack()?;
    let (what, name, budget) = if features.is_empty() {
        ("component", "voicecore.wasm", COMPONENT_BUDGET)
    } else {
        let budget = COMPONENT_BUDGET + COMPONENT_POSTGRES_BUDGET;
        ("component with PostgreSQL", WITH_POSTGRES, budget)
    };
    let bytes = for_spin(COMPONENT, features, "voicecore_spin.wasm", name)?;
    Ok(Size { what, raw: bytes.len() as u64, gzipped: gzip(&bytes)?, budget })
}

/// The same with PostgreSQL beside it, and the manifest for it.
pub(crate) fn component_with_postgres() -> Result<Size> {
    spin_manifest::write_on_postgres(WITH_POSTGRES)?;
    component_with(&POSTGRES)
}

/// Builds the component that runs the conformance suites, with PostgreSQL where its manifest has it.
pub(crate) fn probe() -> Result<()> {
    for_spin(PROBE, &POSTGRES, "voicecore_spin_probe.wasm", "probe.wasm").map(drop)
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

/// The host of components. Asked for in the words in which all tests are, and with its own: otherwise its crates get other features,
/// and wasmtime with its compiler would be built a second time.
pub(crate) fn host() -> Result<PathBuf> {
    cargo_build::binary(HOST, programs::native().chain(["--test", HOST_TEST]))
}

/// How long a new instance takes to answer, as a host measures it.
pub(crate) fn cold_start() -> Result<()> {
    let host = host()?;
    proc::run(proc::command(host).args(["cold-start", "-f"]).arg(root().join("spin.toml")))
}

pub(crate) fn gzip(bytes: &[u8]) -> Result<u64> {
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
