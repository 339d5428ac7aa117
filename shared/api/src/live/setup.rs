//! What an actor knows of its call before the caller hears anything.

use serde::{Deserialize, Serialize};
use voicecore_api_types::{self as wire, Eagerness, TurnDetectionKind};
use voicecore_call::{CallConfig, Limits, NoiseReduction, SessionConfig, TurnDetection};
use voicecore_domain::greeting::greeting;
use voicecore_domain::variables::filled;
use voicecore_ports::DbError;
use voicecore_store::businesses::{self, CallSetupRow};
use voicecore_store::{StoreError, directory};
use voicecore_types::{AssistantId, BusinessId, CallId, Millis, TenantId};

use super::prompt::{self, Prompt};
use super::tools;
use crate::deadline::{LOAD, within};
use crate::{AppState, Config};

/// The voice of an assistant that has not chosen one (recommended by the provider, protocols.md §4.1).
const DEFAULT_VOICE: &str = "marin";
/// The model that transcribes callers.
const TRANSCRIPTION_MODEL: &str = "gpt-4o-mini-transcribe";
/// The most tokens of one answer: about forty seconds of speech.
const MAX_OUTPUT_TOKENS: u32 = 1_024;
/// Turns are told apart by loudness, with the provider's own defaults (protocols.md §4.1).
const TURN_DETECTION: TurnDetection =
    TurnDetection::ServerVad { threshold: 0.5, prefix_padding_ms: 300, silence_duration_ms: 500 };

/// A call as its actor knows it: read once, kept with its journal, the same for every attempt. Holds no phone number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallSetup {
    /// Whose call.
    pub tenant_id: TenantId,
    /// The business that was called.
    pub business_id: BusinessId,
    /// The tenant's data key, wrapped by `MASTER_KEY`: for the journal. `None` in what an older version kept.
    #[serde(default)]
    pub wrapped_key: Option<String>,
    /// The tenant's own account at the model that hears and speaks, sealed: what is set while the call runs is for the next one.
    #[serde(default)]
    pub openai_credential: Option<String>,
    /// The same, of the model that reads and writes.
    #[serde(default)]
    pub chat_credential: Option<String>,
    /// Somebody tries an assistant in writing: nobody calls, and tools store nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_call: Option<TestCallSetup>,
    /// What the call machine needs.
    pub call: CallConfig,
}

/// What is tried in a test call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestCallSetup {
    /// Who.
    pub assistant_id: AssistantId,
    /// Which version. `None`: the draft.
    pub version: Option<u64>,
    /// From then on it cannot go on.
    pub expires_at: Millis,
}

/// A call cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// There is no such call: no webhook announced it.
    #[error("no such call")]
    Unknown,
    /// It is over.
    #[error("the call is over")]
    Over,
    /// The database did not answer, or not as it should. Trying again may help.
    #[error("the call could not be loaded")]
    Store(#[from] StoreError),
}

/// Loads a call for its actor: two statements, no writes, and an answer in time for a caller who hears nothing meanwhile.
pub async fn load_call(app: &AppState, call_id: CallId) -> Result<CallSetup, LoadError> {
    let loaded = within(&*app.ports.clock, LOAD, load(app, call_id)).await;
    loaded.unwrap_or(Err(LoadError::Store(StoreError::Db(DbError::Unavailable))))
}

async fn load(app: &AppState, call_id: CallId) -> Result<CallSetup, LoadError> {
    let found = directory::call(&app.ports.db, call_id).await?.ok_or(LoadError::Unknown)?;
    if found.finished || found.status.is_end() {
        return Err(LoadError::Over);
    }
    let row = businesses::call_setup(&found.scope, call_id).await?.ok_or(LoadError::Unknown)?;
    Ok(call_setup(&app.config, found.scope.tenant(), row))
}

pub(crate) fn call_setup(config: &Config, tenant_id: TenantId, row: CallSetupRow) -> CallSetup {
    let transfer_available = row.fallback_number.is_some();
    let longest = Limits::default().call_length;
    CallSetup {
        tenant_id,
        business_id: row.business_id,
        wrapped_key: Some(row.wrapped_key.as_stored().to_owned()),
        openai_credential: row.openai_credential.as_ref().map(|sealed| sealed.as_stored().to_owned()),
        chat_credential: row.chat_credential.as_ref().map(|sealed| sealed.as_stored().to_owned()),
        test_call: None,
        call: CallConfig {
            session: session(config, &row, transfer_available),
            call_id: row.call_id,
            carrier_call_id: row.carrier_call_id,
            limits: Limits {
                call_length: row.call_length.clamp(Millis::from_secs(1), longest),
                ..Limits::default()
            },
            transfer_available,
        },
    }
}

fn session(config: &Config, row: &CallSetupRow, transfer_available: bool) -> SessionConfig {
    let assistant = &row.assistant;
    let value = |name: &str| match name {
        "assistant_name" => Some(assistant.name.as_str()),
        "business_name" => Some(row.business_name.as_str()),
        _ => None,
    };
    let own_greeting = assistant.greeting.as_deref().map(|text| filled(text, value));
    let instructions = assistant.instructions.as_deref().map(|text| filled(text, value));
    let hours = row.opening_hours.as_ref().map(|hours| hours.described(row.started_at));
    let tools = tools::specs(assistant.tools.as_deref(), transfer_available);
    let language = assistant.language.as_deref();
    let prompt = Prompt {
        business: &row.business_name,
        instructions: instructions.as_deref(),
        opening_hours: hours.as_deref(),
        language,
        transfer_available,
        tools: &tools,
    };
    SessionConfig {
        model: assistant.model.clone().unwrap_or_else(|| config.openai.realtime_model.clone()),
        voice: assistant.voice.clone().unwrap_or_else(|| DEFAULT_VOICE.to_owned()),
        instructions: prompt::instructions(&prompt),
        greeting: greeting(own_greeting.as_deref(), &row.business_name, language, transfer_available),
        language: assistant.language.clone(),
        transcription_model: TRANSCRIPTION_MODEL.to_owned(),
        turn_detection: assistant.turn_detection.as_deref().map_or(TURN_DETECTION, turn_detection),
        noise_reduction: match assistant.noise_reduction.as_deref() {
            Some("near_field") => Some(NoiseReduction::NearField),
            Some("off") => None,
            // A word of a newer version is no choice that this one could follow.
            _ => Some(NoiseReduction::FarField),
        },
        tools,
        max_output_tokens: MAX_OUTPUT_TOKENS,
    }
}

/// As it is stored with an assistant. What it leaves open is the provider's own default.
fn turn_detection(stored: &str) -> TurnDetection {
    let Ok(wanted) = serde_json::from_str::<wire::TurnDetection>(stored) else { return TURN_DETECTION };
    let eagerness = match wanted.eagerness {
        Some(Eagerness::Low) => "low",
        Some(Eagerness::Medium) => "medium",
        Some(Eagerness::High) => "high",
        Some(Eagerness::Auto) | None => "auto",
    };
    match wanted.kind {
        TurnDetectionKind::SemanticVad => TurnDetection::SemanticVad { eagerness: eagerness.to_owned() },
        TurnDetectionKind::ServerVad => TurnDetection::ServerVad {
            // Between 0 and 1: what is lost of its digits does not matter.
            #[allow(clippy::cast_possible_truncation)]
            threshold: wanted.threshold.unwrap_or(0.5) as f32,
            prefix_padding_ms: wanted.prefix_padding_ms.unwrap_or(300),
            silence_duration_ms: wanted.silence_duration_ms.unwrap_or(500),
        },
    }
}
