//! The command line: `serve` runs the simulators, `call` rings the product and shows the conversation.

mod call;
mod render;
mod serve;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::openai::OpenAiConfig;
use crate::sim::SimOptions;
use crate::twilio::Account;

#[derive(Parser)]
#[command(name = "voicecore-sim", about = "Strict simulators of Twilio and OpenAI")]
enum Command {
    /// Plays Twilio, OpenAI and an e-mail service until it is stopped
    Serve(serve::ServeArgs),
    /// Rings the product, plays a scenario's caller and prints the conversation
    Call(call::CallArgs),
}

/// How the simulators are started.
#[derive(clap::Args, Debug, Clone)]
struct SimArgs {
    /// Port of Twilio's REST API and of the control API (0: any)
    #[arg(long, default_value_t = 0)]
    twilio_port: u16,
    /// Port of the model (0: any)
    #[arg(long, default_value_t = 0)]
    openai_port: u16,
    /// Twilio account of the product
    #[arg(long, value_name = "AC…")]
    account_sid: String,
    /// Signs webhooks and opens the REST API
    #[arg(long)]
    auth_token: String,
    /// Where the product listens
    #[arg(long, value_name = "http://127.0.0.1:PORT")]
    app_url: String,
    /// The product's PUBLIC_URL, over which signatures are computed [default: that of --app-url]
    #[arg(long)]
    public_url: Option<String>,
    /// The key that the model accepts
    #[arg(long, default_value = "sk-simulated")]
    openai_key: String,
    /// Keeps all Realtime traffic in this directory: client.ndjson and server.ndjson
    #[arg(long, value_name = "DIRECTORY")]
    record: Option<PathBuf>,
}

impl SimArgs {
    fn options(&self) -> SimOptions {
        let public_url = self.public_url.as_deref().unwrap_or(&self.app_url);
        let mut openai = OpenAiConfig::new(&self.openai_key);
        openai.port = self.openai_port;
        openai.record.clone_from(&self.record);
        SimOptions {
            twilio_port: self.twilio_port,
            account: Account::new(&self.account_sid, &self.auth_token, public_url, &self.app_url),
            openai,
        }
    }
}

/// Runs the program; the exit code is 1 when a call did not go as expected, 2 when it could not be made.
pub async fn main() -> ExitCode {
    let outcome = match Command::parse() {
        Command::Serve(args) => serve::run(&args).await.map(|()| true),
        Command::Call(args) => call::run(&args).await,
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("voicecore-sim: {error:#}");
            ExitCode::from(2)
        }
    }
}
