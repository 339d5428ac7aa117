//! `voicecore-sim call`.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};

use super::SimArgs;
use super::render::Screen;
use crate::scenario::Scenario;
use crate::sim::Sim;
use crate::twilio::{CallReport, CallSpec, Event};

/// Longest line of the event stream: a report with a long transcript.
const MAX_LINE_BYTES: usize = 16 * 1024 * 1024;

#[derive(clap::Args)]
pub(super) struct CallArgs {
    /// Control URL of running simulators; without it both are started for this one call
    #[arg(long, value_name = "http://127.0.0.1:PORT")]
    control: Option<String>,
    /// The number that is rung
    #[arg(long)]
    to: String,
    /// The caller's number
    #[arg(long)]
    from: String,
    /// What the caller does: a TOML file
    #[arg(long)]
    scenario: PathBuf,
    /// Saves what the caller heard
    #[arg(long, value_name = "FILE")]
    wav: Option<PathBuf>,
    /// The product holds this call turn by turn: expects no stream, and leaves out what only a stream shows
    #[arg(long)]
    turn_based: bool,
    /// Prints the report as JSON instead of the conversation
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    sim: OptionalSim,
}

/// Needed when the simulators are started for this one call.
#[derive(clap::Args)]
struct OptionalSim {
    /// Where the product listens
    #[arg(long, required_unless_present = "control")]
    app_url: Option<String>,
    /// The product's PUBLIC_URL [default: that of --app-url]
    #[arg(long)]
    public_url: Option<String>,
    /// Twilio account of the product
    #[arg(long, required_unless_present = "control")]
    account_sid: Option<String>,
    /// Signs webhooks and opens the REST API
    #[arg(long, required_unless_present = "control")]
    auth_token: Option<String>,
    /// Port the product knows as TWILIO_BASE_URL
    #[arg(long, default_value_t = 0)]
    twilio_port: u16,
    /// Port the product knows as OPENAI_BASE_URL
    #[arg(long, default_value_t = 0)]
    openai_port: u16,
    /// The key that the model accepts
    #[arg(long, default_value = "sk-simulated")]
    openai_key: String,
}

/// Makes the call; `true` when it went as the scenario expects.
pub(super) async fn run(args: &CallArgs) -> anyhow::Result<bool> {
    let mut scenario = Scenario::load(&args.scenario)?;
    if args.turn_based {
        scenario = scenario.turn_based();
        // Tools are seen on the way to a Realtime session, which there is none of.
        scenario.expect.tools.clear();
    }
    let (control, running) = if let Some(control) = &args.control {
        (control.trim_end_matches('/').to_owned(), None)
    } else {
        let sim = Sim::start(own_simulators(args)?.options()).await?;
        (sim.twilio_url(), Some(sim))
    };
    let request = CallSpec { to: args.to.clone(), from: args.from.clone(), scenario };
    let report = follow(args, &control, &request).await?;
    if let Some(path) = &args.wav {
        let url = format!("{control}/sim/calls/{}/wav", report.call_sid);
        let wav = reqwest::get(url).await?.error_for_status()?.bytes().await?;
        std::fs::write(path, wav).with_context(|| format!("writing {}", path.display()))?;
    }
    drop(running);
    Ok(report.passed())
}

fn own_simulators(args: &CallArgs) -> anyhow::Result<SimArgs> {
    let sim = &args.sim;
    let (Some(app_url), Some(account_sid), Some(auth_token)) =
        (&sim.app_url, &sim.account_sid, &sim.auth_token)
    else {
        bail!("without --control, --app-url, --account-sid and --auth-token are needed");
    };
    Ok(SimArgs {
        twilio_port: sim.twilio_port,
        openai_port: sim.openai_port,
        account_sid: account_sid.clone(),
        auth_token: auth_token.clone(),
        app_url: app_url.clone(),
        public_url: sim.public_url.clone(),
        openai_key: sim.openai_key.clone(),
        record: None,
    })
}

/// Places the call and shows what happens until it is over.
async fn follow(args: &CallArgs, control: &str, request: &CallSpec) -> anyhow::Result<CallReport> {
    let client = reqwest::Client::new();
    let url = format!("{control}/sim/calls");
    let mut response =
        client.post(&url).json(request).send().await.with_context(|| format!("no simulator at {control}"))?;
    if !response.status().is_success() {
        bail!("the simulator answered {}: {}", response.status(), response.text().await.unwrap_or_default());
    }
    let mut out = std::io::stdout();
    let coloured = out.is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let mut screen = (!args.json).then(|| Screen::new(request, coloured));
    let mut pending = Vec::new();
    if let Some(screen) = &mut screen {
        out.write_all(screen.heading().as_bytes())?;
    }
    while let Some(chunk) = response.chunk().await? {
        pending.extend_from_slice(&chunk);
        ensure!(pending.len() <= MAX_LINE_BYTES, "the simulator sends lines without end");
        while let Some(end) = pending.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = pending.drain(..=end).collect();
            let event: Event = serde_json::from_slice(&line).context("an event that is not understood")?;
            if let Some(screen) = &mut screen {
                out.write_all(screen.show(&event).as_bytes())?;
                out.flush()?;
            }
            match event {
                Event::Ended { report } => {
                    if args.json {
                        println!("{}", serde_json::to_string(&report)?);
                    }
                    return Ok(*report);
                }
                Event::Failed { error } => bail!("the call could not be placed: {error}"),
                _ => {}
            }
        }
    }
    bail!("the simulator broke off in mid-call")
}
