//! Shapes of client events.

use serde_json::Value;

use super::{
    Shape::{self, Any, AnyOf, Bool, By, Integer, List, Map, Null, Object, OneOf, Text, TextUpTo},
    check,
    items::{ID, ITEM},
    opt, req,
    session::{
        MAX_OUTPUT_TOKENS, MODALITIES, OUTPUT_FORMAT, PROMPT, REASONING, RESPONSE_TOOLS, SESSION,
        TOOL_CHOICE, VOICE,
    },
};
use crate::openai::error::ApiError;

const EVENT_ID: Shape = TextUpTo(512);

/// `response` of `response.create`.
const RESPONSE: Shape = Object(&[
    opt("audio", Object(&[opt("output", Object(&[opt("format", OUTPUT_FORMAT), opt("voice", VOICE)]))])),
    opt("conversation", OneOf(&["auto", "none"])),
    opt("input", List(1_000, &ITEM)),
    opt("instructions", Text),
    opt("max_output_tokens", MAX_OUTPUT_TOKENS),
    opt("metadata", AnyOf(&[Null, Map])),
    opt("output_modalities", MODALITIES),
    opt("parallel_tool_calls", Bool),
    opt("prompt", PROMPT),
    opt("reasoning", REASONING),
    opt("tool_choice", TOOL_CHOICE),
    opt("tools", RESPONSE_TOOLS),
]);

macro_rules! event {
    ($($field:expr),*) => {
        Object(&[req("type", Any), opt("event_id", EVENT_ID), $($field),*])
    };
}

const CLIENT_EVENT: Shape = By(
    "type",
    &[
        ("session.update", event!(req("session", SESSION))),
        ("input_audio_buffer.append", event!(req("audio", Text))),
        ("input_audio_buffer.commit", event!()),
        ("input_audio_buffer.clear", event!()),
        ("conversation.item.create", event!(req("item", ITEM), opt("previous_item_id", Text))),
        ("conversation.item.retrieve", event!(req("item_id", ID))),
        ("conversation.item.delete", event!(req("item_id", ID))),
        (
            "conversation.item.truncate",
            event!(
                req("item_id", ID),
                req("content_index", Integer(0, i64::MAX)),
                req("audio_end_ms", Integer(0, i64::MAX))
            ),
        ),
        ("response.create", event!(opt("response", RESPONSE))),
        ("response.cancel", event!(opt("response_id", Text))),
    ],
);

/// Keys and values of `metadata`.
const MAX_METADATA: usize = 16;

/// Judges a client event: shape first, then what no table says.
pub(in crate::openai) fn client_event(event: &Value) -> Result<(), ApiError> {
    check(&CLIENT_EVENT, event, "")?;
    for path in ["session", "response"] {
        let Some(object) = event.get(path) else { continue };
        check_tools(object, path)?;
        if object.get("output_modalities").and_then(Value::as_array).is_some_and(Vec::is_empty) {
            let param = format!("{path}.output_modalities");
            return Err(ApiError::invalid(
                "invalid_value",
                &param,
                format!("Invalid '{param}': empty array."),
            ));
        }
    }
    if let Some(metadata) = event.pointer("/response/metadata").and_then(Value::as_object) {
        let good = |(key, value): (&String, &Value)| {
            key.len() <= 64 && value.as_str().is_some_and(|v| v.len() <= 512)
        };
        if metadata.len() > MAX_METADATA || !metadata.iter().all(good) {
            let message = "Invalid 'response.metadata': up to 16 strings of 512 bytes with keys of 64 bytes.";
            return Err(ApiError::invalid("invalid_value", "response.metadata", message));
        }
    }
    match event.pointer("/item/call_id").and_then(Value::as_str) {
        Some(id) if !is_name(id) => Err(pattern("item.call_id")),
        _ => Ok(()),
    }
}

/// Names of functions, and that their parameters are an object's schema.
fn check_tools(object: &Value, path: &str) -> Result<(), ApiError> {
    let tools = object.get("tools").and_then(Value::as_array).into_iter().flatten().enumerate();
    for (index, tool) in tools {
        if tool.get("name").and_then(Value::as_str).is_some_and(|name| !is_name(name) || name.len() > 64) {
            return Err(pattern(&format!("{path}.tools[{index}].name")));
        }
        let schema = tool.get("parameters").and_then(|p| p.get("type"));
        if tool.get("parameters").is_some() && schema.and_then(Value::as_str) != Some("object") {
            let param = format!("{path}.tools[{index}].parameters");
            let message =
                format!("Invalid schema for '{param}': schema must be a JSON Schema of 'type: \"object\"'.");
            return Err(ApiError::invalid("invalid_function_parameters", &param, message));
        }
    }
    Ok(())
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

fn pattern(param: &str) -> ApiError {
    let message = format!("Invalid '{param}': string does not match pattern '^[a-zA-Z0-9_-]+$'.");
    ApiError::invalid("invalid_value", param, message)
}
