//! What the service accepts, as tables: every field that exists, and nothing else.
//!
//! [`check`] finds the first thing that the service would refuse and says so in the service's own terms (`type`, `code`,
//! `param`), as far as those are known. Reading the values is somebody else's work.

mod chat;
mod events;
mod items;
mod session;

use serde_json::Value;

pub(super) use chat::chat_request;
pub(super) use events::client_event;

use super::error::ApiError;

/// What a value may be.
#[derive(Debug)]
pub(super) enum Shape {
    /// Anything; judged elsewhere or by nobody.
    Any,
    /// A string.
    Text,
    /// A string of at most so many bytes.
    TextUpTo(usize),
    /// `true` or `false`.
    Bool,
    /// `null`.
    Null,
    /// A whole number within bounds.
    Integer(i64, i64),
    /// A number within bounds.
    Number(f64, f64),
    /// One of these strings.
    OneOf(&'static [&'static str]),
    /// A list of at most so many.
    List(usize, &'static Shape),
    /// An object with names of its own choice.
    Map,
    /// An object with exactly these fields.
    Object(&'static [Field]),
    /// An object whose shape its field of this name decides.
    By(&'static str, &'static [(&'static str, Shape)]),
    /// Whichever is of the value's kind; the first, when several are.
    AnyOf(&'static [Shape]),
}

/// A field of an object.
#[derive(Debug)]
pub(super) struct Field {
    name: &'static str,
    required: bool,
    shape: Shape,
}

/// A field that must be there.
pub(super) const fn req(name: &'static str, shape: Shape) -> Field {
    Field { name, required: true, shape }
}

/// A field that may be there.
pub(super) const fn opt(name: &'static str, shape: Shape) -> Field {
    Field { name, required: false, shape }
}

/// Finds the first fault of `value`, whose name is `path`.
pub(super) fn check(shape: &Shape, value: &Value, path: &str) -> Result<(), ApiError> {
    match shape {
        Shape::Any => Ok(()),
        Shape::TextUpTo(limit) => match value.as_str() {
            Some(text) if text.len() > *limit => Err(ApiError::invalid(
                "string_above_max_length",
                path,
                format!("Invalid '{path}': string too long. Expected a string with maximum length {limit}."),
            )),
            Some(_) => Ok(()),
            None => Err(wrong_type(shape, value, path)),
        },
        Shape::Integer(min, max) => match value.as_i64() {
            Some(number) if number < *min || number > *max => Err(out_of_bounds(path, min, max)),
            Some(_) => Ok(()),
            None => Err(wrong_type(shape, value, path)),
        },
        Shape::Number(min, max) => match value.as_f64() {
            Some(number) if number < *min || number > *max => Err(out_of_bounds(path, min, max)),
            Some(_) => Ok(()),
            None => Err(wrong_type(shape, value, path)),
        },
        Shape::OneOf(names) => match value.as_str() {
            Some(name) if !names.contains(&name) => Err(not_supported(path, name, names)),
            Some(_) => Ok(()),
            None => Err(wrong_type(shape, value, path)),
        },
        Shape::List(limit, of) => check_list(*limit, of, value, path),
        Shape::Object(fields) => check_object(fields, value, path),
        Shape::By(tag, variants) => check_by(tag, variants, value, path),
        Shape::AnyOf(shapes) => match shapes.iter().find(|shape| shape.is_kind_of(value)) {
            Some(shape) => check(shape, value, path),
            None => Err(wrong_type(shape, value, path)),
        },
        Shape::Text | Shape::Bool | Shape::Null | Shape::Map => {
            if shape.is_kind_of(value) {
                Ok(())
            } else {
                Err(wrong_type(shape, value, path))
            }
        }
    }
}

impl Shape {
    /// The value has the JSON type that this shape wants.
    fn is_kind_of(&self, value: &Value) -> bool {
        match self {
            Self::Any => true,
            Self::Text | Self::TextUpTo(_) | Self::OneOf(_) => value.is_string(),
            Self::Bool => value.is_boolean(),
            Self::Null => value.is_null(),
            Self::Integer(..) | Self::Number(..) => value.is_number(),
            Self::List(..) => value.is_array(),
            Self::Map | Self::Object(_) | Self::By(..) => value.is_object(),
            Self::AnyOf(shapes) => shapes.iter().any(|shape| shape.is_kind_of(value)),
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Any => "anything".into(),
            Self::Text | Self::TextUpTo(_) => "a string".into(),
            Self::OneOf(names) => format!("one of '{}'", names.join("', '")),
            Self::Bool => "a boolean".into(),
            Self::Null => "null".into(),
            Self::Integer(..) => "an integer".into(),
            Self::Number(..) => "a decimal".into(),
            Self::List(..) => "an array".into(),
            Self::Map | Self::Object(_) | Self::By(..) => "an object".into(),
            Self::AnyOf(shapes) => shapes.iter().map(Self::name).collect::<Vec<_>>().join(" or "),
        }
    }
}

fn check_list(limit: usize, of: &Shape, value: &Value, path: &str) -> Result<(), ApiError> {
    let Some(list) = value.as_array() else {
        return Err(wrong_type(&Shape::List(limit, &Shape::Any), value, path));
    };
    if list.len() > limit {
        let message =
            format!("Invalid '{path}': array too long. Expected an array with maximum length {limit}.");
        return Err(ApiError::invalid("array_above_max_length", path, message));
    }
    list.iter().enumerate().try_for_each(|(index, one)| check(of, one, &format!("{path}[{index}]")))
}

fn check_object(fields: &[Field], value: &Value, path: &str) -> Result<(), ApiError> {
    let Some(object) = value.as_object() else { return Err(wrong_type(&Shape::Map, value, path)) };
    if let Some(name) = object.keys().find(|name| !fields.iter().any(|field| field.name == *name)) {
        let param = join(path, name);
        return Err(ApiError::invalid("unknown_parameter", &param, format!("Unknown parameter: '{param}'.")));
    }
    for field in fields {
        let param = join(path, field.name);
        match object.get(field.name) {
            Some(value) => check(&field.shape, value, &param)?,
            None if field.required => return Err(missing(&param)),
            None => {}
        }
    }
    Ok(())
}

fn check_by(
    tag: &str,
    variants: &[(&'static str, Shape)],
    value: &Value,
    path: &str,
) -> Result<(), ApiError> {
    if !value.is_object() {
        return Err(wrong_type(&Shape::Map, value, path));
    }
    let param = join(path, tag);
    let Some(name) = value.get(tag) else { return Err(missing(&param)) };
    let Some(name) = name.as_str() else { return Err(wrong_type(&Shape::Text, name, &param)) };
    match variants.iter().find(|(variant, _)| *variant == name) {
        Some((_, shape)) => check(shape, value, path),
        None => Err(not_supported(&param, name, &variants.iter().map(|(name, _)| *name).collect::<Vec<_>>())),
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn missing(param: &str) -> ApiError {
    ApiError::invalid("missing_required_parameter", param, format!("Missing required parameter: '{param}'."))
}

fn not_supported(param: &str, name: &str, names: &[&str]) -> ApiError {
    let message = format!("Invalid value: '{name}'. Supported values are: '{}'.", names.join("', '"));
    ApiError::invalid("invalid_value", param, message)
}

fn out_of_bounds(param: &str, min: impl std::fmt::Display, max: impl std::fmt::Display) -> ApiError {
    let message = format!("Invalid '{param}': expected a value between {min} and {max}.");
    ApiError::invalid("invalid_value", param, message)
}

fn wrong_type(shape: &Shape, value: &Value, param: &str) -> ApiError {
    let got = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(n) if n.is_i64() || n.is_u64() => "an integer",
        Value::Number(_) => "a decimal number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    let message = format!("Invalid type for '{param}': expected {}, but got {got} instead.", shape.name());
    ApiError::invalid("invalid_type", param, message)
}

#[cfg(test)]
mod tests;
