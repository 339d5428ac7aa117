//! Chat completions (`POST {base}/chat/completions`), as OpenAI and whoever is compatible with it speak them; without
//! streaming. Source: platform.openai.com/docs/api-reference/chat; `protocols.md` §4.6 has its use.
//!
//! What is sent is what every compatible provider takes; what comes back is read tolerantly, because they differ in it.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::loose::{Number, Text};

/// The path below the provider's base address.
pub const CHAT_PATH: &str = "/chat/completions";
/// Most tool calls that are read of one answer.
pub const MAX_TOOL_CALLS: usize = 16;

/// A request for the next message of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChatRequest<'a> {
    /// As the provider names it.
    pub model: &'a str,
    /// The conversation, oldest first.
    pub messages: Vec<ChatMessage<'a>>,
    /// What the model may call. Providers refuse an empty list, so none is not sent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<ChatTool<'a>>,
    /// Cap of the answer.
    pub max_completion_tokens: u32,
}

/// One message. `Debug` does not show what was said.
#[derive(Clone, PartialEq, Serialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub enum ChatMessage<'a> {
    /// Instructions.
    System {
        /// The text.
        content: Cow<'a, str>,
    },
    /// The caller.
    User {
        /// The text.
        content: Cow<'a, str>,
    },
    /// The model.
    Assistant {
        /// What it said; absent when it only called tools.
        #[serde(skip_serializing_if = "Option::is_none")]
        content: Option<&'a str>,
        /// What it called; each must be answered by a `Tool` message right after this one.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        tool_calls: Vec<ChatToolCall<'a>>,
    },
    /// The answer of a tool.
    Tool {
        /// Which call of it.
        tool_call_id: &'a str,
        /// The answer.
        content: &'a str,
    },
}

impl fmt::Debug for ChatMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System { .. } => "System(***)",
            Self::User { .. } => "User(***)",
            Self::Assistant { .. } => "Assistant(***)",
            Self::Tool { .. } => "Tool(***)",
        })
    }
}

/// A call of a tool, as it is told back.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChatToolCall<'a> {
    id: &'a str,
    r#type: &'static str,
    function: CalledFunction<'a>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct CalledFunction<'a> {
    name: &'a str,
    arguments: &'a str,
}

impl<'a> ChatToolCall<'a> {
    /// `arguments` is JSON text.
    pub fn new(id: &'a str, name: &'a str, arguments: &'a str) -> Self {
        Self { id, r#type: "function", function: CalledFunction { name, arguments } }
    }
}

/// A tool on offer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChatTool<'a> {
    r#type: &'static str,
    function: OfferedFunction<'a>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct OfferedFunction<'a> {
    name: &'a str,
    description: &'a str,
    parameters: &'a serde_json::Value,
}

impl<'a> ChatTool<'a> {
    /// `parameters` is a JSON Schema.
    pub fn new(name: &'a str, description: &'a str, parameters: &'a serde_json::Value) -> Self {
        Self { r#type: "function", function: OfferedFunction { name, description, parameters } }
    }
}

/// An answer of the model. `Debug` does not show what it says.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct ChatAnswer {
    /// What it says; `None` when it only calls tools.
    pub text: Option<String>,
    /// What it calls, at most [`MAX_TOOL_CALLS`]. Ids are left out: compatible providers repeat them.
    pub calls: Vec<ChatCall>,
    /// What it cost.
    pub usage: ChatUsage,
}

impl fmt::Debug for ChatAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChatAnswer").field("calls", &self.calls.len()).finish_non_exhaustive()
    }
}

/// A call that the model makes. `Debug` does not show its arguments.
#[derive(Clone, PartialEq, Eq)]
pub struct ChatCall {
    /// Which tool.
    pub name: String,
    /// JSON text as the model wrote it: may be anything.
    pub arguments: String,
}

impl fmt::Debug for ChatCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChatCall").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Tokens of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChatUsage {
    /// In, those from the cache left out.
    pub text_in: u64,
    /// In, from the cache.
    pub text_cached: u64,
    /// Out.
    pub text_out: u64,
}

