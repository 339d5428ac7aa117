//! A session's configuration: the document that events show, and what the simulator reads in it.

use serde_json::{Map, Value, json};

use crate::{openai::error::ApiError, speech::VadConfig};

/// Values that are replaced as a whole; all other objects are merged field by field.
const ATOMIC: &[&str] =
    &["format", "voice", "turn_detection", "transcription", "noise_reduction", "truncation"];

/// Configuration in force.
#[derive(Debug)]
pub(super) struct Settings {
    document: Value,
    /// `session.update` has been accepted once.
    pub(super) configured: bool,
}

/// A function that the model may call.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::openai) struct Tool {
    pub(in crate::openai) name: String,
    /// JSON Schema of its arguments.
    pub(in crate::openai) parameters: Value,
}

impl Settings {
    /// The service's defaults. Values that are null by default are left out, as the published types want it.
    pub(super) fn new(model: &str) -> Self {
        let pcm = json!({ "type": "audio/pcm", "rate": 24_000 });
        let document = json!({
            "type": "realtime", "model": model, "output_modalities": ["audio"], "instructions": "", "tools": [],
            "tool_choice": "auto", "max_output_tokens": "inf", "truncation": "auto", "tracing": null,
            "audio": {
                "input": { "format": pcm, "turn_detection": server_vad() },
                "output": { "format": pcm, "voice": "marin", "speed": 1.0 } } });
        Self { document, configured: false }
    }

    /// As events show it.
    pub(super) fn document(&self) -> &Value {
        &self.document
    }

    /// Applies `session` of an event that has been judged by its shape.
    pub(super) fn update(&mut self, session: &Value, spoken: bool) -> Result<(), ApiError> {
        let model = self.text("/model").to_owned();
        if session.get("model").and_then(Value::as_str).is_some_and(|wanted| wanted != model) {
            return Err(ApiError::invalid(
                "invalid_value",
                "session.model",
                "The model of a session cannot be changed.",
            ));
        }
        if session.get("reasoning").is_some() && !model.starts_with("gpt-realtime-2") {
            let message =
                format!("Unsupported parameter: 'session.reasoning' is not supported with '{model}'.");
            return Err(ApiError::invalid("unsupported_parameter", "session.reasoning", message));
        }
        let voice = session.pointer("/audio/output/voice");
        if spoken && voice.is_some_and(|voice| Some(voice) != self.document.pointer("/audio/output/voice")) {
            let message = "Cannot update a conversation's voice if assistant audio is present.";
            return Err(ApiError::invalid("cannot_update_voice", "session.audio.output.voice", message));
        }
        for side in ["input", "output"] {
            let path = format!("/audio/{side}/format/type");
            let format = session.pointer(&path).or(self.document.pointer(&path)).and_then(Value::as_str);
            if self.text("/output_modalities/0") == "audio" && format != Some("audio/pcmu") {
                let param = format!("session.audio.{side}.format");
                let message = format!("This simulator speaks audio/pcmu only; '{param}' is {format:?}.");
                return Err(ApiError::invalid("not_simulated", &param, message));
            }
        }
        merge(&mut self.document, session);
        if let Some(vad) =
            self.document.pointer_mut("/audio/input/turn_detection").and_then(Value::as_object_mut)
        {
            fill(vad);
        }
        self.configured = true;
        Ok(())
    }

    fn text(&self, path: &str) -> &str {
        self.document.pointer(path).and_then(Value::as_str).unwrap_or_default()
    }

    fn vad_field(&self, name: &str) -> &Value {
        self.document.pointer(&format!("/audio/input/turn_detection/{name}")).unwrap_or(&Value::Null)
    }

    pub(super) fn instructions(&self) -> &str {
        self.text("/instructions")
    }

    pub(super) fn transcription_model(&self) -> Option<&str> {
        self.document.pointer("/audio/input/transcription/model").and_then(Value::as_str)
    }

    pub(super) fn tools(&self) -> Vec<Tool> {
        tools(self.document.get("tools"))
    }

    pub(super) fn speed(&self) -> f64 {
        self.document.pointer("/audio/output/speed").and_then(Value::as_f64).unwrap_or(1.0)
    }

