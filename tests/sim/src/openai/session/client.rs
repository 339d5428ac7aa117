//! What the client says.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    Session,
    conversation::{Body, Item},
    respond::Request,
};
use crate::openai::{error::ApiError, report::TruncationReport, strict::client_event};

/// Audio of one append, in bytes of base64.
const MAX_APPEND: usize = 15 * 1024 * 1024;
/// A response that began so shortly before may cross a `response.create` on the wire: refused, but not held against the
/// client.
const CROSSING_MS: u64 = 250;

impl Session {
    pub(super) fn client_text(&mut self, text: &str) {
        let Ok(event) = serde_json::from_str::<Value>(text) else {
            let message = "The server could not parse the JSON of the message.";
            return self.refuse(&ApiError::request("invalid_json", message), None);
        };
        let event_id = event.get("event_id").and_then(Value::as_str);
        if let Err(error) = client_event(&event) {
            return self.refuse(&error, event_id);
        }
        let field = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
        let result = match field("type") {
            "session.update" => self.update(event.get("session").unwrap_or(&Value::Null)),
            "input_audio_buffer.append" => self.append_base64(field("audio")),
            "input_audio_buffer.commit" => self.commit_by_hand(event_id),
            "input_audio_buffer.clear" => {
                self.input.clear();
                self.emit(json!({ "type": "input_audio_buffer.cleared" }));
                Ok(())
            }
            "conversation.item.create" => {
                let previous = event.get("previous_item_id").and_then(Value::as_str);
                self.create_item(event.get("item").unwrap_or(&Value::Null), previous)
            }
            "conversation.item.retrieve" => {
                self.conversation.retrieve(field("item_id")).map(Item::json).map(|item| {
                    self.emit(json!({ "type": "conversation.item.retrieved", "item": item }));
                })
            }
            "conversation.item.delete" => self.conversation.delete(field("item_id")).map(|()| {
                self.seen().deleted.push(field("item_id").into());
                self.emit(json!({ "type": "conversation.item.deleted", "item_id": field("item_id") }));
            }),
            "conversation.item.truncate" => self.truncate(&event),
            "response.create" => {
                self.create_response(event.get("response").unwrap_or(&Value::Null), event_id)
            }
            "response.cancel" => {
                self.cancel_by_client(event.get("response_id").and_then(Value::as_str), event_id);
                Ok(())
            }
            _ => Ok(()),
        };
        if let Err(error) = result {
            self.refuse(&error, event_id);
        }
    }

    fn update(&mut self, session: &Value) -> Result<(), ApiError> {
        self.settings.update(session, self.spoken)?;
        self.input.configure(self.settings.vad());
        {
            let mut report = self.seen();
            report.configured = true;
            self.settings.instructions().clone_into(&mut report.instructions);
            report.tools = self.settings.tools().into_iter().map(|tool| tool.name).collect();
        }
        let document = self.settings.document().clone();
        self.emit(json!({ "type": "session.updated", "session": document }));
        Ok(())
    }

    fn append_base64(&mut self, audio: &str) -> Result<(), ApiError> {
        if audio.len() > MAX_APPEND {
            let message = "Invalid 'audio': larger than 15 MiB.";
            return Err(ApiError::invalid("string_above_max_length", "audio", message));
        }
        let Ok(audio) = STANDARD.decode(audio) else {
            let message = "Invalid 'audio'. Expected base64-encoded audio bytes.";
            return Err(ApiError::invalid("invalid_value", "audio", message));
        };
        if !self.settings.configured {
            self.blame("audio_before_session_update", "this audio would be taken for 24 kHz PCM");
            return Ok(());
        }
        self.append(&audio);
        Ok(())
    }

