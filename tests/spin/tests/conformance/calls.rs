//! Calls through the front door, held turn by turn: the scenarios of the end-to-end tests with their simulators and their checks.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use voicecore_conformance::report;
use voicecore_e2e::turn_based::{self, FALLBACK, NUMBER, Program, System, killed};
use voicecore_sim::scenario::Scenario;

use crate::host::{Host, Kind, free_port};
use crate::tenant;

/// Systems that run at the same time, each a host with simulators of its own. They wait for people who speak.
const LANES: usize = 8;
/// No call takes longer: the longest scenario is three minutes.
const CALL_LIMIT: Duration = Duration::from_mins(7);
/// The host is killed and started again between two turns of these: one that uses tools in several turns, one that leaves a
/// message, one whose callbacks come late and twice, and one in which the turn is being waited for.
const KILLED: [&str; 4] = ["greeting-and-booking", "take-message", "disorderly-network", "chat-slow"];

/// In its third turn the other side says that it takes a moment.
const WAITED_FOR: &str = "chat-slow";

/// Plays those whose name contains the filter; how many passed, how many failed.
pub(crate) async fn run(kind: Kind, filter: &str) -> Result<(u32, u32)> {
    let mut scenarios = turn_based::scenarios()?;
    let of = |scenario: &&Scenario| KILLED.iter().any(|name| scenario.name == format!("{name}+turn-based"));
    let mut restarted: Vec<Scenario> = scenarios.iter().filter(of).map(killed).collect();
    for scenario in restarted.iter_mut().filter(|scenario| scenario.name.starts_with(WAITED_FOR)) {
        scenario.platform.in_turn = Some(3);
    }
    scenarios.extend(restarted);
    scenarios.retain(|scenario| scenario.name.contains(filter));
    // The longest first.
    scenarios.sort_by_key(|scenario| std::cmp::Reverse(scenario.steps.len()));
    let lanes = Arc::new(Semaphore::new(LANES));
    let mut calls = JoinSet::new();
    for scenario in scenarios {
        let lanes = Arc::clone(&lanes);
        calls.spawn(async move {
            let _lane = lanes.acquire_owned().await;
            let played = tokio::time::timeout(CALL_LIMIT, call(kind, &scenario)).await;
            (scenario.name, played.unwrap_or_else(|_| Err(anyhow::anyhow!("not over in time"))))
        });
    }
    let (mut passed, mut failed) = (0, 0);
    while let Some(played) = calls.join_next().await {
        let (name, outcome) = played.context("a call died")?;
        let (note, problems) = outcome.unwrap_or_else(|error| (String::new(), vec![format!("{error:#}")]));
        if problems.is_empty() {
            println!("test call {name} ... ok  {note}");
            report::passed("calls", kind.backend());
            passed += 1;
        } else {
            println!("test call {name} ... FAILED  {note}");
            failed += 1;
        }
        for problem in problems {
            println!("        {problem}");
        }
    }
    Ok((passed, failed))
}

impl Program for Host {
    async fn start_again(&mut self) -> Result<()> {
        self.restart().await
    }
}

/// One call to a system of its own: a few figures, and what was wrong.
async fn call(kind: Kind, scenario: &Scenario) -> Result<(String, Vec<String>)> {
    let port = free_port()?;
    let sim = turn_based::simulators(&format!("http://127.0.0.1:{port}")).await?;
    let mut host = Host::start_for_calls(kind, port, (&sim.twilio_url(), &sim.openai_url())).await?;
    let api_key = tenant::claim(&host, NUMBER, FALLBACK).await?;
    let system = System { sim: &sim, base_url: host.url(""), api_key };
    let (note, mut problems) = turn_based::play(system, scenario, &mut host).await?;
    let log = host.log();
    problems.extend(host.traces(Some(tenant::EMAIL)).await?);
    if !problems.is_empty() {
        problems.extend(log.lines().map(|line| format!("host: {line}")));
    }
    Ok((note, problems))
}
