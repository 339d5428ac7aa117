//! OpenAI, played: Realtime (GA) over WebSocket and chat completions.
//!
//! Strict where the service is: shapes are tables (`strict`), order is checked, and whatever would have been refused is
//! refused in the service's words and kept as a violation. Behind the socket a session is a value without clock
//! (`session`); what it says is decided by rules (`brain`).

mod brain;
mod chat;
mod error;
mod faults;
mod recording;
mod report;
mod server;
mod session;
mod strict;
mod timing;

use std::{
    collections::VecDeque,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::Context;
use axum::serve::ListenerExt as _;
use tokio::{net::TcpListener, task::JoinHandle, time::Instant};

use self::{faults::FaultBoard, recording::Recording};
pub use self::{
    faults::{Fault, FaultKind, FaultPlan, Trigger},
    report::{ItemReport, ResponseReport, SessionReport, TruncationReport, TurnReport},
    timing::Timing,
};
use crate::{
    registry::Registry,
    speech::{Synthesiser, Voice},
    violations::{Violation, Violations},
};

/// Reports of sessions kept; the oldest are forgotten.
const MAX_REPORTS: usize = 1_000;

/// Models that take a Realtime session, by `protocols.md` §4.1.
pub const REALTIME_MODELS: &[&str] = &[
    "gpt-realtime-2.1",
    "gpt-realtime-2.1-mini",
    "gpt-realtime-2",
    "gpt-realtime",
    "gpt-realtime-2025-08-28",
    "gpt-realtime-1.5",
    "gpt-realtime-mini",
    "gpt-realtime-mini-2025-10-06",
    "gpt-realtime-mini-2025-12-15",
];

/// What a simulator is to be like.
#[derive(Debug, Clone)]
pub struct OpenAiConfig {
    /// Port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// The only key that is accepted.
    pub api_key: String,
    /// The models there are.
    pub models: Vec<String>,
    /// How fast things go.
    pub timing: Timing,
    /// Two simulators with the same seed behave the same.
    pub seed: u64,
    /// Directory for `client.ndjson` and `server.ndjson`: all Realtime traffic, faults on command left out.
    pub record: Option<PathBuf>,
    /// Who speaks.
    pub voice: Voice,
    /// Makes the speech.
    pub synthesiser: Synthesiser,
    /// Knows what callers say; shared with the telephone's side.
    pub registry: Registry,
    /// Where violations go; shared with the telephone's side.
    pub violations: Violations,
}

impl OpenAiConfig {
    /// Defaults on a free port.
    pub fn new(api_key: impl Into<String>) -> Self {
        Self {
            port: 0,
            api_key: api_key.into(),
            models: REALTIME_MODELS.iter().map(|model| (*model).to_owned()).collect(),
            timing: Timing::default(),
            seed: 1,
            record: None,
            voice: Voice::assistant(),
            synthesiser: Synthesiser::with_user_cache(),
            registry: Registry::default(),
            violations: Violations::default(),
        }
    }
}

/// A running simulator; it stops when it is dropped.
#[derive(Debug)]
pub struct OpenAiSim {
    inner: Arc<Inner>,
    addr: SocketAddr,
    server: JoinHandle<()>,
}

/// What all connections share.
#[derive(Debug)]
pub(in crate::openai) struct Inner {
    config: OpenAiConfig,
    violations: Violations,
    board: FaultBoard,
    recording: Recording,
    started: Instant,
    seeds: AtomicU64,
    reports: Mutex<VecDeque<Arc<Mutex<SessionReport>>>>,
}

impl OpenAiSim {
    /// Starts on 127.0.0.1.
    pub async fn start(config: OpenAiConfig) -> anyhow::Result<Self> {
        let recording = config.record.as_deref().map(Recording::new).transpose()?.unwrap_or_default();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, config.port))
            .await
            .with_context(|| format!("port {} for the OpenAI simulator", config.port))?;
        let addr = listener.local_addr()?;
        // Small events must not wait for the acknowledgement of the ones before; without it they only come later.
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        let inner = Arc::new(Inner {
            violations: config.violations.clone(),
            board: FaultBoard::default(),
            recording,
            started: Instant::now(),
            seeds: AtomicU64::new(config.seed),
            reports: Mutex::default(),
            config,
        });
        let router = server::router(inner.clone());
        let server = tokio::spawn(async move {
            // Ends only with its task.
            drop(axum::serve(listener, router).await);
        });
        Ok(Self { inner, addr, server })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Value for `OPENAI_BASE_URL`.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.addr)
    }

    /// What was done wrong so far.
    pub fn violations(&self) -> Vec<Violation> {
        self.inner.violations.all()
    }

    /// All sessions, oldest first, as far as they have come.
    pub fn sessions(&self) -> Vec<SessionReport> {
        let reports = self.inner.reports.lock().unwrap_or_else(PoisonError::into_inner);
        reports.iter().map(|report| report.lock().unwrap_or_else(PoisonError::into_inner).clone()).collect()
    }

    /// Lets things go wrong from now on; an empty plan ends it.
    pub fn set_faults(&self, plan: FaultPlan) {
        self.inner.board.set(plan);
    }
}

impl Drop for OpenAiSim {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Inner {
    fn next_seed(&self) -> u64 {
        self.seeds.fetch_add(1, Ordering::Relaxed)
    }

    fn shared(&self) -> session::Shared {
        session::Shared {
            timing: self.config.timing.clone(),
            registry: self.config.registry.clone(),
            violations: self.violations.clone(),
            board: self.board.clone(),
        }
    }

    fn remember(&self, report: Arc<Mutex<SessionReport>>) {
        let mut reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        if reports.len() >= MAX_REPORTS {
            reports.pop_front();
        }
        reports.push_back(report);
    }
}

#[cfg(test)]
mod tests;
