//! The events of a response.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{Playing, REQUESTS_PER_MINUTE, Response, Step, TOKENS_PER_MINUTE, plan};
use crate::{
    openai::{
        report::ItemReport,
        session::{
            Session,
            conversation::{Body, Item},
            usage::Tokens,
        },
    },
    speech::{FRAME_BYTES, FRAME_MS},
};

/// Names of what a delta belongs to.
#[derive(Debug, Clone)]
struct Place {
    response_id: String,
    item_id: String,
    output_index: usize,
}

impl Place {
    fn event(&self, kind: &str, more: Value) -> Value {
        let mut event =
            json!({ "type": kind, "response_id": self.response_id, "output_index": self.output_index });
        if let (Some(event), Value::Object(more)) = (event.as_object_mut(), more) {
            event.extend(more);
        }
        event
    }

    /// Of an item's only part.
    fn part(&self, kind: &str, more: Value) -> Value {
        let mut event = self.event(kind, more);
        if let Some(event) = event.as_object_mut() {
            event.insert("item_id".into(), self.item_id.clone().into());
            event.insert("content_index".into(), 0.into());
        }
        event
    }
}

impl Session {
    pub(in crate::openai::session) fn step(&mut self, response_id: &str, step: Step) {
        match step {
            Step::Open(item) => self.open(response_id, item),
            Step::Words(text) => self.words(response_id, &text),
            Step::Audio(frames) => self.audio(response_id, frames),
            Step::Arguments(text) => self.arguments(response_id, &text),
            Step::Close(status) => self.close_item(response_id, status),
            Step::End(status, reason) => self.end(response_id, status, reason, None),
            Step::Fail(code) => self.end(response_id, "failed", None, Some(&code)),
        }
    }

    fn end(&mut self, response_id: &str, status: &str, reason: Option<&str>, error: Option<&str>) {
        if let Some(index) = self.responses.iter().position(|r| r.id == response_id) {
            let response = self.responses.remove(index);
            self.finish(&response, status, reason, error);
        }
    }

    fn running(&mut self, response_id: &str) -> Option<&mut Response> {
        self.responses.iter_mut().find(|response| response.id == response_id)
    }

    /// Changes the item that is open, in the response and, unless the client has cut or deleted it, in the conversation.
    fn change(&mut self, response_id: &str, change: impl Fn(&mut Item)) -> Option<(Place, Item)> {
        let response = self.running(response_id)?;
        let output_index = response.items.len().checked_sub(1)?;
        let item = response.items.last_mut().filter(|_| response.open)?;
        change(item);
        let item = item.clone();
        if let Some(remembered) = self.conversation.get_mut(&item.id) {
            let cut = matches!(&remembered.body, Body::Spoken(spoken) if spoken.cut_ms.is_some());
            let transcript = |item: &Item| {
                if let Body::Spoken(spoken) = &item.body { spoken.transcript.clone() } else { String::new() }
            };
            let before = transcript(remembered);
            change(remembered);
            if let (true, Body::Spoken(spoken)) = (cut, &mut remembered.body) {
                spoken.transcript = before;
            }
        }
        let place = Place { response_id: response_id.to_owned(), item_id: item.id.clone(), output_index };
        Some((place, item))
    }

    fn open(&mut self, response_id: &str, item: Item) {
        let Some(response) = self.running(response_id) else { return };
        response.items.push(item.clone());
        response.open = true;
        let (output_index, aside) = (response.items.len() - 1, response.aside);
        let report = match &item.body {
            Body::Spoken(spoken) => {
                ItemReport { utterance: Some(spoken.utterance.id), ..ItemReport::default() }
            }
            Body::Call { name, .. } => ItemReport { function: Some(name.clone()), ..ItemReport::default() },
            _ => ItemReport::default(),
        };
        if let Some(seen) = self.seen().responses.iter_mut().find(|seen| seen.id == response_id) {
            seen.items.push(ItemReport { item_id: item.id.clone(), ..report });
        }
        let place = Place { response_id: response_id.to_owned(), item_id: item.id.clone(), output_index };
        let mut document = item.json();
        if let Some(content) = document.get_mut("content") {
            // Parts are added by an event of their own.
            *content = json!([]);
        }
        let speaks = matches!(item.body, Body::Spoken(_));
        self.emit(place.event("response.output_item.added", json!({ "item": document })));
        if !aside {
            let previous = self.conversation.push(item);
            self.emit(
                json!({ "type": "conversation.item.added", "previous_item_id": previous, "item": document }),
            );
        }
        if speaks {
            self.emit(place.part(
                "response.content_part.added",
                json!({ "part": { "type": "audio", "transcript": "" } }),
            ));
        }
    }

    fn words(&mut self, response_id: &str, text: &str) {
        let say = |item: &mut Item| {
            if let Body::Spoken(spoken) = &mut item.body {
                spoken.transcript.push_str(text);
            }
        };
        if let Some((place, _)) = self.change(response_id, say) {
            self.emit(place.part("response.output_audio_transcript.delta", json!({ "delta": text })));
        }
    }

