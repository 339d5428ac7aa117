//! `voicecore-sim serve`.

use serde_json::json;

use super::SimArgs;
use crate::email::EmailSim;
use crate::sim::Sim;

/// What `serve` is told.
#[derive(clap::Args, Debug, Clone)]
pub(super) struct ServeArgs {
    #[command(flatten)]
    sim: SimArgs,
    /// Port the product knows as EMAIL_BASE_URL (0: any)
    #[arg(long, default_value_t = 0)]
    email_port: u16,
    /// The key that the e-mail service accepts
    #[arg(long, default_value = "re_simulated")]
    email_key: String,
}

/// Serves until SIGINT or SIGTERM; prints one line of JSON when ready, then one for each mail.
pub(super) async fn run(args: &ServeArgs) -> anyhow::Result<()> {
    let sim = Sim::start(args.sim.options()).await?;
    let email = EmailSim::start(args.email_port, &args.email_key, true).await?;
    let ready = json!({
        "ready": true,
        "twilio_url": sim.twilio_url(), "control_url": sim.twilio_url(), "openai_url": sim.openai_url(),
        "email_url": email.base_url(),
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
