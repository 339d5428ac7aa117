//! `cargo xtask test` and `cargo xtask ci`.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::proc::{self, cargo, command, output};
use crate::suite::Suite;
use crate::toolchain::Target;
use crate::wrangler::wrangler;
use crate::{build, conformance, properties, setup};

/// The tests that run the built worker.
const E2E: &str = "voicecore-e2e";
/// What compiles for wasm only.
const FOR_WASM: &[&str] = &[build::WORKER, build::COMPONENT, build::PROBE];
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
    suite.prepared("lints", || {
        let mut what = vec!["--workspace", "--all-targets"];
        what.extend(without(FOR_WASM));
        clippy(cargo(), &what)
    });
    // In the profile of what is deployed: macros and build scripts are then compiled once, for the lints and for the build.
    suite.prepared("lints for workers", || {
        let toolchain = setup::toolchain(Target::Workers)?;
        let what = ["-p", build::WORKER, "--target", Target::Workers.triple(), "--profile", build::PROFILE];
        clippy(toolchain.program("cargo"), &what)
    });
    suite.prepared("lints for components", || {
        let toolchain = setup::toolchain(Target::Spin)?;
        let what = ["-p", build::COMPONENT, "-p", build::PROBE, "--target", Target::Spin.triple()];
        let what = [what.as_slice(), &["--profile", build::PROFILE]].concat();
        clippy(toolchain.program("cargo"), &what)
    });
    let mut doc = cargo();
    doc.env("RUSTDOCFLAGS", "-Dwarnings");
    suite.command(
        "documentation",
        doc.args(["doc", "--workspace", "--no-deps", "--document-private-items"]).args(without(FOR_WASM)),
    );
    tests(&mut suite);
    suite.finish()
}

fn tests(suite: &mut Suite) {
    // What is missing takes minutes: it is fetched where its progress is seen, and no test has to wait for it.
    suite.step("set-up", || setup::all().and_then(|()| conformance::begin()));
    suite.cargo_test("native tests", &mut native_tests());
    let mut on_postgres = cargo();
    on_postgres.args([
        "test",
        "--package",
        "voicecore-store",
        "--package",
        "voicecore-api",
        "--no-fail-fast",
    ]);
    on_postgres.env("VOICECORE_TEST_DATABASE", "postgres");
    suite.cargo_test("the store and the API on PostgreSQL", &mut on_postgres);
    suite.command("independent judges of our formats", command("node").arg("tests/oracles/run.mjs"));
    suite.step("the worker, within its size", || build::worker()?.check());
    suite.step("wrangler takes the configuration", || {
        let out = proc::work_dir("wrangler")?.join("bundle");
        proc::run(wrangler().args(["deploy", "--dry-run", "--outdir"]).arg(out))
    });
    let mut e2e = cargo();
    e2e.args(["test", "--package", E2E, "--no-fail-fast"]);
    suite.cargo_test("the whole system under workerd", reporting(&mut e2e));
    suite.step("the component, within its size", || build::component()?.check());
    suite.step("the suites as a component", build::probe);
    let mut spin = cargo();
    spin.args(["test", "--package", build::HOST, "--no-fail-fast"]);
    suite.cargo_test("the component in a host", reporting(&mut spin));
    suite.step("cold start", build::cold_start);
    suite.step("what ran where", conformance::show);
}

/// The suites that pass say so in the report.
fn reporting(test: &mut Command) -> &mut Command {
    test.env(conformance::VARIABLE, conformance::file())
}

fn native_tests() -> Command {
    let mut test = cargo();
    test.args(["test", "--workspace", "--no-fail-fast"]).args(without(FOR_WASM));
    test.args(without(&[E2E, build::HOST]));
    reporting(&mut test);
    test
}

/// Arguments that leave crates out.
fn without(crates: &'static [&'static str]) -> impl Iterator<Item = &'static str> {
    crates.iter().flat_map(|name| ["--exclude", name])
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