    fn audio(&mut self, response_id: &str, frames: std::ops::Range<usize>) {
        let send = |item: &mut Item| {
            if let Body::Spoken(spoken) = &mut item.body {
                spoken.sent += frames.len() * FRAME_BYTES;
            }
        };
        let Some((place, item)) = self.change(response_id, send) else { return };
        let Body::Spoken(spoken) = &item.body else { return };
        let delta = STANDARD.encode(plan::audio(&spoken.utterance, frames.clone()));
        self.emit(place.part("response.output_audio.delta", json!({ "delta": delta })));
        {
            let mut seen = self.seen();
            let items = seen.responses.iter_mut().flat_map(|response| &mut response.items);
            items.filter(|seen| seen.item_id == item.id).for_each(|seen| seen.sent_ms = spoken.sent_ms());
        }
        if frames.start == 0 {
            self.spoken = true;
            let until = self.now + spoken.utterance.frames.len() as u64 * u64::from(FRAME_MS);
            self.playing = Some(Playing { response_id: response_id.to_owned(), until });
            self.arm_speech(response_id);
        }
    }

    fn arguments(&mut self, response_id: &str, text: &str) {
        let write = |item: &mut Item| {
            if let Body::Call { arguments, .. } = &mut item.body {
                arguments.push_str(text);
            }
        };
        let Some((place, item)) = self.change(response_id, write) else { return };
        let Body::Call { call_id, .. } = &item.body else { return };
        let delta = json!({ "item_id": item.id, "call_id": call_id, "delta": text });
        self.emit(place.event("response.function_call_arguments.delta", delta));
    }

    /// Ends the open item. What is cut off ends with the same events as what is complete; only the status tells.
    fn close_item(&mut self, response_id: &str, status: &'static str) {
        let Some((place, item)) = self.change(response_id, |item| item.status = status) else { return };
        let Some(response) = self.running(response_id) else { return };
        response.open = false;
        let aside = response.aside;
        match &item.body {
            Body::Spoken(spoken) => {
                let transcript = &spoken.transcript;
                self.emit(place.part("response.output_audio.done", json!({})));
                self.emit(
                    place.part("response.output_audio_transcript.done", json!({ "transcript": transcript })),
                );
                let part = json!({ "part": { "type": "audio", "transcript": transcript } });
                self.emit(place.part("response.content_part.done", part));
            }
            Body::Call { call_id, name, arguments } => {
                let done =
                    json!({ "item_id": item.id, "call_id": call_id, "name": name, "arguments": arguments });
                self.emit(place.event("response.function_call_arguments.done", done));
            }
            _ => {}
        }
        if !aside {
            let previous = self.conversation.previous(&item.id);
            self.emit(
                json!({ "type": "conversation.item.done", "previous_item_id": previous, "item": item.json() }),
            );
        }
        self.emit(place.event("response.output_item.done", json!({ "item": item.json() })));
    }

    pub(super) fn response_document(
        &self,
        response: &Response,
        status: &str,
        details: Option<Value>,
        usage: Option<Value>,
    ) -> Value {
        let session = self.settings.document();
        let output: Vec<Value> = response.items.iter().map(Item::json).collect();
        let voice = session.pointer("/audio/output/voice").filter(|voice| voice.is_string());
        let format = session.pointer("/audio/output/format");
        let fields = [
            ("id", Some(json!(response.id))),
            ("object", Some(json!("realtime.response"))),
            ("status", Some(json!(status))),
            ("status_details", details),
            ("output", Some(json!(output))),
            ("conversation_id", (!response.aside).then(|| json!(self.id.replacen("sess_", "conv_", 1)))),
            ("output_modalities", Some(json!(["audio"]))),
            ("max_output_tokens", Some(response.max_output_tokens.clone())),
            (
                "audio",
                Some(json!({ "output": match voice {
                Some(voice) => json!({ "format": format, "voice": voice }),
                None => json!({ "format": format }),
            } })),
            ),
            ("metadata", Some(response.metadata.clone().unwrap_or(Value::Null))),
            ("usage", usage),
        ];
        fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }

    /// What the response reserves of the limits.
    pub(super) fn emit_rate_limits(&mut self, context: Tokens) {
        let tokens = TOKENS_PER_MINUTE.saturating_sub(context.text + context.audio);
        self.emit(json!({ "type": "rate_limits.updated", "rate_limits": [
            { "name": "requests", "limit": REQUESTS_PER_MINUTE, "remaining": REQUESTS_PER_MINUTE - 1, "reset_seconds": 0.06 },
            { "name": "tokens", "limit": TOKENS_PER_MINUTE, "remaining": tokens, "reset_seconds": 0.25 } ] }));
    }
}
