//! `cargo xtask test` and `cargo xtask ci`.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::beside::{self, Beside};
use crate::dashboard::Journeys;
use crate::dev::Runtime;
use crate::proc::{self, cargo, command, output, root};
use crate::programs::{self, Programs};
use crate::suite::Suite;
use crate::toolchain::Target;
use crate::wrangler::scripts;
use crate::{build, conformance, dashboard, properties, setup};

/// The tests that run the built worker.
const E2E: &str = "tests/e2e";
/// Those that run the built component.
const HOST: &str = "tests/spin";
/// What is tested on PostgreSQL as well.
const ON_POSTGRES: &[&str] = &["shared/store", "shared/api"];
/// A step of several suites.
const NATIVE: &str = "native tests";
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

/// `cargo xtask builds`: a part of the other two, which start it.
#[derive(clap::Args)]
pub(crate) struct Builds {
    /// Lints and documentation as well
    #[arg(long)]
    lints: bool,
    /// Where the steps are handed over
    #[arg(long)]
    report: PathBuf,
}

/// `cargo xtask natives`: a part of the other two, which start it.
#[derive(clap::Args)]
pub(crate) struct Natives {
    /// Where the steps are handed over
    #[arg(long)]
    report: PathBuf,
}

/// `cargo xtask test`: everything that says whether the system works.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let mut suite = Suite::new();
    if options.quick {
        // The workspace's default members.
        let mut quick = cargo();
        quick.args(["test", "--no-fail-fast"]);
        suite.tests("tests of the shared crates", vec![quick]);
    } else if options.properties {
        let programs = compiled(&mut suite);
        suite.tests(NATIVE, reporting(programs.but(&[E2E, HOST])));
        properties::report(&suite.tests)?;
    } else {
        tests(&mut suite, &["builds"]);
    }
    Ok(suite.finish())
}

/// `cargo xtask ci`: what must hold before a change is merged.
pub(crate) fn ci() -> ExitCode {
    let mut suite = Suite::new();
    suite.command("formatting", cargo().args(["fmt", "--all", "--check"]));
    tests(&mut suite, &["builds", "--lints"]);
    suite.finish()
}

/// The order: first what the calls under workerd need, compiled by the whole machine. Then those calls: ten minutes in which
/// people speak and the machine is idle by four fifths, so `builds` has them for whatever else is to be compiled. Then what has waited
/// for the builds, most of it calls and pages again, beside what works the machine (`natives`).
fn tests(suite: &mut Suite, builds: &[&str]) {
    // What is missing takes minutes: it is fetched where its progress is seen, and no test has to wait for it.
    suite.step("set-up", || setup::all().and_then(|()| conformance::begin()));
    let programs = compiled(suite);
    suite.step("the worker and its actors, within their sizes", || build::worker()?.check());
    suite.step("wrangler takes the configuration", || {
        let out = proc::work_dir("wrangler")?.join("bundle");
        for mut script in scripts()? {
            proc::run(script.args(["deploy", "--dry-run", "--outdir"]).arg(&out))?;
        }
        Ok(())
    });
    let beside = begin(suite, "builds", builds);
    let calls = programs.of(&[E2E], Some(&["e2e", "native"]));
    suite.tests("the whole system under workerd", reporting(calls));
    end(suite, beside);
    let beside = begin(suite, "natives", &["natives"]);
    for (runtime, name) in [
        (Runtime::Workers, "the dashboard in a browser"),
        (Runtime::Spin, "the dashboard in a browser, on Spin"),
    ] {
        let mut system = None;
        suite.step("a system for the dashboard begins", || {
            system = Some(Journeys::begin(runtime)?);
            Ok(())
        });
        if let Some(journeys) = system {
            suite.tests(name, vec![journeys.command()]);
        }
    }
    suite.tests("the component in a host", reporting(programs.of(&[HOST], None)));
    let engines = programs.of(&[E2E], Some(&["engines"]));
    suite.tests("the worker on its databases", reporting(engines));
    suite.tests("the API as its document says", reporting(programs.of(&[E2E], Some(&["contract"]))));
    end(suite, beside);
    suite.step("cold start", build::cold_start);
    suite.step("what ran where", conformance::show);
}

