//! Responses: from their creation to `response.done`.

mod emit;
mod plan;

use serde_json::{Value, json};

pub(super) use plan::Step;

use super::{
    Output, Session, Task,
    conversation::{Body, Item},
    settings::tools,
    usage::{self, Tokens},
};
use crate::{
    openai::{
        brain::{self, Memory, Reply, Situation},
        report::ResponseReport,
    },
    registry::Speaker,
    speech::{FRAME_MS, Speech},
};

/// Between `speech_started` and a late delta, and between two of them.
const LATE_DELTA_MS: u64 = 8;
/// Until a response fails that is to fail.
const FAIL_AFTER_MS: u64 = 60;
/// What `rate_limits.updated` tells.
const REQUESTS_PER_MINUTE: u32 = 1_000;
const TOKENS_PER_MINUTE: u32 = 1_000_000;

/// What asks for a response. The default is what voice activity detection asks for.
#[derive(Debug, Default)]
pub(super) struct Request {
    pub(super) instructions: Option<String>,
    pub(super) tools: Option<Value>,
    pub(super) no_tools: bool,
    /// Replaces the conversation for this response.
    pub(super) input: Option<Vec<Value>>,
    pub(super) metadata: Option<Value>,
    pub(super) max_output_tokens: Option<Value>,
    /// It leaves the conversation alone.
    pub(super) aside: bool,
    /// The caller has been silent for the configured time.
    pub(super) idle: bool,
}

/// A response that runs.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) id: String,
    pub(super) aside: bool,
    pub(super) created_at: u64,
    phase: Phase,
    metadata: Option<Value>,
    max_output_tokens: Value,
    context: Tokens,
    reply: Reply,
    /// What has been begun so far.
    items: Vec<Item>,
    /// The last item is not finished.
    open: bool,
}

/// Whether a response still does what it planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Running,
    /// It is on its way to its end.
    Cancelled,
    /// It says and does nothing more, ever.
    Hung,
}

/// What the caller hears, as far as the server can know.
#[derive(Debug)]
pub(super) struct Playing {
    pub(super) response_id: String,
    pub(super) until: u64,
}

impl Session {
    /// The response that writes into the conversation.
    pub(super) fn active(&self) -> Option<&Response> {
        self.responses.iter().find(|response| !response.aside)
    }

    pub(super) fn start_response(&mut self, request: Request) {
        self.activity += 1;
        self.owes_response = self.owes_response && request.aside;
        let id = self.new_id("resp_");
        let reply = self.think(&request);
        let nth = {
            let mut report = self.seen();
            report.responses.push(ResponseReport {
                id: id.clone(),
                status: "in_progress".into(),
                reason: None,
                text: reply.speech.clone(),
                items: Vec::new(),
                instructions: request.instructions.clone(),
            });
            report.responses.len() as u32
        };
        let document = self.settings.document();
        let instructions = request.instructions.as_deref().unwrap_or(self.settings.instructions());
        let offered = request.tools.as_ref().or(document.get("tools")).unwrap_or(&Value::Null);
        let context = usage::context(&self.conversation, instructions, offered);
        let limit = request.max_output_tokens.or(document.get("max_output_tokens").cloned());
        let response = Response {
            id: id.clone(),
            aside: request.aside,
            created_at: self.now,
            phase: Phase::Running,
            metadata: request.metadata,
            max_output_tokens: limit.unwrap_or(Value::Null),
            context,
            reply,
            items: Vec::new(),
            open: false,
        };
        let created = self.response_document(&response, "in_progress", None, None);
        let text = response.reply.speech.clone();
        self.responses.push(response);
        self.emit(json!({ "type": "response.created", "response": created }));
        self.emit_rate_limits(context);
        self.fire_at_response(nth);
        self.begin(&id, text);
    }

    /// Lets the model think of what it says, unless the response hangs or fails.
    fn begin(&mut self, id: &str, text: String) {
        if std::mem::take(&mut self.faulty.hang_next) {
            self.hang();
        }
        if self.faulty.failing.0 > 0 {
            self.faulty.failing.0 -= 1;
            let step = Step::Fail(self.faulty.failing.1.clone());
            self.agenda.add(self.now + FAIL_AFTER_MS, Task::Step { response_id: id.to_owned(), step });
        } else if text.is_empty() {
            self.plan(id, None);
        } else {
            self.out.push_back(Output::Synthesise { response_id: id.to_owned(), text });
        }
    }

    fn think(&self, request: &Request) -> Reply {
        let tools = match &request.tools {
            _ if request.no_tools => Vec::new(),
            Some(list) => tools(Some(list)),
            None => self.settings.tools(),
        };
        let memory = match &request.input {
            Some(items) => items.iter().filter_map(memory_of_input).collect(),
            None => self.memory(),
        };
        brain::reply(&Situation {
            asked: request.instructions.as_deref(),
            instructions: self.settings.instructions(),
            tools: &tools,
            memory,
            idle: request.idle,
        })
    }

    fn memory(&self) -> Vec<Memory> {
        let items = self.conversation.items();
        let name_of = |wanted: &str| {
            items.iter().find_map(|item| match &item.body {
                Body::Call { call_id, name, .. } if call_id == wanted => Some(name.clone()),
                _ => None,
            })
        };
        let memory = items.iter().filter_map(|item| match &item.body {
            Body::Heard { text, .. } => Some(Memory::User(text.clone())),
            Body::Written { role, text } => memory_of(role, text),
            Body::Spoken(spoken) => Some(Memory::Assistant(spoken.text())),
            Body::Call { .. } => None,
            Body::Output { call_id, output } => {
                Some(Memory::Tool { name: name_of(call_id).unwrap_or_default(), output: output.clone() })
            }
        });
        memory.collect()
    }

