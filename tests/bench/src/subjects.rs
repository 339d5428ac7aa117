//! What is measured, and how each is started: on a core of its own, in a process started afresh.

use std::fmt;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::Serialize;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::process::{Children, bring_here, pinned};

/// A bridge under measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Subject {
    /// The machine's floor: a Rust relay that only copies frames.
    Relay,
    /// The platform's floor: a minimal JavaScript Durable Object.
    JsObject,
    /// The release worker, everything on.
    Voicecore,
    /// The release worker without its journal.
    VoicecoreNojournal,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Relay => "relay",
            Self::JsObject => "js-object",
            Self::Voicecore => "voicecore",
            Self::VoicecoreNojournal => "voicecore-nojournal",
        })
    }
}

/// A subject that takes calls. Dropping it ends its processes.
pub(crate) struct Running {
    pub(crate) app: String,
    pub(crate) webhook: String,
    pub(crate) public_url: String,
    pub(crate) account_sid: String,
    pub(crate) auth_token: String,
    pub(crate) to: String,
    pub(crate) model_port: u16,
    /// Opens the API of the tenant; empty where nobody asks for it.
    pub(crate) api_key: String,
    /// Processes whose CPU and memory count.
    pub(crate) pids: Vec<u32>,
    children: Children,
    /// What the harness says, where there is one.
    harness: Option<BufReader<ChildStdout>>,
    /// Where it stores; deleted when it has ended.
    pub(crate) storage: Option<TempDir>,
}

impl Running {
    /// Runs a statement (`sql` and `args`) on the worker's database.
    pub(crate) fn sql(&mut self, statement: &Value) -> anyhow::Result<()> {
        let stdin = self.children.0.first_mut().and_then(|child| child.stdin.as_mut()).context("no input")?;
        writeln!(stdin, "{statement}")?;
        let answer = line(self.harness.as_mut().context("no harness")?)?;
        if answer["done"] != "sql" {
            bail!("the harness says {answer}");
        }
        Ok(())
    }
}

const RELAY_PORT: u16 = 19_801;
const VOICECORE_PORT: u16 = 19_802;
const MODEL_PORT: u16 = 19_810;
/// The JavaScript object's ports are written into its given configuration.
const OBJECT_PORT: u16 = 5_050;
const OBJECT_MODEL_PORT: u16 = 9_100;
pub(crate) const AUTH_TOKEN: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const ACCOUNT_SID: &str = "AC0123456789abcdef0123456789abcdef";
const NUMBER: &str = "+15005550006";
/// Of the tenant that is made for a run.
pub(crate) const SETUP_TOKEN: &str = "vcs_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
/// Of whoever has made it.
pub(crate) const EMAIL: &str = "bench@example.com";
pub(crate) const PASSWORD: &str = "correct horse battery staple";
/// Room for as many calls as a run wants.
pub(crate) const NO_LIMITS: &str = "update tenants set max_concurrent_calls = 100000, max_daily_calls = 1000000, \
    max_daily_cost_micros = 1000000000000, max_hourly_calls_per_caller = 1000000";

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

impl Subject {
    pub(crate) const ALL: [Self; 4] =
        [Self::Relay, Self::JsObject, Self::Voicecore, Self::VoicecoreNojournal];

    /// Starts it on `core`; returns when it listens. `build` holds the worker.
    pub(crate) async fn start(self, core: u16, build: &Path) -> anyhow::Result<Running> {
        match self {
            Self::Relay => relay(core).await,
            Self::JsObject => js_object(core).await,
            Self::Voicecore => voicecore(core, build, "on", &[]).await,
            Self::VoicecoreNojournal => voicecore(core, build, "off", &[]).await,
        }
    }
}

/// A subject that listens there.
pub(crate) fn running(port: u16, model_port: u16, webhook: &str, child: Child) -> Running {
    Running {
        app: format!("127.0.0.1:{port}"),
        webhook: webhook.into(),
        public_url: "https://bench.example".into(),
        account_sid: ACCOUNT_SID.into(),
        auth_token: AUTH_TOKEN.into(),
        to: NUMBER.into(),
        model_port,
        api_key: String::new(),
        pids: vec![child.id()],
        children: Children(vec![child]),
        harness: None,
        storage: None,
    }
}

