//! `<Connect><Stream>`: the media socket to the product.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

use super::account::{Account, new_sid};
use super::engine::{Engine, Interrupt, StreamEvent};
use super::frames::{FromApp, MAX_MESSAGE_BYTES, Writer, read};
use super::line::LineTick;
use super::network::Way;
use super::playback::MarkDue;
use super::report::{Event, Stream, StreamEnd};
use super::signature::sign;
use super::twiml::Connect;
use crate::registry::UtteranceId;
use crate::scenario::Platform;
use crate::whereabouts::HEADERS;

/// The longest that the product may take to accept the socket.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);
/// The longest that a message may wait for room in the socket.
const SEND_LIMIT: Duration = Duration::from_secs(5);
/// The longest that the product may take to answer a close.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);

type Socket = WebSocketStream<TcpStream>;

/// An open media socket.
struct Media {
    socket: Socket,
    writer: Writer,
    record: Stream,
    /// On its way to the product.
    outbound: Way<Outbound>,
    /// On its way to Twilio.
    inbound: Way<Inbound>,
    /// The socket has said its last; what it said may still be on its way.
    silent: bool,
    /// Frames of silence so far, by which those are chosen that get lost.
    silence: u32,
}

/// A message to the product, with the frame of an utterance that is in it.
type Outbound = (String, Option<(UtteranceId, u32)>);
/// What the product's end of the socket says.
type Inbound = Option<Result<Message, WsError>>;

/// Directions, as seeds of their jitter.
const TO_PRODUCT: u64 = 1;
const TO_TWILIO: u64 = 2;

impl Engine {
    /// Runs a media stream to its end. `Ok` when the call goes on with the `<Connect>`'s action or the next verb.
    pub(super) async fn stream(&mut self, connect: &Connect) -> Result<(), Interrupt> {
        let stream_sid = new_sid("MZ");
        let socket = match self.during(open(self.account.clone(), connect.url.clone())).await? {
            Ok(socket) => socket,
            Err(error) => {
                if let OpenError::Refused(_) = error {
                    self.line.violation("stream_refused", error.to_string());
                }
                self.line.note_break();
                self.stream_status(connect, &stream_sid, StreamEvent::Error(&error.to_string()));
                return Ok(());
            }
        };
        let opened_ms = self.line.now_ms();
        let record = Stream {
            stream_sid: stream_sid.clone(),
            opened_ms,
            closed_ms: opened_ms,
            end: StreamEnd::CallEnded,
            frames_sent: 0,
            media_received: 0,
            max_buffered_ms: 0,
        };
        let writer = Writer::new(&self.account.sid, &self.call_sid, &stream_sid);
        let mut media = Media::new(socket, writer, record, self.line.platform());
        let number = self.line.streams.len() as u32 + 1;
        self.line.emit(Event::StreamOpened { at_ms: opened_ms, number });
        self.stream_status(connect, &stream_sid, StreamEvent::Started);
        self.line.begin_stream();
        let outcome = self.converse(&mut media, connect).await;
        self.line.end_stream();
        self.line.set_live(false);
        if outcome.is_ok() {
            self.line.note_break();
        }
        media.record.closed_ms = self.line.now_ms();
        media.record.frames_sent = media.writer.frames();
        media.record.end = match &outcome {
            Ok(end) => *end,
            Err(Interrupt::Replaced(_)) => StreamEnd::Replaced,
            Err(_) => StreamEnd::CallEnded,
        };
        self.line.emit(Event::StreamClosed { at_ms: media.record.closed_ms, how: media.record.end });
        self.line.streams.push(media.record);
        self.stream_status(connect, &stream_sid, StreamEvent::Stopped);
        outcome.map(|_| ())
    }

    async fn converse(&mut self, media: &mut Media, connect: &Connect) -> Result<StreamEnd, Interrupt> {
        let start = media.writer.start(&connect.parameters);
        media.post(Writer::connected());
        media.post(start);
        loop {
            match self.media_step(media).await {
                Ok(()) => {}
                Err(Stop::Ended(end)) => return Ok(end),
                Err(Stop::Interrupt(interrupt)) => {
                    media.close().await;
                    return Err(interrupt);
                }
            }
        }
    }

