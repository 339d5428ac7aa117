//! One caller: rings, opens the media stream, speaks a tagged frame every 20 ms and plays what comes.

use std::rc::Rc;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::{SinkExt as _, StreamExt as _};
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use super::http::{ring, signature};
use super::tag::{BLOCK_MS, Tag, decode, encode};
use super::{Run, http};
use crate::clock::{at, micros};
use crate::socket_config;

const FRAME_MICROS: u64 = BLOCK_MS * 1_000;
/// How long a caller still listens when the run is over.
const DRAIN_MICROS: u64 = 700_000;

/// Lives through call number `call`; a failure is noted in the samples.
pub(crate) async fn call(run: Rc<Run>, call: u16) {
    if let Err(error) = lived(&run, call).await {
        run.samples.borrow_mut().error(format!("call {call}: {error:#}"));
    }
}

async fn lived(run: &Rc<Run>, call: u16) -> anyhow::Result<()> {
    let call_sid = format!("CA{:08x}{:016x}{:08x}", std::process::id(), micros(), call);
    let asked = micros();
    let stream = ring(&run.config, &call_sid).await?;
    run.samples.borrow_mut().webhook.push((micros() - asked) as f64 / 1_000.0);
    let mut socket = connect(run, &stream).await?;
    let stream_sid = format!("MZ{}", &call_sid[2..]);
    let parameters: serde_json::Map<_, _> =
        stream.parameters.into_iter().map(|(name, value)| (name, value.into())).collect();
    socket.send(Message::text(r#"{"event":"connected","protocol":"Call","version":"1.0.0"}"#)).await?;
    let start = serde_json::json!({"event":"start","sequenceNumber":"1","streamSid":stream_sid,"start":{
        "streamSid":stream_sid,"accountSid":run.config.account_sid,"callSid":call_sid,"tracks":["inbound"],
        "customParameters":parameters,"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1}}});
    socket.send(Message::text(start.to_string())).await?;
    run.connected.set(run.connected.get() + 1);
    talk(run, call, &mut socket, &stream_sid, &call_sid).await
}

async fn connect(run: &Run, stream: &http::Stream) -> anyhow::Result<WebSocketStream<TcpStream>> {
    let tcp = TcpStream::connect(&run.config.app).await?;
    tcp.set_nodelay(true)?;
    let mut request = format!("ws://{}{}", run.config.app, stream.path).into_client_request()?;
    let signed = signature(&run.config.auth_token, &stream.url, &[]);
    request.headers_mut().insert("X-Twilio-Signature", signed.parse()?);
    let (socket, _) = tokio_tungstenite::client_async_with_config(request, tcp, Some(socket_config()))
        .await
        .context("media upgrade")?;
    Ok(socket)
}

async fn talk(
    run: &Rc<Run>,
    call: u16,
    socket: &mut WebSocketStream<TcpStream>,
    stream_sid: &str,
    call_sid: &str,
) -> anyhow::Result<()> {
    let begin = micros();
    let mut frames: u32 = 0;
    let mut sequence: u64 = 1;
    loop {
        let due = begin + u64::from(frames) * FRAME_MICROS;
        tokio::select! {
            biased;
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    for mark in received(run, call, &text)? {
                        sequence += 1;
                        echo(socket, stream_sid, sequence, &mark).await?;
                    }
                }
                Some(Ok(Message::Close(_))) | None => anyhow::bail!("the subject closed the media socket"),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
            },
            () = tokio::time::sleep_until(at(due)) => {
                if run.stopping.get() {
                    break;
                }
                sequence += 1;
                frame(run, call, socket, stream_sid, frames, sequence, due).await?;
                frames += 1;
                let marks = run.ends[usize::from(call)].playback.borrow_mut().tick();
                for mark in marks {
                    sequence += 1;
                    echo(socket, stream_sid, sequence, &mark).await?;
                }
            }
        }
    }
    // What is under way may still arrive before it counts as lost.
    let until = at(micros() + DRAIN_MICROS);
    while let Ok(Some(Ok(message))) = tokio::time::timeout_at(until, socket.next()).await {
        if let Message::Text(text) = message {
            received(run, call, &text)?;
        }
    }
    let stop = format!(
        r#"{{"event":"stop","sequenceNumber":"{}","streamSid":"{stream_sid}","stop":{{"accountSid":"{}","callSid":"{call_sid}"}}}}"#,
        sequence + 1,
        run.config.account_sid
    );
    socket.send(Message::text(stop)).await?;
    let _ = tokio::time::timeout(Duration::from_secs(1), socket.close(None)).await;
    Ok(())
}

async fn frame(
    run: &Rc<Run>,
    call: u16,
    socket: &mut WebSocketStream<TcpStream>,
    stream_sid: &str,
    number: u32,
    sequence: u64,
    due: u64,
) -> anyhow::Result<()> {
    let payload = encode(Tag { call, item: 0, block: number }, 1);
    let text = format!(
        r#"{{"event":"media","sequenceNumber":"{sequence}","streamSid":"{stream_sid}","media":{{"track":"inbound","chunk":"{}","timestamp":"{}","payload":"{payload}"}}}}"#,
        number + 1,
        u64::from(number) * BLOCK_MS,
    );
    let now = micros();
    run.ends[usize::from(call)].caller_sent.borrow_mut().push(now);
    if run.measuring.get() {
        run.samples.borrow_mut().lateness.push(now.saturating_sub(due) as f64 / 1_000.0);
    }
    Ok(socket.send(Message::text(text)).await?)
}

async fn echo(
    socket: &mut WebSocketStream<TcpStream>,
    stream_sid: &str,
    sequence: u64,
    mark: &str,
) -> anyhow::Result<()> {
    let name = serde_json::to_string(mark)?;
    let text = format!(
        r#"{{"event":"mark","sequenceNumber":"{sequence}","streamSid":"{stream_sid}","mark":{{"name":{name}}}}}"#
    );
    Ok(socket.send(Message::text(text)).await?)
}

#[derive(Deserialize)]
struct FromSubject<'a> {
    event: &'a str,
    #[serde(borrow)]
    media: Option<Media<'a>>,
    mark: Option<Mark>,
}
#[derive(Deserialize)]
struct Media<'a> {
    payload: &'a str,
}
#[derive(Deserialize)]
struct Mark {
    name: String,
}

/// Takes a message of the subject; the marks to echo at once.
fn received(run: &Rc<Run>, call: u16, text: &str) -> anyhow::Result<Vec<String>> {
    let now = micros();
    let message: FromSubject<'_> = serde_json::from_str(text)?;
    let ends = &run.ends[usize::from(call)];
    match message.event {
        "media" => {
            let (tags, _) = decode(message.media.context("media without media")?.payload);
            arrived(run, call, &tags, now);
            ends.playback.borrow_mut().push(tags);
            Ok(vec![])
        }
        "mark" => Ok(ends.playback.borrow_mut().mark(message.mark.context("mark without mark")?.name)),
        "clear" => {
            cleared(run, call, now);
            Ok(ends.playback.borrow_mut().clear())
        }
        other => anyhow::bail!("unexpected event {other}"),
    }
}

/// Notes latency, and audio of an utterance that was already cut off.
fn arrived(run: &Rc<Run>, call: u16, tags: &[Option<Tag>], now: u64) {
    let ends = &run.ends[usize::from(call)];
    let mut samples = run.samples.borrow_mut();
    let mut first = true;
    for tag in tags.iter().flatten() {
        *ends.model_seen.borrow_mut().entry(tag.item).or_default() += 1;
        let cut = ends.cut.borrow();
        if cut.get(&tag.item).is_some_and(|cut| cut.heard_ms.is_some()) {
            samples.after_clear += 1;
        }
        let sent =
            ends.model_sent.borrow().get(&tag.item).and_then(|sent| sent.get(tag.block as usize).copied());
        if let (true, true, Some(sent)) = (first, run.measuring.get(), sent) {
            samples.to_carrier.push(now.saturating_sub(sent) as f64 / 1_000.0);
        }
        first = false;
    }
}

fn cleared(run: &Rc<Run>, call: u16, now: u64) {
    let ends = &run.ends[usize::from(call)];
    let mut settled = vec![];
    for (item, cut) in ends.cut.borrow_mut().iter_mut().filter(|(_, cut)| cut.heard_ms.is_none()) {
        cut.heard_ms = Some(ends.playback.borrow().heard(*item));
        if run.measuring.get() {
            run.samples.borrow_mut().barge_in.push(now.saturating_sub(cut.spoke_at) as f64 / 1_000.0);
        }
        settled.push(*item);
    }
    for item in settled {
        run.settle(call, item);
    }
}
