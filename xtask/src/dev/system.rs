//! Starting the parts, waiting for them, watching them.

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::plan::{Plan, Ports, Secrets};
use super::state::{self, State};
use super::{Build, Options, Running, Runtime, assets, demo, past, spin};
use crate::group::Group;
use crate::proc::{self, output};
use crate::progress::{spell, tail};
use crate::scripts::{PER_MINUTE, actors_configuration, front_configuration};
use crate::wrangler::{Place, wrangler};
use crate::{admin, build, cargo_build, dashboard, http, setup};

/// From starting wrangler to `/health` answering; workerd must compile the wasm on a machine that may be busy.
const READY_LIMIT: Duration = Duration::from_mins(2);
const SIM_READY_LIMIT: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(100);
/// wrangler runs no cron triggers by itself; the one in wrangler.toml is `* * * * *`.
const CRON: Duration = Duration::from_mins(1);
/// On Spin the timer empties the queue as well. Whoever tries something out does not wait a minute for a mail.
const TIMER: Duration = Duration::from_secs(5);

/// What the simulator prints: that it is ready, and a line for each mail.
const SIM_LINES: &str = "sim.out";

/// A started system; ends when dropped.
pub(crate) struct System {
    pub(crate) running: Running,
    group: Group,
    state: State,
    /// What the timer of the component shows.
    /// Opens `/jobs/run`, which nobody's timer asks for while the system is not watched.
    pub(crate) jobs_secret: String,
}

impl Drop for System {
    fn drop(&mut self) {
        fs::remove_file(state::running_file()).ok();
    }
}

static STOP: AtomicBool = AtomicBool::new(false);

/// Somebody has asked us to end, with Ctrl-C, SIGTERM or by closing the terminal.
fn stop_requested() -> bool {
    STOP.load(Ordering::Relaxed)
}

/// Once for the process, which may start one system after the other.
fn stop_when_asked() -> Result<()> {
    static HANDLED: Once = Once::new();
    let mut handled = Ok(());
    HANDLED.call_once(|| {
        handled = ctrlc::set_handler(|| {
            // Whoever asks twice does not want to wait; the guard ends the children all the same.
            if STOP.swap(true, Ordering::Relaxed) {
                std::process::exit(130);
            }
        });
    });
    handled.context("handling Ctrl-C")
}

