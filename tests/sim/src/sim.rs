//! Both simulators in one process.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::Context as _;
use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::openai::{FaultPlan, OpenAiConfig, OpenAiSim, SessionReport};
use crate::twilio::{Account, CallHandle, CallReport, CallSpec, ModelSide, PlaceError, Twilio};

/// How the simulators are started.
#[derive(Debug, Clone)]
pub struct SimOptions {
    /// Port of Twilio's REST API and of the control API; 0 for any.
    pub twilio_port: u16,
    /// The product, as a customer of Twilio.
    pub account: Account,
    /// The model, with the registry, the violations and the synthesiser that both simulators share.
    pub openai: OpenAiConfig,
}

/// Running simulators; they stop when this is dropped.
pub struct Sim {
    /// Twilio.
    pub twilio: Twilio,
    /// The model.
    pub openai: Arc<OpenAiSim>,
    /// Where Twilio listens.
    pub twilio_address: SocketAddr,
    server: JoinHandle<()>,
}

impl Sim {
    /// Starts both on loopback.
    pub async fn start(options: SimOptions) -> anyhow::Result<Self> {
        let SimOptions { twilio_port, account, openai } = options;
        let (registry, violations) = (openai.registry.clone(), openai.violations.clone());
        let synthesiser = openai.synthesiser.clone();
        let openai = Arc::new(OpenAiSim::start(openai).await?);
        let twilio = Twilio::new(account, registry, violations, synthesiser, openai.clone());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, twilio_port))
            .await
            .with_context(|| format!("port {twilio_port} for the Twilio simulator"))?;
        let twilio_address = listener.local_addr()?;
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        let router = twilio.router();
        // Ends only with its task.
        let server = tokio::spawn(async move { drop(axum::serve(listener, router).await) });
        Ok(Self { twilio, openai, twilio_address, server })
    }

    /// Base URL of Twilio's REST API (`TWILIO_BASE_URL`) and of the control API.
    pub fn twilio_url(&self) -> String {
        format!("http://{}", self.twilio_address)
    }

    /// Base URL of the model (`OPENAI_BASE_URL`).
    pub fn openai_url(&self) -> String {
        self.openai.base_url()
    }

    /// Places a call and waits for its end.
    pub async fn place_call(&self, spec: CallSpec) -> Result<CallReport, PlaceError> {
        self.ring(spec).await?.report().await
    }

    /// Places a call that can be watched.
    pub async fn ring(&self, spec: CallSpec) -> Result<CallHandle, PlaceError> {
        self.twilio.ring(spec).await
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl ModelSide for OpenAiSim {
    fn sessions(&self) -> Vec<SessionReport> {
        Self::sessions(self)
    }

    fn set_faults(&self, plan: FaultPlan) {
        Self::set_faults(self, plan);
    }
}
