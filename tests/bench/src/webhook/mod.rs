//! Voice webhook to TwiML: how many a second, and how long each takes.

mod load;
mod subjects;

use std::fmt::Write as _;
use std::path::PathBuf;

use serde::Serialize;

use crate::process;
use crate::stats::Spread;
use load::{Client, Load, Request};
use subjects::Subject;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The host of components, where no `spin` is on the PATH.
    #[arg(long)]
    host: PathBuf,
    /// What to measure.
    #[arg(long, value_delimiter = ',', default_value = "spin,workers")]
    subjects: Vec<Subject>,
    /// Connections that ask at the same time.
    #[arg(long, value_delimiter = ',', default_value = "1,8")]
    connections: Vec<u16>,
    /// How the client uses them.
    #[arg(long, value_delimiter = ',', default_value = "keep-alive,no-delay,quick-ack,new")]
    clients: Vec<Client>,
    /// Length of each measurement.
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// Measurements of each; the subjects take turns, each time in a process started afresh.
    #[arg(long, default_value_t = 2)]
    rounds: u64,
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

/// One subject, asked in one way.
#[derive(Debug, Serialize)]
struct Row {
    subject: Subject,
    request: Request,
    client: Client,
    connections: u16,
    per_second: f64,
    latency_ms: Spread,
    cpu_ms_per_request: f64,
    errors: Vec<String>,
}

/// What all rounds of a row have collected.
#[derive(Default)]
struct Total {
    latencies: Vec<f64>,
    errors: Vec<String>,
    cpu_seconds: f64,
}

/// Measures and prints the table.
pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let [subject_core, load_core] = options.cores.as_slice() else { anyhow::bail!("--cores A,B") };
    process::pin_self(*load_core);
    println!("Spin: {}", subjects::host_name());
    let mut totals: Vec<((Subject, Request, Client, u16), Total)> = vec![];
    for round in 1..=options.rounds {
        for &subject in &options.subjects {
            eprintln!("· {subject}, round {round} of {} …", options.rounds);
            let running = subject.start(*subject_core, options).await?;
            for request in [Request::Health, Request::Voice] {
                for &client in &options.clients {
                    for &connections in &options.connections {
                        let before = process::usage(&running.pids).cpu_seconds;
                        let load = Load {
                            running: &running,
                            request,
                            client,
                            connections,
                            seconds: options.seconds,
                        };
                        let (latencies, errors) = load::run(&load);
                        let key = (subject, request, client, connections);
                        let place = totals.iter().position(|(of, _)| *of == key).unwrap_or_else(|| {
                            totals.push((key, Total::default()));
                            totals.len() - 1
                        });
                        let Some((_, total)) = totals.get_mut(place) else { continue };
                        total.latencies.extend(latencies);
                        total.errors.extend(errors);
                        total.cpu_seconds += process::usage(&running.pids).cpu_seconds - before;
                    }
                }
            }
        }
    }
    let seconds = (options.seconds * options.rounds) as f64;
    let mut rows: Vec<Row> = totals.into_iter().map(|(key, total)| row(key, total, seconds)).collect();
    rows.sort_by_key(|row| (row.request, row.client, row.connections, row.subject));
    println!("\n{}", table(&rows));
    if let Some(path) = &options.json {
        std::fs::write(path, serde_json::to_string_pretty(&rows)?)?;
    }
    Ok(())
}

fn row(
    (subject, request, client, connections): (Subject, Request, Client, u16),
    total: Total,
    seconds: f64,
) -> Row {
    let answered = total.latencies.len() as f64;
    Row {
        subject,
        request,
        client,
        connections,
        per_second: answered / seconds,
        latency_ms: Spread::of(total.latencies),
        cpu_ms_per_request: total.cpu_seconds * 1_000.0 / answered.max(1.0),
        errors: total.errors,
    }
}

/// As the README has it.
fn table(rows: &[Row]) -> String {
    let mut text = "| request | client | connections | subject | requests/s | p50 ms | p99 ms | worst ms | CPU ms each |\n\
                    | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
        .to_owned();
    for row in rows {
        let Row { request, client, connections, subject, latency_ms, .. } = row;
        let _ = writeln!(
            text,
            "| {request} | {client} | {connections} | {subject} | {:.0} | {:.2} | {:.2} | {:.1} | {:.2} |",
            row.per_second, latency_ms.p50, latency_ms.p99, latency_ms.max, row.cpu_ms_per_request
        );
        for error in row.errors.iter().take(3) {
            let _ = writeln!(text, "    ! {error}");
        }
    }
    text
}