impl System {
    /// Builds what has changed and starts everything; returns when it answers.
    pub(crate) fn start(options: &Options) -> Result<Self> {
        let state = State::open(options.runtime, options.fresh)?;
        if TcpListener::bind(("127.0.0.1", options.port)).is_err() {
            bail!("port {} is in use: choose another with --port", options.port);
        }
        match options.runtime {
            _ if options.build == Build::Done => {}
            Runtime::Workers => build::worker().map(|_| ())?,
            Runtime::Spin => build::component().map(|_| ())?,
        }
        let simulator = if options.no_sim { None } else { Some(simulator()?) };
        let began = proc::now();
        let secrets = state.secrets()?;
        let ports = choose_ports(options.port)?;
        let environment = |name: &str| std::env::var(name).ok().filter(|_| options.providers.allow(name));
        let plan = Plan::new(&options.set, &environment, &secrets, ports, !options.no_sim);

        let jobs_secret = state::hex(&state::random::<32>()?);
        if options.runtime == Runtime::Workers && state.needs_migration()? {
            output(&mut Place::Local(state.storage()).migrate()?).context("applying the migrations")?;
            state.migrated()?;
        }
        let unclaimed = state.demo()?.is_none();
        let mut claim = None;
        if options.runtime == Runtime::Workers && unclaimed {
            claim = Some(admin::create(demo::EMAIL, &Place::Local(state.storage()))?);
        }

        stop_when_asked()?;
        let mut group = Group::new()?;
        let simulated = plan.simulate_twilio || plan.simulate_openai || plan.simulate_email;
        if let Some(simulator) = simulator.filter(|_| simulated) {
            start_simulator(&mut group, &state, &simulator, &plan, &secrets, ports)?;
        }
        match options.runtime {
            Runtime::Workers => start_worker(&mut group, &state, &plan, ports)?,
            Runtime::Spin => spin::start(&mut group, &state, &plan, ports, &jobs_secret)?,
        }
        let base_url = format!("http://127.0.0.1:{}", ports.http);
        wait_until("the system", &mut group, READY_LIMIT, || {
            http::status(&format!("{base_url}/health")).is_ok_and(|s| s == 200)
        })?;
        if options.runtime == Runtime::Spin && unclaimed {
            // The component migrates its database when it first looks at it.
            http::post(&format!("{base_url}/jobs/run"), &jobs_secret)?;
            let place = Place::Spin { host: build::host()?, state: state.storage() };
            claim = Some(admin::create(demo::EMAIL, &place)?);
        }
        let demo = match (state.demo()?, claim) {
            (Some(demo), _) => demo,
            (None, Some(token)) => {
                let log = state.path(log(options.runtime));
                let demo = demo::claim(&base_url, token.expose())
                    .with_context(|| format!("{} says why", log.display()))?;
                if plan.simulate_twilio && options.has_past_calls() {
                    let place = match options.runtime {
                        Runtime::Workers => Place::Local(state.storage()),
                        Runtime::Spin => Place::Spin { host: build::host()?, state: state.storage() },
                    };
                    // Something to look at is missing then, and nothing else.
                    if let Err(error) = past::fill(&base_url, &plan, &place, &demo) {
                        eprintln!("the demo tenant has no calls of the last days: {error:#}");
                    }
                }
                state.keep_demo(&demo)?;
                demo
            }
            (None, None) => bail!("the demo tenant has vanished: start again with --fresh"),
        };
        let running = Running {
            base_url,
            runtime: options.runtime,
            storage: state.storage(),
            demo,
            account_sid: plan.get("TWILIO_ACCOUNT_SID").to_owned(),
            auth_token: plan.get("TWILIO_AUTH_TOKEN").to_owned(),
            control_url: plan.simulate_twilio.then(|| simulator_url(ports)),
            openai_base_url: plan.simulate_openai.then(|| plan.get("OPENAI_BASE_URL").to_owned()),
            email_url: plan.simulate_email.then(|| plan.get("EMAIL_BASE_URL").to_owned()),
            pid: std::process::id(),
        };
        state::write_private(&state::running_file(), &serde_json::to_string_pretty(&running)?)?;
        eprintln!("running · {}", spell(began.elapsed()));
        Ok(Self { running, group, state, jobs_secret })
    }

    /// Until somebody asks us to stop, or a part of the system ends by itself, which is an error.
    pub(crate) fn watch(&mut self, show_log: bool) -> Result<()> {
        let log = self.state.path(log(self.running.runtime));
        let mut shown = fs::metadata(&log)?.len();
        // The simulator says there which mails were sent.
        let mails = self.state.path(SIM_LINES);
        let mut mails_shown = fs::metadata(&mails).map_or(0, |file| file.len());
        let mut cron = proc::now();
        let pause = match self.running.runtime {
            Runtime::Workers => CRON,
            Runtime::Spin => TIMER,
        };
        while !stop_requested() {
            if let Some(dead) = self.group.dead()? {
                bail!(
                    "{} has ended ({}); {}:\n{}",
                    dead.name,
                    dead.status,
                    dead.log.display(),
                    tail(&dead.log)
                );
            }
            if show_log {
                shown = show_new(&log, shown)?;
                if mails.exists() {
                    mails_shown = show_new(&mails, mails_shown)?;
                }
            }
            if cron.elapsed() > pause {
                cron = proc::now();
                // A missed minute is made up for by the next; the system logs what goes wrong in it.
                let base_url = &self.running.base_url;
                match self.running.runtime {
                    Runtime::Workers => http::status(&format!("{base_url}/cdn-cgi/handler/scheduled")).ok(),
                    Runtime::Spin => http::post(&format!("{base_url}/jobs/run"), &self.jobs_secret).ok(),
                };
            }
            thread::sleep(POLL);
        }
        Ok(())
    }
}

/// The file that the runtime's output goes to.
fn log(runtime: Runtime) -> &'static str {
    match runtime {
        Runtime::Workers => "wrangler.log",
        Runtime::Spin => "spin.log",
    }
}

/// The simulators' program, built.
pub(crate) fn simulator() -> Result<PathBuf> {
    setup::speech()?;
    cargo_build::binary("voicecore-sim", ["-p", "voicecore-sim"])
}

/// Where the simulator that plays Twilio listens.
pub(super) fn simulator_url(ports: Ports) -> String {
    format!("http://127.0.0.1:{}", ports.twilio)
}

