//! OpenAI Realtime (GA).

use std::collections::VecDeque;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use voicecore_wire::openai::{
    APPEND_AUDIO, ClientEvent, ErrorBody, EventError, Item, OutputItem, ResponseParams, ResponseResult,
    ResponseStatus, Role, ServerEvent, TOOL_CHOICE_NONE, append_audio,
};
use voicecore_wire::payload::Payload;

use super::requests::Requests;
use super::{AnswerEnd, Ask, ItemCut, Teller, Trouble, UpstreamVoice, VoiceEvent, prompts, session, trouble};
use crate::{OpenModel, SessionConfig, ToolCall};

/// Answers and items whose late audio is recognised; a server does not make more at a time.
const MAX_DISCARDED: usize = 16;
/// Answers that fail one after the other before the session is given up (pitfall 4).
const MAX_FAILURES: u32 = 2;
/// Before an answer that failed is asked for again.
const RETRY_MS: u64 = 250;
/// Our name of the event that configures the session.
const CONFIGURE: &str = "configure";
/// The code of a request that crossed an answer.
const ACTIVE_RESPONSE: &str = "conversation_already_has_active_response";
/// What the model is told of a tool call that it made while it was interrupted.
const INTERRUPTED: &str = r#"{"error":"interrupted","message":"The caller spoke; the tool was not run."}"#;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// `session.created` is awaited.
    New,
    /// `session.updated` is awaited.
    Configuring,
    Ready,
}

/// What the server may begin by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Conduct {
    /// To answer the caller, and to fall silent when the caller speaks.
    Free,
    /// Nothing, for a while.
    Held,
    /// Nothing any more.
    Locked,
}

/// One session.
#[derive(Debug)]
pub(super) struct Realtime {
    config: SessionConfig,
    phase: Phase,
    requests: Requests,
    /// Answers and items that were interrupted: what still comes of them is not played (pitfall 41).
    discarded: VecDeque<String>,
    outbox: VecDeque<String>,
    conduct: Conduct,
    /// As the server was told last: it answers, and falls silent, by itself.
    by_itself: bool,
    /// The server was told other instructions.
    outdated: bool,
    failures: u32,
    server_errors: u32,
    /// Until the provider's limits are reset, as it said last.
    reset_ms: Option<u64>,
}

impl Realtime {
    pub(super) fn new(config: &SessionConfig) -> Self {
        Self {
            config: config.clone(),
            phase: Phase::New,
            requests: Requests::default(),
            discarded: VecDeque::new(),
            outbox: VecDeque::new(),
            conduct: Conduct::Free,
            by_itself: true,
            outdated: false,
            failures: 0,
            server_errors: 0,
            reset_ms: None,
        }
    }

    fn send(&mut self, event: &ClientEvent<'_>, event_id: Option<&str>) {
        self.outbox.push_back(event.to_json(event_id));
    }

    /// Sends the next request when its time has come.
    fn flush(&mut self) {
        if self.phase != Phase::Ready {
            return;
        }
        let Some((name, ask)) = self.requests.next() else { return };
        let instructions = prompts::instructions(&self.config, ask);
        let tool_choice = instructions.is_some().then_some(TOOL_CHOICE_NONE);
        let params = ResponseParams { instructions: instructions.as_deref(), tool_choice, metadata: None };
        let event = ClientEvent::ResponseCreate { response: Some(params.named(&name)) };
        self.send(&event, Some(&name));
    }

    fn is_discarded(&self, name: &str) -> bool {
        !name.is_empty() && self.discarded.iter().any(|gone| gone == name)
    }

    fn discard(&mut self, name: &str) {
        if self.discarded.len() >= MAX_DISCARDED {
            self.discarded.pop_front();
        }
        self.discarded.push_back(name.to_owned());
    }

