//! The compiler that can build for wasm: the one in `PATH` where `rustup target add` works, Debian's own elsewhere.

use std::env;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use sha2::{Digest as _, Sha256};

use crate::proc::{self, command};
use crate::progress;
use crate::setup;
use crate::{build, debian};

/// What is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A module for workerd.
    Workers,
    /// A component for Spin.
    Spin,
}

/// The linker of components, where the compiler does not bring it.
const COMPONENT_LINKER: &str = "wasm-component-ld";
/// Understands WASI 0.3, and is built for the compilers of today.
const COMPONENT_LINKER_VERSION: &str = "0.5.31";
/// `rust-version` of the workspace.
const OLDEST_MINOR: u32 = 94;
/// Where rustup's servers cannot be reached its attempt hangs; with a way round it, do not wait long.
const RUSTUP_LIMIT: Duration = Duration::from_secs(20);
/// Without one, a slow line gets its time.
const RUSTUP_PATIENT_LIMIT: Duration = Duration::from_mins(15);
const STD_LIMIT: Duration = Duration::from_mins(15);
const DEBIAN_PACKAGES: &[&str] = &["rustc-web", "cargo-web", "rust-web-src", "rust-web-clippy", "lld-22"];
/// What those bring, as far as it says whether they are there.
const DEBIAN_PROGRAMS: &[&str] = &[
    "/usr/bin/rustc",
    "/usr/bin/cargo",
    "/usr/lib/rustlib/src/rust/library/std/Cargo.toml",
    "/usr/bin/cargo-clippy",
    "/usr/bin/wasm-ld-22",
];
/// Debian's compiler does not bring `rust-lld`.
const DEBIAN_LINKER: &str = "wasm-ld-22";
/// C's part of the standard library for WASI: package, where it puts its files, and those that rustc wants.
const WASI_LIBC: (&str, &str, [&str; 3]) =
    ("wasi-libc", "/usr/lib/wasm32-wasi", ["crt1-command.o", "crt1-reactor.o", "libc.a"]);

impl Target {
    /// Its name, as rustc has it.
    pub(crate) const fn triple(self) -> &'static str {
        match self {
            Self::Workers => "wasm32-unknown-unknown",
            Self::Spin => "wasm32-wasip2",
        }
    }

    /// `CARGO_TARGET_<TRIPLE>_<setting>`.
    fn variable(self, setting: &str) -> String {
        format!("CARGO_TARGET_{}_{setting}", self.triple().to_uppercase().replace('-', "_"))
    }

    /// Where Debian's compiler looks for the standard library.
    fn library(self) -> PathBuf {
        PathBuf::from("/usr/lib/rustlib").join(self.triple()).join("lib")
    }
}

/// A compiler proven to build and link for its target.
pub(crate) struct Toolchain {
    target: Target,
    /// Goes first in `PATH`, so that `cargo` and `rustc` are this toolchain's; `None`: `PATH` is right as it is.
    bin: Option<PathBuf>,
    /// What rustc must be told to make it link.
    flags: Vec<String>,
}

/// What the profile makes larger for audio (Cargo.toml) is small here: none passes through a component. A profile of its own would say it
/// better, but compile every macro once more.
const SMALL: &str = "-Copt-level=z";

/// `wasm-opt` does not read components: it works on the module, between the linker and what makes a component of it. So this is
/// told to call a script instead of the linker, which calls both. The script's name is that of its contents: cargo links anew when
/// what it is told has changed.
fn optimising(linker: &Path) -> Result<String> {
    let (linker, wasm_opt) = (linker.display(), proc::npm_bin("wasm-opt"));
    let text = format!(
        "#!/bin/sh\nset -e\n'{linker}' \"$@\"\nwhile [ \"$1\" != -o ]; do shift; done\nexec '{}' \"$2\" -o \"$2\" -Oz {}\n",
        wasm_opt.display(),
        build::WASM_OPT.join(" "),
    );
    let hash = format!("{:x}", Sha256::digest(&text));
    let script = proc::work_dir("xtask")?.join(format!("component-ld-{}.sh", &hash[..8]));
    if !script.exists() {
        let new = script.with_extension(std::process::id().to_string());
        fs::write(&new, text)?;
        fs::set_permissions(&new, fs::Permissions::from_mode(0o755))?;
        fs::rename(&new, &script)?;
    }
    Ok(format!("-Clink-arg=--wasm-ld-path={}", script.display()))
}

