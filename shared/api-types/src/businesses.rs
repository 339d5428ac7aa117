use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use voicecore_types::{AssistantId, BusinessId, DepartmentId, Millis};

use crate::VoiceMode;

/// What kind of business it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BusinessKind {
    /// Helps customers.
    CustomerSupport,
    /// Sells.
    Sales,
    /// Makes appointments.
    Appointments,
    /// Something else.
    Custom,
}

/// A line of business of a tenant, and how its calls are answered. What is null is as the installation has it.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "id": "0192f0c1-7a3e-7d18-ae69-f945589bf3b0", "name": "Bella's Salon", "kind": "appointments",
    "assistant_id": "0192f0c1-7a3e-72e8-a991-a85811d36efc", "voice_mode": "streaming", "fallback_number": "+442079460124",
    "call_length_seconds": 1800, "has_opening_hours": true, "department_id": "0192f0c1-7a3e-7ea2-a846-b3456c465c57", "version": 4,
    "created_at": 1_730_616_064_574_u64, "updated_at": 1_793_272_000_000_u64
})))]
pub struct Business {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    pub id: BusinessId,
    /// Its name.
    pub name: String,
    /// What kind of business it is.
    pub kind: BusinessKind,
    /// Who answers, as it was last published.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub assistant_id: Option<AssistantId>,
    /// How calls are held.
    pub voice_mode: Option<VoiceMode>,
    /// The human being or desk that calls are transferred to, in E.164 form.
    pub fallback_number: Option<String>,
    /// A call is ended politely after this long.
    pub call_length_seconds: u64,
    /// Whether it was said when it is open (`/api/v1/businesses/{id}/opening-hours`).
    pub has_opening_hours: bool,
    /// The department whose calls these are.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub department_id: Option<DepartmentId>,
    /// Grows by one with every change; that of `ETag`.
    pub version: u64,
    /// When it was made.
    #[schema(value_type = u64)]
    pub created_at: Millis,
    /// When it was changed last.
    #[schema(value_type = u64)]
    pub updated_at: Millis,
}

/// A business to be made, or as it is to be: what is absent or null is as the installation has it.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"name": "Bella's Salon", "voice_mode": "streaming", "fallback_number": "+442079460124", "call_length_seconds": 1800})))]
pub struct SaveBusiness {
    /// 1 to 200 characters.
    pub name: String,
    /// `custom` when absent.
    pub kind: Option<BusinessKind>,
    /// An assistant that has been published.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub assistant_id: Option<AssistantId>,
    /// How calls are held.
    pub voice_mode: Option<VoiceMode>,
    /// In E.164 form.
    pub fallback_number: Option<String>,
    /// From 30 to 3,600, which is also what an absent one means.
    pub call_length_seconds: Option<u64>,
}

/// What depends on a business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "phone_numbers": 1, "active_calls": 2, "calls": 3480, "calls_capped": false, "last_call_at": 1_794_985_562_588_u64,
    "deletable": false
})))]
pub struct BusinessUsage {
    /// Telephone numbers that ring there.
    pub phone_numbers: u64,
    /// Calls on the line now.
    pub active_calls: u64,
    /// Its calls, counted exactly up to 10,000.
    pub calls: u64,
    /// There are more calls than `calls` says.
    pub calls_capped: bool,
    /// When the last of them came in.
    #[schema(value_type = Option<u64>)]
    pub last_call_at: Option<Millis>,
    /// Nothing stands against deleting it.
    pub deletable: bool,
}
