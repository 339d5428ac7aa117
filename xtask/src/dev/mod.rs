//! `cargo xtask dev`: the whole system on loopback, with simulators for whichever provider has no key.

mod assets;
mod demo;
mod past;
mod plan;
mod spin;
mod state;
mod system;

use std::net::TcpListener;
use std::path::PathBuf;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use self::demo::Demo;
pub(crate) use self::plan::Providers;
pub(crate) use self::system::{System, simulator};
use crate::wrangler::Place;
use crate::{build, http};

/// What the system runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Runtime {
    /// workerd, with everything
    #[default]
    Workers,
    /// The component: no sockets, so no media streams and no live feed
    Spin,
}

/// Whether there is something to look at before anybody has rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum PastCalls {
    /// Calls of the last days, with notes and messages
    On,
    /// None: whoever counts calls knows how many there are
    Off,
}

#[derive(clap::Args)]
pub(crate) struct Options {
    /// What it runs on
    #[arg(long, value_enum, default_value_t)]
    pub(crate) runtime: Runtime,
    /// Port on 127.0.0.1
    #[arg(long, default_value_t = 8787)]
    pub(crate) port: u16,
    /// A configuration value, over the environment's; repeatable
    #[arg(long, value_name = "NAME=VALUE", value_parser = plan::parse_set)]
    pub(crate) set: Vec<(String, String)>,
    /// Starts no simulators
    #[arg(long)]
    pub(crate) no_sim: bool,
    /// Prints one line of JSON when ready, and nothing else on standard output
    #[arg(long)]
    pub(crate) json: bool,
    /// Forgets what earlier runs have stored
    #[arg(long)]
    pub(crate) fresh: bool,
    /// Whether a new demo tenant has calls of the last days: otherwise only without --json
    #[arg(long, value_enum)]
    pub(crate) past_calls: Option<PastCalls>,
    /// Who may be real
    #[arg(skip)]
    pub(crate) providers: Providers,
    /// Whether what it runs is built first
    #[arg(skip)]
    pub(crate) build: Build,
}

impl Options {
    fn has_past_calls(&self) -> bool {
        self.past_calls.map_or(!self.json, |wanted| wanted == PastCalls::On)
    }
}

/// Whether what a system runs has to be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Build {
    /// What has changed is built.
    #[default]
    First,
    /// It was built a moment ago. To cargo it was not: a build with PostgreSQL has taken the place of the other one's output.
    Done,
}

/// How to reach a running system: the line of `--json`, and `target/dev.json`.
#[derive(Serialize, Deserialize)]
pub(crate) struct Running {
    pub(crate) base_url: String,
    #[serde(default)]
    pub(crate) runtime: Runtime,
    /// Where it keeps what it stores.
    pub(crate) storage: PathBuf,
    #[serde(flatten)]
    pub(crate) demo: Demo,
    pub(crate) account_sid: String,
    pub(crate) auth_token: String,
    /// Of the simulator that plays Twilio; `None`: there is none.
    pub(crate) control_url: Option<String>,
    /// Of the simulated model.
    pub(crate) openai_base_url: Option<String>,
    /// Of the simulated e-mail service: `GET /sim/emails` shows what was sent, `GET /` as a page.
    #[serde(default)]
    pub(crate) email_url: Option<String>,
    /// This program's, which ends everything when it is ended.
    pub(crate) pid: u32,
}

/// `cargo xtask dev`.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut system = System::start(options)?;
    if options.json {
        println!("{}", serde_json::to_string(&system.running)?);
    } else {
        welcome(&system.running);
    }
    system.watch(!options.json)?;
    eprintln!("\nstopping");
    Ok(())
}

/// Said wherever a call is about to cost something.
pub(crate) const REAL_OPENAI: &str = "real, with your OPENAI_API_KEY: calls cost money";

/// Where things are and what to try.
fn welcome(running: &Running) {
    let Running { base_url, demo, control_url, .. } = running;
    println!("\nVoiceCore answers at {base_url}  (Ctrl-C stops it)\n");
    println!("  dashboard     {base_url}/app/");
    println!("  the API       {base_url}/docs");
    println!("  demo number   {}; if nobody can help: {}", demo.phone_number, demo.fallback_number);
    println!("  demo tenant   {}, {}", demo.tenant_id, demo.email);
    if !demo.password.is_empty() {
        println!("  sign in       {} with the password {} (super admin)", demo.email, demo.password);
    }
    println!("  API key       {}", demo.api_key);
    println!("  stored in     {} (--fresh forgets it)", running.storage.display());
    if let Some(url) = control_url {
        println!("  Twilio        simulated at {url}");
    }
    match &running.openai_base_url {
        Some(url) => println!("  OpenAI        simulated at {url}"),
        None => println!("  OpenAI        {REAL_OPENAI}"),
    }
    match &running.email_url {
        Some(url) => println!("  mails         simulated, shown here and at {url}/"),
        None => println!("  mails         real, if EMAIL_API_KEY is set"),
    }
    if let Ok((503, problem)) = http::get_json(&format!("{base_url}/ready")) {
        let missing = problem["missing"].as_array().into_iter().flatten().filter_map(|name| name.as_str());
        println!("\n  cannot answer calls without {}", missing.collect::<Vec<_>>().join(", "));
    }
    println!("\nTry in another terminal:");
    if control_url.is_some() {
        println!("  cargo xtask call");
        println!("  cargo xtask call --scenario interruption --wav heard.wav");
    }
    println!("  curl -H 'Authorization: Bearer {}' {base_url}/api/v1/calls\n", demo.api_key);
}

/// A port nobody uses.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// The database of a running system.
pub(crate) fn place(running: &Running) -> Result<Place> {
    Ok(match running.runtime {
        Runtime::Workers => Place::Local(running.storage.clone()),
        Runtime::Spin => Place::Spin { host: build::host()?, state: running.storage.clone() },
    })
}

/// What runs now, by `target/dev.json`; `None` when nothing answers there.
pub(crate) fn running() -> Result<Option<Running>> {
    let Some(running) = state::read_json::<Running>(&state::running_file())? else { return Ok(None) };
    let alive = http::status(&format!("{}/health", running.base_url)).is_ok();
    Ok(alive.then_some(running))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ready_line_is_flat() {
        let running = Running {
            base_url: "http://127.0.0.1:1".into(),
            runtime: Runtime::Workers,
            storage: "storage".into(),
            demo: Demo {
                tenant_id: "t".into(),
                api_key: "vc_a_b".into(),
                email: demo::EMAIL.into(),
                password: "p".into(),
                phone_number: demo::PHONE_NUMBER.into(),
                fallback_number: demo::FALLBACK_NUMBER.into(),
            },
            account_sid: "AC1".into(),
            auth_token: "t".into(),
            control_url: None,
            openai_base_url: None,
            email_url: None,
            pid: 1,
        };
        let line: serde_json::Value = serde_json::to_value(&running).unwrap();
        for name in [
            "base_url",
            "api_key",
            "tenant_id",
            "email",
            "password",
            "phone_number",
            "account_sid",
            "auth_token",
        ] {
            assert!(line[name].is_string(), "{name}");
        }
        assert!(line["control_url"].is_null());
    }
}
