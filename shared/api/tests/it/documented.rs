//! Whatever is answered to any test of this program: the OpenAPI document must have its status, its media type, and a schema that its
//! body fits. That everything which the document has is answered, too, is seen by `responses`.

use std::sync::LazyLock;

use axum::http::Method;
use serde_json::{Map, Value, json};
use voicecore_api::openapi_document;

use crate::world::Reply;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::to_value(openapi_document()).unwrap());

/// Panics when the operation may not answer so. Nothing is said of what is no operation of the document, nor of 405.
#[track_caller]
pub(crate) fn check(method: &Method, path: &str, reply: &Reply) {
    let Some(operation) = operation(method, path) else { return };
    let status = reply.status.as_str();
    let responses = &operation["responses"];
    let range = format!("{}XX", &status[..1]);
    let Some(response) = responses.get(status).or_else(|| responses.get(&range)) else {
        panic!("{method} {path}: the document does not have {status}: {}", reply.body)
    };
    let pointer = response["$ref"].as_str().map(|reference| reference.trim_start_matches('#'));
    let response = pointer.map_or(response, |pointer| DOCUMENT.pointer(pointer).unwrap());
    // What says a version or how long to wait is known beforehand.
    for name in ["ETag", "Retry-After"] {
        let (has, says) = (reply.headers.contains_key(name), response["headers"].get(name).is_some());
        assert!(has == says, "{method} {path}: {status} has {name}: {has}, by the document: {says}");
    }
    let essence = reply.content_type().split(';').next().unwrap_or_default();
    let known = match response["content"].as_object() {
        Some(content) => content.contains_key(essence),
        None => reply.body.is_empty(),
    };
    assert!(known, "{method} {path}: the document does not have {essence:?} with {status}");
    if essence == "application/json" || essence == "application/problem+json" {
        let schema = &response["content"][essence]["schema"];
        if let Err(wrong) = fits_schema(schema, &reply.json(), true) {
            panic!("{method} {path}: the document has another body with {status}: {wrong}: {}", reply.body);
        }
    }
}

/// Of paths that fit, the one with the fewest parameters is meant.
fn operation(method: &Method, path: &str) -> Option<&'static Value> {
    let paths = DOCUMENT["paths"].as_object()?;
    let fitting = paths.iter().filter(|(template, _)| fits(template, path));
    let (_, item) = fitting.min_by_key(|(template, _)| template.matches('{').count())?;
    item.get(method.as_str().to_lowercase())
}

fn fits(template: &str, path: &str) -> bool {
    let (wanted, given): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    let is_like =
        |(wanted, given): (&&str, &&str)| wanted == given || (wanted.starts_with('{') && !given.is_empty());
    wanted.len() == given.len() && wanted.iter().zip(&given).all(is_like)
}

/// Whether the value is what the schema says, nothing left out that is needed and nothing there that is not described.
pub(crate) fn is_described(schema: &Value, value: &Value) -> Result<(), String> {
    fits_schema(schema, value, true)
}

/// Whether the value is what the schema says, and, where it is `closed`, has no member that the schema does not name.
fn fits_schema(schema: &Value, value: &Value, closed: bool) -> Result<(), String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap_or_default();
        let schema = DOCUMENT.pointer(reference.trim_start_matches('#')).unwrap();
        return fits_schema(schema, value, closed).map_err(|wrong| format!("{name}: {wrong}"));
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        fits_schema(part, value, false)?;
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let fitting = choices.iter().filter(|choice| fits_schema(choice, value, closed).is_ok()).count();
        if fitting != 1 {
            return Err(format!("{fitting} of {} choices fit {value}", choices.len()));
        }
    }
    if !schema["type"].is_null() && !has_type(&schema["type"], value) {
        return Err(format!("{value} is no {}", schema["type"]));
    }
    if schema["enum"].as_array().is_some_and(|words| !words.contains(value)) {
        return Err(format!("{value} is no word of {}", schema["enum"]));
    }
    if let (Some(least), Some(number)) = (schema["minimum"].as_f64(), value.as_f64())
        && number < least
    {
        return Err(format!("{value} is less than {least}"));
    }
    if let Some(items) = value.as_array() {
        items.iter().try_for_each(|item| fits_schema(&schema["items"], item, closed))?;
    }
    value.as_object().map_or(Ok(()), |members| fits_members(schema, members, closed))
}

fn fits_members(schema: &Value, members: &Map<String, Value>, closed: bool) -> Result<(), String> {
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    for name in required {
        if !members.contains_key(name) {
            return Err(format!("there is no {name}"));
        }
    }
    let Some(properties) = schema["properties"].as_object() else { return Ok(()) };
    for (name, member) in members {
        match properties.get(name) {
            Some(schema) => {
                fits_schema(schema, member, closed).map_err(|wrong| format!("{name}: {wrong}"))?;
            }
            None if closed => return Err(format!("{name} is not documented")),
            None => {}
        }
    }
    Ok(())
}

fn has_type(kinds: &Value, value: &Value) -> bool {
    let is = |kind: &Value| match kind.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "null" => value.is_null(),
        other => panic!("{other} is no type"),
    };
    match kinds {
        Value::Array(kinds) => kinds.iter().any(is),
        kind => is(kind),
    }
}

#[test]
fn what_does_not_fit_is_found() {
    let schema = json!({
        "type": "object", "required": ["id"],
        "properties": {
            "id": {"type": "string"}, "n": {"type": ["integer", "null"], "minimum": 1},
            "kind": {"enum": ["a"]}, "all": {"type": "array", "items": {"oneOf": [{"type": "null"}, {"type": "boolean"}]}},
            "problem": {"$ref": "#/components/schemas/FieldError"},
        },
    });
    let fits = |value: Value| fits_schema(&schema, &value, true);
    let good = json!({"id": "1", "n": 1, "kind": "a", "all": [null, true], "problem": {"field": "a", "message": "b"}});
    assert_eq!(fits(good.clone()), Ok(()));
    assert_eq!(fits(json!({"id": "1", "n": null})), Ok(()));
    assert!(fits(json!({"n": 1})).is_err());
    for (name, wrong) in [
        ("id", json!(7)),
        ("n", json!(0)),
        ("n", json!(1.5)),
        ("kind", json!("b")),
        ("all", json!([7])),
        ("problem", json!({"field": "a"})),
        ("other", json!(1)),
    ] {
        let mut bad = good.clone();
        bad[name] = wrong;
        assert!(fits(bad.clone()).is_err(), "{bad}");
    }
}
