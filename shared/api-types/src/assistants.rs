use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use voicecore_types::{AssistantId, BusinessId, CallId, Millis};

use crate::{AuditActor, Interaction};

/// What an assistant is, as a draft or as it was published. What is absent or null is as the installation has it. `greeting` and
/// `instructions` may hold the variables `{{business_name}}` and `{{assistant_name}}`, which get their values when a call begins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"name": "Iris", "greeting": "Hello, this is {{assistant_name}}, the AI assistant of {{business_name}}.", "instructions": "You take bookings. Ask for the day, the time and a name.", "language": "en", "voice": "marin", "tools": ["end_call", "take_message", "transfer"], "turn_detection": {"type": "semantic_vad", "eagerness": "auto"}, "noise_reduction": "far_field"})))]
pub struct AssistantSettings {
    /// 1 to 200 characters.
    pub name: String,
    /// What it says first, at most 500 characters. Should it not say that an AI speaks, a sentence before it does.
    pub greeting: Option<String>,
    /// Persona, facts, rules: what the model is told besides the rules that hold for every assistant. At most 8,000 characters.
    pub instructions: Option<String>,
    /// Two small letters (ISO 639-1). Calls that are held turn by turn are listened to and spoken in ar, ca, cs, da, de, el, en, es, fi,
    /// fr, hi, hu, it, ja, ko, nb, nl, no, pl, pt, ro, ru, sk, sv, tr, uk and zh, and in English where it is another one. What is said
    /// without the model (waiting, silence, an end) is English where it is not de, es, fr or pt.
    pub language: Option<String>,
    /// As the provider of the model names it; letters, digits, `-` and `_`. Of no meaning for calls that are held turn by turn.
    pub voice: Option<String>,
    /// The model that hears and speaks, as its provider names it; letters, digits, `-`, `_`, `.` and `:`. Likewise.
    pub model: Option<String>,
    /// What it can do: different names out of `end_call`, `take_message`, `transfer`. Absent or null: everything.
    pub tools: Option<Vec<String>>,
    /// When the model thinks that the caller has finished. Of no meaning for calls that are held turn by turn.
    pub turn_detection: Option<TurnDetection>,
    /// Before the model listens. Likewise.
    pub noise_reduction: Option<NoiseReduction>,
}

/// When the model thinks that the caller has finished.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TurnDetection {
    /// How.
    #[serde(rename = "type")]
    pub kind: TurnDetectionKind,
    /// Of `server_vad`: how loud is speech, from 0 to 1; 0.5 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// Of `server_vad`: audio kept from before the speech began, from 0 to 2,000; 300 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix_padding_ms: Option<u32>,
    /// Of `server_vad`: silence that ends a turn, from 100 to 5,000; 500 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silence_duration_ms: Option<u32>,
    /// Of `semantic_vad`: how soon the model answers; `auto` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eagerness: Option<Eagerness>,
}

/// How the end of a turn is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TurnDetectionKind {
    /// By loudness and silence.
    ServerVad,
    /// By meaning.
    SemanticVad,
}

/// How soon a turn counts as finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Eagerness {
    /// The caller is given time.
    Low,
    /// In between.
    Medium,
    /// As soon as possible.
    High,
    /// As the provider has it.
    Auto,
}

/// Noise reduction before the model listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoiseReduction {
    /// For a handset.
    NearField,
    /// For a speakerphone.
    FarField,
    /// None.
    Off,
}

/// An assistant: an AI persona that answers for businesses, with its draft. Calls use what was published last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "id": "0192f0c1-7a3e-72e8-a991-a85811d36efc",
    "draft": {
        "name": "Iris", "greeting": "Hello, this is {{assistant_name}}, the AI assistant of {{business_name}}.",
        "instructions": "You take bookings. Ask for the day, the time and a name.", "language": "en", "voice": "marin", "model": null,
        "tools": ["end_call", "take_message", "transfer"], "turn_detection": {"type": "semantic_vad", "eagerness": "auto"},
        "noise_reduction": "far_field"
    },
    "published_version": 2, "version": 5, "created_at": 1_730_616_064_574_u64, "updated_at": 1_793_963_200_000_u64
})))]
pub struct Assistant {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    pub id: AssistantId,
    /// What is being written. No call uses it before it is published.
    pub draft: AssistantSettings,
    /// The number of the version that calls use. Null: it was never published, and no business can name it.
    pub published_version: Option<u64>,
    /// Grows by one with every change, publication included; that of `ETag`.
    pub version: u64,
    /// When it was made.
    #[schema(value_type = u64)]
    pub created_at: Millis,
    /// When it was changed last.
    #[schema(value_type = u64)]
    pub updated_at: Millis,
}

