use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use voicecore_types::{BusinessId, TenantId};

/// Redeems a one-use set-up link: makes a tenant that can take a call at once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"token": "vcs_0000000000000000000000000000000000000000000000000000000000000000", "tenant_name": "Bella", "business_name": "Bella's Salon", "phone_number": "+442079460123", "time_zone": "Europe/London"})))]
pub struct SetupClaim {
    /// The token of the link.
    pub token: String,
    /// A password to sign in with, 12 to 256 characters; without one, the owner chooses it by mail. Without effect if they have
    /// one already.
    #[serde(default)]
    pub password: Option<String>,
    /// Name of the customer, 1 to 200 characters.
    pub tenant_name: String,
    /// Name of the business as callers hear it, 1 to 200 characters.
    pub business_name: String,
    /// The number that callers dial, in E.164 form.
    pub phone_number: String,
    /// The number of a human being, in E.164 form: where calls are transferred to.
    #[serde(default)]
    pub fallback_number: Option<String>,
    /// ISO 639-1 language of the callers; `en` when absent.
    #[serde(default)]
    pub language: Option<String>,
    /// The assistant's voice; `marin` when absent.
    #[serde(default)]
    pub voice: Option<String>,
    /// How calls are held; `streaming` when absent.
    #[serde(default)]
    pub voice_mode: Option<VoiceMode>,
    /// Name of the zone where the business is, in the tz database, e.g. `Europe/Berlin`: it is then open from nine to five from Monday to
    /// Friday, until somebody says otherwise. Without one, the assistant does not say when it is open.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// What the assistant should know and do, up to 8,000 characters.
    #[serde(default)]
    pub instructions: Option<String>,
    /// What the assistant says first, up to 500 characters. If it does not tell callers that they speak with an AI, a sentence
    /// that does is said before it.
    #[serde(default)]
    pub greeting: Option<String>,
}

/// How the calls of a business are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VoiceMode {
    /// Over a media stream, with a model that hears and speaks: callers can interrupt, and are answered within a second.
    Streaming,
    /// By the carrier's own recogniser and voice, turn by turn, with a model that reads and writes: slower, and cheaper.
    TurnBased,
}

impl fmt::Debug for SetupClaim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A token, phone numbers and whatever an owner wrote: nothing of it belongs into a log.
        f.write_str("SetupClaim(***)")
    }
}

/// What was made.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "tenant_id": "0192f0c1-7a3e-7c11-9d0a-3b6f5e2a1c4d", "business_id": "0192f0c1-7a3e-7d18-ae69-f945589bf3b0",
    "api_key": "vc_0123456789abcdef_0000000000000000000000000000000000000000000000000000000000000000",
    "voice_webhook_url": "https://voicecore.example.com/webhooks/twilio/voice",
    "status_callback_url": "https://voicecore.example.com/webhooks/twilio/status",
    "fallback_url": "https://voicecore.example.com/webhooks/twilio/fallback"
})))]
pub struct SetupResult {
    /// The tenant.
    #[schema(value_type = String, format = "uuid")]
    pub tenant_id: TenantId,
    /// Its business.
    #[schema(value_type = String, format = "uuid")]
    pub business_id: BusinessId,
    /// The API key, `vc_<prefix>_<secret>`, with every permission. Shown this once: only a hash is kept.
    pub api_key: String,
    /// Set this as the number's voice webhook (POST) at Twilio.
    pub voice_webhook_url: String,
    /// Set this as the number's status callback (POST) at Twilio.
    pub status_callback_url: String,
    /// Set this as the number's voice fallback (POST) at Twilio.
    pub fallback_url: String,
}

impl fmt::Debug for SetupResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetupResult").field("tenant_id", &self.tenant_id).finish_non_exhaustive()
    }
}
