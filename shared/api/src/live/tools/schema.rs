//! Checks the arguments of a tool against the schema that the model was given, so that the two cannot disagree.
//!
//! Only what our schemas use is known: an object of strings with `required`, `minLength`, `maxLength`, `pattern` (E.164 only)
//! and no other properties. A test walks every tool's schema and refuses anything else in it.

use serde_json::{Map, Value};

/// The pattern of a telephone number, the only one that schemas may name.
pub(super) const E164_PATTERN: &str = r"^\+[1-9][0-9]{1,14}$";

/// The largest arguments that are read, in bytes.
pub(super) const MAX_ARGUMENT_BYTES: usize = 16_384;

/// One thing that is wrong, in words that help the model to do better.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ArgumentError {
    /// Which argument; empty for all of them.
    pub(super) argument: String,
    /// What is wrong with it.
    pub(super) message: String,
}

impl ArgumentError {
    fn new(argument: &str, message: impl Into<String>) -> Self {
        Self { argument: argument.to_owned(), message: message.into() }
    }
}

/// Arguments that match their schema: strings by name. Empty ones count as absent.
#[derive(Debug, Default)]
pub(super) struct Arguments(Map<String, Value>);

impl Arguments {
    /// The argument, unless it is absent or blank.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
    }
}

/// Reads and checks `arguments`, JSON text as the model wrote it. Models also write nothing at all, or `null`.
pub(super) fn check(schema: &Value, arguments: &str) -> Result<Arguments, Vec<ArgumentError>> {
    if arguments.len() > MAX_ARGUMENT_BYTES {
        return Err(vec![ArgumentError::new("", "are too long")]);
    }
    let arguments = match arguments.trim() {
        "" | "null" => Map::new(),
        text => match serde_json::from_str(text) {
            Ok(Value::Object(arguments)) => arguments,
            Ok(_) => return Err(vec![ArgumentError::new("", "must be a JSON object")]),
            Err(_) => return Err(vec![ArgumentError::new("", "are not valid JSON")]),
        },
    };
    let none = Map::new();
    let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
    let mut errors = Vec::new();
    for name in arguments.keys().filter(|name| !properties.contains_key(*name)) {
        let name: String = name.chars().take(64).collect();
        errors.push(ArgumentError::new(&name, "is not an argument of this tool"));
    }
    for name in
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    {
        if arguments.get(name).is_none_or(Value::is_null) {
            errors.push(ArgumentError::new(name, "is missing"));
        }
    }
    for (name, property) in properties {
        if let Some(value) = arguments.get(name).filter(|value| !value.is_null())
            && let Err(message) = check_string(property, value)
        {
            errors.push(ArgumentError::new(name, message));
        }
    }
    if errors.is_empty() { Ok(Arguments(arguments)) } else { Err(errors) }
}

fn check_string(property: &Value, value: &Value) -> Result<(), String> {
    let Some(text) = value.as_str() else { return Err("must be a string".to_owned()) };
    let length = text.chars().count() as u64;
    let limit = |name| property.get(name).and_then(Value::as_u64);
    if let Some(least) = limit("minLength")
        && (text.trim().chars().count() as u64) < least
    {
        return Err(format!("must have at least {least} characters"));
    }
    if let Some(most) = limit("maxLength")
        && length > most
    {
        return Err(format!("must have at most {most} characters"));
    }
    if property.get("pattern").is_some()
        && !text.trim().is_empty()
        && text.trim().parse::<voicecore_types::E164>().is_err()
    {
        return Err("must be a telephone number with country code, such as +15005550006".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn schema() -> Value {
        json!({
            "type": "object",
            "properties": {
                "message": {"type": "string", "minLength": 1, "maxLength": 5},
                "number": {"type": "string", "pattern": E164_PATTERN},
            },
            "required": ["message"],
            "additionalProperties": false,
        })
    }

    #[track_caller]
    fn refused(arguments: &str, expected: &[(&str, &str)]) {
        let errors = check(&schema(), arguments).unwrap_err();
        let errors: Vec<_> = errors.iter().map(|e| (e.argument.as_str(), e.message.as_str())).collect();
        assert_eq!(errors, expected, "{arguments}");
    }

    #[test]
    fn accepts_what_the_schema_says() {
        let arguments = check(&schema(), r#"{"message":"héllo","number":"+15005550006"}"#).unwrap();
        assert_eq!(arguments.get("message"), Some("héllo"));
        assert_eq!(arguments.get("number"), Some("+15005550006"));
        let arguments = check(&schema(), r#"{"message":" x ","number":null}"#).unwrap();
        assert_eq!((arguments.get("message"), arguments.get("number")), (Some("x"), None));
        assert_eq!(check(&schema(), r#"{"message":"x","number":""}"#).unwrap().get("number"), None);
    }

    #[test]
    fn names_what_is_wrong() {
        refused("", &[("message", "is missing")]);
        refused("null", &[("message", "is missing")]);
        refused("[]", &[("", "must be a JSON object")]);
        refused("{\"message\":", &[("", "are not valid JSON")]);
        refused(r#"{"message":7}"#, &[("message", "must be a string")]);
        refused(r#"{"message":"  "}"#, &[("message", "must have at least 1 characters")]);
        refused(r#"{"message":"123456"}"#, &[("message", "must have at most 5 characters")]);
        refused(r#"{"message":"x","colour":"red"}"#, &[("colour", "is not an argument of this tool")]);
        refused(
            r#"{"message":"x","number":"555-0006"}"#,
            &[("number", "must be a telephone number with country code, such as +15005550006")],
        );
        refused(&format!("{{\"message\":\"{}\"}}", "x".repeat(MAX_ARGUMENT_BYTES)), &[("", "are too long")]);
        refused(&"[".repeat(10_000), &[("", "are not valid JSON")]);
    }

    proptest! {
        #[test]
        fn never_panics(arguments in ".{0,200}") {
            let _ = check(&schema(), &arguments);
        }
    }
}
