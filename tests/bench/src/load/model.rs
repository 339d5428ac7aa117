//! The fake speech-to-speech model: correct order of the Realtime GA events, tagged audio instead of speech.
//!
//! Lean, not strict: `tests/sim` is what judges. Answers come as 100 ms deltas at four times real time, with a
//! transcript; every second answer is interrupted by the caller while it plays.

use std::rc::Rc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde::Deserialize;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::tag::{Tag, decode, encode};
use super::{Cut, Run};
use crate::clock::micros;
use crate::socket_config;

/// Blocks of one delta: 100 ms.
const DELTA_BLOCKS: u32 = 5;
/// One delta each 25 ms: four times real time.
const TICK: Duration = Duration::from_millis(25);
/// Length of an answer in deltas: 4 s.
const ANSWER_DELTAS: u32 = 40;
/// The caller is quiet this long after an answer, then speaks this long.
const PAUSE_TICKS: u32 = 12;
const SPEECH_TICKS: u32 = 20;
/// What the caller said comes as text this long after they ended, if the session asks for it: 400 ms.
const TRANSCRIPTION_TICKS: u32 = 16;

/// Accepts connections until the run is dropped.
pub(crate) async fn serve(run: Rc<Run>) {
    let listener = match TcpListener::bind(("127.0.0.1", run.config.model_port)).await {
        Ok(listener) => listener,
        Err(error) => return run.samples.borrow_mut().error(format!("model port: {error}")),
    };
    while let Ok((tcp, _)) = listener.accept().await {
        let run = Rc::clone(&run);
        tokio::task::spawn_local(async move {
            tokio::time::sleep(run.config.connect_delay).await;
            let _ = tcp.set_nodelay(true);
            if let Ok(socket) = tokio_tungstenite::accept_async_with_config(tcp, Some(socket_config())).await
            {
                // A broken socket here is the subject's end of the call, or shows as lost frames.
                let _ = Session::new(run, socket).live().await;
            }
        });
    }
}

enum Phase {
    Configuring,
    /// Ticks until the caller begins to speak.
    Quiet(u32),
    /// Ticks until the caller ends.
    CallerSpeaks(u32),
    /// Deltas sent so far.
    Answering(u32),
    /// Everything is sent and is being played; the utterance is interrupted when this much was heard.
    Playing,
}

struct Session {
    run: Rc<Run>,
    socket: WebSocketStream<TcpStream>,
    call: Option<u16>,
    phase: Phase,
    item: u16,
    cut_at_ms: Option<u64>,
    wants_response: bool,
    /// The session asks for the caller's words, too.
    transcribes: bool,
    /// Ticks until the words of this item come.
    transcription: Option<(u32, u16)>,
}

#[derive(Deserialize)]
struct FromSubject<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    audio: Option<&'a str>,
    item_id: Option<String>,
    audio_end_ms: Option<u64>,
}

impl Session {
    fn new(run: Rc<Run>, socket: WebSocketStream<TcpStream>) -> Self {
        Self {
            run,
            socket,
            call: None,
            phase: Phase::Configuring,
            item: 0,
            cut_at_ms: None,
            wants_response: false,
            transcribes: false,
            transcription: None,
        }
    }

