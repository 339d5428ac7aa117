//! A world around one call: a carrier that plays what it gets, a model that says what it is told to, and time.

use std::collections::VecDeque;

use serde_json::{Value, json};
use voicecore_call::{
    AfterStream, Call, CallConfig, CallSummary, Input, InteractionKind, Intervention, JournalEntry, Limits,
    LiveEvent, OperatorCommand, Output, SessionConfig, ToolCall, ToolEffect, ToolResult, ToolSpec,
    TurnDetection,
};
use voicecore_types::{CallId, Millis};
use voicecore_wire::payload::Payload;

use crate::carrier::{Carrier, Delay};

/// When every test begins: a moment of the year 2026, in milliseconds.
pub(crate) const EPOCH: u64 = 1_790_000_000_000;
/// Most outputs of one input: all frames that may be kept for a model, and a margin.
const MAX_OUTPUTS: usize = 6_000 + 400;

pub(crate) fn config() -> CallConfig {
    let tool = |name: &str| ToolSpec {
        name: name.to_owned(),
        description: format!("What {name} does."),
        parameters: json!({"type": "object", "properties": {}}),
    };
    CallConfig {
        call_id: CallId::new(Millis(EPOCH), &[7; 10]),
        carrier_call_id: "CA1".to_owned(),
        session: SessionConfig {
            model: "gpt-realtime-2.1".to_owned(),
            voice: "marin".to_owned(),
            instructions: "You answer for Bob's Barbers.".to_owned(),
            greeting: "Hello, this is Bob's AI assistant.".to_owned(),
            language: Some("en".to_owned()),
            transcription_model: "gpt-4o-mini-transcribe".to_owned(),
            turn_detection: TurnDetection::ServerVad {
                threshold: 0.5,
                prefix_padding_ms: 300,
                silence_duration_ms: 500,
            },
            noise_reduction: None,
            tools: vec![tool("book"), tool("end_call"), tool("transfer")],
            max_output_tokens: 1_024,
        },
        limits: Limits::default(),
        transfer_available: true,
    }
}

/// The world of one call. Everything that went out of the machine is kept, with its time.
pub(crate) struct World {
    pub(crate) call: Call,
    pub(crate) carrier: Carrier,
    now: u64,
    /// The attempt of the latest stream, attached or on its way.
    stream: u32,
    /// `(when, frame)` of everything sent to the carrier.
    pub(crate) to_carrier: Vec<(u64, Value)>,
    /// `(when, frame)` of everything sent to the model.
    pub(crate) to_model: Vec<(u64, Value)>,
    pub(crate) journal: Vec<JournalEntry>,
    pub(crate) hub: Vec<LiveEvent>,
    pub(crate) tools: Vec<ToolCall>,
    pub(crate) opened: u32,
    pub(crate) model_open: bool,
    /// The carrier's frame that is being handled, and what the model wants around a part of it.
    carrier_frame: String,
    audio_frame: [&'static str; 2],
    pub(crate) carrier_closed: u32,
    pub(crate) finished: Vec<CallSummary>,
    /// The next model session is opened and configured by itself, this much later.
    pub(crate) model_connects_after: Option<u64>,
    pending_model: VecDeque<(u64, ModelStep)>,
    echoes_metadata: bool,
    interventions: u32,
}

enum ModelStep {
    Open,
    Event(Value),
}

impl World {
    pub(crate) fn new(config: CallConfig) -> Self {
        Self::around(Call::new(config, Millis(EPOCH)), Delay::default())
    }

    pub(crate) fn with_delay(config: CallConfig, delay: Delay) -> Self {
        Self::around(Call::new(config, Millis(EPOCH)), delay)
    }

    pub(crate) fn around(call: Call, delay: Delay) -> Self {
        Self {
            call,
            carrier: Carrier::new(delay),
            now: EPOCH,
            stream: 1,
            to_carrier: Vec::new(),
            to_model: Vec::new(),
            journal: Vec::new(),
            hub: Vec::new(),
            tools: Vec::new(),
            opened: 0,
            model_open: false,
            carrier_frame: String::new(),
            audio_frame: [""; 2],
            carrier_closed: 0,
            finished: Vec::new(),
            model_connects_after: Some(40),
            pending_model: VecDeque::new(),
            echoes_metadata: true,
            interventions: 0,
        }
    }

