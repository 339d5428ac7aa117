//! What is wrong with a body, by the OpenAPI document: every field at once. `serde` stops at the first, so this is asked only when
//! it has refused a body; what is accepted costs nothing more.

use axum::http::Method;
use serde_json::Value;
use voicecore_api_types::FieldError;

/// Of the document what is said of JSON bodies (`build.rs`): a tenth of it.
const BODIES: &str = include_str!(concat!(env!("OUT_DIR"), "/bodies.json"));

/// Schemas of ours are far flatter.
const MAX_DEPTH: u32 = 16;
/// Whoever sends more wrong fields than this has seen the point.
const MAX_ERRORS: usize = 100;

/// Every field of `body` that the operation's schema does not accept. Empty: the document finds nothing wrong, or says nothing.
/// Names come from the document, never from what was sent.
pub(crate) fn wrong_fields(method: &Method, path: &str, body: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let Ok(document) = serde_json::from_str::<Value>(BODIES) else { return errors };
    let operations = document.get("paths").and_then(|paths| paths.get(path));
    let schema = operations.and_then(|item| item.get(method.as_str().to_ascii_lowercase()));
    if let Some(schema) = schema {
        Checker { document: &document, errors: &mut errors }.check(schema, body, "", MAX_DEPTH);
    }
    errors
}

struct Checker<'a> {
    document: &'a Value,
    errors: &'a mut Vec<FieldError>,
}

impl Checker<'_> {
    fn check(&mut self, schema: &Value, value: &Value, path: &str, depth: u32) {
        if depth == 0 || self.errors.len() >= MAX_ERRORS {
            return;
        }
        if let Some(referred) = schema.get("$ref").and_then(Value::as_str) {
            let found = referred.strip_prefix('#').and_then(|pointer| self.document.pointer(pointer));
            if let Some(found) = found {
                self.check(found, value, path, depth - 1);
            }
            return;
        }
        if let Some(choices) = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array) {
            if !choices.iter().any(|choice| self.accepts(choice, value, depth)) {
                self.refuse(path, "is not one of the values that are known");
            }
            return;
        }
        if !has_type(schema, value) {
            return self.refuse(path, "is of the wrong type");
        }
        if schema.get("enum").and_then(Value::as_array).is_some_and(|words| !words.contains(value)) {
            return self.refuse(path, "is not one of the values that are known");
        }
        match value {
            Value::Object(members) => self.check_object(schema, members, path, depth),
            Value::Array(items) => {
                let schema = schema.get("items").unwrap_or(&Value::Null);
                for (index, item) in items.iter().enumerate() {
                    self.check(schema, item, &below(path, &index.to_string()), depth - 1);
                }
            }
            _ => {}
        }
    }

    fn check_object(
        &mut self,
        schema: &Value,
        members: &serde_json::Map<String, Value>,
        path: &str,
        depth: u32,
    ) {
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
        let required = schema.get("required").and_then(Value::as_array);
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            if !members.contains_key(name) {
                self.refuse(&below(path, name), "is a missing field");
            }
        }
        for (name, property) in properties {
            if let Some(value) = members.get(name) {
                self.check(property, value, &below(path, name), depth - 1);
            }
        }
        let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
        if closed && members.keys().any(|name| !properties.contains_key(name)) {
            // Which one is not repeated.
            self.refuse(path, "holds a field that is not known");
        }
    }

    fn accepts(&self, schema: &Value, value: &Value, depth: u32) -> bool {
        let mut errors = Vec::new();
        Checker { document: self.document, errors: &mut errors }.check(schema, value, "", depth - 1);
        errors.is_empty()
    }

    fn refuse(&mut self, path: &str, message: &str) {
        let field = if path.is_empty() { "body" } else { path };
        self.errors.push(FieldError { field: field.to_owned(), message: message.to_owned() });
    }
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// A schema without a type takes everything.
fn has_type(schema: &Value, value: &Value) -> bool {
    let fits = |kind: &str| match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => {
            let least = schema.get("minimum").and_then(Value::as_i64).unwrap_or(i64::MIN);
            value.is_u64() || value.as_i64().is_some_and(|number| number >= least)
        }
        _ => true,
    };
    match schema.get("type") {
        Some(Value::String(kind)) => fits(kind),
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).any(fits),
        _ => true,
    }
}
