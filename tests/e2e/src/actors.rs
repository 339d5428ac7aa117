//! Actors that take a command and do not answer.

use std::time::Duration;

use anyhow::ensure;
use tokio::time::Instant;

use crate::carrier::{Held, begin, ends_cleanly, hears, incoming, leave, open_signed, params, post, signed};
use crate::cases::Outcome;
use crate::system::{NUMBER, System};

/// Whoever asks an actor waits so long at least, for the actor may be slow,
const PATIENCE: Duration = Duration::from_millis(1_400);
/// and not much longer: the answer comes without it, long before the actor's own. Wide, for a machine that is busy.
const LIMIT: Duration = Duration::from_secs(10);

/// The carrier and a customer ask while the actors hang: both are answered without them, and as usual when they are back.
pub(crate) async fn hangs(system: &System) -> anyhow::Result<Outcome> {
    let call = incoming(system).await?;
    let mut socket = open_signed(system, &call).await?;
    begin(&mut socket, &call).await?;
    ensure!(hears(&mut socket).await?, "the call never began");
    let id = call.url.rsplit('/').next().unwrap_or_default();
    let path = format!("/webhooks/twilio/stream-ended?call={id}&attempt=1");
    let form = params(&call.call_sid, NUMBER, "in-progress");

    system.workerd.fault("hang", "on").await?;
    let asked = Instant::now();
    let (status, body) = post(system, &path, &form, Some(signed(&path, &form))).await?;
    let took = asked.elapsed();
    ensure!(status == 200, "what comes next: {status} {body}");
    ensure!(body.contains("<Say>One moment") && body.contains("<Connect "), "the caller hears {body}");
    ensure!((PATIENCE..LIMIT).contains(&took), "it is answered after {took:?}");
    let asked = Instant::now();
    let (status, body) = system.api.post("/api/v1/live/tickets").await?;
    ensure!(status == 503 && body["code"] == "unavailable", "a ticket: {status} {body}");
    ensure!((PATIENCE..LIMIT).contains(&asked.elapsed()), "a ticket is refused after {:?}", asked.elapsed());

    system.workerd.fault("hang", "off").await?;
    let (status, body) = system.api.post("/api/v1/live/tickets").await?;
    ensure!(status == 201, "a ticket, once the hub answers again: {status} {body}");
    leave(socket).await?;
    ends_cleanly(system, &call, Held::Conversation).await?;
    Ok(Outcome { note: format!("answered after {} ms", took.as_millis()), problems: vec![] })
}
