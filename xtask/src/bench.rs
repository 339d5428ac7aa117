//! `cargo xtask bench`: the benchmarks of tests/bench.

use anyhow::Result;

use crate::proc;
use crate::{build, cargo_build, setup};

/// The benchmark that runs the component, too.
const WEBHOOK: &str = "webhook";
/// The one that runs a baseline in Python.
const API: &str = "api";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Benchmark and its options, as in tests/bench/README.md: `bridge --help` lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    arguments: Vec<String>,
}

/// Measures the release worker, and the component, as they would be deployed.
pub(crate) fn run(options: &Options) -> Result<()> {
    build::worker()?;
    let program = cargo_build::binary("voicecore-bench", ["-p", "voicecore-bench", "--release"])?;
    let mut bench = proc::command(program);
    bench.args(&options.arguments);
    match options.arguments.first().map(String::as_str) {
        Some(WEBHOOK) => {
            build::component()?;
            bench.arg("--host").arg(build::host()?);
        }
        Some(API) => {
            bench.arg("--python").arg(setup::fastapi()?);
        }
        _ => setup::speech()?,
    }
    proc::run(&mut bench)
}
