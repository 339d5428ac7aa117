//! `cargo xtask`: everything one does with this repository, on any machine. README.md shows the way in.

mod admin;
mod bench;
mod beside;
mod build;
mod call;
mod cargo_build;
mod conformance;
mod dashboard;
mod debian;
mod deploy;
mod deps;
mod dev;
mod group;
mod http;
mod migrate;
mod proc;
mod programs;
mod progress;
mod properties;
mod python;
mod scripts;
mod secret;
mod setup;
mod spin_manifest;
mod suite;
mod test;
mod toolchain;
mod watch;
mod wrangler;

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
    /// Runs the whole system on this machine, with simulators for whichever provider has no key
    Dev(dev::Options),
    /// Rings the running system as Twilio would, and prints the conversation; starts a system if none is running
    Call(call::Options),
    /// Runs every test: native, independent judges, the worker's size, the whole system under workerd
    Test(test::Options),
    /// Everything that must hold before a change is merged: formatting, lints, documentation and `test`
    Ci,
    /// Checks that dependencies between crates point the right way
    Deps,
    /// Builds worker and component for release, and prints their sizes and the component's cold start
    Build(build::Options),
    /// Deploys, after building, checking the secrets and applying the migrations
    Deploy(deploy::Options),
    /// Gives both scripts on Cloudflare a secret, e.g. `secret put JWT_SECRET`
    Secret(secret::Options),
    /// Brings a database's schema forward or back, e.g. `migrate --engine sqlite --database file.db`; `migrate status …` shows it
    Migrate(migrate::Options),
    /// Runs a benchmark against the release worker, e.g. `bench bridge`
    Bench(bench::Options),
    /// Administrators of a system
    Admin {
        #[command(subcommand)]
        task: admin::Task,
    },
    /// The steps of `test` and `ci` that only compile
    #[command(hide = true)]
    Builds(test::Builds),
    /// The steps of `test` and `ci` that need neither a worker nor a component
    #[command(hide = true)]
    Natives(test::Natives),
    /// Ends process groups when standard input closes
    #[command(hide = true)]
    Guard,
}

fn run(task: &Task) -> Result<ExitCode> {
    let done = match task {
        Task::Setup => setup::all(),
        Task::Dev(options) => dev::run(options),
        Task::Call(options) => call::run(options),
        Task::Test(options) => return test::run(options),
        Task::Ci => return Ok(test::ci()),
        Task::Builds(options) => return test::builds(options),
        Task::Natives(options) => return test::natives(options),
        Task::Deps => deps::check(),
        Task::Build(options) => build::run(options),
        Task::Deploy(options) => deploy::run(options),
        Task::Secret(options) => secret::run(options),
        Task::Migrate(options) => migrate::run(options),
        Task::Bench(options) => bench::run(options),
        Task::Admin { task } => admin::run(task),
        Task::Guard => {
            group::guard();
            Ok(())
        }
    };
    done.map(|()| ExitCode::SUCCESS)
}

fn main() -> ExitCode {
    match run(&Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Cli::command().debug_assert();
    }
}