/// What the provider answered instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChatError {
    /// It may go better in a moment: a rate limit, an overload, a fault of the provider's.
    #[error("the model's provider answered {status}")]
    Passing {
        /// HTTP status.
        status: u16,
    },
    /// It will not go better by itself: a wrong key, no such model, no money.
    #[error("the model's provider refuses with {status}")]
    Fatal {
        /// HTTP status.
        status: u16,
    },
    /// Not a chat completion, or one that says nothing and calls nothing.
    #[error("the answer of the model's provider is not a chat completion")]
    Malformed,
}

/// Reads an answer.
pub fn read_chat(status: u16, body: &[u8]) -> Result<ChatAnswer, ChatError> {
    if !(200..300).contains(&status) {
        return Err(refused(status, body));
    }
    let completion: Completion<'_> = serde_json::from_slice(body).map_err(|_| ChatError::Malformed)?;
    let choice = completion.choices.into_iter().next().ok_or(ChatError::Malformed)?;
    let calls = choice.message.tool_calls.unwrap_or_default().into_iter().take(MAX_TOOL_CALLS);
    let calls: Vec<_> = calls
        .map(|call| ChatCall {
            name: call.function.name.into_inner().into_owned(),
            arguments: call.function.arguments.into_inner().into_owned(),
        })
        .collect();
    let text = choice.message.content.into_inner().trim().to_owned();
    let text = Some(text).filter(|text| !text.is_empty());
    if text.is_none() && calls.is_empty() {
        return Err(ChatError::Malformed);
    }
    let usage = completion.usage.unwrap_or_default();
    let cached = usage.prompt_tokens_details.unwrap_or_default().cached_tokens.or_zero();
    let usage = ChatUsage {
        text_in: usage.prompt_tokens.or_zero().saturating_sub(cached),
        text_cached: cached.min(usage.prompt_tokens.or_zero()),
        text_out: usage.completion_tokens.or_zero(),
    };
    Ok(ChatAnswer { text, calls, usage })
}

/// A 429 means either "slower" or "no money": only the code tells.
fn refused(status: u16, body: &[u8]) -> ChatError {
    let code = serde_json::from_slice::<Refusal<'_>>(body).ok();
    let broke = code.is_some_and(|refusal| {
        [&refusal.error.code, &refusal.error.r#type].into_iter().any(|word| word.0 == "insufficient_quota")
    });
    match status {
        408 | 409 | 425 | 429 | 500.. if !broke => ChatError::Passing { status },
        _ => ChatError::Fatal { status },
    }
}

#[derive(Deserialize)]
struct Completion<'a> {
    #[serde(borrow, default)]
    choices: Vec<Choice<'a>>,
    #[serde(default)]
    usage: Option<CompletionUsage>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow)]
    message: Message<'a>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, default)]
    content: Text<'a>,
    #[serde(borrow, default)]
    tool_calls: Option<Vec<Call<'a>>>,
}

#[derive(Deserialize)]
struct Call<'a> {
    #[serde(borrow)]
    function: Function<'a>,
}

#[derive(Deserialize)]
struct Function<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow, default)]
    arguments: Text<'a>,
}

#[derive(Deserialize, Default)]
struct CompletionUsage {
    #[serde(default)]
    prompt_tokens: Number,
    #[serde(default)]
    completion_tokens: Number,
    #[serde(default)]
    prompt_tokens_details: Option<PromptDetails>,
}

#[derive(Deserialize, Default)]
struct PromptDetails {
    #[serde(default)]
    cached_tokens: Number,
}

#[derive(Deserialize)]
struct Refusal<'a> {
    #[serde(borrow)]
    error: RefusalBody<'a>,
}

#[derive(Deserialize)]
struct RefusalBody<'a> {
    #[serde(borrow, default)]
    code: Text<'a>,
    #[serde(borrow, default)]
    r#type: Text<'a>,
}

#[cfg(test)]
mod tests;