    /// A call whose caller has heard the greeting.
    pub(crate) fn greeted() -> Self {
        let mut world = Self::new(config());
        world.connect();
        world.greet();
        world
    }

    /// Another process goes on with this call, from its journal alone.
    pub(crate) fn resume(self, config: CallConfig) -> Self {
        // The journal is stored as JSON.
        let stored = serde_json::to_string(&self.journal).expect("JSON");
        let journal: Vec<JournalEntry> = serde_json::from_str(&stored).expect("as it was written");
        assert_eq!(journal, self.journal);
        let call = Call::resume(config, &journal, Millis(self.now));
        let mut world = Self::around(call, Delay::default());
        world.now = self.now;
        world.stream = self.stream;
        world.interventions = self.interventions;
        world.journal = self.journal;
        world
    }

    pub(crate) fn now(&self) -> u64 {
        self.now - EPOCH
    }

    // What happens.

    pub(crate) fn connect(&mut self) {
        self.attach(1);
        self.run_for(100);
    }

    pub(crate) fn attach(&mut self, attempt: u32) {
        self.stream = attempt;
        let sid = format!("MZ{attempt}");
        self.carrier.begin(&sid);
        self.call.attach(Millis(self.now), attempt, &sid).expect("let in");
        self.drain();
    }

    /// The greeting is asked for, said and heard.
    pub(crate) fn greet(&mut self) {
        self.says("greeting", "hello", 2_200, "Hello, this is Bob's AI assistant.");
        self.run_for(2_400);
    }

    pub(crate) fn handle(&mut self, input: Input<'_>) {
        self.carrier_frame = match input {
            Input::CarrierText(text) => text.to_owned(),
            _ => String::new(),
        };
        self.call.handle(Millis(self.now), input);
        self.drain();
        let timeout = self.call.poll_timeout();
        assert!(timeout.is_none_or(|at| at.0 > self.now), "the timer is always in the future");
    }

    pub(crate) fn carrier_says(&mut self, frame: &Value) {
        self.handle(Input::CarrierText(&frame.to_string()));
    }

    pub(crate) fn model_says(&mut self, event: &Value) {
        self.handle(Input::ModelText(&event.to_string()));
    }

    /// One frame of the caller's, at the carrier's time.
    pub(crate) fn frame(&mut self, timestamp: u64, byte: u8) {
        let payload = Payload::encode(&[byte; 160]);
        let sid = self.carrier.sid().to_owned();
        self.carrier_says(&json!({"event": "media", "streamSid": sid, "media":
            {"track": "inbound", "chunk": "1", "timestamp": timestamp.to_string(), "payload": payload.as_str()}}));
    }

    pub(crate) fn response_created(&mut self, response: &str) {
        let request = self.last_request().filter(|_| self.echoes_metadata);
        let metadata = request.map_or(Value::Null, |request| json!({"request": request}));
        self.model_says(
            &json!({"type": "response.created", "response": {"id": response, "metadata": metadata}}),
        );
    }

    /// An answer that nobody asked for: the server's own, to the caller's words.
    pub(crate) fn response_by_itself(&mut self, response: &str) {
        self.model_says(&json!({"type": "response.created", "response": {"id": response, "metadata": null}}));
    }

    pub(crate) fn audio(&mut self, response: &str, item: &str, ms: u64, tag: u8) {
        let payload = Payload::encode(&vec![tag; ms as usize * 8]);
        self.model_says(
            &json!({"type": "response.output_audio.delta", "response_id": response, "item_id": item,
            "output_index": 0, "content_index": 0, "delta": payload.as_str()}),
        );
    }

    pub(crate) fn words(&mut self, response: &str, item: &str, text: &str) {
        self.model_says(&json!({"type": "response.output_audio_transcript.delta", "response_id": response,
            "item_id": item, "delta": text}));
    }

