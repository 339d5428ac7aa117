//! The live stream of a tenant: tickets, events while a call runs, what was missed, heartbeats.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use futures_util::{SinkExt as _, StreamExt as _};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message;
use voicecore_domain::hub::{AGEING_INTERVAL, EVENT_CAP, TICKET_LIFETIME};
use voicecore_sim::scenario::Scenario;

use crate::api::Api;
use crate::carrier::{Socket, upgrade};
use crate::cases::{Outcome, judge, ring};
use crate::system::{CALLER, NUMBER, System};

/// The longest that a message which is due may take.
const MESSAGE_LIMIT: Duration = Duration::from_secs(15);
/// The alarm of a hub rings so long after it was set, in milliseconds.
const ALARM_MS: u64 = 4_000;
/// The longest that it takes until events have aged: two alarms.
const AGED_LIMIT: Duration = Duration::from_mins(1);
/// Between two looks at whether events have aged. Each is a listener, and to the actors' late clock it is half a day until events
/// age: only while nobody listens is the alarm set for them.
const LOOK_AGAIN: Duration = Duration::from_secs(3);
/// Events of one message to the hub, when its log is filled.
const FILLING: u64 = 500;

/// One message of the stream, with its text as it came.
#[derive(Debug, Clone, Deserialize)]
struct Envelope {
    seq: u64,
    call_id: String,
    event: Value,
    #[serde(skip)]
    text: String,
}

/// Plays a call while somebody watches, then comes back in every way in which one can.
pub(crate) async fn run(system: &System, scenario: &Scenario) -> anyhow::Result<Outcome> {
    let old = (ticket(&system.api).await?, Instant::now());
    let stranger = system.other_tenant().await?;
    tickets(system, &stranger).await?;
    let mut elsewhere = subscribe(system, &stranger, "").await?;

    let mut live = subscribe(system, &system.api, "").await?;
    ping(&mut live).await?;
    let watching = tokio::spawn(async move { watch(live).await });
    let report = ring(system, scenario, NUMBER, CALLER).await?;
    let mut problems = judge(system, scenario, &report, true).await;
    let events = watching.await??;
    problems.extend(unlike_the_call(system, &report.call_sid, &events).await?);
    // The other tenant heard nothing of it: the first thing that comes is the answer to its own heartbeat.
    ping(&mut elsewhere).await?;
    catch_up(system, &events).await?;
    let last = overflow(system, &events).await?;
    restart(system, &events, last).await?;
    // By now the first ticket is too old.
    sleep_until(old.1 + Duration::from_millis(TICKET_LIFETIME.0)).await;
    ensure!(refused(system, &old.0).await? == Some(401), "a ticket works after it has expired");
    Ok(Outcome { note: format!("{} events", events.len()), problems })
}

