//! However a case ends, none of its processes stays behind.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};

use crate::cases::Outcome;
use crate::panics;
use crate::workerd::{Options, Processes, Workerd};

/// The longest that killed processes may take to be gone.
const GONE_LIMIT: Duration = Duration::from_secs(10);
/// A case of ours that takes too long does so by this.
const SHORT: Duration = Duration::from_millis(50);

/// Lets cases end in every way.
#[expect(clippy::panic, reason = "one of the ways")]
pub(crate) async fn run(directory: &Path) -> anyhow::Result<Outcome> {
    let start = async |name: &str| -> anyhow::Result<(Workerd, Processes)> {
        let workerd = Workerd::start(0, &directory.join(name), &json!({}), Options::default()).await?;
        let processes = workerd.processes();
        // Node.js and workerd.
        ensure!(processes.running() >= 2, "{} processes were started", processes.running());
        Ok((workerd, processes))
    };

    let (workerd, processes) = start("stopped").await?;
    workerd.stop().await;
    gone("a case that ended", processes).await?;

    let (workerd, processes) = start("stopped-while-restarting").await?;
    workerd.kill().await?;
    workerd.stop().await;
    gone("a case that ended while workerd was started again", processes).await?;

    let (workerd, processes) = start("panicked").await?;
    let panicked: anyhow::Result<()> = panics::caught(async move {
        let _workerd = workerd;
        sleep(SHORT).await;
        panic!("on purpose");
    })
    .await;
    let said = panicked.err().context("a panic is no error")?.to_string();
    ensure!(said.starts_with("on purpose (") && said.contains(file!()), "the panic is told as {said:?}");
    gone("a case that panicked", processes).await?;

    let (workerd, processes) = start("took-too-long").await?;
    let endless = async move {
        let _workerd = workerd;
        std::future::pending::<()>().await;
    };
    ensure!(timeout(SHORT, endless).await.is_err(), "what never ends has ended");
    gone("a case that took too long", processes).await?;

    let (workerd, processes) = start("harness-killed").await?;
    processes.kill_harness()?;
    drop(workerd);
    gone("a case whose harness was killed", processes).await?;
    Ok(Outcome { note: String::new(), problems: vec![] })
}

async fn gone(whose: &str, processes: Processes) -> anyhow::Result<()> {
    let deadline = Instant::now() + GONE_LIMIT;
    while processes.running() > 0 {
        ensure!(Instant::now() < deadline, "{} processes of {whose} still run", processes.running());
        sleep(SHORT).await;
    }
    Ok(())
}
