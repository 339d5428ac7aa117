//! What a session has seen, for tests and for the command line.

use serde::Serialize;

use crate::registry::UtteranceId;

/// One session, as far as it has come.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SessionReport {
    /// Session id.
    pub id: String,
    /// Model of the query.
    pub model: String,
    /// The socket is open.
    pub open: bool,
    /// How it ended: `client`, `dropped`, or the server's close code.
    pub ended: Option<String>,
    /// `session.update` has been accepted.
    pub configured: bool,
    /// Instructions in force.
    pub instructions: String,
    /// Names of the tools offered.
    pub tools: Vec<String>,
    /// `input_audio_buffer.append` events.
    pub appends: u64,
    /// Caller audio received, in milliseconds.
    pub audio_ms: u64,
    /// Items that the client brought in before the first response: a replayed history.
    pub replayed: Vec<String>,
    /// What the caller said, turn by turn, as it arrived.
    pub turns: Vec<TurnReport>,
    /// Responses, oldest first.
    pub responses: Vec<ResponseReport>,
    /// Every accepted `conversation.item.truncate`.
    pub truncations: Vec<TruncationReport>,
    /// Items deleted by the client.
    pub deleted: Vec<String>,
    /// Results of tools: call id and output.
    pub tool_outputs: Vec<(String, String)>,
    /// `error` events sent: codes.
    pub errors: Vec<String>,
}

/// A turn of the caller.
#[derive(Debug, Clone, Serialize)]
pub struct TurnReport {
    /// Item id.
    pub item_id: String,
    /// What was understood.
    pub transcript: String,
    /// The utterances of which frames arrived.
    pub utterances: Vec<UtteranceId>,
    /// Where the turn ended, in milliseconds of audio received.
    pub audio_end_ms: u32,
}

/// A response.
#[derive(Debug, Clone, Serialize)]
pub struct ResponseReport {
    /// Response id.
    pub id: String,
    /// `in_progress`, `completed`, `cancelled`, `failed`, `incomplete`.
    pub status: String,
    /// Why it did not complete.
    pub reason: Option<String>,
    /// What it says, whole, even if it was cut off.
    pub text: String,
    /// Messages and function calls.
    pub items: Vec<ItemReport>,
    /// Instructions of `response.create`.
    pub instructions: Option<String>,
}

/// A message or function call of a response.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ItemReport {
    /// Item id.
    pub item_id: String,
    /// The utterance by which its audio is recognised; none for a function call.
    pub utterance: Option<UtteranceId>,
    /// Audio sent, in milliseconds.
    pub sent_ms: u32,
    /// Name of the function.
    pub function: Option<String>,
}

/// What the client claims to have been heard.
#[derive(Debug, Clone, Serialize)]
pub struct TruncationReport {
    /// Item id.
    pub item_id: String,
    /// Claimed milliseconds.
    pub audio_end_ms: u32,
    /// Sent by then.
    pub sent_ms: u32,
    /// The words of which at least half lie before the claim.
    pub text: String,
}
