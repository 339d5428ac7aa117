use proptest::prelude::*;
use serde_json::json;

use super::*;

#[test]
fn request_is_what_the_reference_says() {
    let schema = json!({"type": "object", "properties": {}});
    let request = ChatRequest {
        model: "gpt-4.1-mini",
        messages: vec![
            ChatMessage::System { content: "Be brief.".into() },
            ChatMessage::User { content: "Hello".into() },
            ChatMessage::Assistant {
                content: None,
                tool_calls: vec![ChatToolCall::new("call_1_0", "end_call", "{}")],
            },
            ChatMessage::Tool { tool_call_id: "call_1_0", content: "{\"ok\":true}" },
            ChatMessage::Assistant { content: Some("Goodbye."), tool_calls: vec![] },
        ],
        tools: vec![ChatTool::new("end_call", "Ends the call.", &schema)],
        max_completion_tokens: 100,
    };
    let wire = json!({
        "model": "gpt-4.1-mini",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "tool_calls": [
                {"id": "call_1_0", "type": "function", "function": {"name": "end_call", "arguments": "{}"}},
            ]},
            {"role": "tool", "tool_call_id": "call_1_0", "content": "{\"ok\":true}"},
            {"role": "assistant", "content": "Goodbye."},
        ],
        "tools": [{"type": "function", "function": {
            "name": "end_call", "description": "Ends the call.", "parameters": schema,
        }}],
        "max_completion_tokens": 100,
    });
    assert_eq!(serde_json::to_value(&request).unwrap(), wire);
    let none = ChatRequest { tools: vec![], ..request.clone() };
    assert_eq!(serde_json::to_value(&none).unwrap().get("tools"), None);
    assert!(!format!("{request:?}").contains("Hello"));
}

#[test]
fn answers_are_read_with_what_providers_leave_out() {
    let whole = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "model": "gpt-4.1-mini",
        "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {
            "role": "assistant", "content": " One \"moment\". ", "refusal": null,
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "transfer", "arguments": "{\"a\":1}"}}],
        }}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 60}},
    });
    let answer = read_chat(200, whole.to_string().as_bytes()).unwrap();
    assert_eq!(answer.text.as_deref(), Some("One \"moment\"."));
    assert_eq!(answer.calls, [ChatCall { name: "transfer".into(), arguments: "{\"a\":1}".into() }]);
    assert_eq!(answer.usage, ChatUsage { text_in: 40, text_cached: 60, text_out: 7 });
    assert!(!format!("{answer:?}").contains("moment"));

    let least = br#"{"choices":[{"message":{"content":"Hi"}}]}"#;
    let answer = read_chat(200, least).unwrap();
    assert_eq!((answer.text.as_deref(), answer.usage), (Some("Hi"), ChatUsage::default()));
    let null = br#"{"choices":[{"message":{"content":"Hi","tool_calls":null}}],"usage":null}"#;
    assert_eq!(read_chat(200, null).unwrap().calls, []);
}

#[test]
fn what_is_no_answer_is_told_apart() {
    for body in [
        &b""[..],
        b"<html>",
        b"{}",
        br#"{"choices":[]}"#,
        br#"{"choices":[{"message":{"content":"  "}}]}"#,
        br#"{"choices":[{"message":{"content":null,"tool_calls":[]}}]}"#,
        br#"{"choices":[{"message":{"content":7}}]}"#,
    ] {
        assert_eq!(read_chat(200, body), Err(ChatError::Malformed), "{}", String::from_utf8_lossy(body));
    }
    let quota = br#"{"error":{"message":"m","type":"insufficient_quota","code":null}}"#;
    for (status, body, expected) in [
        (429, &b"{}"[..], ChatError::Passing { status: 429 }),
        (429, quota, ChatError::Fatal { status: 429 }),
        (500, b"oops", ChatError::Passing { status: 500 }),
        (529, b"", ChatError::Passing { status: 529 }),
        (401, br#"{"error":{"code":"invalid_api_key"}}"#, ChatError::Fatal { status: 401 }),
        (404, b"", ChatError::Fatal { status: 404 }),
        (302, b"", ChatError::Fatal { status: 302 }),
    ] {
        assert_eq!(read_chat(status, body), Err(expected), "{status}");
    }
}

proptest! {
    #[test]
    fn never_panics(status in 100_u16..600, body in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read_chat(status, &body);
    }
}