    pub(crate) fn item_done(&mut self, response: &str, item: &str, text: &str) {
        self.model_says(
            &json!({"type": "response.output_audio.done", "response_id": response, "item_id": item}),
        );
        self.model_says(&json!({"type": "response.output_audio_transcript.done", "response_id": response,
            "item_id": item, "transcript": text}));
        self.model_says(&json!({"type": "response.output_item.done", "response_id": response,
            "item": {"id": item, "type": "message", "status": "completed", "role": "assistant"}}));
    }

    pub(crate) fn response_done(&mut self, response: &str, status: &str) {
        self.model_says(&json!({"type": "response.done", "response": {"id": response, "status": status}}));
    }

    /// A whole answer, made faster than it is heard.
    pub(crate) fn says(&mut self, response: &str, item: &str, ms: u64, text: &str) {
        self.response_created(response);
        self.rest_of_answer(response, item, ms, text);
    }

    pub(crate) fn caller_begins(&mut self, item: &str) {
        self.model_says(
            &json!({"type": "input_audio_buffer.speech_started", "item_id": item, "audio_start_ms": 0}),
        );
    }

    pub(crate) fn caller_ends(&mut self, item: &str) {
        self.model_says(
            &json!({"type": "input_audio_buffer.speech_stopped", "item_id": item, "audio_end_ms": 0}),
        );
    }

    pub(crate) fn caller_said(&mut self, item: &str, text: &str) {
        self.model_says(
            &json!({"type": "conversation.item.input_audio_transcription.completed", "item_id": item,
            "transcript": text}),
        );
    }

    pub(crate) fn wants_tool(&mut self, response: &str, id: &str, name: &str, arguments: &str) {
        self.model_says(&json!({"type": "response.output_item.done", "response_id": response, "item":
            {"id": format!("item-{id}"), "type": "function_call", "status": "completed", "call_id": id,
             "name": name, "arguments": arguments}}));
    }

    pub(crate) fn tool_done(&mut self, id: &str, output: &str, effect: ToolEffect) {
        let result = ToolResult { tool_call_id: id.to_owned(), output: output.to_owned(), effect };
        self.handle(Input::ToolDone(result));
    }

    pub(crate) fn operator_ends(&mut self) {
        self.operator(OperatorCommand::End { at_once: false });
    }

    /// Somebody steps in, for the first time with this.
    pub(crate) fn operator(&mut self, command: OperatorCommand) {
        self.interventions += 1;
        let id = format!("o{}", self.interventions);
        self.handle(Input::Operator(intervention(&id, command)));
    }

    pub(crate) fn hang_up(&mut self) {
        let sid = self.carrier.sid().to_owned();
        self.carrier_says(&json!({"event": "stop", "streamSid": sid, "stop": {"callSid": "CA1"}}));
    }

    pub(crate) fn line_breaks(&mut self) {
        self.handle(Input::CarrierClosed);
    }

    pub(crate) fn model_breaks(&mut self) {
        self.model_open = false;
        self.pending_model.clear();
        self.handle(Input::ModelClosed { code: 1006, reason: "" });
    }

    /// As [`World::says`], but nobody asked for it: the server answers the caller.
    pub(crate) fn says_by_itself(&mut self, response: &str, item: &str, ms: u64, text: &str) {
        self.response_by_itself(response);
        self.rest_of_answer(response, item, ms, text);
    }

    fn rest_of_answer(&mut self, response: &str, item: &str, ms: u64, text: &str) {
        self.words(response, item, text);
        let mut left = ms;
        while left > 0 {
            let piece = left.min(200.max(ms / 20));
            self.audio(response, item, piece, tag_of(item));
            left -= piece;
        }
        self.item_done(response, item, text);
        self.response_done(response, "completed");
    }

    pub(crate) fn response_by_itself_named(&mut self, response: &str, request: &str) {
        self.model_says(
            &json!({"type": "response.created", "response": {"id": response, "metadata": {"request": request}}}),
        );
    }

    /// `<Connect action>` of the latest stream is asked for.
    pub(crate) fn after_stream(&mut self) -> AfterStream {
        let next = self.after_stream_of(self.stream);
        if let AfterStream::Reconnect { attempt } = next {
            self.stream = attempt;
        }
        next
    }

