//! The "model": rules instead of weights, so that the same call always goes the same way.
//!
//! It answers by keywords of what it understood, uses tools when the session offers them, and says word for word what
//! instructions put in quotation marks.

mod lines;

use serde_json::{Map, Value, json};

use super::session::Tool;

/// What the model can know when it answers.
#[derive(Debug)]
pub(super) struct Situation<'a> {
    /// Instructions of this one response; they replace those of the session.
    pub(super) asked: Option<&'a str>,
    /// Instructions of the session.
    pub(super) instructions: &'a str,
    /// Tools that may be called now.
    pub(super) tools: &'a [Tool],
    /// The conversation so far, oldest first.
    pub(super) memory: Vec<Memory>,
    /// The caller has said nothing for the configured time.
    pub(super) idle: bool,
}

/// One thing remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Memory {
    /// The caller said or wrote; empty when nothing was understood.
    User(String),
    /// The assistant said, as far as it was heard.
    Assistant(String),
    /// A rule brought in.
    System(String),
    /// A function was called and answered.
    Tool {
        /// Name of the function.
        name: String,
        /// Its answer.
        output: String,
    },
}

/// What the model does.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Reply {
    /// Said first; may be empty.
    pub(super) speech: String,
    /// Called then: name and arguments.
    pub(super) calls: Vec<(String, Value)>,
}

impl Reply {
    fn say(speech: impl Into<String>) -> Self {
        Self { speech: speech.into(), calls: Vec::new() }
    }
}

/// Answers.
pub(super) fn reply(situation: &Situation<'_>) -> Reply {
    if let Some(reply) = situation.asked.and_then(|asked| obey(asked, situation)) {
        return reply;
    }
    if situation.idle {
        return Reply::say(lines::STILL_THERE);
    }
    match situation.memory.iter().rev().find(|m| !matches!(m, Memory::System(_))) {
        None | Some(Memory::System(_)) => {
            Reply::say(quoted(situation.instructions).unwrap_or_else(|| lines::HELLO.into()))
        }
        Some(Memory::Assistant(_)) => Reply::say(lines::ANYTHING_ELSE),
        Some(Memory::Tool { name, output }) => Reply::say(after_tool(name, output)),
        Some(Memory::User(text)) => answer(text, situation),
    }
}

/// What the instructions of one response ask for, if they ask for something in particular.
fn obey(asked: &str, situation: &Situation<'_>) -> Option<Reply> {
    // Those of a response replace the session's, so a careful client repeats them first: they are no request.
    let task = asked.strip_prefix(situation.instructions).unwrap_or(asked);
    if let Some(words) = verbatim(task).or_else(|| quoted(task)) {
        return Some(Reply::say(words));
    }
    if mentions(task, &["cut off", "interrupted", "reconnect", "resume"]) {
        return Some(Reply::say(format!("{} {}", lines::CUT_OFF, continuation(&situation.memory))));
    }
    let rules: [(&[&str], &str); 3] = [
        (&["putting them through", "put them through", "transfer"], lines::TRANSFER),
        (&["goodbye", "farewell", "end the call", "hang up"], lines::GOODBYE),
        (&["still there", "silent", "silence"], lines::STILL_THERE),
    ];
    rules.iter().find(|(phrases, _)| mentions(task, phrases)).map(|(_, line)| Reply::say(*line))
}

/// What stands on the lines after "exactly" or "word for word" and a colon.
fn verbatim(task: &str) -> Option<String> {
    let (order, words) = task.rsplit_once(":\n")?;
    let order = order.lines().next_back()?;
    let words = words.trim();
    (mentions(order, &["exactly", "word for word", "verbatim"]) && !words.is_empty())
        .then(|| words.to_owned())
}