    fn create_item(&mut self, item: &Value, previous: Option<&str>) -> Result<(), ApiError> {
        let text = |path: &str| item.pointer(path).and_then(Value::as_str).map(str::to_owned);
        let body = match item.get("type").and_then(Value::as_str) {
            Some("function_call") => Body::Call {
                call_id: text("/call_id").unwrap_or_else(|| self.new_id("call_")),
                name: text("/name").unwrap_or_default(),
                arguments: text("/arguments").unwrap_or_default(),
            },
            Some("function_call_output") => Body::Output {
                call_id: text("/call_id").unwrap_or_default(),
                output: text("/output").unwrap_or_default(),
            },
            _ => {
                let parts = item.get("content").and_then(Value::as_array).into_iter().flatten();
                let texts: Vec<&str> = parts.filter_map(|part| part.get("text")?.as_str()).collect();
                if texts.is_empty() {
                    let message = "This simulator takes written messages only.";
                    return Err(ApiError::invalid("not_simulated", "item.content", message));
                }
                Body::Written { role: text("/role").unwrap_or_default(), text: texts.join("\n") }
            }
        };
        let id = text("/id").unwrap_or_else(|| self.new_id("item_"));
        let item = Item { id, body, status: "completed" };
        let document = item.json();
        match &item.body {
            Body::Output { call_id, output } if self.answered(call_id) => {
                let message = format!("the call {call_id} is answered twice: {output}");
                self.blame("second_function_call_output", message);
            }
            _ => {}
        }
        let body = item.body.clone();
        let previous = self.conversation.create(item, previous)?;
        {
            let mut report = self.seen();
            match body {
                Body::Output { call_id, output } => report.tool_outputs.push((call_id, output)),
                Body::Written { text, .. } if report.responses.is_empty() => report.replayed.push(text),
                _ => {}
            }
        }
        for kind in ["conversation.item.added", "conversation.item.done"] {
            self.emit(json!({ "type": kind, "previous_item_id": previous, "item": document }));
        }
        Ok(())
    }

    fn answered(&self, wanted: &str) -> bool {
        let is_answer = |item: &Item| matches!(&item.body, Body::Output { call_id, .. } if call_id == wanted);
        self.conversation.items().iter().any(is_answer)
    }

    fn truncate(&mut self, event: &Value) -> Result<(), ApiError> {
        let item_id = event.get("item_id").and_then(Value::as_str).unwrap_or_default();
        let number = |name: &str| event.get(name).and_then(Value::as_i64).unwrap_or_default();
        let (content_index, claimed) = (number("content_index"), number("audio_end_ms"));
        let audio_end_ms = u32::try_from(claimed).unwrap_or(u32::MAX);
        let spoken = self.conversation.truncate(item_id, content_index, audio_end_ms)?;
        let report = TruncationReport {
            item_id: item_id.into(),
            audio_end_ms,
            sent_ms: spoken.sent_ms(),
            text: spoken.text(),
        };
        self.seen().truncations.push(report);
        self.emit(json!({ "type": "conversation.item.truncated", "item_id": item_id,
            "content_index": content_index, "audio_end_ms": audio_end_ms }));
        Ok(())
    }

    fn create_response(&mut self, response: &Value, event_id: Option<&str>) -> Result<(), ApiError> {
        if !self.settings.configured {
            self.blame("response_before_session_update", "the model would answer with the default session");
        }
        if response.pointer("/output_modalities/0").and_then(Value::as_str) == Some("text") {
            let message = "This simulator answers with audio only.";
            return Err(ApiError::invalid("not_simulated", "response.output_modalities", message));
        }
        let aside = response.get("conversation").and_then(Value::as_str) == Some("none");
        if let Some(active) = self.active().filter(|_| !aside) {
            let (id, crossing) =
                (active.id.clone(), self.now.saturating_sub(active.created_at) < CROSSING_MS);
            let message = format!(
                "Conversation already has an active response in progress: {id}. Wait until the response is finished \
                 before creating a new one."
            );
            let error = ApiError::request("conversation_already_has_active_response", message);
            if !crossing {
                return Err(error);
            }
            self.say_error(&error, event_id);
            return Ok(());
        }
        self.start_response(request(response, aside));
        Ok(())
    }

    fn cancel_by_client(&mut self, response_id: Option<&str>, event_id: Option<&str>) {
        let running = self.responses.iter().find(|r| response_id.map_or(!r.aside, |id| r.id == id));
        if let Some(id) = running.map(|r| r.id.clone()) {
            return self.cancel(&id, "client_cancelled", 0);
        }
        // Harmless by the documentation: the response may have ended while the event was under way.
        let message = "Cancellation failed: no active response found";
        self.say_error(&ApiError::request("response_cancel_not_active", message), event_id);
    }
}

fn request(response: &Value, aside: bool) -> Request {
    Request {
        instructions: response.get("instructions").and_then(Value::as_str).map(str::to_owned),
        tools: response.get("tools").cloned(),
        no_tools: response.get("tool_choice").and_then(Value::as_str) == Some("none"),
        input: response.get("input").and_then(Value::as_array).cloned(),
        metadata: response.get("metadata").cloned(),
        max_output_tokens: response.get("max_output_tokens").cloned(),
        aside,
        idle: false,
    }
}
