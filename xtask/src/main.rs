//! `cargo xtask`: everything one does with this repository, on any machine. README.md shows the way in.

mod build;
mod debian;
mod proc;
mod progress;
mod setup;
mod toolchain;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    about = "Runs, tests, builds and deploys VoiceCore.",
    disable_help_subcommand = true
)]
struct Cli {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Gets everything that is needed onto this machine; quick when nothing is missing
    Setup,
    /// Builds the Cloudflare worker for release and prints its size
    Build,
}

fn run(task: &Task) -> Result<()> {
    match task {
        Task::Setup => setup::all(),
        Task::Build => build::worker()?.check(),
    }
}

fn main() -> ExitCode {
    match run(&Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