    fn session_event(&mut self, created: bool) -> VoiceEvent<'static> {
        match (self.phase, created) {
            (Phase::New, true) => {
                self.phase = Phase::Configuring;
                (self.by_itself, self.outdated) = (self.conduct == Conduct::Free, false);
                let session = session::full(&self.config, self.by_itself);
                let frame = ClientEvent::SessionUpdate { session }.to_json(Some(CONFIGURE));
                self.outbox.push_back(frame);
                VoiceEvent::Nothing
            }
            (Phase::Configuring, false) => {
                self.phase = Phase::Ready;
                self.reconfigure();
                VoiceEvent::Ready
            }
            _ => VoiceEvent::Nothing,
        }
    }

    /// Tells the server how things stand, if it was told otherwise.
    fn reconfigure(&mut self) {
        if self.phase != Phase::Ready {
            return;
        }
        let by_itself = self.conduct == Conduct::Free;
        if self.by_itself != by_itself {
            self.by_itself = by_itself;
            let session = session::listening(&self.config, by_itself);
            self.outbox.push_back(ClientEvent::SessionUpdate { session }.to_json(None));
        }
        if std::mem::take(&mut self.outdated) {
            let session = session::instructed(&self.config);
            self.outbox.push_back(ClientEvent::SessionUpdate { session }.to_json(None));
        }
    }

    fn answer_began(&mut self, id: &str, request: Option<&str>) -> VoiceEvent<'static> {
        let (ask, unwanted) = self.requests.began(id, request);
        if unwanted {
            self.discard(id);
            self.send(&ClientEvent::ResponseCancel { response_id: Some(id) }, None);
            return VoiceEvent::Nothing;
        }
        VoiceEvent::AnswerBegan { ask }
    }

    fn answer_ended(&mut self, result: ResponseResult) -> VoiceEvent<'static> {
        let ask = self.requests.ended(&result.id);
        let trouble = match result.status {
            ResponseStatus::Failed => Some(self.failed(&result.error.unwrap_or_default(), ask)),
            ResponseStatus::Completed => {
                (self.failures, self.server_errors) = (0, 0);
                None
            }
            ResponseStatus::Cancelled | ResponseStatus::Incomplete => None,
        };
        self.flush();
        VoiceEvent::AnswerEnded(Box::new(AnswerEnd {
            answer: result.id,
            ask,
            completed: result.status == ResponseStatus::Completed,
            usage: result.usage,
            trouble,
        }))
    }

    /// An answer failed: it is asked for again, unless that is hopeless.
    fn failed(&mut self, error: &ErrorBody, ask: Option<Ask>) -> Trouble {
        self.failures += 1;
        let verdict = trouble::judge(error, self.reset_ms);
        match verdict {
            Some(Trouble::Fatal | Trouble::Replace) => return verdict.unwrap_or(Trouble::Replace),
            _ if self.failures >= MAX_FAILURES => return Trouble::Replace,
            _ => {}
        }
        self.requests.again(ask.unwrap_or(Ask::Answer), true);
        verdict.unwrap_or(Trouble::AskAgain { after_ms: RETRY_MS })
    }

    fn error(&mut self, error: &ErrorBody) -> VoiceEvent<'static> {
        if error.event_id == CONFIGURE {
            // Without its configuration the session would speak another audio format, in another's name.
            return VoiceEvent::Trouble(Trouble::Fatal);
        }
        let refused = self.requests.refused(&error.event_id);
        if error.code == ACTIVE_RESPONSE {
            if let Some(ask) = refused {
                let unknown = !self.requests.has_active();
                self.requests.again(ask, unknown);
            }
            return VoiceEvent::Nothing;
        }
        if trouble::is_server_error(error) {
            self.server_errors += 1;
            if self.server_errors >= MAX_FAILURES {
                return VoiceEvent::Trouble(Trouble::Replace);
            }
        }
        match (trouble::judge(error, self.reset_ms), refused) {
            (Some(Trouble::AskAgain { after_ms }), Some(ask)) => {
                self.requests.again(ask, true);
                VoiceEvent::Trouble(Trouble::AskAgain { after_ms })
            }
            (Some(Trouble::AskAgain { .. }) | None, None) => VoiceEvent::Nothing,
            (Some(trouble), _) => VoiceEvent::Trouble(trouble),
            // A request of ours that is refused for good would be refused again in this session.
            (None, Some(_)) => VoiceEvent::Trouble(Trouble::Replace),
        }
    }

    fn item_done(&mut self, answer: std::borrow::Cow<'_, str>, item: OutputItem) -> VoiceEvent<'static> {
        if item.kind != "function_call" || item.status != "completed" {
            return VoiceEvent::Nothing;
        }
        if self.is_discarded(&answer) {
            self.tool_output(&item.call_id, INTERRUPTED);
            return VoiceEvent::Nothing;
        }
        let call = ToolCall { tool_call_id: item.call_id, name: item.name, arguments: item.arguments };
        VoiceEvent::ToolWanted { answer: answer.into_owned().into(), call }
    }
}

impl UpstreamVoice for Realtime {
    fn open(&self) -> OpenModel {
        let model = utf8_percent_encode(&self.config.model, MODEL_ESCAPES);
        OpenModel { path: format!("/realtime?model={model}"), audio_frame: APPEND_AUDIO }
    }

