//! Twilio's side of one call by hand, for what the simulator would never do: signed webhooks and a bare media socket.

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

use crate::api::client;
use crate::system::{ACCOUNT_SID, AUTH_TOKEN, CALLER, NUMBER, PUBLIC_URL, System};

/// The longest that the product may take to speak, or to hang up.
const ANSWER_LIMIT: Duration = Duration::from_secs(8);

/// Enough speech to make out words: a second of µ-law.
const HEARD_BYTES: usize = 8_000;

/// A socket without TLS.
pub(crate) type Socket = WebSocketStream<TcpStream>;
/// The form of a webhook.
pub(crate) type Params = Vec<(String, String)>;

/// A call as Twilio would bring it in, without a Twilio.
pub(crate) struct Incoming {
    pub(crate) call_sid: String,
    pub(crate) url: String,
    pub(crate) token: String,
}

/// Parameters of a webhook.
pub(crate) fn params(call_sid: &str, to: &str, status: &str) -> Params {
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

/// Sends a webhook; gives status and body of the answer.
pub(crate) async fn post(
    system: &System,
    path: &str,
    params: &Params,
    signature: Option<String>,
) -> anyhow::Result<(u16, String)> {
    let mut request = client().post(format!("{}{path}", system.workerd.url())).form(params);
    if let Some(signature) = signature {
        request = request.header("x-twilio-signature", signature);
    }
    let response = request.send().await?;
    Ok((response.status().as_u16(), response.text().await?))
}

/// Twilio's signature of a webhook.
pub(crate) fn signed(path: &str, params: &Params) -> String {
    sign(AUTH_TOKEN, &format!("{PUBLIC_URL}{path}"), params)
}

/// Brings a call in, up to the TwiML that names its media socket.
pub(crate) async fn incoming(system: &System) -> anyhow::Result<Incoming> {
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
pub(crate) async fn open(
    system: &System,
    url: &str,
    signature: Option<String>,
) -> anyhow::Result<Result<Socket, u16>> {
    let path =
        url.strip_prefix("wss://voicecore.example.com").context("the stream's host is not PUBLIC_URL's")?;
    upgrade(system, path, signature).await
}

/// Opens a socket at a path of the worker; the error is the HTTP status with which it was refused.
pub(crate) async fn upgrade(
    system: &System,
    path: &str,
    signature: Option<String>,
) -> anyhow::Result<Result<Socket, u16>> {
    let authority = system.workerd.url().trim_start_matches("http://").to_owned();
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

/// Opens the media socket as Twilio does.
pub(crate) async fn open_signed(system: &System, call: &Incoming) -> anyhow::Result<Socket> {
    let signature = sign(AUTH_TOKEN, &call.url, &[]);
    let opened = open(system, &call.url, Some(signature)).await?;
    opened.map_err(|status| anyhow::anyhow!("the media socket was refused with {status}"))
}

/// The second message of a stream.
pub(crate) fn start(call_sid: &str, token: &str) -> String {
    json!({"event": "start", "sequenceNumber": "1", "streamSid": "MZ1", "start": {
        "accountSid": ACCOUNT_SID, "callSid": call_sid, "streamSid": "MZ1", "tracks": ["inbound"],
        "customParameters": {"token": token},
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}}})
    .to_string()
}

const CONNECTED: &str = r#"{"event":"connected","protocol":"Call","version":"1.0.0"}"#;

/// Sends what a stream begins with.
pub(crate) async fn begin(socket: &mut Socket, call: &Incoming) -> anyhow::Result<()> {
    socket.send(Message::text(CONNECTED)).await?;
    socket.send(Message::text(start(&call.call_sid, &call.token))).await?;
    Ok(())
}

/// What the other side does next: speaks (`true`) or hangs up (`false`).
pub(crate) async fn speaks(socket: &mut Socket) -> anyhow::Result<bool> {
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

/// Plays what the other side says, with the marks that tell it so: the caller has heard [`HEARD_BYTES`] (`true`), or it
/// hangs up before (`false`).
pub(crate) async fn hears(socket: &mut Socket) -> anyhow::Result<bool> {
    let play = async {
        let mut played = 0;
        while let Some(Ok(message)) = socket.next().await {
            let Message::Text(text) = message else { continue };
            let event: serde_json::Value = serde_json::from_str(&text)?;
            if let Some(payload) = event["media"]["payload"].as_str() {
                played += payload.len() / 4 * 3;
            } else if event["event"] == "mark" {
                socket.send(Message::text(event.to_string())).await?;
                if played >= HEARD_BYTES {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    };
    timeout(ANSWER_LIMIT, play).await.context("neither speech nor an end")?
}

/// Closes the socket as Twilio does: what was sent before is read.
pub(crate) async fn leave(mut socket: Socket) -> anyhow::Result<()> {
    socket.close(None).await?;
    closed(&mut socket).await.map(drop)
}

/// Brings a call in and lets it begin: the assistant has begun to speak.
pub(crate) async fn talking(system: &System) -> anyhow::Result<(Incoming, Socket)> {
    let call = incoming(system).await?;
    let mut socket = open_signed(system, &call).await?;
    begin(&mut socket, &call).await?;
    ensure!(speaks(&mut socket).await?, "the call never began");
    Ok((call, socket))
}

/// Reads until the other side closes the socket; gives the code that it closes with (RFC 6455, 7.4.1).
pub(crate) async fn closed(socket: &mut Socket) -> anyhow::Result<Option<u16>> {
    let end = async {
        while let Some(message) = socket.next().await {
            match message {
                Ok(Message::Close(frame)) => return frame.map(|frame| frame.code.into()),
                Ok(_) => {}
                Err(_) => return None,
            }
        }
        None
    };
    timeout(ANSWER_LIMIT, end).await.context("the socket was not closed")
}

/// What a call must have come to that was told to be over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Held {
    /// The assistant spoke, and its transcript says so.
    Conversation,
    /// No stream ever began.
    Nothing,
}

/// Tells that the call is over, and expects the product to have it whole: ended by its caller, with a transcript.
pub(crate) async fn ends_cleanly(system: &System, call: &Incoming, held: Held) -> anyhow::Result<()> {
    let path = "/webhooks/twilio/status";
    let mut form = params(&call.call_sid, NUMBER, "completed");
    form.push(("CallDuration".into(), "5".into()));
    let (status, _) = post(system, path, &form, Some(signed(path, &form))).await?;
    ensure!((200..300).contains(&status), "the status callback answered {status}");
    let (stored, transcript) = system.api.finished(&call.call_sid).await?;
    ensure!(stored.status == "completed", "its status is {}", stored.status);
    let reason = stored.end_reason.as_deref().unwrap_or_default();
    ensure!(reason == "caller_hung_up", "it ended as {reason:?}");
    let spoke = transcript.iter().any(|entry| entry.speaker == "assistant");
    ensure!(spoke == (held == Held::Conversation), "its transcript is {transcript:?}");
    Ok(())
}

/// A name for one more call.
pub(crate) fn next_sid() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("CA{:032x}", NEXT.fetch_add(1, Ordering::Relaxed))
}
