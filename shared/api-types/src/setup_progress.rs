use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use voicecore_types::Millis;

/// A step of a tenant's set-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SetupStep {
    /// Accounts at the model's provider and the carrier.
    ApiCredentials,
    /// What the telephone is answered for, and at which number.
    BusinessProfile,
    /// What the assistant knows.
    Knowledge,
    /// Human beings who take calls.
    Agents,
    /// How calls are judged.
    Qa,
    /// When a human being is brought in.
    EscalationRules,
    /// A last look at everything.
    Review,
}

/// Where a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Nothing says that it is done.
    Open,
    /// It is done.
    Done,
    /// Somebody said that it is not wanted.
    Skipped,
}

/// How far a tenant's set-up has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "steps": [
        {"step": "api_credentials", "state": "done", "needed": true, "draft": null, "saved_at": null},
        {"step": "business_profile", "state": "done", "needed": true, "draft": null, "saved_at": null},
        {
            "step": "knowledge", "state": "open", "needed": false, "draft": {"instructions": "You take bookings."},
            "saved_at": 1_794_999_580_000_u64
        },
        {"step": "agents", "state": "skipped", "needed": false, "draft": null, "saved_at": 1_794_999_700_000_u64},
        {"step": "qa", "state": "open", "needed": false, "draft": null, "saved_at": null},
        {"step": "escalation_rules", "state": "open", "needed": false, "draft": null, "saved_at": null},
        {"step": "review", "state": "open", "needed": false, "draft": null, "saved_at": null},
    ],
    "completable": false, "completed_at": null
})))]
pub struct SetupProgress {
    /// All seven, in their order.
    pub steps: Vec<SetupStepProgress>,
    /// Nothing stands against `POST /api/v1/setup/complete`.
    pub completable: bool,
    /// Since when set-up is over; null: it is not.
    #[schema(value_type = Option<u64>)]
    pub completed_at: Option<Millis>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SetupStepProgress {
    /// Which one.
    pub step: SetupStep,
    /// Where it is: what is there counts more than what somebody said.
    pub state: StepState,
    /// Without it no call is answered: it cannot be skipped.
    pub needed: bool,
    /// What has been entered so far.
    #[schema(value_type = Option<Object>)]
    pub draft: Option<serde_json::Map<String, serde_json::Value>>,
    /// When somebody kept something of it.
    #[schema(value_type = Option<u64>)]
    pub saved_at: Option<Millis>,
}

/// What is to be kept of a step, in the place of what was kept before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"step": "business_profile", "state": "open", "draft": {"time_zone": "Europe/London"}})))]
pub struct SaveSetupStep {
    /// Which one.
    pub step: SetupStep,
    /// Where it is. Of what can be looked at `done` is not taken on trust.
    pub state: StepState,
    /// What has been entered so far, at most 16,384 bytes of JSON. Encrypted, and forgotten when set-up is over.
    #[schema(value_type = Option<Object>)]
    pub draft: Option<serde_json::Map<String, serde_json::Value>>,
}
