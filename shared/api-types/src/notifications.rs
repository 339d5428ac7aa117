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
pub struct UnreadCount {
    /// Counted exactly up to 10,000.
    pub unread: u64,
    /// There are more than `unread` says.
    pub unread_capped: bool,
}
