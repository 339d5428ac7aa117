//! `cargo xtask call`: rings the running system as Twilio would; starts one for the call when none is running.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::dev::{self, Providers, System};
use crate::proc::{self, root};

/// What a caller says who has nothing special in mind.
const DEFAULT_SCENARIO: &str = "greeting-and-booking";
/// Reserved for fiction, like the demo tenant's numbers.
const CALLER: &str = "+12025550117";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// What a system runs on that is started for this call
    #[arg(long, value_enum, default_value_t)]
    runtime: dev::Runtime,
    /// A scenario's name (tests/sim/scenarios/NAME.toml) or file
    #[arg(long, default_value = DEFAULT_SCENARIO)]
    scenario: String,
    /// Saves what the caller heard
    #[arg(long, value_name = "FILE")]
    wav: Option<PathBuf>,
    /// The number that rings [default: the demo tenant's]
    #[arg(long)]
    to: Option<String>,
    /// The caller's number
    #[arg(long, default_value = CALLER)]
    from: String,
    /// Prints the outcome as JSON
    #[arg(long)]
    json: bool,
    /// Lets the caller meet the real model, with the OPENAI_API_KEY of the environment: that costs money
    #[arg(long, conflicts_with = "control")]
    real: bool,
    /// Control URL of a simulator that is running [default: the one of `cargo xtask dev`]
    #[arg(long, requires = "to")]
    control: Option<String>,
}

/// `cargo xtask call`.
pub(crate) fn run(options: &Options) -> Result<()> {
    let scenario = scenario_file(&options.scenario)?;
    if let Some(control) = &options.control {
        return ring(options, &scenario, control, options.runtime, None);
    }
    if let Some(running) = dev::running()? {
        let Some(control) = &running.control_url else {
            bail!("{} runs with a real Twilio account: ring it with a telephone", running.base_url);
        };
        match &running.openai_base_url {
            None => eprintln!("OpenAI: {}", dev::REAL_OPENAI),
            Some(_) if options.real => {
                bail!(
                    "{} simulates OpenAI: start it anew with OPENAI_API_KEY in its environment",
                    running.base_url
                )
            }
            Some(url) => eprintln!("OpenAI: simulated at {url}"),
        }
        return ring(options, &scenario, control, running.runtime, Some(&running.demo.phone_number));
    }
    eprintln!("nothing is running: starting the system for this one call (`cargo xtask dev` keeps it)");
    let system = System::start(&dev::Options {
        runtime: options.runtime,
        port: dev::free_port()?,
        set: Vec::new(),
        no_sim: false,
        json: true,
        fresh: false,
        past_calls: None,
        providers: if options.real { Providers::Models } else { Providers::Simulated },
        build: dev::Build::First,
    })?;
    let Some(control) = &system.running.control_url else {
        bail!("no simulator was started that could ring")
    };
    if options.real && system.running.openai_base_url.is_some() {
        bail!("--real needs OPENAI_API_KEY in the environment");
    }
    eprintln!(
        "OpenAI: {}",
        if options.real { dev::REAL_OPENAI } else { "simulated; --real lets the caller meet it" }
    );
    ring(options, &scenario, control, options.runtime, Some(&system.running.demo.phone_number))
}

fn ring(
    options: &Options,
    scenario: &Path,
    control: &str,
    runtime: dev::Runtime,
    demo_number: Option<&str>,
) -> Result<()> {
    let Some(to) = options.to.as_deref().or(demo_number) else { bail!("--to is missing") };
    let mut call = Command::new(dev::simulator()?);
    call.args(["call", "--control", control, "--to", to, "--from", &options.from, "--scenario"])
        .arg(scenario);
    if let Some(wav) = &options.wav {
        call.arg("--wav").arg(wav);
    }
    if runtime == dev::Runtime::Spin {
        call.arg("--turn-based");
    }
    if options.json {
        call.arg("--json");
    }
    proc::run(&mut call)
}

fn scenario_file(given: &str) -> Result<PathBuf> {
    let shipped = root().join("tests/sim/scenarios");
    for candidate in [PathBuf::from(given), shipped.join(format!("{given}.toml"))] {
        if candidate.is_file() {
            return Ok(candidate);
        }
    }
    let mut names: Vec<_> = std::fs::read_dir(&shipped)?
        .filter_map(|entry| Some(entry.ok()?.file_name().to_str()?.strip_suffix(".toml")?.to_owned()))
        .collect();
    names.sort();
    bail!("no scenario `{given}`; shipped: {}", names.join(", "))
}
