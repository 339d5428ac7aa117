//! The component in a host for components: `spin` where it is on the PATH, ours elsewhere. `cargo xtask build` makes what is tested.

/// The cases by their names.
macro_rules! cases {
    ($($case:ident),+ $(,)?) => { vec![$((stringify!($case), |kind| Box::pin($case(kind)))),+] };
}

mod calls;
mod cases;
mod files;
mod host;
mod tenant;
mod traps;

use std::pin::Pin;
use std::process::ExitCode;

use anyhow::Result;

use crate::host::Kind;

/// What is run, and where.
type Case = fn(Kind) -> Pin<Box<dyn Future<Output = Result<()>>>>;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match runtime {
        Ok(runtime) => tokio::task::LocalSet::new().block_on(&runtime, run()),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> ExitCode {
    let filter = std::env::args().nth(1).filter(|word| !word.starts_with('-')).unwrap_or_default();
    let kind = Kind::here();
    println!("host: {}", kind.describe());
    let (mut passed, mut failed) = (0, 0);
    for (name, case) in cases::all().into_iter().chain(files::all()).chain(traps::all()) {
        if !name.contains(&filter) {
            continue;
        }
        // A task of its own: a broken promise is a panic.
        match tokio::task::spawn_local(case(kind)).await {
            Ok(Ok(())) => {
                println!("test {name} ... ok");
                passed += 1;
            }
            Ok(Err(error)) => {
                println!("test {name} ... FAILED\n{error:#}");
                failed += 1;
            }
            Err(panic) => {
                println!("test {name} ... FAILED ({panic})");
                failed += 1;
            }
        }
    }
    match calls::run(kind, &filter).await {
        Ok((well, badly)) => {
            passed += well;
            failed += badly;
        }
        Err(error) => {
            println!("test calls ... FAILED\n{error:#}");
            failed += 1;
        }
    }
    println!("{passed} passed, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
