//! The test programs of this machine: compiled together, run one by one.
//!
//! What cargo is asked for decides which features the crates below get: asked for one package after the other it compiles
//! tokio, hyper, serde and all that stands on them once for each. So everything native is asked for at once, always in the
//! same words, and the programs are then run without cargo.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::build;
use crate::proc::{self, cargo, describe, root};

/// What compiles for wasm only.
pub(crate) const FOR_WASM: &[&str] =
    &[build::WORKER, build::ACTORS, build::PLATFORM, build::WORKERS_PROBE, build::COMPONENT, build::PROBE];

/// Arguments that select everything that runs on this machine.
pub(crate) fn native() -> impl Iterator<Item = &'static str> {
    std::iter::once("--workspace").chain(FOR_WASM.iter().flat_map(|name| ["--exclude", name]))
}

/// A compiled test program.
struct Program {
    /// Of its package, from the top of the tree: `tests/e2e`.
    package: String,
    /// The target's: `e2e`; for tests beside the code that of the library.
    name: String,
    executable: PathBuf,
}

/// All of them.
#[derive(Default)]
pub(crate) struct Programs(Vec<Program>);

impl Programs {
    /// Compiles them.
    pub(crate) fn build() -> Result<Self> {
        let mut build = cargo();
        build.arg("test").args(native()).args(["--no-run", "--message-format=json-render-diagnostics"]);
        let done = build.stdin(Stdio::null()).stderr(Stdio::inherit()).output().context("starting cargo")?;
        if !done.status.success() {
            bail!("`{}` failed: {}", describe(&build), done.status);
        }
        let messages = String::from_utf8_lossy(&done.stdout);
        let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        Ok(Self(messages.filter_map(|message| program(&message, root())).collect()))
    }

    /// Those of these packages, named by their folders; `and`: of those only these targets.
    pub(crate) fn of(&self, packages: &[&str], and: Option<&[&str]>) -> Vec<Command> {
        self.chosen(|program| {
            packages.contains(&program.package.as_str())
                && and.is_none_or(|names| names.contains(&program.name.as_str()))
        })
    }

    /// Those of all other packages.
    pub(crate) fn but(&self, packages: &[&str]) -> Vec<Command> {
        self.chosen(|program| !packages.contains(&program.package.as_str()))
    }

    fn chosen(&self, wanted: impl Fn(&Program) -> bool) -> Vec<Command> {
        self.0.iter().filter(|program| wanted(program)).map(Program::command).collect()
    }
}

impl Program {
    /// Runs it where cargo would.
    fn command(&self) -> Command {
        let mut command = proc::command(&self.executable);
        let directory = root().join(&self.package);
        command.env("CARGO_MANIFEST_DIR", &directory).current_dir(directory);
        command
    }
}

/// The test program that a message of cargo's tells of.
fn program(message: &Value, root: &Path) -> Option<Program> {
    if message["reason"] != "compiler-artifact" || message["profile"]["test"] != true {
        return None;
    }
    let package = Path::new(message["manifest_path"].as_str()?).parent()?.strip_prefix(root).ok()?;
    Some(Program {
        package: package.to_str()?.to_owned(),
        name: message["target"]["name"].as_str()?.to_owned(),
        executable: message["executable"].as_str()?.into(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn test_programs_are_told_from_what_else_cargo_makes() {
        let message = |test: bool, executable: Option<&str>| {
            json!({
                "reason": "compiler-artifact",
                "manifest_path": "/tree/tests/e2e/Cargo.toml",
                "target": {"name": "e2e"},
                "profile": {"test": test},
                "executable": executable,
            })
        };
        let root = Path::new("/tree");
        let found = program(&message(true, Some("/tree/target/debug/deps/e2e-1")), root).unwrap();
        assert_eq!((found.package.as_str(), found.name.as_str()), ("tests/e2e", "e2e"));
        let programs = Programs(vec![found]);
        assert_eq!(programs.of(&["tests/e2e"], None).len(), 1);
        assert_eq!(programs.of(&["tests/e2e"], Some(&["native"])).len(), 0);
        assert_eq!(programs.but(&["tests/e2e"]).len(), 0);
        for other in [message(false, Some("/tree/target/debug/x")), message(true, None), json!({})] {
            assert!(program(&other, root).is_none(), "{other}");
        }
    }
}
