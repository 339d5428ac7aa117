//! `cargo xtask bench`: the benchmarks of tests/bench.

use anyhow::Result;

use crate::proc;
use crate::{build, cargo_build, setup};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Benchmark and its options, as in tests/bench/README.md: `bridge --help` lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    arguments: Vec<String>,
}

/// Measures the release worker as it would be deployed.
pub(crate) fn run(options: &Options) -> Result<()> {
    build::worker()?;
    setup::speech()?;
    let program = cargo_build::binary("voicecore-bench", &["--release"])?;
    proc::run(proc::command(program).args(&options.arguments))
}
