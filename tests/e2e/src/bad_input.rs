//! What strangers and broken senders do, over real sockets: the call lives or ends cleanly, and nothing is lost.

use anyhow::ensure;
use futures_util::SinkExt as _;
use tokio_tungstenite::tungstenite::Message;
use voicecore_sim::twilio::sign;

use crate::carrier::{
    Held, Incoming, begin, closed, ends_cleanly, hears, incoming, leave, next_sid, open, open_signed, params,
    post, signed, speaks, start, talking,
};
use crate::cases::Outcome;
use crate::system::{AUTH_TOKEN, NUMBER, PUBLIC_URL, System};

/// Longer than any message of Twilio's.
const OVERSIZED: usize = 2 * 1024 * 1024;
/// A message is larger than the other side takes (RFC 6455, 7.4.1).
const TOO_BIG: u16 = 1009;

/// A name, and the messages that bear it.
type Frames = (&'static str, fn() -> Vec<Message>);

/// What is done to a media socket once the stream has begun.
const FRAMES: &[Frames] = &[
    ("malformed JSON", || vec![Message::text("{\"event\":\"media\",")]),
    ("no JSON", || vec![Message::text("hello")]),
    ("an empty message", || vec![Message::text("")]),
    ("an unknown event", || vec![Message::text(r#"{"event":"whisper","streamSid":"MZ1"}"#)]),
    ("a binary frame", || vec![Message::binary(vec![0; 160])]),
    ("a payload that is not Base64", || {
        vec![Message::text(
            r#"{"event":"media","streamSid":"MZ1","media":{"track":"inbound","chunk":"1","timestamp":"0","payload":"!!"}}"#,
        )]
    }),
    ("numbers out of range", || {
        vec![Message::text(
            r#"{"event":"media","sequenceNumber":"-1","streamSid":"MZ1","media":{"track":"inbound","chunk":"99999999999999999999","timestamp":"1e9","payload":"/w=="}}"#,
        )]
    }),
    ("a mark that was never sent", || {
        vec![Message::text(
            r#"{"event":"mark","sequenceNumber":"9","streamSid":"MZ1","mark":{"name":"g9:9:9"}}"#,
        )]
    }),
    ("a second start", || vec![Message::text(start(&next_sid(), "another token"))]),
];

/// Runs the suite.
pub(crate) async fn run(system: &System) -> anyhow::Result<Outcome> {
    let mut problems = Vec::new();
    let mut done = 0;
    let mut note = |name: &str, result: anyhow::Result<()>| {
        done += 1;
        if let Err(error) = result {
            problems.push(format!("{name}: {error:#}"));
        }
    };
    note("webhooks", webhooks(system).await);
    note("unknown number", unknown_number(system).await);
    note("media upgrades", upgrades(system).await);
    note("wrong order", wrong_order(system).await);
    note("wrong token", wrong_token(system).await);
    note("second socket", second_socket(system).await);
    note("oversized messages", oversized(system).await);
    for (name, frames) in FRAMES {
        note(name, in_mid_call(system, frames()).await);
    }
    note("afterwards", afterwards(system).await);
    Ok(Outcome { note: format!("{done} kinds"), problems })
}

async fn webhooks(system: &System) -> anyhow::Result<()> {
    let paths = [
        "voice",
        "status",
        "stream-status?call=1",
        "stream-ended?call=1",
        "dial-ended?call=1",
        "voicemail?call=1",
        "fallback",
    ];
    for path in paths.map(|path| format!("/webhooks/twilio/{path}")) {
        let form = params(&next_sid(), NUMBER, "ringing");
        for (what, signature) in [
            ("no signature", None),
            ("an empty signature", Some(String::new())),
            ("a signature with another token", Some(sign("another", &format!("{PUBLIC_URL}{path}"), &form))),
            ("a signature of other parameters", Some(signed(&path, &params(&next_sid(), NUMBER, "ringing")))),
            ("a signature of another URL", Some(signed("/webhooks/twilio/other", &form))),
        ] {
            let (status, _) = post(system, &path, &form, signature).await?;
            ensure!(status == 403, "{path} with {what}: {status}, not 403");
        }
    }
    Ok(())
}

async fn unknown_number(system: &System) -> anyhow::Result<()> {
    for to in ["+12025550155", "anonymous", "", "+999", "sip:someone@example.com"] {
        let form = params(&next_sid(), to, "ringing");
        let (status, body) =
            post(system, "/webhooks/twilio/voice", &form, Some(signed("/webhooks/twilio/voice", &form)))
                .await?;
        ensure!(status == 200 && body.contains("<Say"), "To={to:?}: {status} {body}");
        ensure!(!body.contains("<Connect"), "To={to:?} was connected");
    }
    Ok(())
}

async fn upgrades(system: &System) -> anyhow::Result<()> {
    let call = incoming(system).await?;
    let https = call.url.replacen("wss://", "https://", 1);
    for (what, signature) in [
        ("no signature", None),
        ("another token's", Some(sign("another", &call.url, &[]))),
        ("one for https", Some(sign(AUTH_TOKEN, &https, &[]))),
        ("one for another path", Some(sign(AUTH_TOKEN, &call.url.replace("/media/", "/other/"), &[]))),
    ] {
        let opened = open(system, &call.url, signature).await?;
        ensure!(opened.err() == Some(403), "a socket was opened with {what}");
    }
    ends_cleanly(system, &call, Held::Nothing).await
}

/// Media before the start, and a start that never comes.
async fn wrong_order(system: &System) -> anyhow::Result<()> {
    let call = incoming(system).await?;
    let mut socket = open_signed(system, &call).await?;
    let media = r#"{"event":"media","sequenceNumber":"2","streamSid":"MZ1","media":{"track":"inbound","chunk":"1","timestamp":"0","payload":"/w=="}}"#;
    socket.send(Message::text(media)).await?;
    begin(&mut socket, &call).await?;
    ensure!(hears(&mut socket).await?, "media before the start kept the call from beginning");
    leave(socket).await?;
    ends_cleanly(system, &call, Held::Conversation).await
}

async fn wrong_token(system: &System) -> anyhow::Result<()> {
    let call = incoming(system).await?;
    for token in ["", "wrong", &"x".repeat(400)] {
        let mut socket = open_signed(system, &call).await?;
        let forged =
            Incoming { call_sid: call.call_sid.clone(), url: call.url.clone(), token: token.to_owned() };
        begin(&mut socket, &forged).await?;
        ensure!(!speaks(&mut socket).await?, "a stream began with the token {token:?}");
    }
    // The right one still opens the call.
    let mut socket = open_signed(system, &call).await?;
    begin(&mut socket, &call).await?;
    ensure!(hears(&mut socket).await?, "the right token was refused after wrong ones");
    leave(socket).await?;
    ends_cleanly(system, &call, Held::Conversation).await
}

/// A second socket with a token that is in use: refused, and the first one goes on.
async fn second_socket(system: &System) -> anyhow::Result<()> {
    let call = incoming(system).await?;
    let mut first = open_signed(system, &call).await?;
    begin(&mut first, &call).await?;
    ensure!(hears(&mut first).await?, "the first socket hears nothing");
    let mut second = open_signed(system, &call).await?;
    begin(&mut second, &call).await?;
    ensure!(!speaks(&mut second).await?, "a used token opened a second stream");
    ensure!(hears(&mut first).await?, "the first stream ended with the second socket");
    leave(first).await?;
    ends_cleanly(system, &call, Held::Conversation).await
}

/// A message that no honest carrier sends, before the start and after it: the socket is closed with 1009 (too big), and the
/// call goes on with the next one.
async fn oversized(system: &System) -> anyhow::Result<()> {
    let too_long = || Message::text("x".repeat(OVERSIZED));
    let call = incoming(system).await?;
    let mut early = open_signed(system, &call).await?;
    early.send(too_long()).await?;
    let code = closed(&mut early).await?;
    ensure!(code == Some(TOO_BIG), "before the start it is closed with {code:?}");
    let mut socket = open_signed(system, &call).await?;
    begin(&mut socket, &call).await?;
    ensure!(hears(&mut socket).await?, "no stream began after an oversized message");
    socket.send(too_long()).await?;
    let code = closed(&mut socket).await?;
    ensure!(code == Some(TOO_BIG), "in mid-call it is closed with {code:?}");
    ends_cleanly(system, &call, Held::Conversation).await
}

/// The frames come while the assistant speaks: it goes on.
async fn in_mid_call(system: &System, frames: Vec<Message>) -> anyhow::Result<()> {
    let (call, mut socket) = talking(system).await?;
    for frame in frames {
        socket.send(frame).await?;
    }
    ensure!(hears(&mut socket).await?, "the stream ended");
    leave(socket).await?;
    ends_cleanly(system, &call, Held::Conversation).await
}

/// The worker is well after all of this.
async fn afterwards(system: &System) -> anyhow::Result<()> {
    let health = reqwest::get(format!("{}/health", system.workerd.url())).await?;
    ensure!(health.status().is_success(), "/health answers {}", health.status());
    ensure!(system.workerd.starts() == 1, "workerd died");
    let call = incoming(system).await?;
    let mut socket = open_signed(system, &call).await?;
    begin(&mut socket, &call).await?;
    ensure!(hears(&mut socket).await?, "no call can be made any more");
    leave(socket).await?;
    ends_cleanly(system, &call, Held::Conversation).await
}