/// That a version of an assistant was published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"number": 2, "published_at": 1_793_963_200_000_u64, "published_by": {"kind": "user", "id": "0192f0c1-7a3e-7a5b-a14a-ca396e2611e4"}})))]
pub struct AssistantPublication {
    /// The number of the version, from 1.
    pub number: u64,
    /// When.
    #[schema(value_type = u64)]
    pub published_at: Millis,
    /// Who published it. `carried_over`: it is what the business had before there were assistants.
    pub published_by: AuditActor,
}

/// A version of an assistant as it was published. It is never changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "number": 2,
    "settings": {
        "name": "Iris", "greeting": "Hello, this is {{assistant_name}}, the AI assistant of {{business_name}}.",
        "instructions": "You take bookings. Ask for the day, the time and a name.", "language": "en", "voice": "marin", "model": null,
        "tools": ["end_call", "take_message", "transfer"], "turn_detection": {"type": "semantic_vad", "eagerness": "auto"},
        "noise_reduction": "far_field"
    },
    "published_at": 1_793_963_200_000_u64, "published_by": {"kind": "user", "id": "0192f0c1-7a3e-7a5b-a14a-ca396e2611e4"}
})))]
pub struct AssistantVersion {
    /// From 1.
    pub number: u64,
    /// What calls have used since then.
    pub settings: AssistantSettings,
    /// When it was published.
    #[schema(value_type = u64)]
    pub published_at: Millis,
    /// Who published it. `carried_over`: it is what the business had before there were assistants.
    pub published_by: AuditActor,
}

/// A conversation in writing that is to begin with an assistant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"version": 1})))]
pub struct StartTestCall {
    /// Which version is tried. Absent: the draft.
    pub version: Option<u64>,
    /// As if this business were called. Absent: one that the assistant answers for, or else the tenant's first.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub business_id: Option<BusinessId>,
}

/// What the tester says or presses: one of the two. Neither: they are silent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"step": 1, "text": "Are you open on Saturday?"})))]
pub struct TestMessage {
    /// The step of the test call that it answers. Of an earlier step nothing is taken: the answer says where it stands.
    pub step: u64,
    /// At most 1,000 characters.
    pub text: Option<String>,
    /// Keys of a telephone, at most 20: digits, `*` and `#`.
    pub digits: Option<String>,
}

/// Where a test call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TestCallState {
    /// The assistant listens.
    Listening,
    /// An answer is being worked on: ask again, and if that does not help, send a message that says nothing.
    Thinking,
    /// It is over.
    Over,
}

/// A conversation in writing in which somebody tries an assistant. It is held like a call that is held turn by turn: same model, prompt,
/// tools and limits. It is no call: nobody is dialled, no message is taken and nothing is mailed (a tool that would is checked and
/// answered as if it had been), and no list or figure of calls counts it. What the model costs counts against the tenant's day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "id": "01a1ee56-5e00-7a7d-bbc1-4018dc93a963", "version": 2, "step": 2, "state": "listening", "end_reason": null,
    "interactions": [
        {
            "seq": 1, "speaker": "assistant", "kind": "speech", "text": "Hello, this is Iris, the AI assistant of Bella's Salon.",
            "start_ms": 0, "end_ms": 0, "cut_at_ms": null, "estimated": false, "latency_ms": null
        },
        {
            "seq": 2, "speaker": "caller", "kind": "speech", "text": "Are you open on Saturday?", "start_ms": 0, "end_ms": 0,
            "cut_at_ms": null, "estimated": false, "latency_ms": null
        },
        {
            "seq": 3, "speaker": "assistant", "kind": "speech", "text": "Yes, from ten to two.", "start_ms": 0, "end_ms": 0,
            "cut_at_ms": null, "estimated": false, "latency_ms": 0
        },
    ],
    "expires_at": 1_795_001_800_000_u64
})))]
pub struct TestCall {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    pub id: CallId,
    /// Which version is tried. Null: the draft as it was when the test began.
    pub version: Option<u64>,
    /// Which the next message answers.
    pub step: u64,
    /// Where it stands.
    pub state: TestCallState,
    /// Why it is over, as of a call.
    pub end_reason: Option<String>,
    /// What was said and done so far.
    pub interactions: Vec<Interaction>,
    /// From then on it cannot go on; a day later it is forgotten.
    #[schema(value_type = u64)]
    pub expires_at: Millis,
}
