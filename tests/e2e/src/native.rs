//! The product's router, natively, for calls that need no media stream: a real HTTP server, both simulators, real time. It has
//! no actors, like Spin, and is made anew for every request, so that nothing can be kept in memory between two of them.

use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use axum::extract::Request;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tower::ServiceExt as _;
use voicecore_api::{AppState, Config, router};
use voicecore_conformance::doubles::TestPorts;
use voicecore_conformance::report;
use voicecore_domain::credentials::SetupToken;
use voicecore_ports::{BoxFuture, Clock, Http, HttpError, HttpRequest, HttpResponse, Ports};
use voicecore_sim::scenario::Scenario;
use voicecore_sim::sim::Sim;
use voicecore_store::directory;
use voicecore_types::Millis;

use crate::cases::Outcome;
use crate::turn_based::{self, FALLBACK, NUMBER};
use crate::{panics, summarise};

/// No call takes longer.
const CALL_LIMIT: Duration = Duration::from_mins(7);

/// Runs the calls whose name contains one of `filters` (all without any), all at the same time: they wait more than they work.
pub async fn run(filters: &[String]) -> ExitCode {
    panics::install();
    match run_all(filters).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("native: {error:#}");
            ExitCode::from(2)
        }
    }
}

async fn run_all(filters: &[String]) -> anyhow::Result<bool> {
    let mut scenarios = turn_based::scenarios()?;
    scenarios.retain(|scenario| {
        filters.is_empty() || filters.iter().any(|filter| scenario.name.contains(filter.as_str()))
    });
    println!("running {} calls natively", scenarios.len());
    let mut calls = JoinSet::new();
    for scenario in scenarios {
        calls.spawn(async move {
            let outcome = tokio::time::timeout(CALL_LIMIT, panics::caught(call(&scenario))).await;
            let outcome = outcome.unwrap_or_else(|_| Err(anyhow::anyhow!("not over in time")));
            (scenario.name.clone(), outcome.unwrap_or_else(|error| Outcome::failed(&error)))
        });
    }
    let mut failed = Vec::new();
    let mut passed = 0;
    while let Some(call) = calls.join_next().await {
        let (name, outcome) = call.context("a call died")?;
        if outcome.problems.is_empty() {
            println!("ok    {name:<38} {}", outcome.note);
            report::passed("calls", "native SQLite");
            passed += 1;
        } else {
            println!("FAIL  {name}");
            failed.push((name, outcome));
        }
    }
    summarise(&failed);
    println!("\n{passed} passed, {} failed", failed.len());
    Ok(failed.is_empty())
}

/// One call to a system of its own.
async fn call(scenario: &Scenario) -> anyhow::Result<Outcome> {
    let Native { sim, base_url, api_key, .. } = &Native::start().await?;
    let system = turn_based::System { sim, base_url: base_url.clone(), api_key: api_key.clone() };
    let (note, problems) = turn_based::play(system, scenario, &mut Ourselves).await?;
    Ok(Outcome { note, problems })
}

/// The product runs in this program.
struct Ourselves;

impl turn_based::Program for Ourselves {
    async fn start_again(&mut self) -> anyhow::Result<()> {
        anyhow::bail!("nothing runs here that could be killed")
    }
}

struct Native {
    sim: Sim,
    base_url: String,
    api_key: String,
    server: JoinHandle<()>,
}

impl Drop for Native {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Native {
    async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let base_url = format!("http://{}", listener.local_addr()?);
        let sim = turn_based::simulators(&base_url).await?;
        let settings = turn_based::settings(&sim.twilio_url(), &sim.openai_url());
        let lookup = |name: &str| settings.iter().find(|(known, _)| *known == name).map(|(_, v)| v.clone());
        let config = Arc::new(Config::from_lookup(&lookup));
        let doubles = TestPorts::new(Now.now());
        doubles.actors.remove();
        let ports = Ports { clock: Arc::new(Now), http: Arc::new(Client::default()), ..doubles.ports() };
        let api_key = provision(&ports, &config).await?;
        let app = axum::Router::new().fallback(move |request: Request| {
            // A new one: what the one before knew is gone.
            let fresh = router(AppState::new(ports.clone(), Arc::clone(&config)));
            async move { fresh.oneshot(request).await }
        });
        // Ends only with its task.
        let server = tokio::spawn(async move { drop(axum::serve(listener, app).await) });
        Ok(Self { sim, base_url, api_key, server })
    }
}

/// Makes a tenant as its owner would: by a set-up link. Returns its API key.
async fn provision(ports: &Ports, config: &Arc<Config>) -> anyhow::Result<String> {
    let token = SetupToken::new(&[9; 32]);
    directory::create_setup_token(&*ports.db, &token, "owner@example.com", ports.clock.now()).await?;
    let claim = serde_json::json!({
        "token": token.expose(),
        "tenant_name": "Native",
        "business_name": "Harbour House",
        "phone_number": NUMBER,
        "fallback_number": FALLBACK,
    });
    let request = axum::http::Request::post("/api/v1/setup/claim").header("content-type", "application/json");
    let request = request.body(axum::body::Body::from(claim.to_string()))?;
    let response = router(AppState::new(ports.clone(), Arc::clone(config))).oneshot(request).await?;
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await?;
    let made: serde_json::Value = serde_json::from_slice(&body)?;
    Ok(made["api_key"].as_str().with_context(|| format!("the claim shows no api_key: {made}"))?.to_owned())
}

struct Now;

impl Clock for Now {
    #[expect(clippy::disallowed_methods, reason = "this is where the time comes from, natively")]
    fn now(&self) -> Millis {
        Millis(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64))
    }

    fn sleep(&self, span: Millis) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(Duration::from_millis(span.0)))
    }
}

#[derive(Default)]
struct Client(reqwest::Client);

impl Http for Client {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        Box::pin(async move {
            let method = request.method.parse().map_err(|_| HttpError::Invalid)?;
            let mut outgoing = self.0.request(method, &request.url).body(request.body);
            for (name, value) in &request.headers {
                outgoing = outgoing.header(name, value);
            }
            let deadline = Duration::from_millis(u64::from(request.timeout_ms));
            let failed = |error: reqwest::Error| {
                if error.is_timeout() { HttpError::TimedOut } else { HttpError::Unreachable }
            };
            let response = outgoing.timeout(deadline).send().await.map_err(failed)?;
            let status = response.status().as_u16();
            let body = response.bytes().await.map_err(failed)?.to_vec();
            Ok(HttpResponse { status, body })
        })
    }
}
