//! A host with a component in it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};
use voicecore_conformance::{loopback, spin};
use voicecore_e2e::traces;
use voicecore_e2e::turn_based::settings;

/// The longest that a start may take: a component that was never compiled before, on a machine that is busy.
const START_LIMIT: Duration = Duration::from_mins(3);
/// The longest that a request may take; a suite is one request.
const REQUEST_LIMIT: Duration = Duration::from_mins(2);
/// The longest that an end may take that was asked for.
const END_LIMIT: Duration = Duration::from_secs(10);
/// Where SQL finds the database, in the state directory of either host.
const DATABASE: &str = "sqlite_db.db";

/// What the timer shows.
pub(crate) const JOBS_SECRET: &str = "a secret of thirty-two bytes for the timer";

/// Which program plays Spin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Spin,
    Ours,
}

impl Kind {
    /// The real one, if there is one.
    pub(crate) fn here() -> Self {
        if spin::on_path().is_some() { Self::Spin } else { Self::Ours }
    }

    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::Spin => "spin (on the PATH)",
            Self::Ours => "wasmtime with our own imports, because no `spin` is on the PATH",
        }
    }

    /// For the table, on SQLite.
    pub(crate) fn backend(self) -> &'static str {
        match self {
            Self::Spin => "Spin SQLite",
            Self::Ours => "our host SQLite",
        }
    }

    /// The same on PostgreSQL.
    pub(crate) fn backend_on_postgres(self) -> &'static str {
        match self {
            Self::Spin => "Spin PostgreSQL",
            Self::Ours => "our host PostgreSQL",
        }
    }

    pub(crate) fn program(self) -> &'static str {
        match self {
            Self::Spin => "spin",
            Self::Ours => env!("CARGO_BIN_EXE_voicecore-spin-host"),
        }
    }
}

/// What runs in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum App {
    /// `spin.toml`.
    Product,
    /// `tests/spin/probe/spin.toml`.
    Probe,
}

impl App {
    pub(crate) fn manifest(self) -> PathBuf {
        root().join(match self {
            Self::Product => "spin.toml",
            Self::Probe => "tests/spin/probe/spin.toml",
        })
    }

    /// The one with PostgreSQL: that of the product is made by `cargo xtask build --postgres`.
    fn manifest_on_postgres(self) -> PathBuf {
        root().join(match self {
            Self::Product => "target/spin/voicecore-postgres.toml",
            Self::Probe => "tests/spin/probe/spin-postgres.toml",
        })
    }

    /// What it is told when it is to reach nobody.
    fn variables(self) -> Vec<(String, String)> {
        if self == Self::Product { variables(NOBODY) } else { Vec::new() }
    }
}

/// A running host. Killed when dropped.
pub(crate) struct Host {
    /// Starts it.
    command: Command,
    child: Child,
    port: u16,
    directory: PathBuf,
    client: reqwest::Client,
}

/// The top of the working tree.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What the product is told when it is to reach nobody: this host has no TLS.
const NOBODY: (&str, &str) = ("https://api.twilio.com", "https://api.openai.com/v1");

/// What the product is told, with the base URLs of Twilio and of the model.
fn variables((twilio, openai): (&str, &str)) -> Vec<(String, String)> {
    let mut variables = settings(twilio, openai).map(|(name, value)| (name.to_owned(), value)).to_vec();
    let model = openai.trim_end_matches("/v1");
    for (name, value) in [
        ("JOBS_SECRET", JOBS_SECRET),
        ("TWILIO_ORIGIN", twilio),
        ("OPENAI_ORIGIN", model),
        ("CHAT_ORIGIN", model),
    ] {
        variables.push((name.to_owned(), value.to_owned()));
    }
    variables
}

/// A port that nobody uses.
pub(crate) fn free_port() -> Result<u16> {
    loopback::free_port().context("no port is free")
}

impl Host {
    /// Starts one with nothing stored, which reaches nobody.
    pub(crate) async fn start(kind: Kind, app: App) -> Result<Self> {
        Self::start_with(kind, app, &[]).await
    }

    /// The same over PostgreSQL, whose address it is given.
    pub(crate) async fn start_on_postgres(kind: Kind, app: App, address: &str) -> Result<Self> {
        let place = address.split(['@', '/']).rev().nth(1).context("no host in the address")?;
        let mut variables = app.variables();
        variables.push(("DATABASE_URL".to_owned(), address.to_owned()));
        variables.push(("DATABASE_PLACE".to_owned(), place.to_owned()));
        Self::launch(kind, &app.manifest_on_postgres(), free_port()?, variables, &[]).await
    }

