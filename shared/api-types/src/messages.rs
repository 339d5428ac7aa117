use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use voicecore_types::{CallId, MessageId, Millis};

/// A message that a caller left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Message {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    pub id: MessageId,
    /// The call in which it was left.
    #[schema(value_type = String, format = "uuid")]
    pub call_id: CallId,
    /// Who left it, as they said it.
    pub caller_name: Option<String>,
    /// The number to call back, in E.164 form.
    pub callback_number: Option<String>,
    /// What it says. Of a voicemail: how long it is, and the carrier's id of the recording.
    pub text: String,
    /// When it was left.
    #[schema(value_type = u64)]
    pub created_at: Millis,
}
