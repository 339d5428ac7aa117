use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use voicecore_types::{BusinessId, CallId, Millis};

/// Where a call is in its life. It only ever moves forward: queued, ringing, in progress, then one of five ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallStatus {
    /// The carrier has accepted it.
    Queued,
    /// The telephone rings.
    Ringing,
    /// Both sides are connected.
    InProgress,
    /// It was answered and is over.
    Completed,
    /// The called side was busy.
    Busy,
    /// It could not be connected.
    Failed,
    /// Nobody answered.
    NoAnswer,
    /// It was hung up before it was answered.
    Canceled,
}

/// A telephone call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "id": "01a1ed7a-11dc-7b7b-bf7a-2df7b3278b17", "carrier_call_id": "CA5f1e0c9b7a3d48269e0f1b2c3d4e5f60",
    "business_id": "0192f0c1-7a3e-7d18-ae69-f945589bf3b0", "from": "+442079460958", "status": "completed",
    "started_at": 1_794_985_562_588_u64, "answered_at": 1_794_985_564_768_u64, "ended_at": 1_794_985_577_198_u64, "duration_ms": 12_430,
    "end_reason": "caller_hung_up", "interaction_count": 4, "attempts": 1, "model_sessions": 1, "model": "gpt-realtime-2.1",
    "usage": {"text_in": 1180, "text_cached": 2304, "text_out": 164, "audio_in": 74, "audio_cached": 128, "audio_out": 110},
    "cost_micros": 19_037
})))]
pub struct Call {
    /// Our id of it.
    #[schema(value_type = String, format = "uuid")]
    pub id: CallId,
    /// The carrier's id of it (Twilio: `CallSid`).
    pub carrier_call_id: String,
    /// The business that was called.
    #[schema(value_type = String, format = "uuid")]
    pub business_id: BusinessId,
    /// The caller's number in E.164 form; absent when it was withheld.
    pub from: Option<String>,
    /// Where it is in its life.
    pub status: CallStatus,
    /// When we learnt of it.
    #[schema(value_type = u64)]
    pub started_at: Millis,
    /// When it was connected.
    #[schema(value_type = Option<u64>)]
    pub answered_at: Option<Millis>,
    /// When the line was free again.
    #[schema(value_type = Option<u64>)]
    pub ended_at: Option<Millis>,
    /// How long the two sides were connected; absent while they are.
    pub duration_ms: Option<u64>,
    /// Why it ended, e.g. `caller_hung_up`, `assistant_ended`, `transferred`, `model_unavailable`.
    pub end_reason: Option<String>,
    /// Entries of its transcript, counted when it is over.
    pub interaction_count: u32,
    /// Media streams that it took: more than one means that something broke and the call survived it.
    pub attempts: u32,
    /// Sessions with the model that it took.
    pub model_sessions: u32,
    /// The model, once the call is over.
    pub model: Option<String>,
    /// What the model's provider bills for it, once it is over.
    pub usage: Option<Usage>,
    /// The same in millionths of a US dollar, by list prices.
    pub cost_micros: Option<u64>,
}

/// Tokens that the model's provider bills.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
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

/// Who spoke or acted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    /// The person on the phone.
    Caller,
    /// The AI.
    Assistant,
    /// VoiceCore itself.
    System,
    /// Somebody of the tenant who stepped in.
    Operator,
}

/// What kind of entry it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
    /// Somebody stepped in; `text` is the message to the assistant, or its new instructions.
    Intervention {
        /// What they did.
        action: InterventionAction,
        /// What kind of principal they are; `null` when a pause ended by itself.
        actor_kind: Option<String>,
        /// Which one.
        actor_id: Option<String>,
    },
}

/// What is done to a running call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InterventionAction {
    /// The assistant is told something that the caller does not hear, and answers as soon as it can.
    Message,
    /// The assistant falls silent, in mid-word if need be, and goes on listening; for two minutes at most, from the last time that
    /// this was asked for.
    Pause,
    /// The assistant may speak again, and does.
    Resume,
    /// From its next answer on, and for the rest of the call, the assistant has these instructions in the place of its own.
    Override,
    /// The call is ended, after a goodbye where there is an assistant to say it.
    End,
}

/// Stepping into a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"action": "message", "text": "Offer them Thursday instead."})))]
pub struct Intervene {
    /// What is done.
    pub action: InterventionAction,
    /// With `message`: what the assistant is told, 1 to 2,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// With `override`: all of the assistant's new instructions, 1 to 8,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
    /// With `end`: without a goodbye.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_once: Option<bool>,
}

/// When it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InterventionEffect {
    /// It was done.
    Now,
    /// The call is held turn by turn: it counts from the assistant's next answer on.
    NextTurn,
}

/// Somebody has stepped into a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"call_id": "01a1ed7a-11dc-7b7b-bf7a-2df7b3278b17", "action": "message", "takes_effect": "now"})))]
pub struct Intervened {
    /// Which call.
    #[schema(value_type = String, format = "uuid")]
    pub call_id: CallId,
    /// What was done.
    pub action: InterventionAction,
    /// When it counts.
    pub takes_effect: InterventionEffect,
}

/// One entry of the transcript.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Interaction {
    /// Position in the call, from 1, without gaps.
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
    /// From the end of the caller's turn to the first audio of the answer.
    pub latency_ms: Option<u64>,
}

/// The transcript of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "call_id": "01a1ed7a-11dc-7b7b-bf7a-2df7b3278b17", "complete": true,
    "items": [
        {
            "seq": 1, "speaker": "assistant", "kind": "speech", "text": "Hello, this is Iris, the AI assistant of Bella's Salon.",
            "start_ms": 640, "end_ms": 4310, "cut_at_ms": null, "estimated": false, "latency_ms": null
        },
        {
            "seq": 2, "speaker": "caller", "kind": "speech", "text": "Can you ask Ana to call me back?", "start_ms": 4900,
            "end_ms": 6420, "cut_at_ms": null, "estimated": false, "latency_ms": null
        },
        {
            "seq": 3, "speaker": "system", "kind": "tool", "name": "take_message", "tool_call_id": "call_1",
            "text": "{\"ok\":true,\"callback_number_known\":true}", "start_ms": 6910, "end_ms": 7020, "cut_at_ms": null,
            "estimated": false, "latency_ms": null
        },
        {
            "seq": 4, "speaker": "assistant", "kind": "speech", "text": "I have written that down.", "start_ms": 7130, "end_ms": 8960,
            "cut_at_ms": null, "estimated": false, "latency_ms": 710
        },
    ]
})))]
pub struct Interactions {
    /// Which call.
    #[schema(value_type = String, format = "uuid")]
    pub call_id: CallId,
    /// The call is over and this is all of it; otherwise more may follow.
    pub complete: bool,
    /// The entries, by `seq`.
    pub items: Vec<Interaction>,
}

/// The call is being ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"call_id": "01a1ed7a-11dc-7b7b-bf7a-2df7b3278b17", "status": "in_progress"})))]
pub struct EndCall {
    /// Which call.
    #[schema(value_type = String, format = "uuid")]
    pub call_id: CallId,
    /// Its state when the wish was taken; `completed` and the like when it was over already.
    pub status: CallStatus,
}
