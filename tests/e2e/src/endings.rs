//! Ways in which a call ends other than by its two sides: an operator, the queue, the job of every minute, the alarm.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::time::{Instant, interval, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use voicecore_sim::scenario::{EndedBy, Scenario};
use voicecore_sim::twilio::{CallReport, CallSpec, Event, Speaker};

use crate::api::Message as LeftMessage;
use crate::carrier::{Socket, incoming, talking};
use crate::cases::{Outcome, judge};
use crate::system::{CALLER, NUMBER, System};

/// The assistant has been speaking for so long when an operator ends the call.
const OPERATOR_AFTER: Duration = Duration::from_millis(1_200);
/// Frames that a bare call lasts before something happens to it: three seconds, in which what was heard is written down.
const FRAMES: u32 = 150;
/// The time of one.
const FRAME: Duration = Duration::from_millis(20);
/// The longest until what stands in the queue is done.
const QUEUE_LIMIT: Duration = Duration::from_secs(15);
/// The longest until the alarm closes a call: it looks after its calls every minute, gives one that is not there half a
/// minute more, and may be tried again.
const ALARM_LIMIT: Duration = Duration::from_mins(4);

/// An operator ends a call in mid-sentence: the caller hears a goodbye, and to end it again changes nothing.
pub(crate) async fn operator(system: &System) -> anyhow::Result<Outcome> {
    let scenario = Scenario::listener();
    let report = ended_by_operator(system, &scenario).await?;
    let mut problems = judge(system, &scenario, &report, true).await;
    let mut check = |holds: bool, problem: String| {
        if !holds {
            problems.push(problem);
        }
    };
    let (call, _) = system.api.finished(&report.call_sid).await?;
    check(report.ended_by == EndedBy::App, format!("ended by {:?}", report.ended_by));
    let reason = call.end_reason.as_deref();
    check(reason == Some("operator_ended"), format!("its reason is {reason:?}"));
    let last = report.turns.last().map(|turn| turn.text.to_lowercase()).unwrap_or_default();
    check(last.contains("goodbye"), format!("the last words were “{last}”"));
    let cut = report.turns.iter().filter(|turn| turn.cut).count();
    check(cut == 1, format!("{cut} turns were cut, not that of the greeting alone"));
    let (status, body) = system.api.post(&format!("/api/v1/calls/{}/end", call.id)).await?;
    check(status == 202 && body["status"] == "completed", format!("ended once more: {status} {body}"));
    let (again, _) = system.api.finished(&report.call_sid).await?;
    check(again == call, format!("to end it again changed {call:?} into {again:?}"));
    let (status, _) = system.api.post("/api/v1/calls/01939a2b-0000-7000-8000-000000000001/end").await?;
    check(status == 404, format!("the end of a call that does not exist: {status}"));
    let stranger = system.other_tenant().await?;
    let (status, _) = stranger.post(&format!("/api/v1/calls/{}/end", call.id)).await?;
    check(status == 404, format!("the end of another tenant's call: {status}"));
    Ok(Outcome { note: String::new(), problems })
}

/// Rings; soon after the assistant has begun to speak, the call is ended twice.
async fn ended_by_operator(system: &System, scenario: &Scenario) -> anyhow::Result<CallReport> {
    let spec = CallSpec { to: NUMBER.to_owned(), from: CALLER.to_owned(), scenario: scenario.clone() };
    let mut handle = system.sim.ring(spec).await?;
    let mut call_sid = String::new();
    let mut asked = false;
    while let Some(event) = handle.events.recv().await {
        match event {
            Event::Ringing { call_sid: sid } => call_sid = sid,
            Event::Speaks { speaker: Speaker::Assistant, .. } if !asked => {
                asked = true;
                sleep(OPERATOR_AFTER).await;
                let call = system.api.call(&call_sid).await?.context("the product does not know the call")?;
                for _ in 0..2 {
                    let (status, body) = system.api.post(&format!("/api/v1/calls/{}/end", call.id)).await?;
                    ensure!(
                        status == 202 && body["call_id"] == call.id.as_str(),
                        "ending it: {status} {body}"
                    );
                }
            }
            Event::Ended { report } => {
                system.record(&report)?;
                return Ok(*report);
            }
            _ => {}
        }
    }
    anyhow::bail!("the simulator broke off in mid-call")
}