    /// Delivers what has arrived in either direction, then waits for the next thing to happen.
    async fn media_step(&mut self, media: &mut Media) -> Result<(), Stop> {
        while let Some((message, said)) = media.outbound.arrived(Instant::now()) {
            media.send(message).await?;
            if let Some((utterance, index)) = said {
                self.line.on_wire(utterance, index);
            }
        }
        while let Some(message) = media.inbound.arrived(Instant::now()) {
            self.media_message(media, message)?;
        }
        let tick_at = self.line.next_tick();
        let mark_at = self.line.next_mark();
        let network_at = [media.outbound.next_at(), media.inbound.next_at()].into_iter().flatten().min();
        tokio::select! {
            biased;
            () = sleep_until(tick_at) => self.media_tick(media),
            () = sleep_until(mark_at.unwrap_or(tick_at)), if mark_at.is_some() => {
                let marks = self.line.marks_due();
                media.marks(marks);
                Ok(())
            }
            () = sleep_until(network_at.unwrap_or(tick_at)), if network_at.is_some() => Ok(()),
            command = self.commands.recv() => match self.interrupt(command) {
                Some(interrupt) => Err(Stop::Interrupt(interrupt)),
                None => Ok(()),
            },
            message = media.socket.next(), if !media.silent => {
                media.silent = !matches!(message, Some(Ok(_)));
                media.inbound.send(Instant::now(), message);
                Ok(())
            }
        }
    }

    fn media_tick(&mut self, media: &mut Media) -> Result<(), Stop> {
        let LineTick { frame, saying, key, hung_up, marks, cut } = self.line.tick();
        media.marks(marks);
        if cut {
            return Err(Stop::Ended(StreamEnd::Cut));
        }
        if let Some(by) = hung_up {
            return Err(Stop::Interrupt(Interrupt::HungUp(by)));
        }
        if let Some(interrupt) = self.time_is_up() {
            return Err(Stop::Interrupt(interrupt));
        }
        if saying.is_none() && media.loses(self.line.platform().lose_frames) {
            media.writer.lost();
        } else {
            let message = media.writer.media(&frame);
            media.outbound.send(Instant::now(), (message, saying));
        }
        if let Some(key) = key {
            let message = media.writer.dtmf(key);
            media.post(message);
        }
        Ok(())
    }

    fn media_message(&mut self, media: &mut Media, message: Inbound) -> Result<(), Stop> {
        let text = match message {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Binary(_))) => {
                self.line.violation("binary_frame", "the product sent a binary frame");
                return Ok(());
            }
            Some(Ok(Message::Close(_))) => return Err(Stop::Ended(StreamEnd::ClosedByApp)),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => return Ok(()),
            Some(Err(WsError::Capacity(error))) => {
                self.line.violation("message_too_long", error.to_string());
                return Err(Stop::Ended(StreamEnd::Broken));
            }
            Some(Err(_)) | None => return Err(Stop::Ended(StreamEnd::Broken)),
        };
        match read(&text, &media.record.stream_sid) {
            Ok(FromApp::Media(audio)) => {
                let (marks, buffered) = self.line.stream_audio(audio);
                media.record.media_received += 1;
                media.record.max_buffered_ms = media.record.max_buffered_ms.max(buffered);
                media.marks(marks);
            }
            Ok(FromApp::Mark(name)) => match self.line.stream_mark(name) {
                Ok(marks) => media.marks(marks),
                Err(error) => self.line.violation("too_many_marks", error.to_string()),
            },
            Ok(FromApp::Clear) => {
                self.line.emit(Event::Cleared { at_ms: self.line.now_ms() });
                let marks = self.line.stop_sound();
                media.marks(marks);
            }
            Err(error) => self.line.violation("bad_media_message", error.to_string()),
        }
        Ok(())
    }
}

/// Why a stream does not go on.
enum Stop {
    Ended(StreamEnd),
    Interrupt(Interrupt),
}

