//! `voicecore-sim serve`.

use serde_json::json;

use super::SimArgs;
use crate::sim::Sim;

/// Serves until SIGINT or SIGTERM; prints one line of JSON when ready.
pub(super) async fn run(args: &SimArgs) -> anyhow::Result<()> {
    let sim = Sim::start(args.options()).await?;
    let ready = json!({
        "ready": true,
        "twilio_url": sim.twilio_url(), "control_url": sim.twilio_url(), "openai_url": sim.openai_url(),
        "account_sid": sim.twilio.account().sid, "public_url": sim.twilio.account().public_url,
        "app_url": sim.twilio.account().app_url,
    });
    println!("{ready}");
    stop_signal().await
}

#[cfg(unix)]
async fn stop_signal() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    Ok(())
}

#[cfg(not(unix))]
async fn stop_signal() -> anyhow::Result<()> {
    Ok(tokio::signal::ctrl_c().await?)
}
