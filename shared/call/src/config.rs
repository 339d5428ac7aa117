use serde::{Deserialize, Serialize};
use voicecore_types::{CallId, Millis};

/// Everything the machine must know before the caller hears anything. Loaded once; a change of configuration is seen
/// by the next call, never by a running one half-way (property B3).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallConfig {
    /// Our name of the call.
    pub call_id: CallId,
    /// The carrier's name of it (Twilio: `CallSid`).
    pub carrier_call_id: String,
    /// How the model is to behave.
    pub session: SessionConfig,
    /// What protects the tenant and the caller.
    pub limits: Limits,
    /// There is a human being to transfer to (the business's fallback number).
    pub transfer_available: bool,
}

/// How the model is to behave in this call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionConfig {
    /// Model name as the provider knows it, e.g. `gpt-realtime-2.1`.
    pub model: String,
    /// Voice name as the provider knows it, e.g. `marin`.
    pub voice: String,
    /// System instructions: persona, business facts, rules.
    pub instructions: String,
    /// What the assistant says first, word for word. It discloses the AI.
    pub greeting: String,
    /// ISO 639-1 language that the transcription is pinned to (pitfall 38).
    pub language: Option<String>,
    /// Model that transcribes the caller.
    pub transcription_model: String,
    /// When the model thinks that the caller has finished.
    pub turn_detection: TurnDetection,
    /// Noise reduction before the model listens.
    pub noise_reduction: Option<NoiseReduction>,
    /// What the assistant can do.
    pub tools: Vec<ToolSpec>,
    /// Cap of one answer, 1 to 4096.
    pub max_output_tokens: u32,
}

/// When the model thinks that the caller has finished.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TurnDetection {
    /// By loudness and silence.
    ServerVad {
        /// 0 to 1.
        threshold: f32,
        /// Audio kept from before the speech began.
        prefix_padding_ms: u32,
        /// Silence that ends a turn.
        silence_duration_ms: u32,
    },
    /// By meaning.
    SemanticVad {
        /// `low`, `medium`, `high` or `auto`.
        eagerness: String,
    },
}

/// Noise reduction before the model listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoiseReduction {
    /// A handset.
    NearField,
    /// A speakerphone.
    FarField,
}

/// A function the model may call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolSpec {
    /// `[a-zA-Z0-9_-]{1,64}`.
    pub name: String,
    /// When and how to use it, for the model.
    pub description: String,
    /// JSON Schema of its arguments.
    pub parameters: serde_json::Value,
}

/// Limits of one call. [`Limits::default`] holds the protective values of `architecture.md`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// The call is ended politely after this long.
    pub call_length: Millis,
    /// The caller is asked whether they are still there after this much silence, counted from the end of playback.
    pub idle: Millis,
    /// After this many unanswered questions the call is ended politely.
    pub idle_prompts: u32,
    /// Nothing audible for this long while something is owed: a comfort tone is played.
    pub comfort: Millis,
    /// Nothing from the model for this long while something is owed: the next rung of the ladder.
    pub model_patience: Millis,
    /// A tool that has not answered by then is answered for with an error.
    pub tool_patience: Millis,
    /// Upstream sessions opened again without one that completed an answer, before the ladder is left downwards.
    pub model_retries: u32,
    /// Carrier streams (attempts) of one call, resumptions included.
    pub attempts: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            call_length: Millis::from_secs(3_600),
            idle: Millis::from_secs(8),
            idle_prompts: 3,
            comfort: Millis(2_500),
            model_patience: Millis::from_secs(8),
            tool_patience: Millis::from_secs(20),
            model_retries: 3,
            attempts: 4,
        }
    }
}