fn begin(suite: &mut Suite, name: &'static str, arguments: &[&str]) -> Option<Beside> {
    let mut beside = None;
    suite.step(&format!("{name} begin"), || {
        beside = Some(Beside::start(name, arguments)?);
        Ok(())
    });
    beside
}

fn end(suite: &mut Suite, beside: Option<Beside>) {
    if let Some(beside) = beside {
        let name = beside.name();
        let end = beside.finish(suite);
        suite.step(&format!("{name} end"), || end);
    }
}

/// What needs neither a worker nor a component, and works the machine.
pub(crate) fn natives(options: &Natives) -> Result<ExitCode> {
    let mut suite = Suite::new();
    let programs = Programs::build()?;
    suite.tests(NATIVE, reporting(programs.but(&[E2E, HOST])));
    let on_postgres = programs.of(ON_POSTGRES, None).into_iter().map(|mut command| {
        command.env("VOICECORE_TEST_DATABASE", "postgres");
        command
    });
    suite.tests("the store and the API on PostgreSQL", reporting(on_postgres.collect()));
    suite.tests("the dashboard's rules", vec![dashboard::unit_tests()]);
    suite.command("independent judges of our formats", command("node").arg("tests/oracles/run.mjs"));
    suite.prepared("an independent reader of our PDF files", || {
        let mut judge = command(setup::pdf_reader()?.join("bin/python"));
        // The tests of the API have left them there.
        judge.arg("tests/oracles/pdf.py").arg(root().join("target/tmp/transcripts"));
        Ok(judge)
    });
    beside::hand_over(&suite, &options.report)?;
    Ok(suite.finish())
}

/// What only compiles and checks, in the order in which others wait for it.
pub(crate) fn builds(options: &Builds) -> Result<ExitCode> {
    let mut suite = Suite::new();
    suite.step("the component, within its size", || build::component()?.check());
    suite.step("the component with PostgreSQL", || build::component_with_postgres()?.check());
    suite.step("the suites as a component", build::probe);
    suite.step("the worker with PostgreSQL", || build::worker_with_postgres()?.check());
    suite.step("the suites as a worker", build::workers_probe);
    if options.lints {
        lints(&mut suite);
    }
    beside::hand_over(&suite, &options.report)?;
    Ok(suite.finish())
}

fn lints(suite: &mut Suite) {
    suite.prepared("lints", || {
        let mut what: Vec<_> = programs::native().collect();
        what.push("--all-targets");
        clippy(cargo(), &what)
    });
    // In the profile of what is deployed: macros and build scripts are then compiled once, for the lints and for the build. With
    // PostgreSQL, which leaves next to nothing of the rest out, and for Spin is compiled here only.
    suite.prepared("lints for workers", || {
        let toolchain = setup::toolchain(Target::Workers)?;
        clippy(
            toolchain.program("cargo"),
            &for_wasm(
                Target::Workers,
                &[build::WORKER, build::ACTORS, build::PLATFORM, build::WORKERS_PROBE],
            ),
        )
    });
    suite.prepared("lints for components", || {
        let toolchain = setup::toolchain(Target::Spin)?;
        clippy(toolchain.program("cargo"), &for_wasm(Target::Spin, &[build::COMPONENT, build::PROBE]))
    });
    let mut doc = cargo();
    doc.env("RUSTDOCFLAGS", "-Dwarnings").arg("doc").args(programs::native());
    suite.command("documentation", doc.args(["--no-deps", "--document-private-items"]));
    suite.command("examples of the documentation", cargo().arg("test").args(programs::native()).arg("--doc"));
}

fn for_wasm(target: Target, packages: &[&'static str]) -> Vec<&'static str> {
    let mut what: Vec<_> = packages.iter().flat_map(|package| ["-p", package]).collect();
    what.extend(["--features", "postgres", "--target", target.triple(), "--profile", build::PROFILE]);
    what
}

/// The test programs of this machine; none when something does not compile.
fn compiled(suite: &mut Suite) -> Programs {
    let mut programs = Programs::default();
    suite.step("what is tested compiles", || {
        programs = Programs::build()?;
        Ok(())
    });
    programs
}

/// The suites that pass say so in the report.
fn reporting(mut tests: Vec<Command>) -> Vec<Command> {
    for test in &mut tests {
        test.env(conformance::VARIABLE, conformance::file());
    }
    tests
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
