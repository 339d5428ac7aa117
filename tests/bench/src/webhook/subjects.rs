//! The product on its two platforms, ready to take calls that are held turn by turn.

use std::fmt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::Serialize;
use tokio::time::sleep;
use voicecore_conformance::spin;

use super::Options;
use crate::process::pinned;
use crate::subjects::{
    ACCOUNT_SID, AUTH_TOKEN, NO_LIMITS, Running, SETUP_TOKEN, claim, root, running, storage_in_memory,
    voicecore,
};

const SPIN_PORT: u16 = 19_803;
/// Nobody asks a model or Twilio before a caller has spoken.
const NOBODY_PORT: u16 = 9;
const TRIES: u32 = 600;

/// A platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Subject {
    /// The component.
    Spin,
    /// The release worker in workerd.
    Workers,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Spin => "Spin",
            Self::Workers => "Workers",
        })
    }
}

impl Subject {
    /// Starts it on `core`, with a tenant.
    pub(crate) async fn start(self, core: u16, options: &Options) -> anyhow::Result<Running> {
        match self {
            Self::Spin => spin(core, &options.host).await,
            Self::Workers => {
                voicecore(core, &options.build, "on", &["update businesses set voice_mode = 'turn_based'"])
                    .await
            }
        }
    }
}

/// For the head of the table.
pub(crate) fn host_name() -> &'static str {
    if spin::on_path().is_some() {
        "spin, which is on the PATH"
    } else {
        "our own host on wasmtime (without TCP_NODELAY, like Spin), because no `spin` is on the PATH"
    }
}

async fn spin(core: u16, host: &Path) -> anyhow::Result<Running> {
    let storage = storage_in_memory()?;
    let program = spin::on_path().unwrap_or_else(|| host.to_owned());
    let log = std::fs::File::create(storage.path().join("log"))?;
    let nobody = format!("http://127.0.0.1:{NOBODY_PORT}");
    let child = pinned(core, &program.to_string_lossy())
        .args(["up", "-f", "spin.toml", "--listen", &format!("127.0.0.1:{SPIN_PORT}"), "--state-dir"])
        .arg(storage.path())
        .current_dir(root())
        .env("SPIN_VARIABLE_PUBLIC_URL", "https://bench.example")
        .env("SPIN_VARIABLE_TWILIO_ACCOUNT_SID", ACCOUNT_SID)
        .env("SPIN_VARIABLE_TWILIO_AUTH_TOKEN", AUTH_TOKEN)
        .env("SPIN_VARIABLE_TWILIO_BASE_URL", &nobody)
        .env("SPIN_VARIABLE_TWILIO_ORIGIN", &nobody)
        .env("SPIN_VARIABLE_OPENAI_API_KEY", "sk-bench")
        .env("SPIN_VARIABLE_OPENAI_BASE_URL", format!("{nobody}/v1"))
        .env("SPIN_VARIABLE_OPENAI_ORIGIN", &nobody)
        .env("SPIN_VARIABLE_CHAT_ORIGIN", &nobody)
        .env("SPIN_VARIABLE_JWT_SECRET", "bench-secret-bench-secret-bench-secret")
        .env("SPIN_VARIABLE_MASTER_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
        .env("SPIN_VARIABLE_JOBS_SECRET", "bench-secret-bench-secret-bench-secret")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .with_context(|| format!("starting {}", program.display()))?;
    let mut running = running(SPIN_PORT, NOBODY_PORT, "/webhooks/twilio/voice", child);
    let sql = |statement: &str| {
        let done =
            Command::new(host).args(["sql", "--state-dir"]).arg(storage.path()).arg(statement).status();
        if done.context("running a statement")?.success() { Ok(()) } else { bail!("`{statement}` failed") }
    };
    ready(&running.app).await?;
    sql(&format!(
        "insert into setup_tokens (token_hash, email, created_at, expires_at) \
         values ('{}', 'bench@example.com', 0, 9000000000000)",
        crate::setup_token_hash(SETUP_TOKEN)
    ))?;
    claim(&running.app).await?;
    sql(NO_LIMITS)?;
    running.storage = Some(storage);
    Ok(running)
}

/// Waits until it answers, with its database migrated.
async fn ready(app: &str) -> anyhow::Result<()> {
    for _ in 0..TRIES {
        if crate::load::http::get_status(app, "/ready").await.is_ok_and(|status| status == 200) {
            return Ok(());
        }
        sleep(Duration::from_millis(100)).await;
    }
    bail!("the component is not ready")
}
