//! What was said and done in a call: the transcript, and the conversation that the model is told.

use serde::{Deserialize, Serialize};
use voicecore_call::{CallConfig, Interaction, InteractionKind, Speaker, ToolCall};
use voicecore_types::Millis;
use voicecore_wire::openai::chat::{ChatMessage, ChatRequest, ChatTool, ChatToolCall};

/// The most characters of one reply: almost two minutes of speech, and well below what one `<Say>` takes.
pub const MAX_REPLY_CHARS: usize = 1_500;
/// The model is told the last so many entries: as many as a new session of the bridge.
const MAX_CONTEXT: usize = 100;
/// The most entries of a call.
const MAX_LINES: usize = 2_000;
/// The most bytes of text of a call: with it, a call stays well below what a row of any database holds.
const MAX_BYTES: usize = 600_000;
/// The most bytes kept of a tool's output.
const MAX_OUTPUT_BYTES: usize = 4 * 1_024;

/// One entry, with what only the model needs of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Line {
    entry: Interaction,
    /// Of a tool: what it was called with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    arguments: Option<String>,
}

/// The entries, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Log(Vec<Line>);

impl Log {
    /// Of a call that was held otherwise so far.
    pub(crate) fn from_interactions(entries: Vec<Interaction>) -> Self {
        let lines = entries.into_iter().take(MAX_LINES).map(|entry| Line { entry, arguments: None });
        let mut log = Self(lines.collect());
        log.renumber();
        log
    }

    fn renumber(&mut self) {
        for (seq, line) in (1..).zip(&mut self.0) {
            line.entry.seq = seq;
        }
    }

    /// Nothing more can be kept: a call that goes on for so long is ended like one that is too long.
    pub(crate) fn is_full(&self) -> bool {
        let bytes = |line: &Line| line.entry.text.len() + line.arguments.as_deref().map_or(0, str::len);
        self.0.len() >= MAX_LINES || self.0.iter().map(bytes).sum::<usize>() >= MAX_BYTES
    }

    pub(crate) fn greeted(&self) -> bool {
        self.0.iter().any(|line| line.entry.speaker == Speaker::Assistant)
    }

    /// Whether the intervention of this name is there.
    pub(crate) fn has_taken(&self, name: &str) -> bool {
        self.0.iter().any(|line| line.entry.is_intervention(name))
    }

    pub(crate) fn interactions(&self) -> Vec<Interaction> {
        self.0.iter().map(|line| line.entry.clone()).collect()
    }

    /// Adds an entry. How long it was spoken cannot be known here: what is known is when it came.
    pub(crate) fn add(&mut self, at: Millis, speaker: Speaker, kind: InteractionKind, text: String) {
        self.push(at, speaker, kind, text, None, None);
    }

    pub(crate) fn reply(&mut self, at: Millis, text: String, latency: Option<Millis>) {
        self.push(at, Speaker::Assistant, InteractionKind::Speech, text, latency, None);
    }

    /// Takes back what the assistant has said since the caller's last turn.
    pub(crate) fn unsay(&mut self) {
        let turn = self.0.iter().rposition(|line| line.entry.speaker == Speaker::Caller);
        let since = self.0.split_off(turn.unwrap_or(self.0.len()));
        self.0.extend(since.into_iter().filter(|line| line.entry.speaker != Speaker::Assistant));
        self.renumber();
    }

    pub(crate) fn tool(&mut self, at: Millis, call: ToolCall, output: &str) {
        let kind = InteractionKind::Tool { name: call.name, tool_call_id: call.tool_call_id };
        let output = cut(output, MAX_OUTPUT_BYTES);
        self.push(at, Speaker::System, kind, output, None, Some(call.arguments));
    }

    fn push(
        &mut self,
        at: Millis,
        speaker: Speaker,
        kind: InteractionKind,
        text: String,
        latency: Option<Millis>,
        arguments: Option<String>,
    ) {
        let before = self.0.last().map_or(0, |line| line.entry.end_ms);
        let at = at.0.max(before);
        let entry = Interaction {
            seq: u32::try_from(self.0.len()).unwrap_or(u32::MAX).saturating_add(1),
            speaker,
            kind,
            text,
            start_ms: at,
            end_ms: at,
            cut_at_ms: None,
            estimated: false,
            latency_ms: latency.map(|latency| latency.0),
        };
        self.0.push(Line { entry, arguments });
    }

    /// What the model is asked.
    pub(crate) fn request<'a>(&'a self, config: &'a CallConfig, model: &'a str) -> ChatRequest<'a> {
        let ordered = self.0.iter().rev().find_map(|line| line.entry.as_instructions());
        let instructions = ordered.unwrap_or(&config.session.instructions);
        let mut messages = vec![ChatMessage::System { content: instructions.into() }];
        let first = self.0.len().saturating_sub(MAX_CONTEXT);
        for line in self.0.iter().skip(first) {
            line.tell(&mut messages);
        }
        let tools = config.session.tools.iter();
        ChatRequest {
            model,
            messages,
            tools: tools.map(|tool| ChatTool::new(&tool.name, &tool.description, &tool.parameters)).collect(),
            max_completion_tokens: config.session.max_output_tokens,
        }
    }
}

impl Line {
    fn tell<'a>(&'a self, messages: &mut Vec<ChatMessage<'a>>) {
        let text = self.entry.text.as_str();
        match (&self.entry.kind, self.entry.speaker) {
            (InteractionKind::Speech, _) if text.is_empty() => {}
            (InteractionKind::Speech, Speaker::Assistant) => {
                messages.push(ChatMessage::Assistant { content: Some(text), tool_calls: vec![] });
            }
            (InteractionKind::Speech, _) => messages.push(ChatMessage::User { content: text.into() }),
            (InteractionKind::Dtmf, _) => {
                let pressed = format!("(I have pressed the key {text} on my telephone.)");
                messages.push(ChatMessage::User { content: pressed.into() });
            }
            (InteractionKind::Tool { name, tool_call_id }, _) => {
                let arguments = self.arguments.as_deref().unwrap_or("{}");
                let call = ChatToolCall::new(tool_call_id, name, arguments);
                messages.push(ChatMessage::Assistant { content: None, tool_calls: vec![call] });
                messages.push(ChatMessage::Tool { tool_call_id, content: text });
            }
            (InteractionKind::Intervention { .. }, _) => {
                if let Some(told) = self.entry.as_message() {
                    messages.push(ChatMessage::System { content: told.into() });
                }
            }
            (InteractionKind::Notice, _) => {}
        }
    }
}

/// The first bytes of a text, whole characters of it.
pub(crate) fn cut(text: &str, max_bytes: usize) -> String {
    let mut end = max_bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}
