//! Shapes of a chat completion request.

use serde_json::Value;

use super::{
    Shape::{self, Any, AnyOf, Bool, By, Integer, List, Map, Null, Number, Object, OneOf, Text},
    check, opt, req,
};
use crate::openai::error::ApiError;

const CONTENT: Shape =
    AnyOf(&[Text, List(2_048, &By("type", &[("text", Object(&[req("type", Text), req("text", Text)]))]))]);

const CALL: Shape = By(
    "type",
    &[(
        "function",
        Object(&[
            req("type", Text),
            req("id", Text),
            req("function", Object(&[req("name", Text), req("arguments", Text)])),
        ]),
    )],
);

const PLAIN: Shape = Object(&[req("role", Text), req("content", CONTENT), opt("name", Text)]);

const MESSAGE: Shape = By(
    "role",
    &[
        ("system", PLAIN),
        ("developer", PLAIN),
        ("user", PLAIN),
        (
            "assistant",
            Object(&[
                req("role", Text),
                opt("content", AnyOf(&[Null, CONTENT])),
                opt("name", Text),
                opt("refusal", AnyOf(&[Null, Text])),
                opt("tool_calls", List(128, &CALL)),
            ]),
        ),
        ("tool", Object(&[req("role", Text), req("content", CONTENT), req("tool_call_id", Text)])),
    ],
);

const TOOL: Shape = By(
    "type",
    &[(
        "function",
        Object(&[
            req("type", Text),
            req(
                "function",
                Object(&[
                    req("name", Text),
                    opt("description", Text),
                    opt("parameters", Map),
                    opt("strict", AnyOf(&[Null, Bool])),
                ]),
            ),
        ]),
    )],
);

const TOOL_CHOICE: Shape = AnyOf(&[
    OneOf(&["none", "auto", "required"]),
    By("type", &[("function", Object(&[req("type", Text), req("function", Object(&[req("name", Text)]))]))]),
]);

const RESPONSE_FORMAT: Shape = By(
    "type",
    &[
        ("text", Object(&[req("type", Text)])),
        ("json_object", Object(&[req("type", Text)])),
        ("json_schema", Object(&[req("type", Text), req("json_schema", Any)])),
    ],
);

const REQUEST: Shape = Object(&[
    req("model", Text),
    req("messages", List(2_048, &MESSAGE)),
    opt("tools", List(128, &TOOL)),
    opt("tool_choice", TOOL_CHOICE),
    opt("parallel_tool_calls", Bool),
    opt("response_format", RESPONSE_FORMAT),
    opt("temperature", AnyOf(&[Null, Number(0.0, 2.0)])),
    opt("top_p", AnyOf(&[Null, Number(0.0, 1.0)])),
    opt("frequency_penalty", AnyOf(&[Null, Number(-2.0, 2.0)])),
    opt("presence_penalty", AnyOf(&[Null, Number(-2.0, 2.0)])),
    opt("max_tokens", AnyOf(&[Null, Integer(1, i64::MAX)])),
    opt("max_completion_tokens", AnyOf(&[Null, Integer(1, i64::MAX)])),
    opt("n", AnyOf(&[Null, Integer(1, 1)])),
    opt("stop", AnyOf(&[Null, Text, List(4, &Text)])),
    opt("seed", AnyOf(&[Null, Integer(i64::MIN, i64::MAX)])),
    opt("user", Text),
    opt("store", AnyOf(&[Null, Bool])),
    opt("metadata", AnyOf(&[Null, Map])),
    opt("reasoning_effort", AnyOf(&[Null, OneOf(&["none", "minimal", "low", "medium", "high", "xhigh"])])),
    opt("stream", AnyOf(&[Null, Bool])),
]);

/// Judges a request.
pub(in crate::openai) fn chat_request(request: &Value) -> Result<(), ApiError> {
    check(&REQUEST, request, "")?;
    if request.get("stream").and_then(Value::as_bool) == Some(true) {
        return Err(ApiError::invalid(
            "not_simulated",
            "stream",
            "This simulator does not stream completions.",
        ));
    }
    Ok(())
}