    /// What was to be said has been made audible.
    pub(in crate::openai) fn spoken(&mut self, now: u64, response_id: &str, speech: &Speech) {
        self.tick(now);
        self.plan(response_id, Some(speech));
    }

    fn plan(&mut self, response_id: &str, speech: Option<&Speech>) {
        let running = |r: &&Response| r.id == response_id && r.phase == Phase::Running;
        let Some(response) = self.responses.iter().find(running) else { return };
        let (calls, created_at) = (response.reply.calls.clone(), response.created_at);
        let limit = response.max_output_tokens.as_u64().map(|tokens| tokens * 50 / u64::from(FRAME_MS));
        let message = speech.map(|speech| {
            let item_id = self.new_id("item_");
            let utterance =
                self.shared.registry.register(Speaker::Assistant { item: item_id.clone() }, speech);
            (item_id, utterance)
        });
        let calls = calls
            .into_iter()
            .map(|(name, arguments)| {
                (self.new_id("item_"), self.new_id("call_"), name, arguments.to_string())
            })
            .collect();
        let timing = &self.shared.timing;
        let speed = timing.speed * self.settings.speed() / self.faulty.slow;
        let pace = plan::Pace { chunk_ms: timing.chunk_ms, speed, lead_ms: timing.transcript_lead_ms };
        let (first, jitter) = (timing.first_audio_ms, timing.first_audio_jitter_ms);
        let start = (created_at + first + self.jitter(jitter)).max(self.now);
        for (offset, step) in plan::steps(message, calls, &pace, limit, &mut self.rng) {
            self.agenda.add(start + offset, Task::Step { response_id: response_id.to_owned(), step });
        }
    }

    /// Stops a response; `late` audio deltas still come.
    pub(super) fn cancel(&mut self, response_id: &str, reason: &'static str, late: usize) {
        let found = self.responses.iter_mut().find(|r| r.id == response_id && r.phase == Phase::Running);
        let Some(response) = found else { return };
        response.phase = Phase::Cancelled;
        let steps =
            self.agenda.take(|task| matches!(task, Task::Step { response_id: id, .. } if id == response_id));
        let steps =
            steps.into_iter().filter_map(|t| if let Task::Step { step, .. } = t { Some(step) } else { None });
        let late = steps.filter(|step| matches!(step, Step::Audio(_))).take(late).filter(|_| response.open);
        let end = [Step::Close("incomplete"), Step::End("cancelled", Some(reason))];
        let mut at = self.now;
        for step in late.chain(end) {
            at += if matches!(step, Step::End(..)) { 0 } else { LATE_DELTA_MS };
            self.agenda.add(at, Task::Step { response_id: response_id.to_owned(), step });
        }
        if let Some(playing) = self.playing.as_mut().filter(|p| p.response_id == response_id) {
            playing.until = self.now;
        }
    }

    /// The response that runs never says another word; without one, the next.
    pub(super) fn hang(&mut self) {
        let Some(response) = self.responses.iter_mut().find(|r| !r.aside) else {
            self.faulty.hang_next = true;
            return;
        };
        response.phase = Phase::Hung;
        let id = response.id.clone();
        self.agenda.take(|task| matches!(task, Task::Step { response_id, .. } if *response_id == id));
    }

    /// It is over: forgets it and does what waited for it.
    fn finish(&mut self, response: &Response, status: &str, reason: Option<&str>, error: Option<&str>) {
        let output = response.items.iter().map(|item| usage::of_item(&item.body));
        let output =
            output.fold(Tokens::default(), |a, b| Tokens { text: a.text + b.text, audio: a.audio + b.audio });
        let usage = usage::document(response.context, self.last_context, output);
        self.last_context = response.context;
        let details = reason.map(|reason| json!({ "type": status, "reason": reason })).or(error.map(|code| {
            let kind = if code == "server_error" { "server_error" } else { "invalid_request_error" };
            json!({ "type": "failed", "error": { "type": kind, "code": code, "message": format!("The response failed: {code}.") } })
        }));
        let document = self.response_document(response, status, details, Some(usage));
        if let Some(report) = self.seen().responses.iter_mut().find(|report| report.id == response.id) {
            report.status = status.into();
            report.reason = reason.or(error).map(str::to_owned);
        }
        self.emit(json!({ "type": "response.done", "response": document }));
        if response.aside {
            return;
        }
        if self.owes_response {
            self.start_response(Request::default());
        } else if status == "completed" && response.reply.calls.is_empty() {
            let heard = self.playing.as_ref().filter(|p| p.response_id == response.id);
            self.watch_silence(heard.map_or(self.now, |playing| playing.until));
        }
    }
}

fn memory_of(role: &str, text: &str) -> Option<Memory> {
    match role {
        "user" => Some(Memory::User(text.to_owned())),
        "assistant" => Some(Memory::Assistant(text.to_owned())),
        "system" => Some(Memory::System(text.to_owned())),
        _ => None,
    }
}

fn memory_of_input(item: &Value) -> Option<Memory> {
    memory_of(item.get("role")?.as_str()?, item.pointer("/content/0/text")?.as_str()?)
}