impl Toolchain {
    /// Finds one that works, or makes one work. Quick when there is one.
    pub(crate) fn ready(target: Target) -> Result<Self> {
        if let Some(found) = Self::find(target) {
            return Ok(found);
        }
        let fallback = debian::is_debian();
        if proc::which("rustup").is_some() {
            let limit = if fallback { RUSTUP_LIMIT } else { RUSTUP_PATIENT_LIMIT };
            let mut add = command("rustup");
            add.args(["target", "add", target.triple()]);
            match progress::step(&format!("rustup target add {}", target.triple()), &mut add, limit) {
                Ok(()) => {
                    if let Some(found) = Self::find(target) {
                        return Ok(found);
                    }
                }
                Err(_) if fallback => {
                    eprintln!("    rustup's servers do not answer; taking Debian's compiler instead");
                }
                Err(error) => return Err(error),
            }
        }
        if !fallback {
            bail!(
                "no Rust compiler (1.{OLDEST_MINOR} or newer) for {}: install rustup (https://rustup.rs) and try again",
                target.triple()
            );
        }
        if !DEBIAN_PROGRAMS.iter().all(|program| Path::new(program).exists()) {
            debian::install("Debian's Rust compiler", DEBIAN_PACKAGES)?;
        }
        if target == Target::Spin {
            let (package, directory, _) = WASI_LIBC;
            if !Path::new(directory).exists() {
                debian::install("the C library of WASI", &[package])?;
            }
            setup::cargo_tool(COMPONENT_LINKER, COMPONENT_LINKER, COMPONENT_LINKER_VERSION)?;
        }
        let debian = Self::debian(target)?;
        if !debian.works() {
            debian.build_std()?;
        }
        if !debian.works() {
            bail!(
                "{} still does not compile with /usr/bin/rustc: {}",
                target.triple(),
                debian.probe().err().map_or_else(String::new, |e| e.to_string())
            );
        }
        Ok(debian)
    }

    fn find(target: Target) -> Option<Self> {
        if let Ok(usual) = Self::usual(target)
            && usual.works()
        {
            return Some(usual);
        }
        if !Path::new("/usr/bin/rustc").exists() {
            return None;
        }
        Self::debian(target).ok().filter(Self::works)
    }

    /// The compiler in `PATH`.
    fn usual(target: Target) -> Result<Self> {
        let flags = match target {
            Target::Workers => Vec::new(),
            Target::Spin => {
                let sysroot = proc::output(command("rustc").args(["--print", "sysroot"]))?;
                let host = proc::output(command("rustc").args(["--print", "host-tuple"]))?;
                let linker = Path::new(sysroot.trim())
                    .join("lib/rustlib")
                    .join(host.trim())
                    .join("bin/gcc-ld/wasm-ld");
                vec![SMALL.to_owned(), optimising(&linker)?]
            }
        };
        Ok(Self { target, bin: None, flags })
    }

    /// Debian's compiler, behind a folder of links: `/usr/bin` itself must not come before other things in `PATH`.
    fn debian(target: Target) -> Result<Self> {
        let bin = proc::cache().join("debian-rust");
        fs::create_dir_all(&bin)?;
        for program in ["cargo", "rustc", "rustdoc", "cargo-clippy", "clippy-driver"] {
            let link = bin.join(program);
            if fs::symlink_metadata(&link).is_err() {
                symlink(Path::new("/usr/bin").join(program), &link).or_else(|error| {
                    if error.kind() == std::io::ErrorKind::AlreadyExists { Ok(()) } else { Err(error) }
                })?;
            }
        }
        let flags = match target {
            Target::Workers => vec![format!("-Clinker={DEBIAN_LINKER}")],
            Target::Spin => {
                let linker =
                    setup::installed_tool(COMPONENT_LINKER, COMPONENT_LINKER, COMPONENT_LINKER_VERSION)
                        .context("the linker of components is missing")?;
                vec![
                    format!("-Clinker={}", linker.display()),
                    SMALL.to_owned(),
                    optimising(&Path::new("/usr/bin").join(DEBIAN_LINKER))?,
                ]
            }
        };
        Ok(Self { target, bin: Some(bin), flags })
    }