    /// `<Connect action>` of the stream of `attempt` is asked for.
    pub(crate) fn after_stream_of(&mut self, attempt: u32) -> AfterStream {
        let next = self.call.after_stream(Millis(self.now), attempt);
        self.drain();
        next
    }

    pub(crate) fn abandon(&mut self) {
        self.call.abandon(Millis(self.now));
        self.drain();
    }

    pub(crate) fn moment(&self) -> Millis {
        Millis(self.now)
    }

    /// The machine has asked for a socket that is not open: it opens.
    pub(crate) fn model_opens_if_wanted(&mut self) {
        self.model_opens();
    }

    // Time.

    /// Lets time go by: timers, marks, and a model that connects.
    pub(crate) fn run_for(&mut self, ms: u64) {
        let end = self.now + ms;
        loop {
            let timer = self.call.poll_timeout().map(|at| at.0);
            let model = self.pending_model.front().map(|(at, _)| *at);
            let next = [timer, model, self.carrier.next_event(self.now)].into_iter().flatten().min();
            let Some(at) = next.filter(|at| *at <= end) else { break };
            self.now = self.now.max(at);
            for frame in self.carrier.advance(self.now) {
                self.handle(Input::CarrierText(&frame));
            }
            self.model_steps();
            if self.call.poll_timeout().is_some_and(|at| at.0 <= self.now) {
                self.handle(Input::Timer);
            }
        }
        self.now = end;
        for frame in self.carrier.advance(self.now) {
            self.handle(Input::CarrierText(&frame));
        }
    }

    /// The process gets no time at all: nothing is handled.
    pub(crate) fn stand_still(&mut self, ms: u64) {
        self.now += ms;
    }

    fn model_steps(&mut self) {
        while self.pending_model.front().is_some_and(|(at, _)| *at <= self.now)
            && let Some((_, step)) = self.pending_model.pop_front()
        {
            match step {
                ModelStep::Open => {
                    self.model_open = true;
                    self.handle(Input::ModelOpened);
                }
                ModelStep::Event(event) => self.model_says(&event),
            }
        }
    }

    fn drain(&mut self) {
        let mut count = 0;
        while let Some(output) = self.call.poll_output() {
            count += 1;
            assert!(count <= MAX_OUTPUTS, "too many outputs for one input");
            assert!(self.finished.is_empty(), "nothing comes after the end, but {output:?}");
            self.take(output);
        }
    }

    fn take(&mut self, output: Output) {
        match output {
            Output::ToCarrier(frame) => {
                let frame: Value = serde_json::from_str(&frame).expect("JSON");
                assert_eq!(self.carrier_closed, 0, "nothing is sent to a closed carrier");
                self.carrier.receive(self.now, &frame);
                self.to_carrier.push((self.now, frame));
            }
            Output::ToModel(frame) => {
                assert!(self.model_open, "nothing is sent to a model that is not there");
                self.to_model.push((self.now, serde_json::from_str(&frame).expect("JSON")));
            }
            Output::CallerAudio(part) => {
                assert!(self.carrier_frame.is_ascii(), "places are the same in bytes and in UTF-16 units");
                let [before, behind] = self.audio_frame;
                let frame = [before, &self.carrier_frame[part], behind].concat();
                self.take(Output::ToModel(frame));
            }
            Output::CloseCarrier => self.carrier_closed += 1,
            Output::OpenModel(open) => {
                self.audio_frame = open.audio_frame;
                assert!(!self.model_open, "one session at a time");
                assert_eq!(open.path, "/realtime?model=gpt-realtime-2.1");
                self.opened += 1;
                if let Some(after) = self.model_connects_after {
                    let at = self.now + after;
                    self.pending_model.push_back((at, ModelStep::Open));
                    self.pending_model.push_back((at, ModelStep::Event(json!({"type": "session.created"}))));
                    self.pending_model
                        .push_back((at + 10, ModelStep::Event(json!({"type": "session.updated"}))));
                }
            }
            Output::CloseModel => {
                self.model_open = false;
                self.pending_model.clear();
            }
            Output::RunTool(call) => self.tools.push(*call),
            Output::Journal(entry) => self.journal.push(*entry),
            Output::Hub(event) => self.hub.push(*event),
            Output::Finished(summary) => self.finished.push(*summary),
        }
    }

