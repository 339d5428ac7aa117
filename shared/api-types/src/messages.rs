use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use voicecore_types::{CallId, DepartmentId, MessageId, Millis, UserId};

/// How a message was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// The assistant wrote it down.
    Message,
    /// The caller spoke it onto a recording.
    Voicemail,
}

/// A message that a caller left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Message {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    pub id: MessageId,
    /// The call in which it was left.
    #[schema(value_type = String, format = "uuid")]
    pub call_id: CallId,
    /// How it was left.
    pub kind: MessageKind,
    /// Who left it, as they said it.
    pub caller_name: Option<String>,
    /// The number to call back, in E.164 form.
    pub callback_number: Option<String>,
    /// What it says. Empty for a voicemail, which is a recording.
    pub text: String,
    /// With a voicemail: the carrier's id of the recording (Twilio: `RecordingSid`).
    pub recording_id: Option<String>,
    /// With a voicemail: how long the recording is, if the carrier said so.
    pub recording_ms: Option<u64>,
    /// When it was left.
    #[schema(value_type = u64)]
    pub created_at: Millis,
    /// The department of the business at that time.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub department_id: Option<DepartmentId>,
    /// Since when nobody needs to deal with it any more.
    #[schema(value_type = Option<u64>)]
    pub handled_at: Option<Millis>,
    /// The user whose task it is.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub assignee_id: Option<UserId>,
    /// Grows by one with every change; that of `ETag`.
    pub version: u64,
}

/// What is to be different about a message. What is absent stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"handled": true})))]
pub struct ChangeMessage {
    /// Whether somebody has dealt with it.
    pub handled: Option<bool>,
    /// A user of the tenant, whose task it is from now on; null: nobody's in particular.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub assignee_id: Option<UserId>,
}
