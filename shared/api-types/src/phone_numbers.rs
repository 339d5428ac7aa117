use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use voicecore_types::{BusinessId, Millis, PhoneNumberId};

use crate::CredentialSource;

/// A telephone number at which a business is rung.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "id": "0192f0c1-7a3e-7ddd-8693-13cf426ca115", "phone_number": "+442079460123",
    "business_id": "0192f0c1-7a3e-7d18-ae69-f945589bf3b0",
    "webhooks": {
        "voice_url": "https://voicecore.example.com/webhooks/twilio/voice",
        "status_callback_url": "https://voicecore.example.com/webhooks/twilio/status",
        "fallback_url": "https://voicecore.example.com/webhooks/twilio/fallback"
    },
    "created_at": 1_730_616_064_574_u64, "version": 1
})))]
pub struct PhoneNumber {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    pub id: PhoneNumberId,
    /// In E.164 form; null if it cannot be opened.
    pub phone_number: Option<String>,
    /// Who answers it.
    #[schema(value_type = String, format = "uuid")]
    pub business_id: BusinessId,
    /// What the number has to be set to at Twilio.
    pub webhooks: WebhookAddresses,
    /// When it was added.
    #[schema(value_type = u64)]
    pub created_at: Millis,
    /// Grows by one with every change; that of `ETag`.
    pub version: u64,
}

/// Addresses for Twilio's "Voice configuration" of a number, each with HTTP POST.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WebhookAddresses {
    /// "A call comes in".
    pub voice_url: String,
    /// "Call status changes".
    pub status_callback_url: String,
    /// "Primary handler fails".
    pub fallback_url: String,
}

/// A number to be added.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"phone_number": "+442079460123", "business_id": "0192f0c1-7a3e-7d18-ae69-f945589bf3b0"})))]
pub struct CreatePhoneNumber {
    /// In E.164 form. The account at Twilio has to have it.
    pub phone_number: String,
    /// Who is to answer it.
    #[schema(value_type = String, format = "uuid")]
    pub business_id: BusinessId,
}

/// Who is to answer a number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"business_id": "0192f0c1-7a3e-7d18-ae69-f945589bf3b0"})))]
pub struct UpdatePhoneNumber {
    /// A business of the tenant.
    #[schema(value_type = String, format = "uuid")]
    pub business_id: BusinessId,
}

/// Whether calls to a number reach us, as Twilio tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "healthy": false, "source": "tenant",
    "checks": [
        {"code": "account", "ok": true, "found": null, "advice": null},
        {"code": "owned", "ok": true, "found": null, "advice": null},
        {"code": "takes_calls", "ok": true, "found": null, "advice": null},
        {
            "code": "voice_url", "ok": false, "found": "https://elsewhere.example/voice",
            "advice": "Set \"A call comes in\" to the webhook https://voicecore.example.com/webhooks/twilio/voice"
        },
    ]
})))]
pub struct PhoneNumberDiagnosis {
    /// Every check is good.
    pub healthy: bool,
    /// Whose account was asked.
    pub source: CredentialSource,
    /// In the order in which they are worth looking at. Those that nothing can be said of are left out.
    pub checks: Vec<PhoneNumberCheck>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PhoneNumberCheck {
    /// What.
    pub code: PhoneNumberCheckCode,
    /// It is as it should be.
    pub ok: bool,
    /// What is there, if that is worth showing: of an address neither credentials nor parameters.
    pub found: Option<String>,
    /// What to do; null if nothing.
    pub advice: Option<String>,
}

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PhoneNumberCheckCode {
    /// Twilio answers, and takes the credentials.
    Account,
    /// The account has the number.
    Owned,
    /// The number takes calls.
    TakesCalls,
    /// No application stands before the number's own addresses.
    NoApplication,
    /// No SIP trunk gets its calls.
    NoTrunk,
    /// Whom a call asks.
    VoiceUrl,
    /// How.
    VoiceMethod,
    /// Who is told of its end.
    StatusCallback,
    /// How.
    StatusCallbackMethod,
    /// Who is asked when that fails.
    FallbackUrl,
    /// How.
    FallbackMethod,
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhoneNumber({})", self.id)
    }
}

impl fmt::Debug for CreatePhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CreatePhoneNumber(for {})", self.business_id)
    }
}
