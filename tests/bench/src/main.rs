//! What calls (`bridge`), webhooks (`webhook`) and requests to the API (`api`) cost, beside named baselines, in one run. See `README.md`.

mod api;
mod clock;
mod load;
mod process;
mod relay;
mod report;
mod stats;
mod subjects;
mod webhook;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use load::LoadConfig;
use report::{Round, Row};
use subjects::Subject;

/// Benchmarks of VoiceCore.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// N simultaneous calls through the front door: latency, barge-in, truncation, loss, CPU, memory.
    Bridge(Bridge),
    /// Voice webhook to TwiML, on Spin and on Workers: requests per second and latency.
    Webhook(webhook::Options),
    /// The REST API beside `FastAPI`: requests per CPU-second and latency.
    Api(api::Options),
    /// The copying relay, started by `bridge` in a process of its own.
    #[command(hide = true)]
    Relay {
        #[arg(long)]
        port: u16,
        #[arg(long)]
        model_port: u16,
    },
}

#[derive(clap::Args)]
struct Bridge {
    /// Calls to try, rising; a subject stops at the first number it fails.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "25,50,75,100,125,150,175,200,225,250,275,300,350,400,500,600"
    )]
    calls: Vec<u16>,
    /// Length of each measurement.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Measurements of each subject at each number of calls. The subjects take turns, so that what else the machine does
    /// hits them alike; a row is made of all of its rounds.
    #[arg(long, default_value_t = 3)]
    rounds: u64,
    /// What to measure.
    #[arg(long, value_delimiter = ',', default_value = "relay,js-object,voicecore,voicecore-nojournal")]
    subjects: Vec<Subject>,
    /// Go on after a number that fails.
    #[arg(long)]
    all: bool,
    /// Write the rows as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Compare with what is required of the bridge; exit 1 when it is not met.
    #[arg(long)]
    check: bool,
    /// Core of the subject, core of the load.
    #[arg(long, value_delimiter = ',', num_args = 2, default_value = "0,1")]
    cores: Vec<u16>,
    /// Where the built worker lies, from the repository's root.
    #[arg(long, default_value = "functions/cloudflare/build")]
    build: PathBuf,
}

/// Small buffers: the library zeroes its read buffer before every read, which at its default of 128 KiB is most of a
/// relay's CPU.
fn socket_config() -> WebSocketConfig {
    WebSocketConfig::default().read_buffer_size(4_096).write_buffer_size(0)
}

/// How a set-up token lies in the database: SHA-256 in hexadecimal.
fn setup_token_hash(token: &str) -> String {
    use sha2::Digest as _;
    format!("{:x}", sha2::Sha256::digest(token))
}

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match Arguments::parse().command {
        Command::Relay { port, model_port } => runtime.block_on(relay::serve(port, model_port)),
        Command::Api(options) => {
            if !runtime.block_on(api::run(&options))? {
                std::process::exit(1);
            }
            Ok(())
        }
        Command::Webhook(options) => runtime.block_on(webhook::run(&options)),
        Command::Bridge(bridge) => {
            let [subject_core, load_core] = bridge.cores.as_slice() else { anyhow::bail!("--cores A,B") };
            process::pin_self(*load_core);
            let rows = runtime.block_on(measure(&bridge, *subject_core))?;
            println!("\n{}", report::table(&rows));
            if let Some(path) = &bridge.json {
                std::fs::write(path, serde_json::to_string_pretty(&rows)?)?;
            }
            if bridge.check && !report::check(&rows) {
                std::process::exit(1);
            }
            Ok(())
        }
    }
}

async fn measure(bridge: &Bridge, core: u16) -> anyhow::Result<Vec<Row>> {
    let mut rows: Vec<Row> = vec![];
    let mut subjects = bridge.subjects.clone();
    for &calls in &bridge.calls {
        let measured = side_by_side(&mut subjects, calls, bridge, core).await;
        for row in measured {
            eprintln!("{}", report::line(&row));
            // 100 calls are always measured: that is where subjects are compared.
            if !row.good() && !bridge.all && calls >= 100 {
                subjects.retain(|subject| *subject != row.subject());
            }
            rows.push(row);
        }
    }
    Ok(rows)
}

/// All rounds of all subjects at one number of calls. A subject that cannot be started is left out from there on.
async fn side_by_side(subjects: &mut Vec<Subject>, calls: u16, bridge: &Bridge, core: u16) -> Vec<Row> {
    let mut totals: Vec<(Subject, Round)> = vec![];
    for number in 1..=bridge.rounds {
        for subject in subjects.clone() {
            eprintln!("· {subject} at {calls} calls, round {number} of {} …", bridge.rounds);
            match one(subject, calls, bridge, core).await {
                Ok(round) => match totals.iter().position(|(of, _)| *of == subject) {
                    Some(place) => {
                        let (of, total) = totals.swap_remove(place);
                        totals.push((of, total.merge(round)));
                    }
                    None => totals.push((subject, round)),
                },
                Err(error) => {
                    eprintln!("  {subject} skipped: {error:#}");
                    subjects.retain(|other| *other != subject);
                    totals.retain(|(other, _)| *other != subject);
                }
            }
        }
    }
    let seconds = bridge.seconds * bridge.rounds;
    let mut rows: Vec<Row> =
        totals.into_iter().map(|(subject, total)| Row::new(subject, calls, seconds, total)).collect();
    rows.sort_by_key(Row::subject);
    rows
}

/// One subject at one number of calls, in a process started afresh.
async fn one(subject: Subject, calls: u16, bridge: &Bridge, core: u16) -> anyhow::Result<Round> {
    let running = subject.start(core, &bridge.build).await?;
    let config = LoadConfig {
        calls,
        seconds: bridge.seconds,
        model_port: running.model_port,
        connect_delay: Duration::from_millis(150),
        app: running.app.clone(),
        public_url: running.public_url.clone(),
        webhook: running.webhook.clone(),
        account_sid: running.account_sid.clone(),
        auth_token: running.auth_token.clone(),
        to: running.to.clone(),
    };
    let mut before = process::Usage::default();
    let mut after = process::Usage::default();
    let mut own = (0.0, 0.0);
    let outcome = load::run(config, |begins| {
        let usage = process::usage(&running.pids);
        let cpu = process::usage(&[std::process::id()]).cpu_seconds;
        if begins {
            (before, own.0) = (usage, cpu);
        } else {
            (after, own.1) = (usage, cpu);
        }
    })
    .await?;
    drop(running);
    Ok(Round {
        outcome,
        cpu_seconds: after.cpu_seconds - before.cpu_seconds,
        resident_mb: after.resident_mb,
        generator_cpu_share: (own.1 - own.0) / bridge.seconds as f64,
    })
}
