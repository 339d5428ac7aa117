//! The machine's floor: a Rust relay that only copies frames between the two sockets.
//!
//! It answers the webhook with TwiML, opens the model when the stream starts, and rewraps payloads. No ledger, no
//! truncation, no journal, no tenants: it says what two sockets and a copy cost on this machine, nothing more.

use std::time::Duration;

use anyhow::Context as _;
use futures_util::{SinkExt as _, StreamExt as _};
use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;

use crate::socket_config;

/// Serves on `port` until killed; the model listens at `model_port`.
pub(crate) async fn serve(port: u16, model_port: u16) -> anyhow::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await.context("relay port")?;
    loop {
        let (tcp, _) = listener.accept().await?;
        tcp.set_nodelay(true)?;
        tokio::spawn(async move {
            // A connection that fails shows in the figures as frames lost.
            let _ = connection(tcp, port, model_port).await;
        });
    }
}

async fn connection(mut tcp: TcpStream, port: u16, model_port: u16) -> anyhow::Result<()> {
    let mut head = [0; 4];
    tcp.peek(&mut head).await?;
    if &head == b"POST" {
        let mut request = vec![0; 4_096];
        let _ = tcp.read(&mut request).await?;
        let body = format!(
            r#"<?xml version="1.0" encoding="UTF-8"?><Response><Connect><Stream url="wss://127.0.0.1:{port}/media"/></Connect></Response>"#
        );
        let response = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        tcp.write_all(response.as_bytes()).await?;
        // The other side reads by length and closes.
        let _ = tokio::time::timeout(Duration::from_secs(1), tcp.read(&mut request)).await;
        return Ok(());
    }
    copy(tcp, model_port).await
}

#[derive(Deserialize)]
struct Frame<'a> {
    event: &'a str,
    #[serde(rename = "streamSid")]
    stream_sid: Option<&'a str>,
    #[serde(borrow)]
    media: Option<Payload<'a>>,
}
#[derive(Deserialize)]
struct Payload<'a> {
    payload: &'a str,
}
#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    delta: Option<&'a str>,
}

async fn copy(tcp: TcpStream, model_port: u16) -> anyhow::Result<()> {
    let mut carrier = tokio_tungstenite::accept_async_with_config(tcp, Some(socket_config())).await?;
    let model = TcpStream::connect(("127.0.0.1", model_port)).await?;
    model.set_nodelay(true)?;
    let url = format!("ws://127.0.0.1:{model_port}/v1/realtime?model=gpt-realtime");
    let (mut model, _) =
        tokio_tungstenite::client_async_with_config(url, model, Some(socket_config())).await?;
    model.send(Message::text(r#"{"type":"session.update","session":{"type":"realtime"}}"#)).await?;
    let mut stream_sid = String::new();
    loop {
        tokio::select! {
            message = carrier.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    let frame: Frame<'_> = serde_json::from_str(&text)?;
                    match (frame.event, frame.media) {
                        ("media", Some(media)) => {
                            model.send(Message::text(format!(r#"{{"type":"input_audio_buffer.append","audio":"{}"}}"#, media.payload))).await?;
                        }
                        ("start", _) => frame.stream_sid.unwrap_or_default().clone_into(&mut stream_sid),
                        ("stop", _) => break,
                        _ => {}
                    }
                }
                Some(Ok(_)) => {}
                _ => break,
            },
            message = model.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    let event: Event<'_> = serde_json::from_str(&text)?;
                    if let ("response.output_audio.delta", Some(delta)) = (event.kind, event.delta) {
                        carrier.send(Message::text(format!(r#"{{"event":"media","streamSid":"{stream_sid}","media":{{"payload":"{delta}"}}}}"#))).await?;
                    }
                }
                Some(Ok(_)) => {}
                _ => break,
            },
        }
    }
    let _ = model.close(None).await;
    let _ = carrier.close(None).await;
    Ok(())
}
