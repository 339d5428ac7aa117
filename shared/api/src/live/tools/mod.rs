//! What an assistant can do: a table of tools, each a specification for the model and a function.
//!
//! A tool takes effect exactly once for each (call, `tool_call_id`), however often it is asked for (pitfall 19). Tools that
//! write store their outcome and their rows in one batch under that key, and whoever comes second gets the stored outcome; a
//! tool with an effect elsewhere must not be run again after [`Begun::Running`]. Tools that only tell the call machine what to
//! do need no database for that: the machine does it once, and what was done is recorded afterwards.

mod end_call;
mod schema;
mod take_message;
mod transfer;

use serde_json::{Value, json};
use voicecore_call::{ToolCall, ToolEffect, ToolResult, ToolSpec};
use voicecore_ports::{DbError, Stmt};
use voicecore_store::businesses;
use voicecore_store::seal::{Sealed, Sealer, WrappedKey};
use voicecore_store::tool_runs::{self, Begun, ToolOutcome, ToolRun};
use voicecore_store::{Scope, StoreError};
use voicecore_types::CallId;

use super::CallSetup;
use crate::{ApiError, AppState};
use schema::{ArgumentError, Arguments};

/// The longest `tool_call_id` that is taken, in bytes. The provider's are about thirty.
const MAX_TOOL_CALL_ID_BYTES: usize = 200;

/// One row of the table.
struct Tool {
    name: &'static str,
    /// Offered only if there is a human being to transfer to.
    needs_human: bool,
    spec: fn() -> ToolSpec,
    work: Work,
}

/// Who does what a tool does.
enum Work {
    /// The call machine, at once.
    Call {
        effect: ToolEffect,
        /// What the model does next.
        next: &'static str,
    },
    /// The database.
    Store(Write),
}

type Write = fn(&Context<'_>, &Arguments) -> Result<Ran, ApiError>;

const TOOLS: [&Tool; 3] = [&end_call::TOOL, &take_message::TOOL, &transfer::TOOL];

/// What a tool works with.
struct Context<'a> {
    app: &'a AppState,
    scope: &'a Scope,
    sealer: &'a Sealer,
    call_id: CallId,
    /// Sealed for `Column::CallerNumber`. `None` for an anonymous caller.
    caller_number: Option<&'a Sealed>,
}

/// What a tool will have done once its statements are stored.
struct Ran {
    /// For the model.
    output: Value,
    /// Stored together with the outcome, or not at all.
    store: Vec<Stmt>,
}

/// Names of all tools.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    TOOLS.iter().map(|tool| tool.name)
}

/// The tools that are offered to the model, out of those that the assistant has (`None`: all).
pub(super) fn specs(wanted: Option<&[String]>, transfer_available: bool) -> Vec<ToolSpec> {
    let is_wanted = |tool: &Tool| wanted.is_none_or(|names| names.iter().any(|name| name == tool.name));
    let offered = TOOLS.iter().filter(|tool| is_wanted(tool) && (transfer_available || !tool.needs_human));
    offered.map(|tool| (tool.spec)()).collect()
}

/// Runs a tool. Never fails: whatever goes wrong becomes an output that tells the model what to do next, because a tool call
/// without an answer wedges the session (pitfall 20). What ends or transfers the call waits for nothing: give the result to the
/// call machine, and to [`record_tool`] after that.
pub async fn run_tool(app: &AppState, setup: &CallSetup, call: &ToolCall) -> ToolResult {
    let outcome = checked(app, setup, call).await;
    let (output, effect) = outcome.unwrap_or_else(|refusal| (refusal, ToolEffect::None));
    ToolResult { tool_call_id: call.tool_call_id.clone(), output: output.to_string(), effect }
}

/// Records what the call machine was told to do. Idempotent; tools that write have recorded themselves. The call does not
/// depend on it.
pub async fn record_tool(
    app: &AppState,
    setup: &CallSetup,
    call: &ToolCall,
    result: &ToolResult,
) -> Result<(), StoreError> {
    if setup.test_call.is_some() || result.effect == ToolEffect::None {
        return Ok(());
    }
    let scope = Scope::for_job(app.ports.db.clone(), setup.tenant_id);
    let run = ToolRun { call_id: setup.call.call_id, tool_call_id: &call.tool_call_id, name: &call.name };
    if matches!(tool_runs::begin(&scope, &run, app.now()).await?, Begun::Done(_)) {
        return Ok(());
    }
    let outcome =
        ToolOutcome { output: result.output.clone(), effect: effect_word(result.effect).to_owned() };
    // `false` is another recorder's success.
    tool_runs::finish(&scope, &run, &outcome, vec![], app.now()).await.map(|_| ())
}

