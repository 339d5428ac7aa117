//! The REST API beside the same routes in `FastAPI`: requests per CPU-second, and how long each takes.

mod load;
mod subjects;

use std::fmt::Write as _;
use std::path::PathBuf;

use serde::Serialize;

use crate::process;
use crate::stats::Spread;
use load::Route;
use subjects::Subject;

/// Requests per CPU-second, as a multiple of the baseline's, that listing and reading must reach.
const TARGET: f64 = 3.0;
/// The routes for which it counts.
const HELD: [Route; 2] = [Route::List, Route::Get];
/// Of each route, before it is measured: code is compiled and caches are filled.
const WARM_UP_SECONDS: u64 = 1;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The Python environment of the baseline.
    #[arg(long)]
    python: PathBuf,
    /// What to measure.
    #[arg(long, value_delimiter = ',', default_value = "fastapi,js-worker,workers")]
    subjects: Vec<Subject>,
    /// Connections that ask at the same time.
    #[arg(long, default_value_t = 4)]
    connections: u16,
    /// Length of each measurement.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Measurements of each; the subjects take turns, each time in a process started afresh.
    #[arg(long, default_value_t = 3)]
    rounds: u64,
    /// Compare with the target for list and get; exit 1 when it is missed.
    #[arg(long)]
    check: bool,
    /// Write the rows as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Core of the subject, core of the load.
    #[arg(long, value_delimiter = ',', num_args = 2, default_value = "0,1")]
    cores: Vec<u16>,
    /// Where the built worker lies, from the repository's root.
    #[arg(long, default_value = "functions/cloudflare/build")]
    build: PathBuf,
}

/// One route of one subject.
#[derive(Debug, Serialize)]
struct Row {
    route: Route,
    subject: Subject,
    per_cpu_second: f64,
    per_second: f64,
    latency_ms: Spread,
    errors: Vec<String>,
}

/// What all rounds of a row have collected.
#[derive(Default)]
struct Total {
    latencies: Vec<f64>,
    errors: Vec<String>,
    cpu_seconds: f64,
}

/// Measures and prints the table. False: `--check` was asked for, and the target is missed or something failed.
pub(crate) async fn run(options: &Options) -> anyhow::Result<bool> {
    let [subject_core, load_core] = options.cores.as_slice() else { anyhow::bail!("--cores A,B") };
    process::pin_self(*load_core);
    let mut totals: Vec<((Route, Subject), Total)> = vec![];
    for round in 1..=options.rounds {
        for &subject in &options.subjects {
            eprintln!("· {subject}, round {round} of {} …", options.rounds);
            let running = subject.start(*subject_core, options).await?;
            for route in Route::ALL.into_iter().filter(|route| subject.serves(*route)) {
                load::run(&running, route, options.connections, WARM_UP_SECONDS);
                let before = process::usage(&running.pids).cpu_seconds;
                let (latencies, errors) = load::run(&running, route, options.connections, options.seconds);
                let cpu_seconds = process::usage(&running.pids).cpu_seconds - before;
                let place = totals.iter().position(|(of, _)| *of == (route, subject)).unwrap_or_else(|| {
                    totals.push(((route, subject), Total::default()));
                    totals.len() - 1
                });
                let Some((_, total)) = totals.get_mut(place) else { continue };
                total.latencies.extend(latencies);
                total.errors.extend(errors);
                total.cpu_seconds += cpu_seconds;
            }
        }
    }
    let seconds = (options.seconds * options.rounds) as f64;
    let mut rows: Vec<Row> = totals.into_iter().map(|(key, total)| row(key, total, seconds)).collect();
    rows.sort_by_key(|row| (row.route, row.subject));
    println!("\n{}", table(&rows));
    if let Some(path) = &options.json {
        std::fs::write(path, serde_json::to_string_pretty(&rows)?)?;
    }
    Ok(!options.check || is_met(&rows))
}

fn row((route, subject): (Route, Subject), total: Total, seconds: f64) -> Row {
    let answered = total.latencies.len() as f64;
    Row {
        route,
        subject,
        per_cpu_second: answered / total.cpu_seconds.max(0.01),
        per_second: answered / seconds,
        latency_ms: Spread::of(total.latencies),
        errors: total.errors,
    }
}

/// How many times the baseline's requests a subject answers with one second of CPU; 0 when one of them is missing.
fn ratio(rows: &[Row], route: Route, subject: Subject) -> f64 {
    let of = |subject| rows.iter().find(|row| row.route == route && row.subject == subject);
    match (of(subject), of(Subject::Fastapi)) {
        (Some(ours), Some(baseline)) if baseline.per_cpu_second > 0.0 => {
            ours.per_cpu_second / baseline.per_cpu_second
        }
        _ => 0.0,
    }
}

fn is_met(rows: &[Row]) -> bool {
    let mut met = rows.iter().all(|row| row.errors.is_empty());
    for route in HELD {
        let ratio = ratio(rows, route, Subject::Workers);
        let verdict = if ratio >= TARGET { "met" } else { "MISSED" };
        println!(
            "{route}: {ratio:.2} times the baseline's requests per CPU-second, wanted {TARGET}: {verdict}"
        );
        met &= ratio >= TARGET;
    }
    met
}

/// As the README has it.
fn table(rows: &[Row]) -> String {
    let mut text =
        "| route | subject | requests per CPU-second | times the baseline | requests/s | p50 ms | p99 ms |\n\
                    | --- | --- | --- | --- | --- | --- | --- |\n"
            .to_owned();
    for row in rows {
        let Row { route, subject, latency_ms, .. } = row;
        let times = match subject {
            Subject::Fastapi => "1".to_owned(),
            _ => format!("{:.2}", ratio(rows, *route, *subject)),
        };
        let _ = writeln!(
            text,
            "| {route} | {subject} | {:.0} | {times} | {:.0} | {:.2} | {:.2} |",
            row.per_cpu_second, row.per_second, latency_ms.p50, latency_ms.p99
        );
        for error in row.errors.iter().take(3) {
            let _ = writeln!(text, "    ! {error}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(subject: Subject, requests: usize, cpu_seconds: f64) -> Row {
        let total = Total { latencies: vec![1.0; requests], errors: vec![], cpu_seconds };
        row((Route::List, subject), total, 1.0)
    }

    #[test]
    fn subjects_are_compared_by_their_cpu_time() {
        let rows = [measured(Subject::Fastapi, 100, 1.0), measured(Subject::Workers, 150, 0.5)];
        assert!((ratio(&rows, Route::List, Subject::Workers) - 3.0).abs() < 1e-9);
        assert!(ratio(&rows, Route::Get, Subject::Workers).abs() < 1e-9);
        assert!(table(&rows).contains("| list | Workers | 300 | 3.00 |"), "{}", table(&rows));
        assert!(!is_met(&rows), "nothing is known of get");
    }
}