/// What the queue brings is done, whatever else stands in it; what the job of every minute finds overdue is closed.
pub(crate) async fn jobs(system: &System) -> anyhow::Result<Outcome> {
    let mut problems = Vec::new();
    let mut note = |name: &str, result: anyhow::Result<()>| {
        problems.extend(result.err().map(|error| format!("{name}: {error:#}")));
    };
    note("a status from the queue", status_job(system).await);
    note("a voicemail from the queue", voicemail_job(system).await);
    note("an overdue call without an actor", overdue(system, false).await);
    note("an overdue call that runs", overdue(system, true).await);
    note("nothing to do", system.workerd.scheduled().await);
    ensure!(system.workerd.starts() == 1, "workerd died");
    Ok(Outcome { note: String::new(), problems })
}

/// A call's end that could not be taken when the carrier told it, behind two messages that are no jobs.
async fn status_job(system: &System) -> anyhow::Result<()> {
    let (call, mut socket) = talking(system).await?;
    hear(&mut socket).await?;
    system.workerd.enqueue("{\"job\":").await?;
    system.workerd.enqueue(&json!({"job": "make_coffee"}).to_string()).await?;
    let job =
        json!({"job": "take_status", "carrier_call_id": call.call_sid, "status": "completed", "at": now()});
    for _ in 0..2 {
        // Jobs are delivered at least once.
        system.workerd.enqueue(&job.to_string()).await?;
    }
    closed(&mut socket).await?;
    let (stored, entries) = system.api.finished_within(&call.call_sid, QUEUE_LIMIT).await?;
    ensure!(stored.end_reason.as_deref() == Some("caller_hung_up"), "its reason is {:?}", stored.end_reason);
    ensure!(stored.status == "completed", "its status is {}", stored.status);
    ensure!(entries.iter().any(|entry| entry.speaker == "assistant"), "no transcript");
    Ok(())
}

/// A voicemail that could not be stored when it was left: it is stored once, however often it is told.
async fn voicemail_job(system: &System) -> anyhow::Result<()> {
    let call = incoming(system).await?;
    let recording = "RE00000000000000000000000000000001";
    let job = json!({
        "job": "store_voicemail", "carrier_call_id": call.call_sid, "recording_id": recording, "duration_s": 7,
        "at": now(),
    });
    for _ in 0..2 {
        system.workerd.enqueue(&job.to_string()).await?;
    }
    // Behind them in the queue: when this is done they are.
    let last =
        json!({"job": "take_status", "carrier_call_id": call.call_sid, "status": "completed", "at": now()});
    system.workerd.enqueue(&last.to_string()).await?;
    let (stored, _) = system.api.finished_within(&call.call_sid, QUEUE_LIMIT).await?;
    let left = |message: &LeftMessage| message.recording_id.as_deref() == Some(recording);
    let messages: Vec<_> = system.api.messages().await?.into_iter().filter(left).collect();
    let [message] = messages.as_slice() else { anyhow::bail!("stored {} times", messages.len()) };
    ensure!(message.kind == "voicemail" && message.call_id == stored.id, "stored as {message:?}");
    ensure!(
        message.callback_number.as_deref() == Some(CALLER),
        "its caller is {:?}",
        message.callback_number
    );
    Ok(())
}

