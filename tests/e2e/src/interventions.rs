//! Somebody steps into a call that runs: silences the assistant, tells it something, lets it speak, ends the call.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};
use voicecore_sim::scenario::{EndedBy, Scenario};
use voicecore_sim::twilio::{CallHandle, CallReport, CallSpec, Event, Speaker};

use crate::cases::{Outcome, judge};
use crate::system::{CALLER, NUMBER, System};

/// The assistant has been speaking for so long when it is silenced.
const SPEAKS_FOR: Duration = Duration::from_millis(1_200);
/// It stays silent for so long, in which it would be asked whether the caller is there, or a tone be played.
const SILENT_FOR: Duration = Duration::from_secs(10);
/// Something that is due is waited for this long.
const LIMIT: Duration = Duration::from_secs(15);

/// One call with somebody who listens.
struct Scene<'a> {
    system: &'a System,
    handle: CallHandle,
    call: String,
    notes: Vec<String>,
}

/// Plays the call; with `killed` workerd dies while the assistant is silenced.
pub(crate) async fn run(system: &System, killed: bool) -> anyhow::Result<Outcome> {
    let scenario = Scenario::listener();
    let spec = CallSpec { to: NUMBER.to_owned(), from: CALLER.to_owned(), scenario: scenario.clone() };
    let handle = system.sim.ring(spec).await?;
    let mut scene = Scene { system, handle, call: String::new(), notes: vec![] };
    let sid = scene.until_it_speaks().await?;
    let call = system.api.call(&sid).await?.context("the product does not know the call")?;
    scene.call = call.id;
    sleep(SPEAKS_FOR).await;
    scene.drop_events();
    scene.pause().await?;
    if killed {
        system.workerd.kill().await?;
    }
    scene.silence().await?;
    scene.intervene(json!({"action": "message", "text": "Say that the shop is closed on Monday."})).await?;
    scene.intervene(json!({"action": "override", "instructions": "You answer for a closed shop."})).await?;
    scene.resume().await?;
    sleep(SPEAKS_FOR).await;
    scene.intervene(json!({"action": "end", "at_once": true})).await?;
    let (report, notes) = scene.ended().await?;
    let mut problems = if killed { vec![] } else { judge(system, &scenario, &report, true).await };
    problems.extend(record_problems(system, &report).await?);
    if report.ended_by != EndedBy::App {
        problems.push(format!("ended by {:?}", report.ended_by));
    }
    Ok(Outcome { note: notes.join(", "), problems })
}

impl Scene<'_> {
    async fn event(&mut self) -> anyhow::Result<Event> {
        let event = timeout(LIMIT, self.handle.events.recv()).await.context("nothing happens")?;
        event.context("the simulator broke off in mid-call")
    }

    async fn until_it_speaks(&mut self) -> anyhow::Result<String> {
        let mut sid = String::new();
        loop {
            match self.event().await? {
                Event::Ringing { call_sid } => sid = call_sid,
                Event::Speaks { speaker: Speaker::Assistant, .. } => return Ok(sid),
                _ => {}
            }
        }
    }

    fn drop_events(&mut self) {
        while self.handle.events.try_recv().is_ok() {}
    }

    async fn intervene(&mut self, body: Value) -> anyhow::Result<()> {
        let asked = Instant::now();
        let path = format!("/api/v1/calls/{}/intervene", self.call);
        let (status, answer) = self.system.api.ask("POST", &path, Some(&body)).await?;
        ensure!(status == 202 && answer["takes_effect"] == "now", "{body}: {status} {answer}");
        let action = body["action"].as_str().unwrap_or_default();
        self.notes.push(format!("{action} answered in {} ms", asked.elapsed().as_millis()));
        Ok(())
    }

    /// What a user sees is measured from the request to the silence on the line.
    async fn pause(&mut self) -> anyhow::Result<()> {
        let asked = Instant::now();
        self.intervene(json!({"action": "pause"})).await?;
        loop {
            if let Event::Cleared { .. } = self.event().await? {
                break;
            }
        }
        self.notes.push(format!("silent after {} ms", asked.elapsed().as_millis()));
        Ok(())
    }

    /// Nobody but the caller is heard.
    async fn silence(&mut self) -> anyhow::Result<()> {
        let until = Instant::now() + SILENT_FOR;
        while let Ok(event) = tokio::time::timeout_at(until, self.handle.events.recv()).await {
            match event.context("the simulator broke off in mid-call")? {
                Event::Speaks { speaker, .. } => anyhow::bail!("{speaker:?} speaks though it was silenced"),
                Event::Ended { .. } => anyhow::bail!("the call ended while the assistant was silent"),
                _ => {}
            }
        }
        Ok(())
    }

    async fn resume(&mut self) -> anyhow::Result<()> {
        let asked = Instant::now();
        self.intervene(json!({"action": "resume"})).await?;
        loop {
            if let Event::Speaks { speaker: Speaker::Assistant, .. } = self.event().await? {
                break;
            }
        }
        self.notes.push(format!("speaks after {} ms", asked.elapsed().as_millis()));
        Ok(())
    }

    async fn ended(mut self) -> anyhow::Result<(CallReport, Vec<String>)> {
        loop {
            if let Event::Ended { report } = self.event().await? {
                self.system.record(&report)?;
                return Ok((*report, self.notes));
            }
        }
    }
}

/// What the call's record says of what was done.
async fn record_problems(system: &System, report: &CallReport) -> anyhow::Result<Vec<String>> {
    let (call, _) = system.api.finished(&report.call_sid).await?;
    let mut problems = Vec::new();
    if call.end_reason.as_deref() != Some("operator_ended") {
        problems.push(format!("its reason is {:?}", call.end_reason));
    }
    let entries = system.api.get(&format!("/api/v1/calls/{}/interactions?speaker=operator", call.id)).await?;
    let items = entries["items"].as_array().cloned().unwrap_or_default();
    let actions: Vec<_> = items.iter().map(|entry| entry["action"].as_str().unwrap_or_default()).collect();
    if actions != ["pause", "message", "override", "resume", "end"] {
        problems.push(format!("the transcript has {actions:?}"));
    }
    if items.iter().any(|entry| entry["actor_kind"] != "api_key") {
        problems.push("the transcript does not say who did it".to_owned());
    }
    let over = json!({"action": "pause"});
    let path = format!("/api/v1/calls/{}/intervene", call.id);
    let (status, answer) = system.api.ask("POST", &path, Some(&over)).await?;
    if status != 409 || answer["code"] != "call_over" {
        problems.push(format!("stepping into a call that is over: {status} {answer}"));
    }
    Ok(problems)
}
