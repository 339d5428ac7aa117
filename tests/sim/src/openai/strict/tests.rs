use serde_json::json;

use super::*;

fn session(fields: &Value) -> Value {
    let mut session = json!({ "type": "realtime" });
    for (name, value) in fields.as_object().unwrap() {
        session[name] = value.clone();
    }
    json!({ "type": "session.update", "session": session })
}

fn item(item: &Value) -> Value {
    json!({ "type": "conversation.item.create", "item": item })
}

#[test]
fn everything_of_the_cheat_sheet_is_accepted() {
    let whole: Value = serde_json::from_str(
        r#"{"type":"session.update","event_id":"evt_cfg1","session":{
          "type":"realtime","instructions":"…","output_modalities":["audio"],
          "audio":{
            "input":{"format":{"type":"audio/pcmu"},"noise_reduction":{"type":"far_field"},
              "transcription":{"model":"gpt-4o-mini-transcribe","language":"en"},
              "turn_detection":{"type":"server_vad","threshold":0.5,"prefix_padding_ms":300,
                "silence_duration_ms":500,"create_response":true,"interrupt_response":true,"idle_timeout_ms":8000}},
            "output":{"format":{"type":"audio/pcmu"},"voice":"marin","speed":1.0}},
          "tools":[{"type":"function","name":"book","description":"…","parameters":{"type":"object","properties":{}}}],
          "tool_choice":"auto","max_output_tokens":1024,"reasoning":{"effort":"low"},"parallel_tool_calls":true,
          "truncation":{"type":"retention_ratio","retention_ratio":0.8,"token_limits":{"post_instructions":12000}},
          "tracing":null}}"#,
    )
    .unwrap();
    let good = [
        whole,
        session(&json!({ "audio": { "input": { "turn_detection": null, "noise_reduction": null } } })),
        session(
            &json!({ "audio": { "input": { "turn_detection": { "type": "semantic_vad", "eagerness": "low" } } } }),
        ),
        session(
            &json!({ "audio": { "output": { "voice": { "id": "voice_1" } } }, "max_output_tokens": "inf" }),
        ),
        session(&json!({ "tool_choice": { "type": "function", "name": "book" } })),
        json!({ "type": "input_audio_buffer.append", "audio": "/////w==" }),
        json!({ "type": "input_audio_buffer.commit", "event_id": "e" }),
        json!({ "type": "input_audio_buffer.clear" }),
        item(
            &json!({ "type": "message", "role": "user", "content": [{ "type": "input_text", "text": "Hi" }] }),
        ),
        item(
            &json!({ "type": "message", "role": "system", "content": [{ "type": "input_text", "text": "Hi" }] }),
        ),
        item(&json!({ "type": "message", "role": "assistant", "status": "completed",
            "content": [{ "type": "output_text", "text": "Hi" }] })),
        item(&json!({ "type": "function_call", "call_id": "call_1", "name": "book", "arguments": "{}" })),
        item(&json!({ "type": "function_call_output", "call_id": "call_1", "output": "{}" })),
        json!({ "type": "conversation.item.retrieve", "item_id": "item_1" }),
        json!({ "type": "conversation.item.delete", "item_id": "item_1" }),
        json!({ "type": "conversation.item.truncate", "item_id": "item_1", "content_index": 0, "audio_end_ms": 1200 }),
        json!({ "type": "response.create" }),
        json!({ "type": "response.create", "response": { "instructions": "Say hi.", "conversation": "none",
            "metadata": { "why": "greeting" }, "output_modalities": ["audio"], "tool_choice": "none" } }),
        json!({ "type": "response.cancel" }),
        json!({ "type": "response.cancel", "response_id": "resp_1" }),
    ];
    for event in good {
        assert_eq!(client_event(&event), Ok(()), "{event}");
    }
}