    /// The same with arguments of `spin up` besides.
    pub(crate) async fn start_with(kind: Kind, app: App, arguments: &[&'static str]) -> Result<Self> {
        Self::launch(kind, &app.manifest(), free_port()?, app.variables(), arguments).await
    }

    /// The product with one variable that is not set, or another.
    pub(crate) async fn start_set(kind: Kind, name: &str, value: &str) -> Result<Self> {
        let mut variables = App::Product.variables();
        variables.retain(|(other, _)| other != name);
        variables.push((name.to_owned(), value.to_owned()));
        Self::launch(kind, &App::Product.manifest(), free_port()?, variables, &[]).await
    }

    /// Starts the product on a port that the simulators know, whose base URLs (Twilio's, the model's) it is told.
    pub(crate) async fn start_for_calls(kind: Kind, port: u16, providers: (&str, &str)) -> Result<Self> {
        Self::launch(kind, &App::Product.manifest(), port, variables(providers), &[]).await
    }

    async fn launch(
        kind: Kind,
        manifest: &Path,
        port: u16,
        variables: Vec<(String, String)>,
        arguments: &[&'static str],
    ) -> Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let directory = std::env::temp_dir().join(format!("voicecore-spin-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&directory)?;
        let mut command = command(kind, manifest, port, &directory)?;
        command.args(arguments);
        command.envs(variables.into_iter().map(|(name, value)| (format!("SPIN_VARIABLE_{name}"), value)));
        let child = command.spawn().with_context(|| format!("starting {}", kind.program()))?;
        let client =
            reqwest::Client::builder().timeout(REQUEST_LIMIT).default_headers(traces::headers()).build()?;
        let mut host = Self { command, child, port, directory, client };
        host.wait().await?;
        Ok(host)
    }

    /// Kills it without warning, if it has not ended already, and starts it on the same port and storage.
    pub(crate) async fn restart(&mut self) -> Result<()> {
        if self.child.try_wait()?.is_none() {
            self.child.kill().await?;
        }
        self.child = self.command.spawn()?;
        self.wait().await
    }

    /// Asks it to end, as a cluster does before it takes a machine away, and returns when it has ended.
    pub(crate) async fn terminate(&mut self) -> Result<()> {
        let pid = self.child.id().context("it has ended already")?;
        let asked = Command::new("kill").args(["-TERM", &pid.to_string()]).status().await?;
        ensure!(asked.success(), "the host ({pid}) cannot be asked to end");
        timeout(END_LIMIT, self.child.wait()).await.context("the host does not end")??;
        Ok(())
    }

    /// Kills it, and says what it has kept of where its clients said that they are: in its databases, its key-value store and its log.
    /// `kept` is something that must be found there.
    pub(crate) async fn traces(mut self, kept: Option<&str>) -> Result<Vec<String>> {
        if self.child.try_wait()?.is_none() {
            self.child.kill().await?;
        }
        Ok(traces::problems(&self.directory, kept)?)
    }

    async fn wait(&mut self) -> Result<()> {
        let answers = async {
            // Any answer is one.
            while self.client.get(self.url("/health")).send().await.is_err() {
                if let Some(status) = self.child.try_wait()? {
                    anyhow::bail!("the host has ended ({status}): {}", self.log());
                }
                sleep(Duration::from_millis(20)).await;
            }
            Ok(())
        };
        timeout(START_LIMIT, answers).await.context("the host does not answer")?
    }

    /// What it has said.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.directory.join("log")).unwrap_or_default()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(crate) fn client(&self) -> &reqwest::Client {
        &self.client
    }

    /// The database, from outside.
    pub(crate) fn database(&self) -> Result<rusqlite::Connection> {
        Ok(rusqlite::Connection::open(self.directory.join(DATABASE))?)
    }

    /// POSTs to the probe; anything but 200 is an error with what the host has said.
    pub(crate) async fn probe(&self, path: &str) -> Result<String> {
        let response = self.client.post(self.url(path)).send().await?;
        let (status, text) = (response.status(), response.text().await?);
        ensure!(status.is_success(), "{path}: {status} {text}\n{}", self.log());
        Ok(text)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // What is left of a failure lies there until the machine forgets it.
        if !std::thread::panicking() {
            std::fs::remove_dir_all(&self.directory).ok();
        }
    }
}

fn command(kind: Kind, manifest: &Path, port: u16, directory: &Path) -> Result<Command> {
    let log = File::options().create(true).append(true).open(directory.join("log"))?;
    let mut command = Command::new(kind.program());
    command
        .args(["up", "-f"])
        .arg(manifest)
        .args(["--listen", &format!("127.0.0.1:{port}"), "--state-dir"])
        .arg(directory)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .kill_on_drop(true);
    Ok(command)
}