async fn listening(port: u16) -> anyhow::Result<()> {
    const TRIES: u32 = 100;
    for _ in 0..TRIES {
        if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bail!("nothing listens on port {port}")
}

async fn relay(core: u16) -> anyhow::Result<Running> {
    let program = std::env::current_exe()?;
    let child = pinned(core, &program.to_string_lossy())
        .args(["relay", "--port", &RELAY_PORT.to_string(), "--model-port", &MODEL_PORT.to_string()])
        .spawn()?;
    listening(RELAY_PORT).await?;
    Ok(running(RELAY_PORT, MODEL_PORT, "/", child))
}

async fn js_object(core: u16) -> anyhow::Result<Running> {
    let folder = root().join("../shared/bench/js-object");
    if !folder.is_dir() {
        bail!("{} is not there", folder.display());
    }
    let workerd = root().join("node_modules/@cloudflare/workerd-linux-64/bin/workerd");
    let child = pinned(core, &workerd.to_string_lossy())
        .args(["serve", "--experimental", "workerd.capnp"])
        .current_dir(&folder)
        .spawn()
        .context("start workerd: is `npm ci` done?")?;
    listening(OBJECT_PORT).await?;
    Ok(running(OBJECT_PORT, OBJECT_MODEL_PORT, "/incoming-call", child))
}

/// The release worker in workerd, with these statements run on its database before anything is measured.
pub(crate) async fn voicecore(
    core: u16,
    build: &Path,
    journal: &str,
    statements: &[&str],
) -> anyhow::Result<Running> {
    let vars = json!({
        "PUBLIC_URL": "https://bench.example",
        "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
        "TWILIO_BASE_URL": "http://127.0.0.1:9",
        "OPENAI_API_KEY": "sk-bench",
        "OPENAI_BASE_URL": format!("http://127.0.0.1:{MODEL_PORT}/v1"),
        "OPENAI_REALTIME_MODEL": "gpt-realtime",
        "JWT_SECRET": "bench-secret-bench-secret-bench-secret",
        "MASTER_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "JOURNAL": journal,
    });
    let mut running = in_workerd(core, storage_in_memory()?, &json!({ "build": build, "vars": vars }))?;
    provision(&mut running, statements).await?;
    Ok(running)
}

/// A worker in workerd, through the harness: `options` are its own, besides port and storage.
pub(crate) fn in_workerd(core: u16, storage: TempDir, options: &Value) -> anyhow::Result<Running> {
    let root = root();
    let mut options = options.clone();
    options["port"] = VOICECORE_PORT.into();
    options["persist"] = json!(storage.path());
    let mut child = pinned(core, "node")
        .arg(root.join("tests/harness/workerd.mjs"))
        .arg(options.to_string())
        .current_dir(&root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("start node")?;
    let mut output = BufReader::new(child.stdout.take().context("no output")?);
    let ready = line(&mut output)?;
    let pid = ready["pid"].as_u64().with_context(|| format!("the harness says {ready}"))?;
    // workerd keeps the core. Node, which only waits to stop it, collects its garbage elsewhere: no other subject has it beside it.
    bring_here(child.id());
    let mut running = running(VOICECORE_PORT, MODEL_PORT, "/webhooks/twilio/voice", child);
    running.pids = vec![pid as u32];
    running.storage = Some(storage);
    running.harness = Some(output);
    Ok(running)
}

/// A directory that is gone when it is dropped. In memory, as the JavaScript object's storage is: on a disk workerd's audio
/// thread waits for each `fsync`, and this machine's disk would be measured. (In production storage is another machine,
/// and what it costs to wait for it does not show here: see the README.)
pub(crate) fn storage_in_memory() -> anyhow::Result<TempDir> {
    let memory = Path::new("/dev/shm");
    let parent = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
    tempfile::Builder::new()
        .prefix("voicecore-bench-")
        .tempdir_in(parent)
        .context("make a directory for storage")
}

fn line(output: &mut BufReader<ChildStdout>) -> anyhow::Result<Value> {
    let mut text = String::new();
    output.read_line(&mut text)?;
    Ok(serde_json::from_str(&text)?)
}

/// Makes the tenant whose number is rung, with room for as many calls as the run wants.
async fn provision(running: &mut Running, statements: &[&str]) -> anyhow::Result<()> {
    let hash = crate::setup_token_hash(SETUP_TOKEN);
    running.sql(&json!({
        "sql": "insert into setup_tokens(token_hash, email, created_at, expires_at) values (?1, 'bench@example.com', 0, 9000000000000)",
        "args": [hash],
    }))?;
    running.api_key = claim(&running.app).await?;
    for statement in [NO_LIMITS].iter().chain(statements) {
        running.sql(&json!({ "sql": statement }))?;
    }
    Ok(())
}

/// Makes the tenant, whose set-up token is in the database; gives its API key.
pub(crate) async fn claim(app: &str) -> anyhow::Result<String> {
    let claim = json!({
        "token": SETUP_TOKEN,
        "password": PASSWORD,
        "tenant_name": "Bench",
        "business_name": "Bench",
        "phone_number": NUMBER,
    });
    let answer = crate::load::http::post_json(app, "/api/v1/setup/claim", &claim.to_string()).await?;
    let answer: Value = serde_json::from_str(&answer)?;
    Ok(answer["api_key"].as_str().context("the claim shows no api_key")?.to_owned())
}
