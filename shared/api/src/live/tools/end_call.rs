//! `end_call`: says goodbye and hangs up. The call machine does both; here the model only learns that it will happen.

use serde_json::json;
use voicecore_call::{ToolEffect, ToolSpec};

use super::{Tool, Work};

pub(super) const TOOL: Tool = Tool {
    name: "end_call",
    needs_human: false,
    spec,
    work: Work::Call { effect: ToolEffect::EndCall, next: "Say goodbye in one short sentence." },
};

fn spec() -> ToolSpec {
    ToolSpec {
        name: TOOL.name.to_owned(),
        description: "Ends the telephone call. Use it when the conversation is over and the caller wants nothing more. \
                      Say goodbye in the answer that follows; the line is closed when it has been heard."
            .to_owned(),
        parameters: json!({
            "type": "object",
            "properties": {
                "reason": {"type": "string", "maxLength": 200, "description": "Why the call is over, in a few words."},
            },
            "required": [],
            "additionalProperties": false,
        }),
    }
}
