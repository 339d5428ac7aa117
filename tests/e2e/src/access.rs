//! What is refused: live streams of those who may not listen any more, and those who ask too often.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use futures_util::StreamExt as _;
use serde_json::json;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::Message;
use voicecore_domain::hub::{ACCESS_ENDED, ACCESS_UNKNOWN, CLOSED_WITHIN, LOOK_INTERVAL};

use crate::api::{Api, client};
use crate::carrier::Socket;
use crate::cases::Outcome;
use crate::live::{ping, refused, subscribe, ticket};
use crate::system::{OWNER, PASSWORD, System};

/// What a key may ask in a minute, in the case of that name.
pub(crate) const REQUESTS_PER_MINUTE: u32 = 20;
/// The longest until a socket is closed whose hub was told.
const TOLD: Duration = Duration::from_secs(10);
/// A user who works for the tenant beside its owner.
const COLLEAGUE: &str = "colleague@example.com";

/// Sockets are closed when what opened them is not good any more: at once where the hub is told, within a minute where nobody
/// tells it, and no others.
pub(crate) async fn revoked(system: &System) -> anyhow::Result<Outcome> {
    let owner = system.api.signed_in(OWNER, PASSWORD).await?;
    let mut stays = subscribe(system, &owner, "").await?;
    let longest = told(system, &owner, &mut stays).await?;
    let by_itself = untold(system, &owner, stays).await?;
    let note =
        format!("told: closed after {} ms; not told: {:.0} s", longest.as_millis(), by_itself.as_secs_f64());
    Ok(Outcome { note, problems: vec![] })
}

/// Sockets are closed in time as well when nobody can be asked whether they may stay: the database refuses what the hub asks. Whoever
/// comes meanwhile is told to come again, and stays when it answers.
pub(crate) async fn unknown(system: &System) -> anyhow::Result<Outcome> {
    let owner = system.api.signed_in(OWNER, PASSWORD).await?;
    let mut socket = subscribe(system, &owner, "").await?;
    let late = ticket(&owner).await?;
    system.workerd.sql("alter table sessions rename to sessions_away", &[]).await?;
    ensure!(
        refused(system, &late).await? == Some(503),
        "a ticket opens the stream while the database is away"
    );
    let limit = Duration::from_millis(CLOSED_WITHIN.0);
    let closed = closed(&mut socket, limit, ACCESS_UNKNOWN, "while the database is away").await?;
    ensure!(
        closed.as_millis() > u128::from(LOOK_INTERVAL.0),
        "closed after {closed:?}: one look is not enough"
    );
    system.workerd.sql("alter table sessions_away rename to sessions", &[]).await?;
    let mut socket = subscribe(system, &owner, "").await?;
    ping(&mut socket).await?;
    Ok(Outcome { note: format!("closed after {:.0} s", closed.as_secs_f64()), problems: vec![] })
}

/// What the API changes, the hub is told.
async fn told(system: &System, owner: &Api, stays: &mut Socket) -> anyhow::Result<Duration> {
    let user = colleague(system).await?;
    let mut longest = Duration::ZERO;

    // A session that is revoked, and a ticket that was taken for it before.
    let other = system.api.signed_in(OWNER, PASSWORD).await?;
    let mut socket = subscribe(system, &other, "").await?;
    let early = ticket(&other).await?;
    let (_, me) = other.ask("GET", "/api/v1/me", None).await?;
    let session = me["session_id"].as_str().context("no session")?;
    let (status, _) = owner.ask("DELETE", &format!("/api/v1/sessions/{session}"), None).await?;
    ensure!(status == 204, "revoking a session: {status}");
    longest = longest.max(closed_within(&mut socket, TOLD, "of a revoked session").await?);
    ensure!(refused(system, &early).await? == Some(401), "a ticket of a revoked session opens the stream");
    let (status, _) = other.ask("GET", "/api/v1/me", None).await?;
    ensure!(status == 401, "a revoked session is answered {status}");

    // A role that may not listen, then a membership that is gone.
    for (what, method, body) in
        [("with another role", "PATCH", Some(json!({"role": "agent"}))), ("who was removed", "DELETE", None)]
    {
        system.workerd.sql("update memberships set role = 'viewer' where role = 'agent'", &[]).await?;
        let session = system.api.signed_in(COLLEAGUE, PASSWORD).await?;
        let mut socket = subscribe(system, &session, "").await?;
        let (status, answer) = owner.ask(method, &format!("/api/v1/users/{user}"), body.as_ref()).await?;
        ensure!(status < 300, "{method} of a user: {status} {answer}");
        longest = longest.max(closed_within(&mut socket, TOLD, &format!("of somebody {what}")).await?);
        let (status, _) = session.ask("POST", "/api/v1/live/tickets", None).await?;
        ensure!([401, 403].contains(&status), "the next request of somebody {what} is answered {status}");
    }

    // A key that is revoked.
    let wanted = json!({"name": "screen", "permissions": ["live:read"]});
    let (status, key) = owner.ask("POST", "/api/v1/api-keys", Some(&wanted)).await?;
    ensure!(status == 201, "making a key: {status} {key}");
    let program = Api::new(system.workerd.url(), key["api_key"].as_str().context("no key")?.to_owned());
    let mut socket = subscribe(system, &program, "").await?;
    let id = key["id"].as_str().context("no id")?;
    let (status, _) = owner.ask("DELETE", &format!("/api/v1/api-keys/{id}"), None).await?;
    ensure!(status == 204, "revoking a key: {status}");
    longest = longest.max(closed_within(&mut socket, TOLD, "of a revoked key").await?);

    // Whoever still may hears on.
    ping(stays).await?;
    Ok(longest)
}