fn choose_ports(http: u16) -> Result<Ports> {
    // All are held until all are chosen, or one could be handed out twice.
    let held: Vec<TcpListener> =
        (0..4).map(|_| TcpListener::bind(("127.0.0.1", 0))).collect::<Result<_, _>>()?;
    let ports: Vec<u16> = held.iter().map(|l| Ok(l.local_addr()?.port())).collect::<std::io::Result<_>>()?;
    let [inspector, twilio, openai, email] = ports[..] else { bail!("no free ports") };
    Ok(Ports { http, inspector, twilio, openai, email })
}

fn start_simulator(
    group: &mut Group,
    state: &State,
    program: &Path,
    plan: &Plan,
    secrets: &Secrets,
    ports: Ports,
) -> Result<()> {
    let app_url = format!("http://127.0.0.1:{}", ports.http);
    let lines = state.path(SIM_LINES);
    // With a real Twilio account the simulated one only fills its place: nothing is pointed at it.
    let (sid, token) = if plan.simulate_twilio {
        (plan.get("TWILIO_ACCOUNT_SID"), plan.get("TWILIO_AUTH_TOKEN"))
    } else {
        (secrets.account_sid.as_str(), secrets.auth_token.as_str())
    };
    let mut serve = Command::new(program);
    serve
        .args([
            "serve",
            "--twilio-port",
            &ports.twilio.to_string(),
            "--openai-port",
            &ports.openai.to_string(),
            "--email-port",
            &ports.email.to_string(),
        ])
        .args(["--email-key", &secrets.email_api_key])
        .args(["--account-sid", sid, "--auth-token", token, "--openai-key", &secrets.openai_api_key])
        .args(["--app-url", &app_url, "--public-url", plan.get("PUBLIC_URL")]);
    group.start("the simulator", &mut serve, &state.path("sim.log"), Some(fs::File::create(&lines)?))?;
    wait_until("the simulator", group, SIM_READY_LIMIT, || {
        fs::read_to_string(&lines).is_ok_and(|text| text.contains('\n'))
    })
}

fn start_worker(group: &mut Group, state: &State, plan: &Plan, ports: Ports) -> Result<()> {
    let vars = state.path("vars.env");
    state::write_private(&vars, &plan.env_file()?)?;
    // wrangler tells the values of `--env-file` to the first script only; another finds them beside its configuration.
    let actors = actors_configuration(&state.path("actors"))?;
    state::write_private(&actors.with_file_name(".dev.vars"), &plan.env_file()?)?;
    let front = match plan.vars.get(PER_MINUTE) {
        Some(per_minute) => front_configuration(&state.path("front"), per_minute)?,
        None => "wrangler.toml".into(),
    };
    let mut dev = wrangler();
    dev.env("WRANGLER_REGISTRY_PATH", state.path("registry"))
        .arg("dev")
        .arg("--config")
        .arg(front)
        .arg("--config")
        .arg(actors)
        .args(["--local", "--show-interactive-dev-session=false", "--ip", "127.0.0.1"])
        .args(["--port", &ports.http.to_string(), "--inspector-port", &ports.inspector.to_string()])
        .arg("--env-file")
        .arg(vars)
        .arg("--persist-to")
        .arg(state.storage());
    if plan.simulate_twilio {
        let folder = state.path("assets");
        assets::with_simulator(&dashboard::dist(), &folder, &simulator_url(ports))?;
        dev.arg("--assets").arg(folder);
    }
    group.start("wrangler", &mut dev, &state.path("wrangler.log"), None)
}

fn wait_until(what: &str, group: &mut Group, limit: Duration, mut ready: impl FnMut() -> bool) -> Result<()> {
    let began = proc::now();
    while !ready() {
        if let Some(dead) = group.dead()? {
            bail!("{} has ended ({}); {}:\n{}", dead.name, dead.status, dead.log.display(), tail(&dead.log));
        }
        if stop_requested() {
            bail!("stopped while {what} was starting");
        }
        if began.elapsed() > limit {
            bail!("{what} was not ready within {}", spell(limit));
        }
        thread::sleep(POLL);
    }
    Ok(())
}

/// Prints what a log has gained since it had `shown` bytes; returns how many it has now.
fn show_new(log: &Path, shown: u64) -> Result<u64> {
    let mut file = fs::File::open(log)?;
    file.seek(SeekFrom::Start(shown))?;
    let copied = std::io::copy(&mut file, &mut std::io::stdout())?;
    std::io::stdout().flush()?;
    Ok(shown + copied)
}