    async fn live(mut self) -> anyhow::Result<()> {
        self.send(r#"{"type":"session.created","event_id":"ev_1","session":{"type":"realtime","object":"realtime.session","id":"sess_1","model":"gpt-realtime"}}"#.into()).await?;
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
        loop {
            tokio::select! {
                biased;
                message = self.socket.next() => match message {
                    Some(Ok(Message::Text(text))) => self.received(&text).await?,
                    Some(Ok(Message::Close(_))) | None => return Ok(()),
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return Err(error.into()),
                },
                _ = ticks.tick() => self.tick().await?,
            }
        }
    }

    async fn send(&mut self, text: String) -> anyhow::Result<()> {
        Ok(self.socket.send(Message::text(text)).await?)
    }

    async fn received(&mut self, text: &str) -> anyhow::Result<()> {
        let now = micros();
        // Only a `session.update` has escapes in its strings, and of that nothing but the type is wanted.
        let message: FromSubject<'_> = match serde_json::from_str(text) {
            Ok(message) => message,
            Err(error) => {
                self.run.samples.borrow_mut().error(format!("from the subject: {error}"));
                return Ok(());
            }
        };
        match message.kind {
            "input_audio_buffer.append" => self.heard(message.audio.unwrap_or_default(), now),
            "session.update" => {
                self.transcribes = text.contains(r#""transcription":{"#);
                self.send(r#"{"type":"session.updated","event_id":"ev_2","session":{"type":"realtime","object":"realtime.session","id":"sess_1","model":"gpt-realtime","output_modalities":["audio"],"audio":{"input":{"format":{"type":"audio/pcmu"}},"output":{"format":{"type":"audio/pcmu"},"voice":"marin"}}}}"#.into()).await?;
                if matches!(self.phase, Phase::Configuring) {
                    self.phase = Phase::Quiet(PAUSE_TICKS);
                }
            }
            "response.create" => self.wants_response = true,
            "conversation.item.truncate" => {
                self.claimed(message.item_id.as_deref(), message.audio_end_ms.unwrap_or(0));
            }
            "conversation.item.delete" => self.claimed(message.item_id.as_deref(), 0),
            _ => {}
        }
        Ok(())
    }

    fn heard(&mut self, payload: &str, now: u64) {
        let (tags, _) = decode(payload);
        for tag in tags.into_iter().flatten() {
            let Some(ends) = self.run.ends.get(usize::from(tag.call)) else { continue };
            let seq = tag.block as usize;
            if self.call.is_none() {
                ends.early.set(ends.caller_sent.borrow().len());
            }
            self.call = Some(tag.call);
            let mut seen = ends.caller_seen.borrow_mut();
            let mut samples = self.run.samples.borrow_mut();
            if seen.get(seq) == Some(&true) {
                samples.duplicated += 1;
            } else if seq < seen.len() {
                samples.reordered += 1;
            }
            if seen.len() <= seq {
                seen.resize(seq + 1, false);
            }
            if let Some(slot) = seen.get_mut(seq) {
                *slot = true;
            }
            let sent = ends.caller_sent.borrow().get(seq).copied();
            // Frames that waited for the model to connect are judged by their loss, not by their age.
            if let (true, Some(sent)) = (self.run.measuring.get(), sent) {
                samples.to_model.push(now.saturating_sub(sent) as f64 / 1_000.0);
            }
        }
    }

    fn claimed(&mut self, item_id: Option<&str>, claimed_ms: u64) {
        let Some(call) = self.call else { return };
        let item = item_id.and_then(|id| id.rsplit('_').next()).and_then(|id| id.parse().ok());
        if let (Some(item), Some(ends)) = (item, self.run.ends.get(usize::from(call))) {
            if let Some(cut) = ends.cut.borrow_mut().get_mut(&item) {
                cut.claimed_ms.get_or_insert(claimed_ms);
            }
            self.run.settle(call, item);
        }
    }

    async fn tick(&mut self) -> anyhow::Result<()> {
        let Some(call) = self.call else { return Ok(()) };
        if self.run.stopping.get() {
            return Ok(());
        }
        match self.transcription {
            Some((0, item)) => {
                self.transcription = None;
                self.transcribed(item).await?;
            }
            Some((left, item)) => self.transcription = Some((left - 1, item)),
            None => {}
        }
        match self.phase {
            Phase::Configuring => Ok(()),
            Phase::Quiet(_) | Phase::CallerSpeaks(_) if self.wants_response => self.begin().await,
            Phase::Quiet(0) => {
                self.phase = Phase::CallerSpeaks(SPEECH_TICKS);
                self.speech("speech_started", "audio_start_ms").await
            }
            Phase::Quiet(left) => {
                self.phase = Phase::Quiet(left - 1);
                Ok(())
            }
            Phase::CallerSpeaks(0) => {
                self.speech("speech_stopped", "audio_end_ms").await?;
                let item = self.item;
                self.send(format!(r#"{{"type":"input_audio_buffer.committed","event_id":"ev","previous_item_id":null,"item_id":"user_{item}"}}"#)).await?;
                self.transcription = self.transcribes.then_some((TRANSCRIPTION_TICKS, item));
                self.begin().await
            }
            Phase::CallerSpeaks(left) => {
                self.phase = Phase::CallerSpeaks(left - 1);
                Ok(())
            }
            Phase::Answering(ANSWER_DELTAS) => self.finish("completed").await,
            Phase::Answering(sent) if !self.due_to_cut(call) => {
                self.phase = Phase::Answering(sent + 1);
                self.delta(call, sent).await
            }
            Phase::Answering(sent) => self.interrupt(call, Some(sent)).await,
            Phase::Playing if self.due_to_cut(call) => self.interrupt(call, None).await,
            Phase::Playing => {
                if self.run.ends[usize::from(call)].playback.borrow().idle() {
                    self.phase = Phase::Quiet(PAUSE_TICKS);
                }
                Ok(())
            }
        }
    }

    fn due_to_cut(&self, call: u16) -> bool {
        let heard = self.run.ends[usize::from(call)].playback.borrow().heard(self.item);
        self.cut_at_ms.is_some_and(|cut| heard >= cut)
    }

    async fn speech(&mut self, kind: &str, field: &str) -> anyhow::Result<()> {
        let (item, ms) = (self.item, micros() / 1_000);
        self.send(format!(
            r#"{{"type":"input_audio_buffer.{kind}","event_id":"ev","{field}":{ms},"item_id":"user_{item}"}}"#
        ))
        .await
    }

    async fn transcribed(&mut self, item: u16) -> anyhow::Result<()> {
        for (kind, text) in [
            ("delta", r#""delta":"a few words""#),
            ("completed", r#""transcript":"a few words","usage":{"type":"duration","seconds":1}"#),
        ] {
            self.send(format!(
                r#"{{"type":"conversation.item.input_audio_transcription.{kind}","event_id":"ev","item_id":"user_{item}","content_index":0,{text}}}"#
            ))
            .await?;
        }
        Ok(())
    }

    async fn begin(&mut self) -> anyhow::Result<()> {
        self.wants_response = false;
        self.item += 1;
        let item = self.item;
        // Every second answer is interrupted, at a moment that differs from answer to answer.
        let spread = (u64::from(item) * 7_919 + u64::from(self.call.unwrap_or(0)) * 104_729) % 2_400;
        self.cut_at_ms = item.is_multiple_of(2).then_some(600 + spread);
        self.phase = Phase::Answering(0);
        for text in [
            format!(
                r#"{{"type":"response.created","event_id":"ev","response":{{"object":"realtime.response","id":"resp_{item}","status":"in_progress","output":[]}}}}"#
            ),
            format!(
                r#"{{"type":"response.output_item.added","event_id":"ev","response_id":"resp_{item}","output_index":0,"item":{{"id":"item_{item}","object":"realtime.item","type":"message","status":"in_progress","role":"assistant","content":[]}}}}"#
            ),
            format!(
                r#"{{"type":"conversation.item.added","event_id":"ev","previous_item_id":null,"item":{{"id":"item_{item}","object":"realtime.item","type":"message","status":"in_progress","role":"assistant","content":[]}}}}"#
            ),
            format!(
                r#"{{"type":"response.content_part.added","event_id":"ev","response_id":"resp_{item}","item_id":"item_{item}","output_index":0,"content_index":0,"part":{{"type":"audio","transcript":""}}}}"#
            ),
        ] {
            self.send(text).await?;
        }
        Ok(())
    }

    async fn delta(&mut self, call: u16, number: u32) -> anyhow::Result<()> {
        let item = self.item;
        let audio = encode(Tag { call, item, block: number * DELTA_BLOCKS }, DELTA_BLOCKS);
        self.send(format!(r#"{{"type":"response.output_audio_transcript.delta","event_id":"ev","response_id":"resp_{item}","item_id":"item_{item}","output_index":0,"content_index":0,"delta":"word{number} "}}"#)).await?;
        let now = micros();
        if let Some(ends) = self.run.ends.get(usize::from(call)) {
            ends.model_sent.borrow_mut().entry(item).or_default().extend([now; DELTA_BLOCKS as usize]);
        }
        self.send(format!(r#"{{"type":"response.output_audio.delta","event_id":"ev","response_id":"resp_{item}","item_id":"item_{item}","output_index":0,"content_index":0,"delta":"{audio}"}}"#)).await
    }

    /// The caller speaks into the answer. One delta that was under way follows, as it does in reality (pitfall 41).
    async fn interrupt(&mut self, call: u16, sent: Option<u32>) -> anyhow::Result<()> {
        self.cut_at_ms = None;
        if let Some(ends) = self.run.ends.get(usize::from(call)) {
            ends.cut.borrow_mut().insert(self.item, Cut { spoke_at: micros(), ..Cut::default() });
        }
        self.speech("speech_started", "audio_start_ms").await?;
        if let Some(sent) = sent {
            self.delta(call, sent).await?;
            self.finish("cancelled").await?;
        }
        self.phase = Phase::CallerSpeaks(SPEECH_TICKS);
        Ok(())
    }

    async fn finish(&mut self, status: &str) -> anyhow::Result<()> {
        let item = self.item;
        let part = if status == "completed" { "completed" } else { "incomplete" };
        let details =
            if status == "completed" { "null" } else { r#"{"type":"cancelled","reason":"turn_detected"}"# };
        for text in [
            format!(
                r#"{{"type":"response.output_audio.done","event_id":"ev","response_id":"resp_{item}","item_id":"item_{item}","output_index":0,"content_index":0}}"#
            ),
            format!(
                r#"{{"type":"response.output_audio_transcript.done","event_id":"ev","response_id":"resp_{item}","item_id":"item_{item}","output_index":0,"content_index":0,"transcript":"word "}}"#
            ),
            format!(
                r#"{{"type":"response.output_item.done","event_id":"ev","response_id":"resp_{item}","output_index":0,"item":{{"id":"item_{item}","object":"realtime.item","type":"message","status":"{part}","role":"assistant","content":[{{"type":"output_audio","transcript":"word "}}]}}}}"#
            ),
            format!(
                r#"{{"type":"response.done","event_id":"ev","response":{{"object":"realtime.response","id":"resp_{item}","status":"{status}","status_details":{details},"output":[],"usage":{{"total_tokens":100,"input_tokens":60,"output_tokens":40,"input_token_details":{{"text_tokens":40,"audio_tokens":20,"cached_tokens":0}},"output_token_details":{{"text_tokens":10,"audio_tokens":30}}}}}}}}"#
            ),
        ] {
            self.send(text).await?;
        }
        self.phase = Phase::Playing;
        Ok(())
    }
}
