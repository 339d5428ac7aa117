//! `cargo test -p voicecore-e2e --test contract`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    voicecore_e2e::run_contract().await
}