    /// The model's socket opens now.
    pub(crate) fn model_opens(&mut self) {
        self.model_open = true;
        self.handle(Input::ModelOpened);
    }

    // What came of it.

    /// Audio that comes as it is made, in pieces.
    pub(crate) fn audio_in_pieces(&mut self, response: &str, item: &str, ms: u64) {
        for _ in 0..ms / 200 {
            self.audio(response, item, 200, tag_of(item));
        }
    }

    /// Events of this type that went to the model.
    pub(crate) fn sent(&self, kind: &str) -> Vec<&Value> {
        self.to_model.iter().map(|(_, event)| event).filter(|event| event["type"] == kind).collect()
    }

    /// Frames of this kind that went to the carrier.
    pub(crate) fn played(&self, event: &str) -> Vec<&Value> {
        self.to_carrier.iter().map(|(_, frame)| frame).filter(|frame| frame["event"] == event).collect()
    }

    /// The caller's audio that the model got, in bytes.
    pub(crate) fn appended(&self) -> Vec<Vec<u8>> {
        let frames = self.sent("input_audio_buffer.append");
        let decode = |event: &&Value| {
            use base64::Engine as _;
            let audio = event["audio"].as_str().expect("audio");
            base64::engine::general_purpose::STANDARD.decode(audio).expect("base64")
        };
        frames.iter().map(decode).collect()
    }

    /// How long each piece of the caller's audio was that the model got.
    pub(crate) fn appended_ms(&self) -> Vec<usize> {
        self.appended().iter().map(|bytes| bytes.len() / 8).collect()
    }

    /// When comfort tones were played.
    pub(crate) fn tones(&self) -> Vec<u64> {
        let is_tone = |frame: &Value| {
            // 240 ms, unlike any audio of these tests.
            frame["media"]["payload"].as_str().is_some_and(|payload| payload.len() == 1_920 / 3 * 4)
        };
        self.to_carrier.iter().filter(|(_, frame)| is_tone(frame)).map(|(at, _)| at - EPOCH).collect()
    }

    /// Our name of the last request for an answer.
    fn last_request(&self) -> Option<String> {
        let last = self.sent("response.create").into_iter().next_back()?;
        last["event_id"].as_str().map(str::to_owned)
    }

    pub(crate) fn instructions_of_last_request(&self) -> String {
        let last = self.sent("response.create").into_iter().next_back();
        last.and_then(|last| last["response"]["instructions"].as_str()).unwrap_or_default().to_owned()
    }

    /// The summary; the call must be over.
    pub(crate) fn summary(&self) -> &CallSummary {
        assert_eq!(self.finished.len(), 1, "the call is over, once");
        &self.finished[0]
    }

    /// `speaker: text` of the transcript, `~` before the text when it was cut.
    pub(crate) fn transcript(&self) -> Vec<String> {
        let entries = match self.finished.first() {
            Some(summary) => summary.interactions.clone(),
            None => self.call.transcript(),
        };
        entries
            .iter()
            .map(|entry| {
                let cut = if entry.cut_at_ms.is_some() { "~" } else { "" };
                let speaker = serde_json::to_value(entry.speaker).expect("plain");
                let action = match &entry.kind {
                    InteractionKind::Intervention { action, .. } => format!("({action:?}) "),
                    _ => String::new(),
                };
                let said = format!("{}: {action}{cut}{}", speaker.as_str().unwrap_or_default(), entry.text);
                said.trim_end().to_owned()
            })
            .collect()
    }
}

/// A user of the tenant steps in.
pub(crate) fn intervention(id: &str, command: OperatorCommand) -> Intervention {
    Intervention { id: id.to_owned(), actor_kind: "user".to_owned(), actor_id: "u1".to_owned(), command }
}

/// The byte that audio of an item consists of, so that the carrier can tell whose it plays. A loud one: quiet is a pause.
pub(crate) fn tag_of(item: &str) -> u8 {
    const LOUDER: u8 = 0b1101_1111;
    item.bytes().fold(1_u8, |tag, byte| tag.wrapping_mul(31).wrapping_add(byte)) & LOUDER
}
