//! What strangers and broken senders do, over real sockets: the call lives or ends cleanly, and nothing is lost.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};
use voicecore_sim::twilio::sign;

use crate::cases::Outcome;
use crate::system::{ACCOUNT_SID, AUTH_TOKEN, CALLER, NUMBER, PUBLIC_URL, System};

/// The longest that the product may take to speak, or to hang up.
const ANSWER_LIMIT: Duration = Duration::from_secs(8);
/// Longer than any message of Twilio's.
const OVERSIZED: usize = 2 * 1024 * 1024;

type Socket = WebSocketStream<TcpStream>;
type Params = Vec<(String, String)>;
/// A name, and the messages that bear it.
type Frames = (&'static str, fn() -> Vec<Message>);

/// A call as Twilio would bring it in, without a Twilio.
struct Incoming {
    call_sid: String,
    url: String,
    token: String,
}

/// What is done to a media socket once the stream has begun.
const FRAMES: &[Frames] = &[
    ("malformed JSON", || vec![Message::text("{\"event\":\"media\",")]),
    ("no JSON", || vec![Message::text("hello")]),
    ("an empty message", || vec![Message::text("")]),
    ("an unknown event", || vec![Message::text(r#"{"event":"whisper","streamSid":"MZ1"}"#)]),
    ("a binary frame", || vec![Message::binary(vec![0; 160])]),
    ("an oversized message", || vec![Message::text("x".repeat(OVERSIZED))]),
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
    for (name, frames) in FRAMES {
        note(name, in_mid_call(system, frames()).await);
    }
    note("afterwards", afterwards(system).await);
    Ok(Outcome { note: format!("{done} kinds"), problems })
}

fn params(call_sid: &str, to: &str, status: &str) -> Params {
    let fixed = [
        ("AccountSid", ACCOUNT_SID),
        ("ApiVersion", "2010-04-01"),
        ("CallSid", call_sid),
        ("CallStatus", status),
        ("Called", to),
        ("Caller", CALLER),
        ("Direction", "inbound"),
        ("From", CALLER),
        ("To", to),
    ];
    fixed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

async fn post(
    system: &System,
    path: &str,
    params: &Params,
    signature: Option<String>,
) -> anyhow::Result<(u16, String)> {
    let mut request = reqwest::Client::new().post(format!("{}{path}", system.workerd.url())).form(params);
    if let Some(signature) = signature {
        request = request.header("x-twilio-signature", signature);
    }
    let response = request.send().await?;
    Ok((response.status().as_u16(), response.text().await?))
}

fn signed(path: &str, params: &Params) -> String {
    sign(AUTH_TOKEN, &format!("{PUBLIC_URL}{path}"), params)
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

/// Brings a call in, up to the TwiML that names its media socket.
async fn incoming(system: &System) -> anyhow::Result<Incoming> {
    let call_sid = next_sid();
    let form = params(&call_sid, NUMBER, "ringing");
    let path = "/webhooks/twilio/voice";
    let (status, body) = post(system, path, &form, Some(signed(path, &form))).await?;
    ensure!(status == 200, "the voice webhook answered {status}");
    let document = roxmltree::Document::parse(&body)?;
    let attribute = |tag: &str, name: &str| {
        let node = document.descendants().find(|node| node.has_tag_name(tag))?;
        node.attribute(name).map(str::to_owned)
    };
    let url = attribute("Stream", "url").with_context(|| format!("no stream in {body}"))?;
    let token = attribute("Parameter", "value").context("no token")?;
    Ok(Incoming { call_sid, url, token })
}

/// Opens the media socket; the error is the HTTP status with which it was refused.
async fn open(system: &System, url: &str, signature: Option<String>) -> anyhow::Result<Result<Socket, u16>> {
    let authority = system.workerd.url().trim_start_matches("http://").to_owned();
    let path =
        url.strip_prefix("wss://voicecore.example.com").context("the stream's host is not PUBLIC_URL's")?;
    let mut request = format!("ws://{authority}{path}").into_client_request()?;
    if let Some(signature) = signature {
        request.headers_mut().insert("x-twilio-signature", signature.parse()?);
    }
    let stream = TcpStream::connect(&authority).await?;
    match tokio_tungstenite::client_async(request, stream).await {
        Ok((socket, _)) => Ok(Ok(socket)),
        Err(WsError::Http(response)) => Ok(Err(response.status().as_u16())),
        Err(error) => Err(error.into()),
    }
}

async fn open_signed(system: &System, call: &Incoming) -> anyhow::Result<Socket> {
    let signature = sign(AUTH_TOKEN, &call.url, &[]);
    let opened = open(system, &call.url, Some(signature)).await?;
    opened.map_err(|status| anyhow::anyhow!("the media socket was refused with {status}"))
}

fn start(call_sid: &str, token: &str) -> String {
    json!({"event": "start", "sequenceNumber": "1", "streamSid": "MZ1", "start": {
        "accountSid": ACCOUNT_SID, "callSid": call_sid, "streamSid": "MZ1", "tracks": ["inbound"],
        "customParameters": {"token": token},
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}}})
    .to_string()
}

const CONNECTED: &str = r#"{"event":"connected","protocol":"Call","version":"1.0.0"}"#;

async fn begin(socket: &mut Socket, call: &Incoming) -> anyhow::Result<()> {
    socket.send(Message::text(CONNECTED)).await?;
    socket.send(Message::text(start(&call.call_sid, &call.token))).await?;
    Ok(())
}

/// What the other side does next: speaks (`true`) or hangs up (`false`).
async fn speaks(socket: &mut Socket) -> anyhow::Result<bool> {
    let next = async {
        while let Some(message) = socket.next().await {
            match message {
                Ok(Message::Text(text)) if text.contains("\"media\"") => return true,
                Ok(Message::Close(_)) | Err(_) => return false,
                Ok(_) => {}
            }
        }
        false
    };
    timeout(ANSWER_LIMIT, next).await.context("neither speech nor an end")
}

/// Tells that the call is over, and expects the product to have it, with a transcript.
async fn ends_cleanly(system: &System, call: &Incoming) -> anyhow::Result<()> {
    let path = "/webhooks/twilio/status";
    let mut form = params(&call.call_sid, NUMBER, "completed");
    form.push(("CallDuration".into(), "5".into()));
    let (status, _) = post(system, path, &form, Some(signed(path, &form))).await?;
    ensure!((200..300).contains(&status), "the status callback answered {status}");
    let (stored, _) = system.api.finished(&call.call_sid).await?;
    ensure!(stored.status == "completed", "its status is {}", stored.status);
    Ok(())
}

async fn upgrades(system: &System) -> anyhow::Result<()> {
    let call = incoming(system).await?;
    let https = call.url.replacen("wss://", "https://", 1);
    for (what, signature) in [
        ("no signature", None),
        ("another token's", Some(sign("another", &call.url, &[]))),
        ("one for https", Some(sign(AUTH_TOKEN, &https.replace("/media/", "/other/"), &[]))),
    ] {
        let opened = open(system, &call.url, signature).await?;
        ensure!(opened.err() == Some(403), "a socket was opened with {what}");
    }
    ends_cleanly(system, &call).await
}

/// Media before the start, and a start that never comes.
async fn wrong_order(system: &System) -> anyhow::Result<()> {
    let call = incoming(system).await?;
    let mut socket = open_signed(system, &call).await?;
    let media = r#"{"event":"media","sequenceNumber":"2","streamSid":"MZ1","media":{"track":"inbound","chunk":"1","timestamp":"0","payload":"/w=="}}"#;
    socket.send(Message::text(media)).await?;
    // Lives (and begins when the start does come) or is closed: both are clean.
    if begin(&mut socket, &call).await.is_ok() {
        speaks(&mut socket).await?;
    }
    drop(socket);
    ends_cleanly(system, &call).await
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
    ensure!(speaks(&mut socket).await?, "the right token was refused after wrong ones");
    drop(socket);
    ends_cleanly(system, &call).await
}

/// A second socket with a token that is in use: refused, and the first one goes on.
async fn second_socket(system: &System) -> anyhow::Result<()> {
    let call = incoming(system).await?;
    let mut first = open_signed(system, &call).await?;
    begin(&mut first, &call).await?;
    ensure!(speaks(&mut first).await?, "the first socket hears nothing");
    let mut second = open_signed(system, &call).await?;
    begin(&mut second, &call).await?;
    ensure!(!speaks(&mut second).await?, "a used token opened a second stream");
    ensure!(speaks(&mut first).await?, "the first stream ended with the second socket");
    drop((first, second));
    ends_cleanly(system, &call).await
}

/// The frames come while the assistant speaks: it goes on, or the call ends cleanly.
async fn in_mid_call(system: &System, frames: Vec<Message>) -> anyhow::Result<()> {
    let call = incoming(system).await?;
    let mut socket = open_signed(system, &call).await?;
    begin(&mut socket, &call).await?;
    ensure!(speaks(&mut socket).await?, "the call never began");
    for frame in frames {
        // The product may have closed already; that is for `ends_cleanly` to judge.
        drop(socket.send(frame).await);
    }
    speaks(&mut socket).await?;
    drop(socket);
    ends_cleanly(system, &call).await
}

/// A name for one more call.
fn next_sid() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("CA{:032x}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The worker is well after all of this.
async fn afterwards(system: &System) -> anyhow::Result<()> {
    let health = reqwest::get(format!("{}/health", system.workerd.url())).await?;
    ensure!(health.status().is_success(), "/health answers {}", health.status());
    ensure!(system.workerd.starts() == 1, "workerd died");
    let call = incoming(system).await?;
    let mut socket = open_signed(system, &call).await?;
    begin(&mut socket, &call).await?;
    ensure!(speaks(&mut socket).await?, "no call can be made any more");
    drop(socket);
    ends_cleanly(system, &call).await
}
