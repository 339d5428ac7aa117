use serde::Serialize;

use super::session::Session;
use crate::payload::Payload;

/// The value of `tool_choice` with which a response calls no tool.
pub const TOOL_CHOICE_NONE: &str = "none";

/// An event for the model. Only documented fields are written.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type")]
pub enum ClientEvent<'a> {
    /// Changes the session; answered by `session.updated` or an error.
    #[serde(rename = "session.update")]
    SessionUpdate {
        /// What changes.
        session: Session<'a>,
    },
    /// Ends the caller's turn by hand; an error when nothing was appended.
    #[serde(rename = "input_audio_buffer.commit")]
    InputCommit,
    /// Forgets the audio that was not committed.
    #[serde(rename = "input_audio_buffer.clear")]
    InputClear,
    /// Adds to the conversation: text, or the output of a tool. Assistant audio cannot be added.
    #[serde(rename = "conversation.item.create")]
    ItemCreate {
        /// After which item; `root` for the beginning, the end when left out.
        #[serde(skip_serializing_if = "Option::is_none")]
        previous_item_id: Option<&'a str>,
        /// What.
        item: Item<'a>,
    },
    /// Asks for an item.
    #[serde(rename = "conversation.item.retrieve")]
    ItemRetrieve {
        /// Which.
        item_id: &'a str,
    },
    /// Removes an item: the caller heard nothing of it.
    #[serde(rename = "conversation.item.delete")]
    ItemDelete {
        /// Which.
        item_id: &'a str,
    },
    /// Cuts an assistant's item to what was heard. More than there is, is an error.
    #[serde(rename = "conversation.item.truncate")]
    ItemTruncate {
        /// Which.
        item_id: &'a str,
        /// Always 0.
        content_index: u32,
        /// Whole milliseconds.
        audio_end_ms: u64,
    },
    /// Asks for an answer; an error while another one is active.
    #[serde(rename = "response.create")]
    ResponseCreate {
        /// How it differs from the session; nothing when `None`.
        #[serde(skip_serializing_if = "Option::is_none")]
        response: Option<ResponseParams<'a>>,
    },
    /// Stops an answer.
    #[serde(rename = "response.cancel")]
    ResponseCancel {
        /// Which; the active one when left out.
        #[serde(skip_serializing_if = "Option::is_none")]
        response_id: Option<&'a str>,
    },
}

/// How one answer differs from the session.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct ResponseParams<'a> {
    /// They **replace** the session's instructions for this answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instructions: Option<&'a str>,
    /// `none`, or as the session says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_choice: Option<&'static str>,
    /// Echoed in the response, so that it can be told from those the server began by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata<'a>>,
}

/// What is echoed in a response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Metadata<'a> {
    /// Our name of the request.
    pub request: &'a str,
}

impl<'a> ResponseParams<'a> {
    /// Marks the answer with our name of the request (at most 512 characters).
    #[must_use]
    pub fn named(mut self, request: &'a str) -> Self {
        self.metadata = Some(Metadata { request });
        self
    }
}

/// Something in the conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Item<'a> {
    /// Words.
    Message {
        /// Whose.
        role: Role,
        /// Which.
        content: [Content<'a>; 1],
    },
    /// What a tool gave.
    FunctionCallOutput {
        /// The model's name of the tool call.
        call_id: &'a str,
        /// Any text; JSON here.
        output: &'a str,
    },
}

impl<'a> Item<'a> {
    /// Words of `role`, as text, in the part that this role needs.
    #[must_use]
    pub fn text(role: Role, text: &'a str) -> Self {
        let content = match role {
            Role::Assistant => Content::OutputText { text },
            Role::User | Role::System => Content::InputText { text },
        };
        Self::Message { role, content: [content] }
    }
}

/// Whose words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The caller.
    User,
    /// The model.
    Assistant,
    /// The system.
    System,
}

/// A part of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Content<'a> {
    /// Of a user or the system.
    InputText {
        /// The words.
        text: &'a str,
    },
    /// Of the assistant.
    OutputText {
        /// The words.
        text: &'a str,
    },
}

#[derive(Serialize)]
struct Envelope<'a> {
    #[serde(flatten)]
    event: &'a ClientEvent<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_id: Option<&'a str>,
}

impl ClientEvent<'_> {
    /// The text frame. `event_id` comes back in the error that the event may cause.
    #[must_use]
    pub fn to_json(&self, event_id: Option<&str>) -> String {
        // Only maps with other keys than strings can fail, and there are none.
        serde_json::to_string(&Envelope { event: self, event_id }).unwrap_or_default()
    }
}

/// What stands before and behind the audio in `input_audio_buffer.append`.
pub const APPEND_AUDIO: [&str; 2] = [r#"{"type":"input_audio_buffer.append","audio":""#, r#""}"#];

/// `input_audio_buffer.append`, the hot one: the caller's base64 goes on as it came, in one allocation.
#[must_use]
pub fn append_audio(payload: &Payload<'_>) -> String {
    let [before, behind] = APPEND_AUDIO;
    crate::twilio::media::concat(&[before, payload.as_str(), behind])
}

#[cfg(test)]
mod tests;
