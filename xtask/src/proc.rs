//! Child processes: where to run them, what to hide from them, how to wait for them.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// The top of the working tree.
pub(crate) fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        // Set by `cargo run`; the one baked in serves when the binary is started directly.
        let here = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        Path::new(&here).parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf)
    })
}

/// Where slow things are kept between clones: `$VOICECORE_CACHE`, else `~/.cache/voicecore`.
pub(crate) fn cache() -> PathBuf {
    env::var_os("VOICECORE_CACHE").map_or_else(
        || PathBuf::from(env::var_os("HOME").unwrap_or_else(|| ".".into())).join(".cache/voicecore"),
        PathBuf::from,
    )
}

/// A folder under `target/` for what one command keeps; made when missing.
pub(crate) fn work_dir(name: &str) -> Result<PathBuf> {
    let dir = root().join("target").join(name);
    std::fs::create_dir_all(&dir).with_context(|| format!("making {}", dir.display()))?;
    Ok(dir)
}

/// The host's clock.
#[expect(clippy::disallowed_methods, reason = "a tool on the host measures by the host's clock")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "a tool on the host measures by the host's clock")]
pub(crate) fn unix_time() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |passed| passed.as_secs())
}

/// Looks a program up in `PATH`.
pub(crate) fn which(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|dir| dir.join(program)).find(|path| path.is_file())
}

/// A command run at the top of the tree, without what `cargo run` told this program about itself.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        let ours =
            ["CARGO_PKG_", "CARGO_BIN_", "CARGO_MANIFEST_"].iter().any(|prefix| text.starts_with(prefix));
        if ours || text == "CARGO" || text == "CARGO_CRATE_NAME" || text == "CARGO_PRIMARY_PACKAGE" {
            command.env_remove(&name);
        }
    }
    command
}

/// The cargo that builds for this machine.
pub(crate) fn cargo() -> Command {
    command("cargo")
}

/// A program installed by `npm ci`.
pub(crate) fn npm_bin(program: &str) -> PathBuf {
    root().join("node_modules/.bin").join(program)
}

/// The program with its arguments, for messages.
pub(crate) fn describe(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Runs it with our own standard streams; any status but 0 is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("starting `{}`", describe(command)))?;
    if !status.success() {
        bail!("`{}` failed: {status}", describe(command));
    }
    Ok(())
}

/// Runs it unseen and returns its standard output; the error carries its standard error.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let done =
        command.stdin(Stdio::null()).output().with_context(|| format!("starting `{}`", describe(command)))?;
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr);
        bail!("`{}` failed: {}\n{}", describe(command), done.status, said.trim());
    }
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}
