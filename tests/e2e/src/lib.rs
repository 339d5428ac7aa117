//! The whole system under workerd: the built worker, both simulators, real sockets, real time.
//!
//! `cargo test -p voicecore-e2e` runs everything; words after `--` choose cases by name. `README.md` says what is checked.

mod access;
mod actors;
mod api;
mod bad_input;
mod carrier;
mod cases;
mod contract;
mod endings;
mod engines;
mod falls;
mod http_suite;
mod interventions;
mod live;
mod native;
mod panics;
mod processes;
mod system;
pub mod traces;
pub mod turn_based;
mod workerd;

use std::collections::VecDeque;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use tokio::time::Instant;

use cases::{Case, Outcome};
pub use native::run as run_native;

/// Systems (workerd with both simulators) that run at the same time. Most of a case is waiting for people who speak: five of
/// them keep a fifth of two cores busy.
const LANES: usize = 5;
/// No case takes longer: the longest scenario is three minutes.
const CASE_LIMIT: Duration = Duration::from_mins(7);

/// Root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs the cases whose name contains one of `filters` (all without any), tells how they went, and exits with 1 when one
/// failed.
pub async fn run(filters: &[String]) -> ExitCode {
    ended(run_cases(cases::all(), "functions/cloudflare/build", filters).await)
}

/// The same of the worker's adapters, and of the worker with PostgreSQL.
pub async fn run_engines(filters: &[String]) -> ExitCode {
    ended(run_cases(cases::on_engines(), engines::WITH_POSTGRES, filters).await)
}

/// The API against its document.
pub async fn run_contract() -> ExitCode {
    let cases = cases::contract().map(|case| vec![case]);
    ended(run_cases(cases, "functions/cloudflare/build", &[]).await)
}

fn ended(run: anyhow::Result<bool>) -> ExitCode {
    match run {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("e2e: {error:#}");
            ExitCode::from(2)
        }
    }
}

async fn run_cases(
    cases: anyhow::Result<Vec<Case>>,
    worker: &str,
    filters: &[String],
) -> anyhow::Result<bool> {
    panics::install();
    let worker = root().join(worker);
    anyhow::ensure!(worker.join("index.js").exists(), "{} is not built (README.md)", worker.display());
    let mut cases = cases?;
    cases.retain(|case| {
        filters.is_empty() || filters.iter().any(|filter| case.name.contains(filter.as_str()))
    });
    anyhow::ensure!(!cases.is_empty(), "no case is called {}", filters.join(" or "));
    cases.sort_by_key(|case| std::cmp::Reverse(case.seconds));
    let (count, began) = (cases.len(), Instant::now());
    println!("running {count} end-to-end cases on up to {LANES} systems");
    let queue = Arc::new(Mutex::new(VecDeque::from(cases)));
    let record = record_directory()?;
    let mut lanes = tokio::task::JoinSet::new();
    for lane in 0..LANES.min(count) {
        lanes.spawn(run_lane(lane, Arc::clone(&queue), record.join(lane.to_string())));
    }
    let mut failed = Vec::new();
    let mut passed = 0;
    while let Some(lane) = lanes.join_next().await {
        for (name, outcome) in lane.context("a lane died")? {
            if outcome.problems.is_empty() { passed += 1 } else { failed.push((name, outcome)) }
        }
    }
    passed += oracles(&record, !filters.is_empty(), &mut failed).await;
    summarise(&failed);
    if failed.is_empty() {
        std::fs::remove_dir_all(&record).with_context(|| format!("removing {}", record.display()))?;
    } else {
        println!("\nreports, logs and traffic: {}", record.display());
    }
    println!("\n{passed} passed, {} failed, in {:.0} s", failed.len(), began.elapsed().as_secs_f64());
    Ok(failed.is_empty())
}

/// Runs cases from the queue, each in a system of its own, until there is none left.
async fn run_lane(lane: usize, queue: Arc<Mutex<VecDeque<Case>>>, record: PathBuf) -> Vec<(String, Outcome)> {
    let mut done = Vec::new();
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    while let Some(case) = next() {
        let began = Instant::now();
        let directory = record.join(&case.name);
        let outcome = tokio::time::timeout(CASE_LIMIT, panics::caught(cases::play(&case, &directory))).await;
        let outcome = outcome
            .unwrap_or_else(|_| Err(anyhow::anyhow!("not over after {} s", CASE_LIMIT.as_secs())))
            .unwrap_or_else(|error| Outcome::failed(&error));
        let mark = if outcome.problems.is_empty() { "ok  " } else { "FAIL" };
        let seconds = began.elapsed().as_secs_f64();
        println!("{mark}  {:<38} {seconds:>5.0} s  lane {lane}  {}", case.name, outcome.note);
        for problem in &outcome.problems {
            println!("        {problem}");
        }
        drop(std::io::stdout().flush());
        done.push((case.name, outcome));
    }
    done
}

/// Where the traffic of this run is kept for the oracles: emptied first.
fn record_directory() -> anyhow::Result<PathBuf> {
    let directory = std::env::temp_dir().join(format!("voicecore-e2e-{}", std::process::id()));
    drop(std::fs::remove_dir_all(&directory));
    std::fs::create_dir_all(&directory).with_context(|| format!("making {}", directory.display()))?;
    Ok(directory)
}

/// Lets the packages of OpenAI and Twilio judge everything that was said in this run. `partial`: of some cases only, among
/// which there may be none that has anything for one of the two.
async fn oracles(record: &Path, partial: bool, failed: &mut Vec<(String, Outcome)>) -> usize {
    let mut passed = 0;
    for (name, script, flags) in [
        (
            "oracle-openai",
            "openai.mjs",
            [("--client", "client.ndjson"), ("--server", "server.ndjson")].as_slice(),
        ),
        ("oracle-twilio", "twilio.mjs", [("--twiml", "twiml.ndjson")].as_slice()),
    ] {
        let mut command = tokio::process::Command::new("node");
        command.arg(root().join("tests/oracles").join(script)).current_dir(root());
        let mut files = 0;
        for (flag, file) in flags {
            for path in recorded(record, file) {
                command.arg(flag).arg(path);
                files += 1;
            }
        }
        if partial && files == 0 {
            continue;
        }
        let problem = match command.output().await {
            _ if files == 0 => Some("nothing was recorded".to_owned()),
            Ok(output) if output.status.success() => None,
            Ok(output) => Some(
                String::from_utf8_lossy(&output.stdout).into_owned()
                    + &String::from_utf8_lossy(&output.stderr),
            ),
            Err(error) => Some(format!("node: {error}")),
        };
        match problem {
            None => {
                println!("ok    {name:<38} {files} recordings");
                passed += 1;
            }
            Some(problem) => {
                println!("FAIL  {name}");
                failed.push((name.to_owned(), Outcome { note: String::new(), problems: vec![problem] }));
            }
        }
    }
    passed
}

/// All recorded files of that name that have something in them.
fn recorded(directory: &Path, name: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let mut found = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            found.extend(recorded(&path, name));
        } else if path.file_name().is_some_and(|file| file == name)
            && path.metadata().is_ok_and(|data| data.len() > 0)
        {
            found.push(path);
        }
    }
    found
}

fn summarise(failed: &[(String, Outcome)]) {
    if failed.is_empty() {
        return;
    }
    println!("\nfailures:");
    for (name, outcome) in failed {
        println!("\n  {name}  {}", outcome.note);
        for problem in &outcome.problems {
            println!("    {problem}");
        }
    }
}