impl Media {
    fn new(socket: Socket, writer: Writer, record: Stream, platform: &Platform) -> Self {
        Self {
            socket,
            writer,
            record,
            outbound: Way::new(platform, TO_PRODUCT),
            inbound: Way::new(platform, TO_TWILIO),
            silent: false,
            silence: 0,
        }
    }

    /// Whether this frame of silence is one of those that get lost: so many of a thousand, evenly.
    fn loses(&mut self, of_a_thousand: u32) -> bool {
        self.silence = self.silence.wrapping_add(1);
        let lost = |frames: u32| u64::from(frames) * u64::from(of_a_thousand) / 1_000;
        lost(self.silence) > lost(self.silence.wrapping_sub(1))
    }

    /// Sets a message on its way.
    fn post(&mut self, message: String) {
        self.outbound.send(Instant::now(), (message, None));
    }

    async fn send(&mut self, text: String) -> Result<(), Stop> {
        match timeout(SEND_LIMIT, self.socket.send(Message::Text(text.into()))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Stop::Ended(StreamEnd::Broken)),
        }
    }

    fn marks(&mut self, marks: Vec<MarkDue>) {
        for mark in marks {
            let message = self.writer.mark(&mark.name);
            self.post(message);
        }
    }

    /// Says that the stream is over and closes the socket.
    async fn close(&mut self) {
        // What is on its way still arrives, ahead of the end.
        let stop = self.writer.stop();
        self.post(stop);
        let rest: Vec<Outbound> = self.outbound.rest().collect();
        for (message, _) in rest {
            if self.send(message).await.is_err() {
                return;
            }
        }
        let farewell = async {
            if self.socket.close(None).await.is_ok() {
                while let Some(Ok(_)) = self.socket.next().await {}
            }
        };
        // A product that does not answer the close is left alone with it.
        drop(timeout(CLOSE_LIMIT, farewell).await);
    }
}

/// Why there is no media socket.
#[derive(Debug, thiserror::Error)]
enum OpenError {
    /// The product's answer is not an upgrade, or the URL is not the product's.
    #[error("31920 handshake refused: {0}")]
    Refused(String),
    /// The product's host cannot be reached.
    #[error("31920 no connection: {0}")]
    Outage(String),
}

/// Opens the media socket: signed over the `wss` URL that the TwiML gave, connected to where the product listens.
async fn open(account: Account, url: String) -> Result<Socket, OpenError> {
    let refused = |what: &str| OpenError::Refused(what.to_owned());
    let target = account.route(&url).ok_or_else(|| refused("the URL is not one of the product's"))?;
    let authority = target.strip_prefix("ws://").ok_or_else(|| refused("--app-url must be http here"))?;
    let authority = authority.split('/').next().unwrap_or_default().to_owned();
    let mut request = target.as_str().into_client_request().map_err(|error| refused(&error.to_string()))?;
    let signature = sign(&account.auth_token, &url, &[]);
    let signature = HeaderValue::from_str(&signature).map_err(|error| refused(&error.to_string()))?;
    request.headers_mut().insert("x-twilio-signature", signature);
    request.headers_mut().insert("user-agent", HeaderValue::from_static("Twilio.TmeWs/1.0"));
    for (name, value) in HEADERS {
        request.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    let config = WebSocketConfig::default()
        .read_buffer_size(4096)
        .max_message_size(Some(MAX_MESSAGE_BYTES))
        .max_frame_size(Some(MAX_MESSAGE_BYTES));
    let connect = async {
        let outage = |error: std::io::Error| OpenError::Outage(error.to_string());
        let stream = TcpStream::connect(&authority).await.map_err(outage)?;
        stream.set_nodelay(true).map_err(outage)?;
        match tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await {
            Ok((socket, _)) => Ok(socket),
            Err(WsError::Http(response)) => Err(refused(&format!("HTTP status {}", response.status()))),
            Err(error) => Err(OpenError::Outage(error.to_string())),
        }
    };
    timeout(HANDSHAKE_LIMIT, connect)
        .await
        .unwrap_or_else(|_| Err(OpenError::Outage("no answer to the handshake".to_owned())))
}