async fn checked(app: &AppState, setup: &CallSetup, call: &ToolCall) -> Result<(Value, ToolEffect), Value> {
    let offered = |tool: &&&Tool| setup.call.session.tools.iter().any(|spec| spec.name == tool.name);
    let tool = TOOLS.iter().filter(offered).find(|tool| tool.name == call.name);
    let Some(tool) = tool else {
        let names: Vec<_> = TOOLS.iter().filter(offered).map(|tool| tool.name).collect();
        return Err(json!({"error": "unknown_tool", "message": "There is no such tool.", "tools": names}));
    };
    if call.tool_call_id.is_empty() || call.tool_call_id.len() > MAX_TOOL_CALL_ID_BYTES {
        return Err(
            json!({"error": "invalid_call", "message": "The id of this tool call is empty or too long."}),
        );
    }
    let arguments = schema::check(&(tool.spec)().parameters, &call.arguments).map_err(|e| refusal(&e))?;
    match tool.work {
        // A caller is not kept on the line because the database is away, or slow.
        Work::Call { effect, next } => Ok((json!({"ok": true, "next": next}), effect)),
        Work::Store(work) if setup.test_call.is_some() => tried(app, setup, work, &arguments)
            .map_err(|_| json!({"error": "unavailable", "message": "This could not be done. Apologise."})),
        Work::Store(work) => match run_once(app, setup, (tool.name, work), call, &arguments).await {
            Ok(output) => Ok((output, ToolEffect::None)),
            Err(Failed::NotDone) => Err(json!({
                "error": "unavailable",
                "message": "This could not be done. Apologise, and offer to try again or to call back later.",
            })),
            // As the call machine says it of a tool that does not answer: another try would do it twice.
            Err(Failed::Unknown) => Err(json!({
                "error": "timeout",
                "message": "The tool did not answer in time. It may still have worked: do not try again.",
            })),
        },
    }
}

/// A tool that writes gave no outcome.
enum Failed {
    /// It has had no effect, and will have none.
    NotDone,
    /// What it was to store may be stored, or may be yet.
    Unknown,
}

/// Whatever fails before the outcome is handed to the database.
impl<E: Into<ApiError>> From<E> for Failed {
    fn from(_: E) -> Self {
        Self::NotDone
    }
}

/// What a tool would do and say, in a call that is a test: nothing is stored.
fn tried(
    app: &AppState,
    setup: &CallSetup,
    work: Write,
    arguments: &Arguments,
) -> Result<(Value, ToolEffect), ApiError> {
    let scope = Scope::for_job(app.ports.db.clone(), setup.tenant_id);
    let key = setup.wrapped_key.clone().ok_or_else(|| ApiError::Internal("a test has no key".to_owned()))?;
    let sealer = app.sealer(setup.tenant_id, &WrappedKey::from_stored(key))?;
    let call_id = setup.call.call_id;
    let ran =
        work(&Context { app, scope: &scope, sealer: &sealer, call_id, caller_number: None }, arguments)?;
    Ok((ran.output, ToolEffect::None))
}

