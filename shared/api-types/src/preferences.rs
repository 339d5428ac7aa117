use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use voicecore_types::Millis;

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// Light.
    Light,
    /// Dark.
    Dark,
    /// As the device has it.
    System,
}

/// What a user has chosen for themselves in a tenant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "theme": "dark", "language": "en", "layout": {"calls": {"columns": ["started_at", "status"]}}, "version": 4,
    "updated_at": 1_794_481_600_000_u64
})))]
pub struct Preferences {
    /// Light or dark; null: not chosen.
    pub theme: Option<Theme>,
    /// ISO 639-1; null: not chosen.
    pub language: Option<String>,
    /// What the dashboard keeps of its layout.
    #[schema(value_type = Object)]
    pub layout: serde_json::Map<String, serde_json::Value>,
    /// Grows by one with every write; that of `ETag`. 0: nothing was ever chosen.
    pub version: u64,
    /// When it was written.
    #[schema(value_type = Option<u64>)]
    pub updated_at: Option<Millis>,
}

/// What a user chooses: all of it, in the place of what was chosen before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"theme": "dark", "language": "en", "layout": {"calls": {"columns": ["started_at", "status"]}}})))]
pub struct SavePreferences {
    /// Light or dark.
    pub theme: Option<Theme>,
    /// Two small letters (ISO 639-1).
    pub language: Option<String>,
    /// At most 16,384 bytes of JSON.
    #[schema(value_type = Option<Object>)]
    pub layout: Option<serde_json::Map<String, serde_json::Value>>,
}