/// What the caller said last, answered.
fn answer(text: &str, situation: &Situation<'_>) -> Reply {
    let offered = |name: &str| situation.tools.iter().find(|tool| tool.name == name);
    let call = |speech: &str, tool: &Tool| Reply {
        speech: speech.into(),
        calls: vec![(tool.name.clone(), arguments(&tool.parameters, text))],
    };
    if text.trim().is_empty() {
        return Reply::say(lines::NOT_UNDERSTOOD);
    }
    if mentions(
        text,
        &["human", "real person", "somebody else", "operator", "representative", "put me through"],
    ) {
        return offered("transfer")
            .map_or_else(|| Reply::say(lines::NOBODY_THERE), |t| call(lines::TRANSFER, t));
    }
    if mentions(text, &["goodbye", "good bye", "bye", "that is all", "that's all", "hang up"]) {
        return offered("end_call").map_or_else(|| Reply::say(lines::GOODBYE), |t| call(lines::GOODBYE, t));
    }
    if mentions(text, &["a message", "tell them", "tell him", "tell her", "call me back"]) {
        return offered("take_message").map_or_else(|| Reply::say(lines::NO_MESSAGES), |t| call("", t));
    }
    let turn = situation.memory.iter().filter(|m| matches!(m, Memory::User(_))).count();
    Reply::say(lines::answer(text, turn))
}

fn after_tool(name: &str, output: &str) -> &'static str {
    let value: Value = serde_json::from_str(output).unwrap_or_default();
    let refused = ["ok", "success"].iter().any(|key| value.get(key).and_then(Value::as_bool) == Some(false));
    let failed = refused || value.get("error").is_some_and(|error| !error.is_null());
    match name {
        _ if failed => lines::TOOL_FAILED,
        "take_message" => lines::MESSAGE_TAKEN,
        "transfer" => lines::TRANSFER,
        "end_call" => lines::GOODBYE,
        _ => lines::TOOL_DONE,
    }
}

/// Where a conversation is taken up again.
fn continuation(memory: &[Memory]) -> String {
    match memory.iter().rev().find(|m| !matches!(m, Memory::System(_))) {
        Some(Memory::User(text)) if !text.is_empty() => format!("You were saying: {text}"),
        Some(_) => lines::WHERE_WERE_WE.into(),
        None => lines::HELLO.into(),
    }
}

/// The last words in quotation marks, if they are a sentence or more.
fn quoted(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split(['"', '“', '”', '«', '»']).collect();
    let inside: Vec<&str> = parts.iter().skip(1).step_by(2).map(|words| words.trim()).collect();
    inside.into_iter().rfind(|words| words.split_whitespace().count() > 1).map(str::to_owned)
}

/// One of the phrases stands in the text, as whole words.
fn mentions(text: &str, phrases: &[&str]) -> bool {
    let plain: String =
        text.chars().map(|c| if c.is_alphanumeric() || c == '\'' { c } else { ' ' }).collect();
    let text = format!(" {} ", plain.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" "));
    phrases.iter().any(|phrase| text.contains(&format!(" {phrase} ")))
}

/// Arguments that fit the schema, taken from what the caller said.
fn arguments(schema: &Value, said: &str) -> Value {
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut arguments = Map::new();
    for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        if let Some(value) = argument(name, property, said, required.contains(&name.as_str())) {
            arguments.insert(name.clone(), value);
        }
    }
    Value::Object(arguments)
}

fn argument(name: &str, property: &Value, said: &str, required: bool) -> Option<Value> {
    if let Some(first) = property.get("enum").and_then(|list| list.get(0)) {
        return required.then(|| first.clone());
    }
    let kind = property.get("type").and_then(|kind| kind.as_str().or_else(|| kind.get(0)?.as_str()));
    match kind {
        Some("integer" | "number") => required.then(|| json!(1)),
        Some("boolean") => required.then_some(Value::Bool(false)),
        Some("array") => required.then(|| json!([])),
        Some("object") => required.then(|| json!({})),
        _ => {
            let found = match name {
                _ if name.contains("name") => caller_name(said),
                _ if name.contains("phone") || name.contains("number") => digits(said),
                _ if ["message", "text", "content", "body", "note"].contains(&name) => Some(said.to_owned()),
                _ => None,
            };
            found.or_else(|| required.then(|| said.to_owned())).map(Value::String)
        }
    }
}

/// What follows "my name is" or "this is", up to the next mark.
fn caller_name(said: &str) -> Option<String> {
    let lower = said.to_ascii_lowercase();
    let after = ["my name is ", "this is "].iter().find_map(|lead| Some(lower.find(lead)? + lead.len()))?;
    let name = said.get(after..)?.split(['.', ',', ';', '!', '?']).next()?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

fn digits(said: &str) -> Option<String> {
    let digits: String = said.chars().filter(char::is_ascii_digit).collect();
    (digits.len() >= 5).then_some(digits)
}

#[cfg(test)]
mod tests;
