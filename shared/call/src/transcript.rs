use serde::{Deserialize, Serialize};
use voicecore_types::{CallId, Millis};

use crate::{AfterStream, OperatorAction};

/// Who spoke or acted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    /// The person on the phone.
    Caller,
    /// The AI.
    Assistant,
    /// VoiceCore itself: notices, tools, keys.
    System,
    /// Somebody of the tenant who stepped in.
    Operator,
}

/// What kind of entry it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum InteractionKind {
    /// Speech.
    Speech,
    /// A key pressed on the phone.
    Dtmf,
    /// A tool run; `text` is its result as JSON.
    Tool {
        /// Which tool.
        name: String,
        /// With the call id, unique.
        tool_call_id: String,
    },
    /// A remark of the system.
    Notice,
    /// Somebody stepped in; `text` is the message to the assistant, or its new instructions. A pause that has lasted as long as
    /// it may is ended by nobody.
    Intervention {
        /// Names it within the call; empty when nobody did it.
        id: String,
        /// What they did.
        action: OperatorAction,
        /// What kind of principal they are.
        actor_kind: Option<String>,
        /// Which one.
        actor_id: Option<String>,
    },
}

/// One entry of the transcript.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interaction {
    /// Position in the call, from 1. While the call runs it names the entry, and entries without words (noise that was
    /// taken for speech) leave gaps; in a finished call there are none.
    pub seq: u32,
    /// Who.
    pub speaker: Speaker,
    /// What kind.
    #[serde(flatten)]
    pub kind: InteractionKind,
    /// What was said; for an interrupted assistant turn only what was heard.
    pub text: String,
    /// When it began, counted from the start of the call.
    pub start_ms: u64,
    /// When it ended, counted from the start of the call.
    pub end_ms: u64,
    /// Interrupted: after this much of its audio was heard.
    pub cut_at_ms: Option<u64>,
    /// The cut text was estimated from the share of milliseconds heard.
    pub estimated: bool,
    /// From the end of the caller's turn to the first audio of the answer sent to the carrier.
    pub latency_ms: Option<u64>,
}

impl Interaction {
    /// How the assistant is told of it, if it is somebody's message to the assistant.
    #[must_use]
    pub fn as_message(&self) -> Option<String> {
        let is_message =
            matches!(self.kind, InteractionKind::Intervention { action: OperatorAction::Message, .. });
        is_message.then(|| OperatorAction::told(&self.text))
    }

    /// The assistant's instructions from there on, if it is somebody's order.
    #[must_use]
    pub fn as_instructions(&self) -> Option<&str> {
        let is_order =
            matches!(self.kind, InteractionKind::Intervention { action: OperatorAction::Override, .. });
        is_order.then_some(&self.text)
    }

    /// Whether it is what came of the [`Intervention`](crate::Intervention) of this name.
    #[must_use]
    pub fn is_intervention(&self, name: &str) -> bool {
        matches!(&self.kind, InteractionKind::Intervention { id, .. } if id == name)
    }
}

/// What the model's provider bills, summed over `response.done` of every session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Text tokens in, cached ones left out.
    pub text_in: u64,
    /// Text tokens in from the cache.
    pub text_cached: u64,
    /// Text tokens out.
    pub text_out: u64,
    /// Audio tokens in, cached ones left out.
    pub audio_in: u64,
    /// Audio tokens in from the cache.
    pub audio_cached: u64,
    /// Audio tokens out.
    pub audio_out: u64,
}

/// Why the call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The caller hung up.
    CallerHungUp,
    /// The assistant said goodbye (`end_call`).
    AssistantEnded,
    /// An operator ended it.
    OperatorEnded,
    /// It went to a human being.
    Transferred,
    /// It reached its longest allowed length.
    LengthLimit,
    /// Nobody spoke.
    Silence,
    /// The model could not be had: apology, then fallback number or voicemail.
    ModelUnavailable,
    /// The carrier's stream broke more often than it may: apology, then fallback number or voicemail.
    StreamLost,
    /// The end never came; closed by the alarm.
    Abandoned,
}

/// A finished call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallSummary {
    /// Which call.
    pub call_id: CallId,
    /// When the first stream connected.
    pub started_at: Millis,
    /// When it was over.
    pub ended_at: Millis,
    /// Why.
    pub reason: EndReason,
    /// The assistant was to say goodbye, and no model was there to begin with it.
    #[serde(default)]
    pub farewell_owed: bool,
    /// The transcript.
    pub interactions: Vec<Interaction>,
    /// What the model's provider bills.
    pub usage: Usage,
    /// Upstream sessions used.
    pub model_sessions: u32,
    /// Carrier streams used.
    pub attempts: u32,
}

impl CallSummary {
    /// What comes after the stream: the answer to `<Connect action>` once the machine is gone.
    #[must_use]
    pub const fn after_stream(&self) -> AfterStream {
        self.reason.after_stream(self.farewell_owed)
    }
}
