use serde::Serialize;

/// `session` of `session.update`, for a conversation over the telephone. Fields left `None` keep the server's default.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename = "realtime")]
pub struct Session<'a> {
    /// System instructions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instructions: Option<&'a str>,
    /// `["audio"]` (speech and its transcript) or `["text"]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_modalities: Option<[&'static str; 1]>,
    /// Both directions of audio.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio: Option<AudioConfig<'a>>,
    /// What the model can ask for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<Vec<FunctionTool<'a>>>,
    /// `auto`, `none` or `required`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_choice: Option<&'static str>,
    /// 1 to 4096.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<u32>,
    /// Only for models that reason (`gpt-realtime-2` and later).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<Reasoning>,
    /// Only for models that reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parallel_tool_calls: Option<bool>,
    /// What is forgotten when the context is full.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truncation: Option<Truncation>,
}

/// Both directions of audio.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AudioConfig<'a> {
    /// What the model hears.
    pub input: AudioInput<'a>,
    /// What it says. Left out in an update that changes only how it listens: the voice is frozen once it has spoken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<AudioOutput<'a>>,
}

/// What the model hears.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AudioInput<'a> {
    /// Coding of the audio.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<AudioFormat>,
    /// Noise reduction before it listens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noise_reduction: Option<NoiseReduction>,
    /// Transcription of the caller, by another model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transcription: Option<Transcription<'a>>,
    /// When a turn of the caller begins and ends.
    pub turn_detection: TurnDetection<'a>,
}

/// Coding of audio. G.711 takes no `rate` here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "type")]
pub enum AudioFormat {
    /// G.711 µ-law, 8 kHz: what the carrier speaks.
    #[serde(rename = "audio/pcmu")]
    Pcmu,
}

/// Noise reduction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum NoiseReduction {
    /// A handset or headset.
    NearField,
    /// A speakerphone.
    FarField,
}

/// Transcription of the caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Transcription<'a> {
    /// E.g. `gpt-4o-mini-transcribe`.
    pub model: &'a str,
    /// ISO 639-1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<&'a str>,
}

/// When a turn of the caller begins and ends.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum TurnDetection<'a> {
    /// By loudness and silence.
    ServerVad {
        /// 0 to 1.
        threshold: f32,
        /// Audio kept from before the speech began.
        prefix_padding_ms: u32,
        /// Silence that ends a turn.
        silence_duration_ms: u32,
        /// Answer when a turn has ended.
        create_response: bool,
        /// Fall silent when a turn begins.
        interrupt_response: bool,
    },
    /// By meaning.
    SemanticVad {
        /// `low`, `medium`, `high` or `auto`.
        eagerness: &'a str,
        /// Answer when a turn has ended.
        create_response: bool,
        /// Fall silent when a turn begins.
        interrupt_response: bool,
    },
}

/// What the model says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AudioOutput<'a> {
    /// Coding of the audio.
    pub format: AudioFormat,
    /// E.g. `marin`.
    pub voice: &'a str,
}

/// A function the model can ask for.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename = "function")]
pub struct FunctionTool<'a> {
    /// Its name.
    pub name: &'a str,
    /// When and how to use it.
    pub description: &'a str,
    /// JSON Schema of its arguments.
    pub parameters: &'a serde_json::Value,
}

/// How much the model thinks before it speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Reasoning {
    /// `minimal`, `low`, `medium`, `high` or `xhigh`.
    pub effort: &'static str,
}

/// What is forgotten when the context is full.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Truncation {
    /// The oldest, down to this share, so that the cache of the rest is kept for many turns.
    RetentionRatio {
        /// 0 to 1.
        retention_ratio: f32,
        /// When to begin.
        token_limits: TokenLimits,
    },
}

/// When the context counts as full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct TokenLimits {
    /// Tokens after instructions and tools.
    pub post_instructions: u32,
}
