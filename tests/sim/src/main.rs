//! `voicecore-sim`: see `voicecore_sim::cli`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    voicecore_sim::cli::main().await
}
