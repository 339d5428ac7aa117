//! `transfer`: hands the caller to a human being. The call machine announces it and leaves the stream; the carrier then asks
//! what comes next and is told to dial the business's fallback number.

use serde_json::json;
use voicecore_call::{ToolEffect, ToolSpec};

use super::{Tool, Work};

pub(super) const TOOL: Tool = Tool {
    name: "transfer",
    needs_human: true,
    spec,
    work: Work::Call {
        effect: ToolEffect::Transfer,
        next: "Tell the caller in one short sentence that you are connecting them.",
    },
};

fn spec() -> ToolSpec {
    ToolSpec {
        name: TOOL.name.to_owned(),
        description: "Connects the caller with a human being at the business. Use it when the caller asks for a person, or \
                      when you cannot help. Tell the caller in the answer that follows; they are connected when it has been \
                      heard."
            .to_owned(),
        parameters: json!({
            "type": "object",
            "properties": {
                "reason": {"type": "string", "maxLength": 200, "description": "What the caller needs, in a few words."},
            },
            "required": [],
            "additionalProperties": false,
        }),
    }
}