/// What is changed behind its back (by another version, with a hub that could not be told) the hub finds out.
async fn untold(system: &System, owner: &Api, mut stays: Socket) -> anyhow::Result<Duration> {
    let other = system.api.signed_in(OWNER, PASSWORD).await?;
    let mut socket = subscribe(system, &other, "").await?;
    let (_, me) = other.ask("GET", "/api/v1/me", None).await?;
    system
        .workerd
        .sql("update sessions set revoked_at = 1 where id = ?1", &[me["session_id"].clone()])
        .await?;
    let limit = Duration::from_millis(CLOSED_WITHIN.0);
    let revoked = closed_within(&mut socket, limit, "of a session that was revoked in silence").await?;
    ping(&mut stays).await?;
    system.workerd.sql("update tenants set suspended_at = 1", &[]).await?;
    let suspended = closed_within(&mut stays, limit, "of a tenant that was suspended in silence").await?;
    let (status, _) = owner.ask("POST", "/api/v1/live/tickets", None).await?;
    ensure!(status == 403, "a suspended tenant's ticket: {status}");
    Ok(revoked.max(suspended))
}

/// Somebody who may listen, with the owner's password. Gives their id.
pub(crate) async fn colleague(system: &System) -> anyhow::Result<String> {
    let id = "01939a2b-0000-7000-8000-00000000c011";
    let user = "insert into users (id, email, name, password_hash, created_at)
        select ?1, ?2, 'Colleague', password_hash, 1 from users where email = ?3";
    system.workerd.sql(user, &[json!(id), json!(COLLEAGUE), json!(OWNER)]).await?;
    let membership = "insert into memberships (user_id, tenant_id, role, created_at)
        select ?1, m.tenant_id, 'viewer', 2 from memberships m join users u on u.id = m.user_id where u.email = ?2";
    system.workerd.sql(membership, &[json!(id), json!(OWNER)]).await?;
    Ok(id.to_owned())
}

/// Waits until the socket is closed for want of access, and says how long it took.
async fn closed_within(socket: &mut Socket, limit: Duration, whose: &str) -> anyhow::Result<Duration> {
    closed(socket, limit, ACCESS_ENDED, whose).await
}

/// The same, with this code.
async fn closed(
    socket: &mut Socket,
    limit: Duration,
    expected: u16,
    whose: &str,
) -> anyhow::Result<Duration> {
    let began = Instant::now();
    let code = timeout(limit, async {
        while let Some(message) = socket.next().await {
            match message {
                Ok(Message::Close(frame)) => return frame.map(|frame| u16::from(frame.code)),
                Ok(_) => {}
                Err(_) => return None,
            }
        }
        None
    });
    let code = code.await.with_context(|| format!("the socket {whose} is open after {limit:?}"))?;
    ensure!(code == Some(expected), "the socket {whose} was closed with {code:?}");
    Ok(began.elapsed())
}

/// Whoever asks too often is told so and when to come again; others are let in. So are clients without credentials, by their networks.
pub(crate) async fn rate_limit(system: &System) -> anyhow::Result<Outcome> {
    let (of_key, let_in) = (by_key(system).await?, by_network(system).await?);
    Ok(Outcome { note: format!("with a key {of_key}, without credentials {let_in}"), problems: vec![] })
}

/// Asks to be signed in, with nothing, from two addresses of one network, then from another.
async fn by_network(system: &System) -> anyhow::Result<String> {
    let from = async |address: &str| -> anyhow::Result<(u16, bool)> {
        let url = format!("{}/api/v1/auth/login", system.workerd.url());
        let response = client().post(url).header("cf-connecting-ip", address).send().await?;
        Ok((response.status().as_u16(), response.headers().contains_key("retry-after")))
    };
    let mut answers = Vec::new();
    for n in 0..=2 * REQUESTS_PER_MINUTE {
        answers.push(from(&format!("2001:db8:7:7::{n:x}")).await?);
    }
    let let_in = answers.iter().filter(|(status, _)| *status == 415).count();
    ensure!(let_in >= REQUESTS_PER_MINUTE as usize, "{let_in} strangers were let in");
    let refused = answers.iter().find(|(status, _)| *status != 415).context("no stranger was refused")?;
    ensure!(*refused == (429, true), "a stranger is refused with {refused:?}");
    let (status, _) = from("2001:db8:7:8::1").await?;
    ensure!(status == 415, "a stranger of another network is answered {status}");
    Ok(format!("{let_in} of {}", answers.len()))
}

async fn by_key(system: &System) -> anyhow::Result<String> {
    let mut answers = Vec::new();
    // A binding counts by the minute of the clock: of two quotas one is used up for certain.
    for _ in 0..=2 * REQUESTS_PER_MINUTE {
        answers.push(system.api.ask("GET", "/api/v1/calls", None).await?);
    }
    let let_in = answers.iter().filter(|(status, _)| *status == 200).count();
    ensure!(let_in >= REQUESTS_PER_MINUTE as usize, "{let_in} requests were let in");
    let refused = answers.iter().find(|(status, _)| *status != 200).context("nobody was refused")?;
    ensure!(refused.0 == 429 && refused.1["code"] == "rate_limited", "refused with {refused:?}");
    let stranger = system.other_tenant().await?;
    let (status, _) = stranger.ask("GET", "/api/v1/calls", None).await?;
    ensure!(status == 200, "another key is answered {status}");
    Ok(format!("{let_in} of {}", answers.len()))
}
