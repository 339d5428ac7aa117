//! One system: workerd with the built worker, both simulators, a tenant.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use voicecore_conformance::loopback::free_port;
use voicecore_domain::credentials::SetupToken;
use voicecore_sim::openai::OpenAiConfig;
use voicecore_sim::scenario::Entry;
use voicecore_sim::sim::{Sim, SimOptions};
use voicecore_sim::twilio::{Account, CallReport};

use crate::api::{Api, client};
use crate::engines::{Database, Engine};
use crate::workerd::{Options, Workerd};

/// Origin that Twilio is told: signatures are computed over it, nothing listens there.
pub const PUBLIC_URL: &str = "https://voicecore.example.com";
/// The simulated account.
pub const ACCOUNT_SID: &str = "AC0123456789abcdef0123456789abcdef";
/// Its token.
pub const AUTH_TOKEN: &str = "e2e0123456789abcdef0123456789ab";
/// The tenant's number (reserved for fiction).
pub const NUMBER: &str = "+12025550100";
/// The number of another tenant.
const OTHER_NUMBER: &str = "+12025550101";
/// The number of its human being.
pub const FALLBACK: &str = "+12025550199";
/// A number that belongs to nobody.
pub(crate) const UNKNOWN: &str = "+12025550155";
/// Whoever rings.
pub const CALLER: &str = "+12025550117";
/// The key that the simulated model accepts.
pub(crate) const MODEL_KEY: &str = "sk-simulated";
/// The password of everybody who sets a tenant up.
pub(crate) const PASSWORD: &str = "correct horse battery staple";
/// The address of whoever has set the tenant up.
pub(crate) const OWNER: &str = "owner9@example.com";
/// Year 2100 in milliseconds: the set-up link of a test does not expire.
pub(crate) const FAR_FUTURE: u64 = 4_102_444_800_000;

/// A running system.
pub(crate) struct System {
    pub(crate) sim: Sim,
    pub(crate) workerd: Workerd,
    pub(crate) api: Api,
    pub(crate) database: Database,
    /// It can be made to fail ([`Workerd::fault`]): its wasm instance dies in the place of workerd.
    pub(crate) faults: bool,
    directory: PathBuf,
}

impl System {
    /// Starts one with a new tenant; Realtime traffic is recorded in `directory`, everything else lies there, too. With
    /// `faults`, it can be made to fail. `requests_per_minute`: what a key may ask. `more`: further
    /// values of its configuration, by their names.
    pub(crate) async fn start(
        directory: &Path,
        engine: Engine,
        faults: bool,
        requests_per_minute: u32,
        more: &Value,
    ) -> anyhow::Result<Self> {
        std::fs::create_dir_all(directory)?;
        // The worker has to be told the simulators' ports and they the worker's, so one of the two is known before it is bound.
        let port = free_port().context("no port is free")?;
        let app_url = format!("http://127.0.0.1:{port}");
        let mut openai = OpenAiConfig::new(MODEL_KEY);
        openai.record = Some(directory.to_owned());
        let account = Account::new(ACCOUNT_SID, AUTH_TOKEN, PUBLIC_URL, &app_url);
        let sim = Sim::start(SimOptions { twilio_port: 0, account, openai }).await?;
        let mut vars = json!({
            "PUBLIC_URL": PUBLIC_URL,
            "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
            "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
            "TWILIO_BASE_URL": sim.twilio_url(),
            "OPENAI_API_KEY": MODEL_KEY,
            "OPENAI_BASE_URL": sim.openai_url(),
            "RATE_LIMIT_PER_MIN": requests_per_minute.to_string(),
            "JWT_SECRET": "a secret of thirty-two bytes or so, for tests",
            "MASTER_KEY": STANDARD.encode([7_u8; 32]),
        });
        if let (Some(vars), Some(more)) = (vars.as_object_mut(), more.as_object()) {
            vars.extend(more.clone());
        }
        let database = Database::new(engine);
        let options = Options { faults, ..database.options() };
        let workerd = Workerd::start(port, &directory.join("state"), &vars, options).await?;
        let api_key = provision(&workerd, &database, 9, NUMBER).await?;
        let api = Api::new(workerd.url(), api_key);
        Ok(Self { sim, workerd, api, database, faults, directory: directory.to_owned() })
    }

    /// Runs a statement on the database, whosever rows it is about.
    pub(crate) async fn sql(&self, sql: &'static str, args: &[Value]) -> anyhow::Result<()> {
        self.database.run(&self.workerd, sql, args).await
    }

    /// Another tenant, as its customer sees the API.
    pub(crate) async fn other_tenant(&self) -> anyhow::Result<Api> {
        Ok(Api::new(self.workerd.url(), provision(&self.workerd, &self.database, 10, OTHER_NUMBER).await?))
    }

    /// Keeps a call's report, and its documents for the oracle: one JSON string a line.
    pub(crate) fn record(&self, report: &CallReport) -> anyhow::Result<()> {
        use std::io::Write as _;
        let file = self.directory.join(format!("{}.json", report.call_sid));
        std::fs::write(file, serde_json::to_string_pretty(report)?)?;
        let path = self.directory.join("twiml.ndjson");
        let mut file = std::fs::File::options().create(true).append(true).open(path)?;
        for document in &report.twiml {
            writeln!(file, "{}", serde_json::to_string(&document.text)?)?;
        }
        Ok(())
    }

    /// Keeps a call's transcript.
    pub(crate) fn record_transcript(&self, call_sid: &str, entries: &[Entry]) -> anyhow::Result<()> {
        let file = self.directory.join(format!("{call_sid}.transcript.json"));
        Ok(std::fs::write(file, serde_json::to_string_pretty(entries)?)?)
    }

    /// Stops everything.
    pub(crate) async fn stop(self) {
        self.workerd.stop().await;
    }
}

/// Makes a tenant with this number, as its owner would: by a set-up link, whose secret is made of `seed`. Returns its API
/// key.
async fn provision(workerd: &Workerd, database: &Database, seed: u8, number: &str) -> anyhow::Result<String> {
    let token = SetupToken::new(&[seed; 32]);
    database
        .run(
            workerd,
            "insert into setup_tokens (token_hash, email, created_at, expires_at) values (?1, ?2, ?3, ?4)",
            &[json!(token.hash()), json!(format!("owner{seed}@example.com")), json!(0), json!(FAR_FUTURE)],
        )
        .await
        .context("making a set-up link")?;
    let claim = json!({
        "token": token.expose(),
        "password": PASSWORD,
        "tenant_name": "End to end",
        "business_name": "Harbour House",
        "phone_number": number,
        "fallback_number": FALLBACK,
    });
    let url = format!("{}/api/v1/setup/claim", workerd.url());
    let response = client().post(url).json(&claim).send().await?;
    let status = response.status();
    let body: Value = response.json().await.unwrap_or_default();
    anyhow::ensure!(status.is_success(), "claiming the set-up link: {status} {body}");
    Ok(body["api_key"].as_str().context("the claim shows no api_key")?.to_owned())
}
