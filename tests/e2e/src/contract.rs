//! The API against its own document: schemathesis asks the running worker whatever the document allows, and much that it does not
//! (`tests/contract`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use axum::Json;
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use voicecore_sim::scenario::Scenario;

use crate::cases::{self, Outcome};
use crate::system::{ACCOUNT_SID, AUTH_TOKEN, CALLER, NUMBER, OWNER, PASSWORD, System};
use crate::{access, root};

/// Of all that it asks, some 5,500 requests, which take 80 seconds here: what hangs is seen, a slow machine is not.
const LIMIT: Duration = Duration::from_mins(8);
/// Lines of its output that are shown when it has found something.
const MAX_SHOWN: usize = 200;
/// Whoever asks these needs what only a mail, a cookie, a socket, a call on the line or seven steps in a row bring; the tests beside the
/// code have it.
const NEVER_SUCCEED: [&str; 10] = [
    "GET /api/v1/live",
    "POST /api/v1/calls/{id}/intervene",
    "POST /api/v1/setup/complete",
    "POST /api/v1/auth/accept-invitation",
    "POST /api/v1/auth/refresh",
    "POST /api/v1/auth/reset-password",
    "POST /api/v1/setup/claim",
    "POST /invitation",
    "POST /reset-password",
    "POST /setup",
];

/// What the worker is told besides, so that mails can be sent: to a server that takes them all.
pub(crate) async fn mails() -> anyhow::Result<Value> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let take = || async { Json(json!({"id": "00000000-0000-4000-8000-000000000000"})) };
    let app = axum::Router::new().route("/emails", post(take));
    tokio::spawn(async move { drop(axum::serve(listener, app).await) });
    Ok(
        json!({"EMAIL_API_KEY": "re_simulated", "EMAIL_FROM": "VoiceCore <calls@example.com>", "EMAIL_BASE_URL": url}),
    )
}

/// Runs it, beside a call that has left a transcript and a message.
pub(crate) async fn run(system: &System, scenario: &Scenario, directory: &Path) -> anyhow::Result<Outcome> {
    let report = cases::ring(system, scenario, NUMBER, CALLER).await?;
    system.api.finished(&report.call_sid).await?;
    access::colleague(system).await?;
    let answers = directory.join("answers.json");
    let log = directory.join("schemathesis.log");
    let contract = root().join("tests/contract").canonicalize()?;
    let url = system.workerd.url();
    let mut child = tokio::process::Command::new(program()?)
        .arg("--config-file")
        .arg(contract.join("schemathesis.toml"))
        .arg("run")
        .arg(root().join("shared/api/openapi.json").canonicalize()?)
        .args(["--url", &url])
        .current_dir(directory)
        .env("VOICECORE_URL", &url)
        .env("VOICECORE_API_KEY", system.api.key())
        .env("VOICECORE_EMAIL", OWNER)
        .env("VOICECORE_PASSWORD", PASSWORD)
        .env("VOICECORE_ACCOUNT_SID", ACCOUNT_SID)
        .env("VOICECORE_AUTH_TOKEN", AUTH_TOKEN)
        .env("VOICECORE_ANSWERS", &answers)
        .env("SCHEMATHESIS_HOOKS", "hooks")
        .env("PYTHONPATH", &contract)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(&log)?)
        .stderr(std::fs::File::options().append(true).open(&log)?)
        .kill_on_drop(true)
        .spawn()
        .context("starting schemathesis")?;
    let status = tokio::time::timeout(LIMIT, child.wait()).await;
    let said = std::fs::read_to_string(&log)?;
    let Ok(status) = status else {
        return Ok(failed(format!("not over after {} s", LIMIT.as_secs()), &said));
    };
    if !status?.success() {
        return Ok(failed("it has found something".to_owned(), &said));
    }
    let answers: Answers = serde_json::from_slice(&std::fs::read(&answers)?)?;
    ensure!(system.workerd.starts() == 1, "workerd died meanwhile");
    let problems = never_succeeded(&answers);
    let asked: u64 = answers.values().flat_map(BTreeMap::values).sum();
    Ok(Outcome { note: format!("{asked} requests to {} operations", answers.len()), problems })
}

/// How often each status was answered, by operation.
type Answers = BTreeMap<String, BTreeMap<String, u64>>;

/// An operation that was never answered with success has hardly been looked at.
fn never_succeeded(answers: &Answers) -> Vec<String> {
    let failing =
        answers.iter().filter(|(_, statuses)| !statuses.keys().any(|status| status.starts_with('2')));
    let failing = failing.filter(|(operation, _)| !NEVER_SUCCEED.contains(&operation.as_str()));
    failing.map(|(operation, statuses)| format!("{operation} never succeeded: {statuses:?}")).collect()
}

fn failed(why: String, said: &str) -> Outcome {
    let lines: Vec<&str> = said.lines().collect();
    let shown = lines.iter().skip(lines.len().saturating_sub(MAX_SHOWN));
    let problems = std::iter::once(why).chain(shown.map(|line| (*line).to_owned())).collect();
    Outcome { note: String::new(), problems }
}

/// Where `cargo xtask setup` has put it.
fn program() -> anyhow::Result<PathBuf> {
    let cache = std::env::var_os("VOICECORE_CACHE").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache/voicecore"));
    let program =
        cache.or_else(home).context("neither VOICECORE_CACHE nor HOME is set")?.join("contract/bin/st");
    ensure!(program.exists(), "{} is not there: `cargo xtask setup` fetches it", program.display());
    Ok(program)
}
