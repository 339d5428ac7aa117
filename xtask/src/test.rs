//! `cargo xtask test` and `cargo xtask ci`.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::proc::{self, cargo, command, output};
use crate::suite::Suite;
use crate::toolchain::TARGET;
use crate::wrangler::wrangler;
use crate::{build, properties, setup};

/// The tests that run the built worker.
const E2E: &str = "voicecore-e2e";
/// Newer versions of clippy bring new lints; only these decide whether the code is clean.
const NEWEST_CLIPPY: u32 = 96;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only what needs neither wasm nor Node.js: the shared crates and this program
    #[arg(long)]
    quick: bool,
    /// Lists the numbered properties with the outcome of their tests; runs no other kind of check
    #[arg(long, conflicts_with = "quick")]
    properties: bool,
}

/// `cargo xtask test`: everything that says whether the system works.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let mut suite = Suite::default();
    if options.quick {
        // The workspace's default members.
        suite.cargo_test("tests of the shared crates", cargo().args(["test", "--no-fail-fast"]));
    } else if options.properties {
        suite.cargo_test("native tests", &mut native_tests());
        properties::report(&suite.tests)?;
    } else {
        tests(&mut suite);
    }
    Ok(suite.finish())
}

/// `cargo xtask ci`: what must hold before a change is merged.
pub(crate) fn ci() -> ExitCode {
    let mut suite = Suite::default();
    suite.command("formatting", cargo().args(["fmt", "--all", "--check"]));
    suite.step("lints", || {
        proc::run(&mut clippy(cargo(), &["--workspace", "--all-targets", "--exclude", build::WORKER])?)
    });
    suite.step("lints for wasm", || {
        let toolchain = setup::toolchain()?;
        proc::run(&mut clippy(toolchain.program("cargo"), &["-p", build::WORKER, "--target", TARGET])?)
    });
    let mut doc = cargo();
    doc.env("RUSTDOCFLAGS", "-Dwarnings");
    suite.command(
        "documentation",
        doc.args(["doc", "--workspace", "--no-deps", "--document-private-items", "--exclude", build::WORKER]),
    );
    tests(&mut suite);
    suite.finish()
}

fn tests(suite: &mut Suite) {
    // What is missing takes minutes: it is fetched where its progress is seen, and no test has to wait for it.
    suite.step("set-up", setup::all);
    suite.cargo_test("native tests", &mut native_tests());
    suite.command("independent judges of our formats", command("node").arg("tests/oracles/run.mjs"));
    suite.step("the worker, within its size", || build::worker()?.check());
    suite.step("wrangler takes the configuration", || {
        let out = proc::work_dir("wrangler")?.join("bundle");
        proc::run(wrangler().args(["deploy", "--dry-run", "--outdir"]).arg(out))
    });
    suite.cargo_test(
        "the whole system under workerd",
        cargo().args(["test", "--package", E2E, "--no-fail-fast"]),
    );
}

fn native_tests() -> Command {
    let mut test = cargo();
    test.args(["test", "--workspace", "--no-fail-fast", "--exclude", build::WORKER, "--exclude", E2E]);
    test
}

fn clippy(mut cargo: Command, what: &[&str]) -> Result<Command> {
    let mut version = Command::new(cargo.get_program());
    version.envs(cargo.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let version = output(version.args(["clippy", "--version"]))?;
    let minor: u32 = version.split('.').nth(1).and_then(|minor| minor.parse().ok()).unwrap_or(0);
    cargo.arg("clippy").args(what);
    if minor <= NEWEST_CLIPPY {
        cargo.args(["--", "-Dwarnings"]);
    } else {
        println!(
            "{}: newer than 1.{NEWEST_CLIPPY}, which the code is kept clean with; its warnings are no errors",
            version.trim()
        );
    }
    Ok(cargo)
}