/// A call that is made older than any call may be. One that runs is closed by its actor, with its transcript.
async fn overdue(system: &System, runs: bool) -> anyhow::Result<()> {
    let (call, mut socket) = if runs {
        let (call, mut socket) = talking(system).await?;
        hear(&mut socket).await?;
        (call, Some(socket))
    } else {
        (incoming(system).await?, None)
    };
    let young = talking(system).await?;
    let age = "update calls set started_at = started_at - ?1 where carrier_call_id = ?2";
    system.sql(age, &[json!(86_400_000), json!(call.call_sid)]).await?;
    system.workerd.scheduled().await?;
    let (stored, entries) = system.api.finished(&call.call_sid).await?;
    ensure!(stored.end_reason.as_deref() == Some("abandoned"), "its reason is {:?}", stored.end_reason);
    let status = if runs { "completed" } else { "failed" };
    ensure!(stored.status == status, "its status is {}", stored.status);
    if let Some(socket) = &mut socket {
        closed(socket).await?;
        ensure!(entries.iter().any(|entry| entry.speaker == "assistant"), "no transcript");
    }
    let other = system.api.call(&young.0.call_sid).await?.context("the other call is unknown")?;
    ensure!(other.ended_at.is_none(), "a call that is not overdue was closed, too");
    drop(young);
    Ok(())
}

/// workerd dies in mid-call and the carrier never comes back: the call's alarm closes it, with its transcript.
pub(crate) async fn orphan(system: &System) -> anyhow::Result<Outcome> {
    let (call, mut socket) = talking(system).await?;
    hear(&mut socket).await?;
    system.workerd.kill().await?;
    drop(socket);
    system.workerd.started(2).await?;
    let began = Instant::now();
    let (stored, entries) = system.api.finished_within(&call.call_sid, ALARM_LIMIT).await?;
    let note = format!("closed after {} s", began.elapsed().as_secs());
    ensure!(stored.end_reason.as_deref() == Some("abandoned"), "its reason is {:?}", stored.end_reason);
    let [greeting] = entries.as_slice() else { anyhow::bail!("the transcript is {entries:?}") };
    ensure!(
        greeting.speaker == "assistant" && greeting.cut_at_ms.is_some() && !greeting.text.is_empty(),
        "the transcript is {greeting:?}"
    );
    // The number is free again, for as many calls as before.
    let (call, socket) = talking(system).await?;
    drop(socket);
    ensure!(system.api.call(&call.call_sid).await?.is_some(), "the next call is unknown");
    Ok(Outcome { note, problems: vec![] })
}

/// Listens for a while as a carrier does: a frame of silence every 20 ms, and each mark comes back when the audio before it
/// has been played.
async fn hear(socket: &mut Socket) -> anyhow::Result<()> {
    let mut ticks = interval(FRAME);
    let mut frames = 0;
    let mut played = Instant::now();
    let mut marks = VecDeque::new();
    while frames < FRAMES {
        tokio::select! {
            _ = ticks.tick() => {
                frames += 1;
                socket.send(Message::text(silence(frames))).await?;
                while marks.front().is_some_and(|(at, _)| *at <= Instant::now()) {
                    if let Some((_, mark)) = marks.pop_front() {
                        socket.send(Message::text(mark)).await?;
                    }
                }
            }
            message = socket.next() => {
                let Message::Text(text) = message.context("the stream ended")?? else { continue };
                let message: Value = serde_json::from_str(&text)?;
                if let Some(payload) = message["media"]["payload"].as_str() {
                    let bytes = STANDARD.decode(payload)?.len() as u64;
                    played = played.max(Instant::now()) + Duration::from_millis(bytes / 8);
                } else if message["event"] == "mark" {
                    marks.push_back((played, text));
                }
            }
        }
    }
    Ok(())
}

/// The n-th frame of a caller who says nothing, from 1.
fn silence(n: u32) -> String {
    let media = json!({
        "track": "inbound", "chunk": n.to_string(), "timestamp": ((n - 1) * 20).to_string(),
        "payload": STANDARD.encode([0xff; 160]),
    });
    json!({"event": "media", "sequenceNumber": (n + 1).to_string(), "streamSid": "MZ1", "media": media})
        .to_string()
}

/// Waits until the product has closed the stream.
async fn closed(socket: &mut Socket) -> anyhow::Result<()> {
    let end = async { while let Some(Ok(_)) = socket.next().await {} };
    timeout(QUEUE_LIMIT, end).await.context("the stream is still open")
}

#[expect(clippy::disallowed_methods, reason = "a job tells when it was made, in the time of the world")]
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