#[test]
fn what_is_gone_unknown_missing_or_of_the_wrong_type_is_refused_with_its_name() {
    let truncate = |end: Value| json!({ "type": "conversation.item.truncate", "item_id": "i", "content_index": 0, "audio_end_ms": end });
    let vad = |field: &str, value: Value| {
        session(
            &json!({ "audio": { "input": { "turn_detection": { "type": "server_vad", field: value } } } }),
        )
    };
    let bad = [
        (json!({ "session": {} }), "missing_required_parameter", "type"),
        (json!([]), "invalid_type", ""),
        (json!({ "type": "response.stop" }), "invalid_value", "type"),
        (json!({ "type": "transcription_session.update", "session": {} }), "invalid_value", "type"),
        (json!({ "type": "session.update", "session": {} }), "missing_required_parameter", "session.type"),
        (session(&json!({ "type": "transcription" })), "invalid_value", "session.type"),
        (session(&json!({ "modalities": ["audio"] })), "unknown_parameter", "session.modalities"),
        (session(&json!({ "temperature": 0.8 })), "unknown_parameter", "session.temperature"),
        (session(&json!({ "voice": "marin" })), "unknown_parameter", "session.voice"),
        (
            session(&json!({ "input_audio_format": "g711_ulaw" })),
            "unknown_parameter",
            "session.input_audio_format",
        ),
        (session(&json!({ "turn_detection": null })), "unknown_parameter", "session.turn_detection"),
        (
            session(&json!({ "max_response_output_tokens": 1 })),
            "unknown_parameter",
            "session.max_response_output_tokens",
        ),
        (session(&json!({ "max_output_tokens": 4097 })), "invalid_value", "session.max_output_tokens"),
        (
            session(&json!({ "output_modalities": ["audio", "text"] })),
            "array_above_max_length",
            "session.output_modalities",
        ),
        (session(&json!({ "output_modalities": [] })), "invalid_value", "session.output_modalities"),
        (
            session(&json!({ "audio": { "input": { "format": "audio/pcmu" } } })),
            "invalid_type",
            "session.audio.input.format",
        ),
        (
            session(&json!({ "audio": { "input": { "format": { "type": "audio/pcmu", "rate": 8000 } } } })),
            "unknown_parameter",
            "session.audio.input.format.rate",
        ),
        (
            session(&json!({ "audio": { "input": { "format": { "type": "audio/pcm", "rate": 8000 } } } })),
            "invalid_value",
            "session.audio.input.format.rate",
        ),
        (
            session(&json!({ "audio": { "output": { "voice": "nova" } } })),
            "invalid_value",
            "session.audio.output.voice",
        ),
        (
            session(&json!({ "audio": { "output": { "speed": 2 } } })),
            "invalid_value",
            "session.audio.output.speed",
        ),
        (
            session(&json!({ "audio": { "input": { "transcription": { "model": "whisper" } } } })),
            "invalid_value",
            "session.audio.input.transcription.model",
        ),
        (vad("eagerness", json!("low")), "unknown_parameter", "session.audio.input.turn_detection.eagerness"),
        (vad("threshold", json!(1.5)), "invalid_value", "session.audio.input.turn_detection.threshold"),
        (
            vad("silence_duration_ms", json!(0.5)),
            "invalid_type",
            "session.audio.input.turn_detection.silence_duration_ms",
        ),
        (
            vad("idle_timeout_ms", json!(1_000)),
            "invalid_value",
            "session.audio.input.turn_detection.idle_timeout_ms",
        ),
        (
            session(&json!({ "tools": [{ "type": "function", "name": "no spaces" }] })),
            "invalid_value",
            "session.tools[0].name",
        ),
        (
            session(&json!({ "tools": [{ "type": "function", "function": { "name": "nested" } }] })),
            "unknown_parameter",
            "session.tools[0].function",
        ),
        (
            session(&json!({ "tools": [{ "type": "function", "name": "x", "strict": true }] })),
            "unknown_parameter",
            "session.tools[0].strict",
        ),
        (
            session(&json!({ "tools": [{ "type": "function", "name": "x", "parameters": {} }] })),
            "invalid_function_parameters",
            "session.tools[0].parameters",
        ),
        (json!({ "type": "input_audio_buffer.append" }), "missing_required_parameter", "audio"),
        (json!({ "type": "input_audio_buffer.append", "audio": [1] }), "invalid_type", "audio"),
        (
            item(
                &json!({ "type": "message", "role": "assistant", "content": [{ "type": "text", "text": "Hi" }] }),
            ),
            "invalid_value",
            "item.content[0].type",
        ),
        (
            item(
                &json!({ "type": "message", "role": "assistant", "content": [{ "type": "output_audio", "audio": "AA==" }] }),
            ),
            "invalid_value",
            "item.content[0].type",
        ),
        (
            item(
                &json!({ "type": "message", "role": "user", "content": [{ "type": "output_text", "text": "Hi" }] }),
            ),
            "invalid_value",
            "item.content[0].type",
        ),
        (
            item(&json!({ "type": "message", "role": "developer", "content": [] })),
            "invalid_value",
            "item.role",
        ),
        (
            item(&json!({ "type": "function_call_output", "call_id": "c", "output": {} })),
            "invalid_type",
            "item.output",
        ),
        (
            item(&json!({ "type": "function_call_output", "call_id": "c/1", "output": "" })),
            "invalid_value",
            "item.call_id",
        ),
        (
            item(&json!({ "type": "function_call_output", "output": "" })),
            "missing_required_parameter",
            "item.call_id",
        ),
        (truncate(json!(12.5)), "invalid_type", "audio_end_ms"),
        (truncate(json!("12")), "invalid_type", "audio_end_ms"),
        (truncate(json!(-1)), "invalid_value", "audio_end_ms"),
        (
            json!({ "type": "response.create", "response": { "modalities": ["audio"] } }),
            "unknown_parameter",
            "response.modalities",
        ),
        (
            json!({ "type": "response.create", "response": { "conversation": "other" } }),
            "invalid_value",
            "response.conversation",
        ),
        (
            json!({ "type": "response.create", "response": { "metadata": { "k": 1 } } }),
            "invalid_value",
            "response.metadata",
        ),
        (json!({ "type": "response.create", "instructions": "Hi" }), "unknown_parameter", "instructions"),
    ];
    for (event, code, param) in bad {
        let error = client_event(&event).expect_err(&event.to_string());
        assert_eq!((error.code.as_deref(), error.param.as_deref()), (Some(code), Some(param)), "{event}");
        assert_eq!(error.kind, "invalid_request_error");
    }
}