    /// A program run with this toolchain first in `PATH`, building under `target/wasm`: two compilers that share a
    /// target folder would throw away each other's work.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = command(program);
        command.env("CARGO_TARGET_DIR", proc::root().join("target/wasm"));
        // As worker-build sets it, or each would rebuild what the other has built.
        command.env("WASM_BINDGEN_USE_JS_SYS", "1");
        if let Some(bin) = &self.bin {
            let rest = env::var_os("PATH").unwrap_or_default();
            let all = std::iter::once(bin.clone()).chain(env::split_paths(&rest));
            command.env("PATH", env::join_paths(all).unwrap_or(rest.clone()));
            for rustups in ["RUSTUP_TOOLCHAIN", "RUSTC", "RUSTDOC"] {
                command.env_remove(rustups);
            }
        }
        if !self.flags.is_empty() {
            command.env(self.target.variable("RUSTFLAGS"), self.flags.join(" "));
        }
        command
    }

    /// A program of this toolchain itself (`Command` looks a bare name up in our own `PATH`, not the child's).
    pub(crate) fn program(&self, name: &str) -> Command {
        match &self.bin {
            Some(bin) => self.command(bin.join(name)),
            None => self.command(name),
        }
    }

    /// The compiler's name and version, part of what decides whether something must be built again.
    pub(crate) fn version(&self) -> Result<String> {
        Ok(proc::output(self.program("rustc").arg("-V"))?.trim().to_owned())
    }

    fn works(&self) -> bool {
        self.probe().is_ok()
    }

    /// Compiles and links three lines: the only proof that compiler, std and linker are there and fit together.
    fn probe(&self) -> Result<()> {
        let version = self.version()?;
        let minor = version.split('.').nth(1).and_then(|minor| minor.parse().ok()).unwrap_or(0);
        if minor < OLDEST_MINOR {
            bail!("{version} is older than 1.{OLDEST_MINOR}");
        }
        let out = proc::work_dir("xtask")?.join(format!("probe-{}.wasm", std::process::id()));
        let mut rustc = self.program("rustc");
        // A component has a world, which a bare function is not: a program is the least that links.
        let (kind, code) = match self.target {
            Target::Workers => (
                "cdylib",
                "#[unsafe(no_mangle)] pub extern \"C\" fn f() -> usize { std::env::args().count() }\n",
            ),
            Target::Spin => ("bin", "fn main() { println!(\"{}\", std::env::args().count()) }\n"),
        };
        rustc.args(["-", "--edition=2024", "--crate-name=probe", "--crate-type", kind]);
        rustc.args(["--target", self.target.triple()]).args(&self.flags).arg("-o").arg(&out);
        let mut child = rustc.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(code.as_bytes())?;
        }
        let done = child.wait_with_output()?;
        fs::remove_file(&out).ok();
        if !done.status.success() {
            bail!("{}", String::from_utf8_lossy(&done.stderr).trim());
        }
        Ok(())
    }

    /// Debian does not package std for wasm: builds it from `rust-web-src` and puts it where rustc and worker-build look.
    /// Bitcode is embedded because the worker is built with `lto = true`.
    fn build_std(&self) -> Result<()> {
        let dir = proc::cache().join("std").join(self.version()?.replace([' ', '/'], "_"));
        fs::create_dir_all(dir.join("src"))?;
        fs::write(dir.join("src/lib.rs"), "")?;
        fs::write(dir.join("Cargo.toml"), "[package]\nname = \"empty\"\nedition = \"2021\"\n[workspace]\n")?;
        let mut build = self.program("cargo");
        build
            .current_dir(&dir)
            .env("CARGO_TARGET_DIR", dir.join("target"))
            .env("RUSTC_BOOTSTRAP", "1")
            .env(self.target.variable("RUSTFLAGS"), "-Cembed-bitcode=yes")
            .args([
                "build",
                "--release",
                "-Zbuild-std=std,test,panic_abort,panic_unwind,proc_macro",
                "--target",
                self.target.triple(),
            ]);
        let title = format!("building Rust's standard library for {}", self.target.triple());
        progress::step(&title, &mut build, STD_LIMIT)?;

        let library = self.target.library();
        let artefacts = dir.join("target").join(self.target.triple()).join("release/deps");
        let mut rlibs: Vec<PathBuf> = fs::read_dir(&artefacts)
            .with_context(|| format!("reading {}", artefacts.display()))?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|ext| ext == "rlib"))
            .filter(|path| {
                !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("libempty"))
            })
            .collect();
        rlibs.sort();
        // What an older compiler left there would be refused, or chosen instead.
        proc::run(debian::as_root("rm")?.arg("-rf").arg(&library))?;
        proc::run(debian::as_root("mkdir")?.arg("-p").arg(&library))?;
        proc::run(debian::as_root("cp")?.args(&rlibs).arg(&library))?;
        if self.target == Target::Spin {
            let (_, directory, files) = WASI_LIBC;
            let own = library.join("self-contained");
            proc::run(debian::as_root("mkdir")?.arg("-p").arg(&own))?;
            let files = files.map(|file| Path::new(directory).join(file));
            proc::run(debian::as_root("cp")?.args(files).arg(own))?;
        }
        Ok(())
    }
}
