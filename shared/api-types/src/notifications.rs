use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use voicecore_types::{Millis, NotificationId};

/// What somebody is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotificationKind {
    /// A call went on to a human being.
    CallEscalated,
    /// A call broke off: no model, no stream, or its end never came.
    CallFailed,
    /// The assistant wrote a message down.
    MessageReceived,
    /// A caller spoke a message onto a recording.
    VoicemailReceived,
    /// Somebody who was invited works for the tenant now.
    InvitationAccepted,
    /// An API key opens nothing soon.
    ApiKeyExpiring,
}

/// Something that has happened, as one user sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "id": "01a1ed7a-35b8-736f-b712-f5e52720c40d", "kind": "message_received", "subject_id": "01a1ed7a-355e-75dd-b7df-b70543a642bb",
    "created_at": 1_794_985_571_768_u64, "read_at": null
})))]
pub struct Notification {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    pub id: NotificationId,
    /// What happened.
    pub kind: NotificationKind,
    /// The id of the call, message, user or key that it is about.
    pub subject_id: String,
    /// When it happened.
    #[schema(value_type = u64)]
    pub created_at: Millis,
    /// When the user read it; null: they have not.
    #[schema(value_type = Option<u64>)]
    pub read_at: Option<Millis>,
}

/// How many notifications a user has not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"unread": 3, "unread_capped": false})))]
pub struct UnreadCount {
    /// Counted exactly up to 10,000.
    pub unread: u64,
    /// There are more than `unread` says.
    pub unread_capped: bool,
}