/// Events are kept for a day at most: their hub's alarm deletes what it has seen before. The worker's clock goes half a day
/// behind while the alarm is set, so that it rings a few seconds later.
pub(crate) async fn ages(system: &System) -> anyhow::Result<Outcome> {
    let event = json!({"at": 1, "event": {"type": "caller_speaking"}});
    let publish = json!({
        "command": "publish", "call_id": "01939a2b-0000-7000-8000-000000000001", "events": [event, event, event],
    });
    system.workerd.fault("late", &(AGEING_INTERVAL.0 - ALARM_MS).to_string()).await?;
    let tenant = tenant_of(&ticket(&system.api).await?);
    let said = system.workerd.hub(&tenant, &publish).await?;
    ensure!(said["published"]["seq"] == 3, "the hub answers {said}");
    // The first time it rings the events are noted, the second time they go: the alarm is set again each time.
    let deadline = Instant::now() + AGED_LIMIT;
    loop {
        sleep(LOOK_AGAIN).await;
        let mut socket = subscribe(system, &system.api, "&after=0").await?;
        let first = next(&mut socket).await?;
        hang_up(socket).await?;
        if first == r#"{"type":"resync"}"# {
            break;
        }
        ensure!(first.contains(r#""seq":1,"#), "after 0 comes {first}");
        ensure!(Instant::now() < deadline, "events are still there after their time");
    }
    // Their numbers are not given out again, and what comes is kept.
    let said = system.workerd.hub(&tenant, &publish).await?;
    ensure!(said["published"]["seq"] == 6, "after ageing the hub answers {said}");
    let mut socket = subscribe(system, &system.api, "&after=3").await?;
    ensure!(envelope(&mut socket).await?.seq == 4, "what came after ageing is gone");
    Ok(Outcome { note: String::new(), problems: vec![] })
}

/// A new ticket, as the path that it opens.
pub(crate) async fn ticket(api: &Api) -> anyhow::Result<String> {
    let (status, body) = api.post("/api/v1/live/tickets").await?;
    ensure!(status == 201, "POST /api/v1/live/tickets: {status} {body}");
    let url = body["url"].as_str().context("a ticket without url")?;
    let path =
        url.strip_prefix("wss://voicecore.example.com").context("the ticket's host is not PUBLIC_URL's")?;
    Ok(path.to_owned())
}

pub(crate) async fn refused(system: &System, path: &str) -> anyhow::Result<Option<u16>> {
    Ok(upgrade(system, path, None).await?.err())
}

pub(crate) async fn subscribe(system: &System, api: &Api, query: &str) -> anyhow::Result<Socket> {
    let path = ticket(api).await? + query;
    let opened = upgrade(system, &path, None).await?;
    opened.map_err(|status| anyhow::anyhow!("the live socket was refused with {status}"))
}

/// Closes a socket, and waits until the hub knows it.
async fn hang_up(mut socket: Socket) -> anyhow::Result<()> {
    socket.close(None).await?;
    let closed = async { while let Some(Ok(_)) = socket.next().await {} };
    timeout(MESSAGE_LIMIT, closed).await.context("the hub does not close its side")
}

/// Tickets open once, for their own tenant.
async fn tickets(system: &System, stranger: &Api) -> anyhow::Result<()> {
    let path = ticket(&system.api).await?;
    let first = upgrade(system, &path, None).await?;
    ensure!(first.is_ok(), "a new ticket is refused");
    ensure!(refused(system, &path).await? == Some(401), "a ticket works twice");
    let (ours, theirs) = (ticket(&system.api).await?, ticket(stranger).await?);
    for (what, path) in [
        ("no ticket", "/api/v1/live".to_owned()),
        ("an empty ticket", "/api/v1/live?ticket=".to_owned()),
        (
            "a ticket for another tenant than it was made for",
            ours.replace(&tenant_of(&ours), &tenant_of(&theirs)),
        ),
        ("a ticket with something behind it", format!("{ours}0")),
        ("a number that is none", format!("{ours}&after=x")),
    ] {
        ensure!(refused(system, &path).await? == Some(401), "the live stream opens with {what}");
    }
    ensure!(refused(system, &ours).await?.is_none(), "a ticket is used up by attempts to forge it");
    let plain = reqwest::get(format!("{}{theirs}", system.workerd.url())).await?;
    ensure!(plain.status().as_u16() == 426, "without an upgrade: {}, not 426", plain.status());
    Ok(())
}

async fn next(socket: &mut Socket) -> anyhow::Result<String> {
    loop {
        match timeout(MESSAGE_LIMIT, socket.next()).await.context("nothing comes")? {
            Some(Ok(Message::Text(text))) => return Ok(text.as_str().to_owned()),
            Some(Ok(Message::Close(frame))) => anyhow::bail!("the live socket was closed: {frame:?}"),
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(error.into()),
            None => anyhow::bail!("the live socket is gone"),
        }
    }
}

async fn envelope(socket: &mut Socket) -> anyhow::Result<Envelope> {
    let text = next(socket).await?;
    let envelope = serde_json::from_str(&text).with_context(|| format!("not an event: {text}"))?;
    Ok(Envelope { text, ..envelope })
}

/// The heartbeat is answered, and by nothing but `pong`.
pub(crate) async fn ping(socket: &mut Socket) -> anyhow::Result<()> {
    socket.send(Message::text("ping")).await?;
    let answer = next(socket).await?;
    ensure!(answer == "pong", "a heartbeat was answered with {answer}");
    Ok(())
}

/// Everything up to the end of the call.
async fn watch(mut socket: Socket) -> anyhow::Result<Vec<Envelope>> {
    let mut events = Vec::new();
    // Nothing comes while the phone rings or somebody speaks a long sentence: only the whole has a limit, the case's own.
    while let Some(message) = socket.next().await {
        let Message::Text(text) = message? else { continue };
        let event: Envelope = serde_json::from_str(&text).with_context(|| format!("not an event: {text}"))?;
        let over = event.event["type"] == "ended";
        events.push(Envelope { text: text.as_str().to_owned(), ..event });
        if over {
            return Ok(events);
        }
    }
    anyhow::bail!("the live socket ended before the call")
}

/// What is wrong with the events of a call: they are numbered without gaps, speak of that call, and their last word on
/// each utterance is what the transcript says.
async fn unlike_the_call(
    system: &System,
    call_sid: &str,
    events: &[Envelope],
) -> anyhow::Result<Vec<String>> {
    let mut problems = Vec::new();
    let (call, entries) = system.api.finished(call_sid).await?;
    if !events.iter().map(|event| event.seq).eq(1..=events.len() as u64) {
        problems
            .push(format!("events came as {:?}", events.iter().map(|event| event.seq).collect::<Vec<_>>()));
    }
    problems.extend(
        events
            .iter()
            .filter(|event| event.call_id != call.id)
            .map(|event| format!("an event of another call: {}", event.text)),
    );
    let of_type = |kind: &str| events.iter().filter(|event| event.event["type"] == kind).count();
    for (kind, least) in
        [("connected", 1), ("caller_speaking", 1), ("interaction", entries.len()), ("ended", 1)]
    {
        if of_type(kind) < least {
            problems.push(format!("{} events “{kind}”, not {least}", of_type(kind)));
        }
    }
    let mut told = BTreeMap::new();
    for event in events.iter().filter(|event| event.event["type"] == "interaction") {
        let said = |name: &str| event.event[name].as_str().unwrap_or_default().to_owned();
        told.insert(event.event["seq"].as_u64(), (said("speaker"), said("text")));
    }
    let told: Vec<_> = told.into_values().filter(|(_, text)| !text.is_empty()).collect();
    let stored: Vec<_> = entries.into_iter().map(|entry| (entry.speaker, entry.text)).collect();
    if told != stored {
        problems.push(format!("the events say {told:?}, the transcript says {stored:?}"));
    }
    Ok(problems)
}

/// Whoever comes back gets what was missed, as it was sent to the others.
async fn catch_up(system: &System, events: &[Envelope]) -> anyhow::Result<()> {
    let last = events.len() as u64;
    for seen in [0, 1, last / 2, last - 1, last] {
        let mut socket = subscribe(system, &system.api, &format!("&after={seen}")).await?;
        for event in events.iter().filter(|event| event.seq > seen) {
            let text = next(&mut socket).await?;
            ensure!(text == event.text, "after {seen} comes {text}, not {}", event.text);
        }
        ping(&mut socket).await?;
    }
    let mut socket = subscribe(system, &system.api, &format!("&after={}", last + 1)).await?;
    resync(&mut socket).await
}

async fn resync(socket: &mut Socket) -> anyhow::Result<()> {
    let text = next(socket).await?;
    ensure!(text == r#"{"type":"resync"}"#, "not told to load everything afresh, but {text}");
    ping(socket).await
}

/// Fills the log, as the tenant's calls would in time: who has missed more than it holds is told so. Gives the last number.
async fn overflow(system: &System, events: &[Envelope]) -> anyhow::Result<u64> {
    let mut last = events.len() as u64;
    while last <= EVENT_CAP + FILLING {
        last = publish(system, events, FILLING).await?;
    }
    let mut late = subscribe(system, &system.api, "&after=1").await?;
    resync(&mut late).await?;
    let oldest = last - EVENT_CAP;
    let mut late = subscribe(system, &system.api, &format!("&after={oldest}")).await?;
    for seq in oldest + 1..=last {
        let event = envelope(&mut late).await?;
        ensure!(event.seq == seq, "event {} comes instead of {seq}", event.seq);
    }
    // And then what comes.
    let last = publish(system, events, 2).await?;
    for seq in [last - 1, last] {
        ensure!(envelope(&mut late).await?.seq == seq, "what comes after catching up is not event {seq}");
    }
    Ok(last)
}

/// Sends events as a call's actor does; gives the last number.
async fn publish(system: &System, events: &[Envelope], count: u64) -> anyhow::Result<u64> {
    let first = events.first().context("no events")?;
    let event = json!({"at": 1, "event": {"type": "caller_speaking"}});
    let command = json!({
        "command": "publish", "call_id": first.call_id,
        "events": (0..count).map(|_| &event).collect::<Vec<_>>(),
    });
    let reply = system.workerd.hub(&tenant_of(&ticket(&system.api).await?), &command).await?;
    reply["published"]["seq"].as_u64().with_context(|| format!("the hub answers {reply}"))
}

/// Whose stream a ticket opens: what its hub is named by.
fn tenant_of(path: &str) -> String {
    path.split(['=', '.']).nth(1).unwrap_or_default().to_owned()
}

/// The log outlives workerd, and goes on where it was.
async fn restart(system: &System, events: &[Envelope], last: u64) -> anyhow::Result<()> {
    system.workerd.kill().await?;
    system.workerd.started(2).await?;
    let mut socket = subscribe(system, &system.api, &format!("&after={}", last - 1)).await?;
    ensure!(envelope(&mut socket).await?.seq == last, "the newest event is gone after a restart");
    let next = publish(system, events, 1).await?;
    ensure!(next == last + 1, "after a restart the event after {last} is {next}");
    ensure!(envelope(&mut socket).await?.seq == next, "event {next} does not come");
    Ok(())
}