    /// How turns are found; none when the client commits by itself.
    pub(super) fn vad(&self) -> Option<VadConfig> {
        let number = |name: &str| self.vad_field(name).as_u64().and_then(|n| u32::try_from(n).ok());
        match self.vad_field("type").as_str()? {
            "server_vad" => Some(VadConfig {
                threshold: self.vad_field("threshold").as_f64().unwrap_or(0.5),
                prefix_padding_ms: number("prefix_padding_ms").unwrap_or(300),
                silence_duration_ms: number("silence_duration_ms").unwrap_or(500),
            }),
            // Not by meaning, which would need a model: by silences in the order of the documented eagerness.
            _ => Some(VadConfig {
                silence_duration_ms: match self.vad_field("eagerness").as_str() {
                    Some("low") => 1_200,
                    Some("high") => 400,
                    _ => 800,
                },
                ..VadConfig::default()
            }),
        }
    }

    pub(super) fn creates_response(&self) -> bool {
        self.vad_field("create_response").as_bool().unwrap_or(false)
    }

    pub(super) fn interrupts(&self) -> bool {
        self.vad_field("interrupt_response").as_bool().unwrap_or(false)
    }

    pub(super) fn idle_timeout_ms(&self) -> Option<u64> {
        self.vad_field("idle_timeout_ms").as_u64()
    }
}

/// The functions of a `tools` list.
pub(in crate::openai) fn tools(list: Option<&Value>) -> Vec<Tool> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    let tool = |tool: &Value| {
        let name = tool.get("name")?.as_str()?.to_owned();
        Some(Tool { name, parameters: tool.get("parameters").cloned().unwrap_or(Value::Null) })
    };
    list.filter_map(tool).collect()
}

fn server_vad() -> Value {
    json!({ "type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 500,
        "create_response": true, "interrupt_response": true })
}

/// Completes a turn detection with its defaults.
fn fill(vad: &mut Map<String, Value>) {
    let defaults = match vad.get("type").and_then(Value::as_str) {
        Some("server_vad") => server_vad(),
        _ => json!({ "eagerness": "auto", "create_response": true, "interrupt_response": true }),
    };
    for (name, value) in defaults.as_object().into_iter().flatten() {
        vad.entry(name).or_insert_with(|| value.clone());
    }
}

fn merge(into: &mut Value, from: &Value) {
    let (Some(into), Some(from)) = (into.as_object_mut(), from.as_object()) else { return };
    for (name, value) in from {
        match into.get_mut(name) {
            Some(old) if old.is_object() && value.is_object() && !ATOMIC.contains(&name.as_str()) => {
                merge(old, value);
            }
            _ => drop(into.insert(name.clone(), value.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pcmu() -> Value {
        json!({ "type": "realtime", "audio": { "input": { "format": { "type": "audio/pcmu" } },
            "output": { "format": { "type": "audio/pcmu" } } } })
    }

    #[test]
    fn updates_are_merged_and_turn_detection_gets_its_defaults() {
        let mut settings = Settings::new("gpt-realtime-2.1");
        let mut session = pcmu();
        session["audio"]["input"]["turn_detection"] =
            json!({ "type": "server_vad", "silence_duration_ms": 700 });
        settings.update(&session, false).unwrap();
        settings.update(&json!({ "type": "realtime", "instructions": "Be kind." }), true).unwrap();
        let vad = settings.vad().unwrap();
        assert_eq!((vad.silence_duration_ms, vad.prefix_padding_ms), (700, 300));
        assert_eq!(settings.instructions(), "Be kind.");
        assert!(settings.creates_response() && settings.interrupts());
        assert_eq!(settings.idle_timeout_ms(), None);
        assert_eq!(settings.document()["audio"]["output"]["voice"], "marin");
        session["audio"]["input"]["turn_detection"] = Value::Null;
        settings.update(&session, false).unwrap();
        assert_eq!(settings.vad(), None);
        assert!(!settings.interrupts());
    }

    #[test]
    fn voice_is_frozen_by_speech_and_reasoning_wants_a_newer_model() {
        let code = |model: &str, session: &Value, spoken: bool| {
            let mut settings = Settings::new(model);
            settings.update(&pcmu(), false).unwrap();
            settings.update(session, spoken).err().and_then(|e| e.code)
        };
        let cedar = json!({ "type": "realtime", "audio": { "output": { "voice": "cedar" } } });
        assert_eq!(code("gpt-realtime-2.1", &cedar, false), None);
        assert_eq!(code("gpt-realtime-2.1", &cedar, true).as_deref(), Some("cannot_update_voice"));
        let effort = json!({ "type": "realtime", "reasoning": { "effort": "low" } });
        assert_eq!(code("gpt-realtime-2.1-mini", &effort, true), None);
        assert_eq!(code("gpt-realtime", &effort, true).as_deref(), Some("unsupported_parameter"));
        let other = json!({ "type": "realtime", "model": "gpt-realtime" });
        assert_eq!(code("gpt-realtime-2.1", &other, true).as_deref(), Some("invalid_value"));
    }
}
