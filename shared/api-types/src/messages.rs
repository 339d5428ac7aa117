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
#[schema(examples(json!({
    "id": "01a1ed7a-355e-75dd-b7df-b70543a642bb", "call_id": "01a1ed7a-11dc-7b7b-bf7a-2df7b3278b17", "kind": "message",
    "caller_name": "Tom Baker", "callback_number": "+442079460958", "text": "Please call back.", "recording_id": null,
    "recording_ms": null, "created_at": 1_794_985_571_678_u64, "department_id": "0192f0c1-7a3e-7ea2-a846-b3456c465c57",
    "handled_at": null, "assignee_id": "01972fa9-7078-7093-a21f-575106cd3b10", "version": 2
})))]
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
