//! `take_message`: writes down what the caller wants to be told to somebody.

use serde_json::json;
use voicecore_call::ToolSpec;
use voicecore_store::messages::{self, NewMessage};
use voicecore_store::notifications;
use voicecore_store::seal::Column;
use voicecore_types::MessageId;

use super::schema::{Arguments, E164_PATTERN};
use super::{Context, Ran, Tool, Work};
use crate::ApiError;

/// The most characters of a message.
const MAX_MESSAGE_CHARS: u32 = 2_000;
/// The most characters of a caller's name.
const MAX_NAME_CHARS: u32 = 200;

pub(super) const TOOL: Tool = Tool { name: "take_message", needs_human: false, spec, work: Work::Store(run) };

fn spec() -> ToolSpec {
    ToolSpec {
        name: TOOL.name.to_owned(),
        description: "Writes down a message for the people of the business. Use it when the caller wants to be called back or \
                      to leave word. Ask for the name first. Without callback_number the number they call from is kept."
            .to_owned(),
        parameters: json!({
            "type": "object",
            "properties": {
                "message": {
                    "type": "string", "minLength": 1, "maxLength": MAX_MESSAGE_CHARS,
                    "description": "What the caller wants to be passed on, complete, in their own language.",
                },
                "caller_name": {
                    "type": "string", "maxLength": MAX_NAME_CHARS,
                    "description": "The caller's name as they said it.",
                },
                "callback_number": {
                    "type": "string", "pattern": E164_PATTERN,
                    "description": "The number to call back, with country code, if it is not the one they call from.",
                },
            },
            "required": ["message"],
            "additionalProperties": false,
        }),
    }
}

fn run(context: &Context<'_>, arguments: &Arguments) -> Result<Ran, ApiError> {
    let Context { app, scope, sealer, call_id, caller_number } = context;
    let said = arguments.get("callback_number").map(str::to_owned);
    let number = match (said, caller_number) {
        (Some(said), _) => Some(said),
        (None, Some(caller)) => Some(sealer.open(Column::CallerNumber, caller)?),
        (None, None) => None,
    };
    let sealed =
        number.map(|number| sealer.seal(Column::CallbackNumber, &number, app.nonce())).transpose()?;
    let now = app.now();
    let message = NewMessage {
        id: MessageId::new(now, &app.random()),
        call_id: *call_id,
        caller_name: arguments.get("caller_name"),
        callback_number: sealed.as_ref(),
        body: arguments.get("message").unwrap_or_default(),
        created_at: now,
    };
    let mut store = Vec::from(messages::insert(scope, &message));
    store.push(notifications::of_message(scope, message.id));
    Ok(Ran { output: json!({"ok": true, "callback_number_known": sealed.is_some()}), store })
}
