//! `cargo test -p voicecore-e2e --test engines [-- NAME …]`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    // Flags are cargo's (`--nocapture`, `--test-threads`): they mean nothing here.
    let filters: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    voicecore_e2e::run_engines(&filters).await
}
