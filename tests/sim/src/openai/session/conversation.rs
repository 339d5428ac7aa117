//! The conversation as the model remembers it.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{openai::error::ApiError, registry::Utterance, speech::BYTES_PER_MS};

/// An item.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) id: String,
    pub(super) body: Body,
    pub(super) status: &'static str,
}

/// What an item holds.
#[derive(Debug, Clone)]
pub(super) enum Body {
    /// The caller spoke: how long, and what was understood.
    Heard { ms: u32, text: String },
    /// A message in writing; the type of its part goes with the role.
    Written { role: String, text: String },
    /// The assistant spoke.
    Spoken(Spoken),
    /// The assistant calls a function.
    Call { call_id: String, name: String, arguments: String },
    /// What the function answered.
    Output { call_id: String, output: String },
}

/// Speech of the assistant.
#[derive(Debug, Clone)]
pub(super) struct Spoken {
    pub(super) utterance: Arc<Utterance>,
    /// Bytes of audio sent.
    pub(super) sent: usize,
    /// The transcript sent.
    pub(super) transcript: String,
    /// Where the client cut it, in milliseconds.
    pub(super) cut_ms: Option<u32>,
}

impl Spoken {
    pub(super) fn sent_ms(&self) -> u32 {
        (self.sent / BYTES_PER_MS) as u32
    }

    /// Audio in the model's memory.
    pub(super) fn kept_ms(&self) -> u32 {
        self.cut_ms.unwrap_or_else(|| self.sent_ms())
    }

    /// The words that began to be remembered as said.
    pub(super) fn text(&self) -> String {
        let kept = self.kept_ms();
        let words = self.utterance.words.iter().filter(|w| w.start_ms.midpoint(w.end_ms) <= kept);
        words.map(|w| w.text.as_str()).collect::<Vec<_>>().join(" ")
    }
}

impl Item {
    /// As it stands in events.
    pub(super) fn json(&self) -> Value {
        let message = |role: &str, content: Value| {
            json!({ "id": self.id, "object": "realtime.item", "type": "message", "status": self.status,
                "role": role, "content": [content] })
        };
        match &self.body {
            Body::Heard { .. } => message("user", json!({ "type": "input_audio" })),
            Body::Written { role, text } => {
                let part = if role == "assistant" { "output_text" } else { "input_text" };
                message(role, json!({ "type": part, "text": text }))
            }
            Body::Spoken(spoken) => {
                message("assistant", json!({ "type": "output_audio", "transcript": spoken.transcript }))
            }
            Body::Call { call_id, name, arguments } => json!({
                "id": self.id, "object": "realtime.item", "type": "function_call", "status": self.status,
                "call_id": call_id, "name": name, "arguments": arguments }),
            Body::Output { call_id, output } => json!({
                "id": self.id, "object": "realtime.item", "type": "function_call_output", "status": self.status,
                "call_id": call_id, "output": output }),
        }
    }
}

/// All items, in order.
#[derive(Debug, Default)]
pub(super) struct Conversation {
    items: Vec<Item>,
}

impl Conversation {
    pub(super) fn items(&self) -> &[Item] {
        &self.items
    }

    pub(super) fn get(&self, id: &str) -> Option<&Item> {
        self.items.iter().find(|item| item.id == id)
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut Item> {
        self.items.iter_mut().find(|item| item.id == id)
    }

    pub(super) fn last_id(&self) -> Option<String> {
        self.items.last().map(|item| item.id.clone())
    }

    /// The id of the item before this one.
    pub(super) fn previous(&self, id: &str) -> Option<String> {
        let index = self.items.iter().position(|item| item.id == id)?.checked_sub(1)?;
        self.items.get(index).map(|item| item.id.clone())
    }

    /// Appends, and gives the id of the item before.
    pub(super) fn push(&mut self, item: Item) -> Option<String> {
        let previous = self.last_id();
        self.items.push(item);
        previous
    }

    /// Brings in an item of the client: at the end, after `previous`, or with `root` at the beginning. Gives the id of
    /// the item before.
    pub(super) fn create(&mut self, item: Item, previous: Option<&str>) -> Result<Option<String>, ApiError> {
        if self.get(&item.id).is_some() {
            let message = format!("Error creating item: an item with id '{}' already exists.", item.id);
            return Err(ApiError::invalid("item_create_duplicate_item_id", "item.id", message));
        }
        if let Body::Output { call_id, .. } = &item.body {
            self.check_call(call_id)?;
        }
        let at = match previous {
            None => self.items.len(),
            Some("root") => 0,
            Some(id) => {
                let index = self.items.iter().position(|item| item.id == id).ok_or_else(|| {
                    let message = format!("Error creating item: previous item '{id}' not found.");
                    ApiError::invalid("item_create_invalid_previous_item_id", "previous_item_id", message)
                })?;
                index + 1
            }
        };
        let before = at.checked_sub(1).and_then(|index| self.items.get(index)).map(|item| item.id.clone());
        self.items.insert(at, item);
        Ok(before)
    }

    fn check_call(&self, wanted: &str) -> Result<(), ApiError> {
        let is_call = |item: &Item| matches!(&item.body, Body::Call { call_id, .. } if call_id == wanted);
        if self.items.iter().any(is_call) {
            return Ok(());
        }
        let message = format!("Tool call ID '{wanted}' not found in conversation.");
        Err(ApiError::request("invalid_tool_call_id", message))
    }

    /// Forgets an item.
    pub(super) fn delete(&mut self, id: &str) -> Result<(), ApiError> {
        match self.items.iter().position(|item| item.id == id) {
            Some(index) => {
                self.items.remove(index);
                Ok(())
            }
            None => Err(not_found("delete", id)),
        }
    }

    pub(super) fn retrieve(&self, id: &str) -> Result<&Item, ApiError> {
        self.get(id).ok_or_else(|| not_found("retrieve", id))
    }

    /// Cuts what the assistant said to what was heard.
    pub(super) fn truncate(&mut self, id: &str, content_index: i64, ms: u32) -> Result<&Spoken, ApiError> {
        let Some(item) = self.get_mut(id) else { return Err(not_found("truncate", id)) };
        let Body::Spoken(spoken) = &mut item.body else {
            let message = "Only model output audio messages can be truncated.";
            return Err(ApiError::invalid("invalid_value", "item_id", message));
        };
        if content_index != 0 {
            let message = format!("Content part at index {content_index} does not exist.");
            return Err(ApiError::invalid("invalid_value", "content_index", message));
        }
        let kept = spoken.kept_ms();
        if ms > kept {
            let message = format!("Audio content of {kept}ms is already shorter than {ms}ms");
            return Err(ApiError::invalid("invalid_value", "audio_end_ms", message));
        }
        spoken.cut_ms = Some(ms);
        spoken.transcript.clear();
        Ok(spoken)
    }
}

fn not_found(what: &str, id: &str) -> ApiError {
    let message = format!("Error with item {what}: item with item_id '{id}' not found.");
    ApiError::invalid(&format!("item_{what}_invalid_item_id"), "item_id", message)
}