async fn run_once(
    app: &AppState,
    setup: &CallSetup,
    (name, work): (&'static str, Write),
    call: &ToolCall,
    arguments: &Arguments,
) -> Result<Value, Failed> {
    let call_id = setup.call.call_id;
    let scope = Scope::for_job(app.ports.db.clone(), setup.tenant_id);
    let run = ToolRun { call_id, tool_call_id: &call.tool_call_id, name };
    if let Begun::Done(outcome) = tool_runs::begin(&scope, &run, app.now()).await? {
        return Ok(stored(&outcome)?);
    }
    let row = businesses::call_setup(&scope, call_id).await?.ok_or(StoreError::NotFound("call"))?;
    let sealer = app.sealer(setup.tenant_id, &row.wrapped_key)?;
    let caller_number = row.caller_number.as_ref();
    let context = Context { app, scope: &scope, sealer: &sealer, call_id, caller_number };
    let ran = work(&context, arguments)?;
    store(app, &scope, &run, ran).await
}

/// Stores what a tool has done, with its outcome.
async fn store(app: &AppState, scope: &Scope, run: &ToolRun<'_>, ran: Ran) -> Result<Value, Failed> {
    let effect = effect_word(ToolEffect::None).to_owned();
    let outcome = ToolOutcome { output: ran.output.to_string(), effect };
    let stored_now = match tool_runs::finish(scope, run, &outcome, ran.store.clone(), app.now()).await {
        // A database that is slow may store it yet. Of two that store the same run one wins, so another try does no harm, and
        // tells what became of the first.
        Err(StoreError::Db(DbError::Unavailable)) => {
            let again = tool_runs::finish(scope, run, &outcome, ran.store, app.now()).await;
            again.map_err(|_| Failed::Unknown)?
        }
        finished => finished?,
    };
    if stored_now {
        return Ok(ran.output);
    }
    // An earlier try, or another run of the same call of the tool: its outcome is the one that counts.
    match tool_runs::begin(scope, run, app.now()).await {
        Ok(Begun::Done(outcome)) => stored(&outcome).map_err(|_| Failed::Unknown),
        Ok(Begun::Fresh | Begun::Running) | Err(_) => Err(Failed::Unknown),
    }
}

fn stored(outcome: &ToolOutcome) -> Result<Value, ApiError> {
    let odd = |_| ApiError::Internal("a stored tool outcome cannot be read".to_owned());
    serde_json::from_str(&outcome.output).map_err(odd)
}

/// As stored in `tool_runs.effect`.
const fn effect_word(effect: ToolEffect) -> &'static str {
    match effect {
        ToolEffect::None => "none",
        ToolEffect::EndCall => "end_call",
        ToolEffect::Transfer => "transfer",
    }
}

fn refusal(errors: &[ArgumentError]) -> Value {
    let errors: Vec<_> =
        errors.iter().map(|e| json!({"argument": e.argument, "message": e.message})).collect();
    json!({
        "error": "invalid_arguments",
        "message": "Call the tool again with corrected arguments; ask the caller for what is missing.",
        "errors": errors,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn transfer_is_offered_only_with_somebody_to_transfer_to() {
        let names = |wanted: Option<&[String]>, available| {
            specs(wanted, available).into_iter().map(|spec| spec.name).collect::<Vec<_>>()
        };
        assert_eq!(names(None, true), ["end_call", "take_message", "transfer"]);
        assert_eq!(names(None, false), ["end_call", "take_message"]);
        let some = ["transfer".to_owned(), "end_call".to_owned()];
        assert_eq!(names(Some(&some), true), ["end_call", "transfer"]);
        assert_eq!(names(Some(&some), false), ["end_call"]);
        assert_eq!(names(Some(&[]), true), [""; 0]);
    }

    /// What the checker of arguments does not know must not be in a schema, or it would not be checked.
    #[test]
    fn schemas_use_only_what_is_checked() {
        for spec in specs(None, true) {
            let schema = spec.parameters.as_object().unwrap();
            let known = ["type", "properties", "required", "additionalProperties"];
            assert!(schema.keys().all(|key| known.contains(&key.as_str())), "{}", spec.name);
            assert_eq!(schema["type"], "object");
            assert_eq!(schema["additionalProperties"], false);
            let properties = schema["properties"].as_object().unwrap();
            for (name, property) in properties {
                let known = ["type", "description", "minLength", "maxLength", "pattern"];
                let property = property.as_object().unwrap();
                assert!(property.keys().all(|key| known.contains(&key.as_str())), "{}.{name}", spec.name);
                assert_eq!(property["type"], "string", "{}.{name}", spec.name);
                let pattern = property.get("pattern").and_then(Value::as_str);
                assert!(
                    pattern.is_none_or(|pattern| pattern == schema::E164_PATTERN),
                    "{}.{name}",
                    spec.name
                );
            }
            for required in schema["required"].as_array().unwrap() {
                assert!(properties.contains_key(required.as_str().unwrap()), "{}", spec.name);
            }
        }
    }
}
