//! `POST /v1/chat/completions`, without streaming.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{
    Inner,
    brain::{self, Memory, Situation},
    error::ApiError,
    faults::FaultKind,
    server::{refusal, refused_on_command},
    session::Tool,
    strict::chat_request,
};

/// Longer than anybody waits.
const FOREVER: Duration = Duration::from_mins(1);

pub(super) async fn completions(
    State(inner): State<Arc<Inner>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    for fault in inner.board.chat() {
        match fault {
            FaultKind::SlowConnect { ms } => tokio::time::sleep(Duration::from_millis(ms)).await,
            FaultKind::Hang => tokio::time::sleep(FOREVER).await,
            FaultKind::Malformed => return "{\"choices\":[{\"mess".into_response(),
            other => {
                if let Some(refused) = refused_on_command(&other) {
                    return refused;
                }
            }
        }
    }
    if let Some(refused) = inner.check_key(&headers) {
        return refused;
    }
    match answer(&inner, &body) {
        Ok(answer) => Json(answer).into_response(),
        Err(error) => {
            let rule = error.code.clone().unwrap_or_else(|| error.kind.clone());
            inner.violations.record("openai", "chat", rule, &error.message);
            refusal(StatusCode::BAD_REQUEST, &error)
        }
    }
}

fn answer(inner: &Inner, body: &[u8]) -> Result<Value, ApiError> {
    let request: Value = serde_json::from_slice(body).map_err(|_| {
        ApiError::request("invalid_json", "We could not parse the JSON body of your request.")
    })?;
    chat_request(&request)?;
    let memory = memory(&request)?;
    let tools = if request.get("tool_choice").and_then(Value::as_str) == Some("none") {
        Vec::new()
    } else {
        tools(&request)
    };
    let instructions: Vec<&str> = memory
        .iter()
        .filter_map(|m| if let Memory::System(text) = m { Some(text.as_str()) } else { None })
        .collect();
    let instructions = instructions.join("\n");
    let situation =
        Situation { asked: None, instructions: &instructions, tools: &tools, memory, idle: false };
    let reply = brain::reply(&situation);
    let number = inner.next_seed();
    let calls: Vec<Value> = reply
        .calls
        .iter()
        .enumerate()
        .map(|(index, (name, arguments))| {
            json!({ "id": format!("call_{number}_{index}"), "type": "function",
                "function": { "name": name, "arguments": arguments.to_string() } })
        })
        .collect();
    let finish = if calls.is_empty() { "stop" } else { "tool_calls" };
    let content = (!reply.speech.is_empty()).then_some(reply.speech);
    let tokens = |text: &str| text.len().div_ceil(4);
    let (prompt, completion) =
        (tokens(&request["messages"].to_string()), tokens(content.as_deref().unwrap_or("{}")));
    let mut message = json!({ "role": "assistant", "content": content, "refusal": null });
    if !calls.is_empty() {
        message["tool_calls"] = Value::Array(calls);
    }
    Ok(json!({
        "id": format!("chatcmpl-{number}"), "object": "chat.completion", "created": unix_seconds(),
        "model": request["model"],
        "choices": [{ "index": 0, "message": message, "logprobs": null, "finish_reason": finish }],
        "usage": { "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion } }))
}

/// The messages, each answer of a tool matched with its call.
fn memory(request: &Value) -> Result<Vec<Memory>, ApiError> {
    let mut memory = Vec::new();
    let mut open: Vec<(String, String)> = Vec::new();
    let messages = request.get("messages").and_then(Value::as_array).into_iter().flatten();
    for (index, message) in messages.enumerate() {
        let text = content(message);
        match message.get("role").and_then(Value::as_str) {
            Some("user") => memory.push(Memory::User(text)),
            Some("assistant") => {
                let calls = message.get("tool_calls").and_then(Value::as_array).into_iter().flatten();
                let named = |call: &Value| {
                    Some((
                        call.get("id")?.as_str()?.to_owned(),
                        call.pointer("/function/name")?.as_str()?.to_owned(),
                    ))
                };
                open = calls.filter_map(named).collect();
                memory.push(Memory::Assistant(text));
            }
            Some("tool") => {
                let id = message.get("tool_call_id").and_then(Value::as_str).unwrap_or_default();
                let Some(at) = open.iter().position(|(call, _)| call == id) else {
                    let param = format!("messages.[{index}].role");
                    let message = "Invalid parameter: messages with role 'tool' must be a response to a preceeding \
                        message with 'tool_calls'.";
                    return Err(ApiError { code: None, ..ApiError::invalid("", &param, message) });
                };
                memory.push(Memory::Tool { name: open.remove(at).1, output: text });
            }
            _ => memory.push(Memory::System(text)),
        }
    }
    if open.is_empty() {
        return Ok(memory);
    }
    let message = "An assistant message with 'tool_calls' must be followed by tool messages responding to each \
        'tool_call_id'.";
    Err(ApiError { code: None, ..ApiError::invalid("", "messages", message) })
}

fn content(message: &Value) -> String {
    match message.get("content") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            parts.iter().filter_map(|part| part.get("text")?.as_str()).collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    }
}

fn tools(request: &Value) -> Vec<Tool> {
    let list = request.get("tools").and_then(Value::as_array).into_iter().flatten();
    let tool = |tool: &Value| {
        let function = tool.get("function")?;
        let parameters = function.get("parameters").cloned().unwrap_or(Value::Null);
        Some(Tool { name: function.get("name")?.as_str()?.to_owned(), parameters })
    };
    list.filter_map(tool).collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a simulator runs natively and shows the date like the real service"
)]
fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
