use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use voicecore_types::{CallId, Millis, NoteId};

use crate::AuditActor;

/// What somebody wrote down about a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "id": "01a1ed90-f672-797e-b1fe-fe37cacdf8de", "call_id": "01a1ed7a-11dc-7b7b-bf7a-2df7b3278b17",
    "author": {"kind": "user", "id": "01972fa9-7078-7093-a21f-575106cd3b10"}, "body": "Wants to be called back on Friday.",
    "category": "follow-up", "tags": ["callback"], "version": 1, "created_at": 1_794_987_062_898_u64,
    "updated_at": 1_794_987_062_898_u64
})))]
pub struct Note {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    pub id: NoteId,
    /// About which call.
    #[schema(value_type = String, format = "uuid")]
    pub call_id: CallId,
    /// Who wrote it.
    pub author: AuditActor,
    /// Markdown, as it was written: whoever shows it takes care of what it may do.
    pub body: String,
    /// What kind of note it is, in the tenant's own words.
    pub category: Option<String>,
    /// In the order of the alphabet.
    pub tags: Vec<String>,
    /// Grows by one with every change; that of `ETag`.
    pub version: u64,
    /// When it was written.
    #[schema(value_type = u64)]
    pub created_at: Millis,
    /// When it was changed last.
    #[schema(value_type = u64)]
    pub updated_at: Millis,
}

/// A note to be written, or as it is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"body": "Wants to be called back on Friday.", "category": "follow-up", "tags": ["callback"]})))]
pub struct SaveNote {
    /// Markdown, 1 to 4,000 characters.
    pub body: String,
    /// One line, at most 50 characters.
    pub category: Option<String>,
    /// At most 20 different words of letters, digits, `-` and `_`, each at most 30 characters long.
    #[serde(default)]
    pub tags: Vec<String>,
}