    fn receive<'a>(&mut self, text: &'a str) -> VoiceEvent<'a> {
        let event = match ServerEvent::parse(text) {
            Ok(event) => event,
            Err(EventError::Malformed | EventError::BadPayload) => return VoiceEvent::Malformed,
        };
        match event {
            ServerEvent::AudioDelta { response_id, item_id, delta } => {
                let live = !self.is_discarded(&response_id) && !self.is_discarded(&item_id);
                VoiceEvent::Audio { answer: response_id, item: item_id, payload: delta, live }
            }
            ServerEvent::TextDelta { response_id, item_id, delta } => {
                VoiceEvent::Text { answer: response_id, item: item_id, delta }
            }
            ServerEvent::TextDone { response_id, item_id, transcript } => {
                VoiceEvent::TextDone { answer: response_id, item: item_id, text: transcript }
            }
            ServerEvent::AudioDone { response_id, item_id } => {
                VoiceEvent::AudioDone { answer: response_id, item: item_id }
            }
            ServerEvent::SpeechStarted { item_id, .. } => {
                self.requests.caller_began();
                VoiceEvent::CallerBegan { item: item_id }
            }
            ServerEvent::SpeechStopped { item_id, .. } => {
                self.requests.caller_ended(self.by_itself);
                VoiceEvent::CallerEnded { item: item_id }
            }
            ServerEvent::CallerTextDelta { item_id, delta } => {
                VoiceEvent::CallerText { item: item_id, delta }
            }
            ServerEvent::CallerTextDone { item_id, transcript } => {
                VoiceEvent::CallerSaid { item: item_id, text: transcript }
            }
            ServerEvent::CallerTextFailed { item_id } => VoiceEvent::CallerUnclear { item: item_id },
            ServerEvent::SessionCreated => self.session_event(true),
            ServerEvent::SessionUpdated => self.session_event(false),
            ServerEvent::ResponseCreated(head) => self.answer_began(&head.id, head.request.as_deref()),
            ServerEvent::ResponseDone(result) => self.answer_ended(*result),
            ServerEvent::OutputItemDone { response_id, item } => self.item_done(response_id, item),
            ServerEvent::RateLimits(limits) => {
                let spent = limits.iter().filter(|limit| limit.remaining == 0);
                self.reset_ms = spent.map(|limit| limit.reset_ms).max();
                VoiceEvent::Nothing
            }
            ServerEvent::Error(error) => self.error(&error),
            ServerEvent::InputCommitted { .. }
            | ServerEvent::ItemAdded { .. }
            | ServerEvent::ItemTruncated { .. }
            | ServerEvent::ItemDeleted { .. }
            | ServerEvent::OutputItemAdded { .. }
            | ServerEvent::Other { .. } => VoiceEvent::Nothing,
        }
    }

    fn hear(&self, payload: &Payload<'_>) -> String {
        append_audio(payload)
    }

    fn tell(&mut self, role: Teller, text: &str) {
        let role = match role {
            Teller::Caller => Role::User,
            Teller::Assistant => Role::Assistant,
            Teller::System => Role::System,
        };
        self.send(&ClientEvent::ItemCreate { previous_item_id: None, item: Item::text(role, text) }, None);
    }

    fn tool_output(&mut self, tool_call_id: &str, output: &str) {
        let item = Item::FunctionCallOutput { call_id: tool_call_id, output };
        self.send(&ClientEvent::ItemCreate { previous_item_id: None, item }, None);
    }

    fn ask(&mut self, ask: Ask) {
        self.requests.ask(ask);
        self.flush();
    }

    fn withdraw(&mut self) {
        self.requests.withdraw();
    }

    fn interrupt(&mut self, cuts: &[ItemCut<'_>], stop: bool) {
        if let Some(id) = self.requests.discard_active().map(str::to_owned) {
            self.discard(&id);
            if stop {
                self.send(&ClientEvent::ResponseCancel { response_id: Some(&id) }, None);
            }
        }
        for cut in cuts {
            self.discard(cut.item);
            let event = match cut.heard_ms {
                0 => ClientEvent::ItemDelete { item_id: cut.item },
                heard => {
                    ClientEvent::ItemTruncate { item_id: cut.item, content_index: 0, audio_end_ms: heard }
                }
            };
            self.send(&event, None);
        }
    }

    fn hold(&mut self, on: bool) {
        if self.conduct != Conduct::Locked {
            self.conduct = if on { Conduct::Held } else { Conduct::Free };
        }
        self.requests.hold(on);
        self.reconfigure();
    }

    fn instruct(&mut self, instructions: &str) {
        instructions.clone_into(&mut self.config.instructions);
        self.outdated = self.phase != Phase::New;
        self.reconfigure();
    }

    fn lock(&mut self) {
        if self.conduct != Conduct::Locked && self.phase == Phase::Ready {
            self.conduct = Conduct::Locked;
            self.reconfigure();
        }
    }

    fn is_busy(&self) -> bool {
        self.requests.is_busy()
    }

    fn is_answering(&self) -> bool {
        self.requests.is_answering()
    }

    fn nudge(&mut self) {
        self.requests.nudge();
        self.flush();
    }

    fn poll_send(&mut self) -> Option<String> {
        // A request that was held back goes as soon as nothing stands in its way.
        if self.outbox.is_empty() {
            self.flush();
        }
        self.outbox.pop_front()
    }
}

/// Everything but what model names consist of.
const MODEL_ESCAPES: &percent_encoding::AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
