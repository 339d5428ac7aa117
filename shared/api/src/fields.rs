//! A JSON body, field by field: every field that is not acceptable is named at once, whatever is wrong with it, and nothing
//! that was sent is repeated.

use std::collections::BTreeSet;
use std::str::FromStr;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use serde_json::{Map, Value};
use voicecore_api_types::FieldError;
use voicecore_domain::{Permission, Permissions};
use voicecore_types::{E164, set_of};

use crate::ApiError;
use crate::extract::{body_error, has_media_type, not_json, repeatable};
use crate::password;

/// Longest address that SMTP can carry (RFC 5321, 4.5.3.1.3, without the brackets).
const MAX_EMAIL_BYTES: usize = 254;

/// Unknown fields that are named; a body has room for more.
const MAX_UNKNOWN: usize = 20;
/// The longest tag.
const MAX_TAG_CHARS: usize = 30;

/// The fields of a body. Each is taken once; [`done`](Self::done) says whether all were acceptable. What is not gives a value
/// that is never looked at.
pub(crate) struct Fields {
    given: Map<String, Value>,
    errors: Vec<FieldError>,
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        if !has_media_type(request.headers(), "application/json") {
            return Err(ApiError::UnsupportedMediaType);
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|e| body_error(&e))?;
        // serde_json stops at a depth of 128 by itself.
        let Value::Object(given) = serde_json::from_slice(&bytes).map_err(|e| not_json(&e))? else {
            return Err(ApiError::invalid("body", "must be an object"));
        };
        Ok(Self { given, errors: vec![] })
    }
}

impl Fields {
    /// The first thing that is wrong with a field is said.
    fn error(&mut self, field: &str, message: impl Into<String>) {
        if self.errors.iter().any(|error| error.field == field) {
            return;
        }
        self.errors.push(FieldError { field: field.to_owned(), message: message.into() });
    }

    /// Complains of a field.
    pub(crate) fn demand(&mut self, field: &str, message: &str, met: bool) {
        if !met {
            self.error(field, message);
        }
    }

    /// Whether a field is there at all, be it null.
    pub(crate) fn has(&self, field: &str) -> bool {
        self.given.contains_key(field)
    }

    /// Null is absent.
    fn take(&mut self, field: &str) -> Option<Value> {
        self.given.remove(field).filter(|value| !value.is_null())
    }

    fn required<T: Default>(&mut self, field: &str, value: Option<T>) -> T {
        if value.is_none() {
            self.error(field, "is a missing field");
        }
        value.unwrap_or_default()
    }

    /// Text as it was sent.
    fn raw(&mut self, field: &str) -> Option<String> {
        let Value::String(text) = self.take(field)? else {
            self.error(field, "must be text");
            return None;
        };
        Some(text)
    }

    /// One line, without blanks at its ends; blank is absent.
    pub(crate) fn optional_line(&mut self, field: &str, max_chars: usize) -> Option<String> {
        let text = self.raw(field)?.trim().to_owned();
        if text.is_empty() {
            return None;
        }
        let good = text.chars().count() <= max_chars && !text.contains(hides);
        let message = format!("must have 1 to {max_chars} characters, none of them a control character");
        self.demand(field, &message, good);
        Some(text)
    }

    /// Text of several lines, without blanks at its ends; blank is absent.
    pub(crate) fn optional_text(&mut self, field: &str, max_chars: usize) -> Option<String> {
        let text = self.raw(field)?.trim().to_owned();
        if text.is_empty() {
            return None;
        }
        let odd = |c: char| hides(c) && !matches!(c, '\n' | '\r' | '\t');
        let good = text.chars().count() <= max_chars && !text.contains(odd);
        let message =
            format!("must have 1 to {max_chars} characters, and no control characters but line breaks");
        self.demand(field, &message, good);
        Some(text)
    }

    /// The same, and it must be there.
    pub(crate) fn text(&mut self, field: &str, max_chars: usize) -> String {
        let text = self.optional_text(field, max_chars);
        self.required(field, text)
    }

    /// Different tags, in the order of the alphabet; absent: none.
    pub(crate) fn tags(&mut self, field: &str, max: usize) -> Vec<String> {
        let tags: BTreeSet<String> = self.optional_list(field, max).unwrap_or_default();
        let good = tags.iter().all(|tag| {
            (1..=MAX_TAG_CHARS).contains(&tag.chars().count())
                && tag.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
        });
        let message =
            format!("must be words of letters, digits, `-` and `_` with 1 to {MAX_TAG_CHARS} characters");
        self.demand(field, &message, good);
        tags.into_iter().collect()
    }

    /// The same, and it must be there.
    pub(crate) fn line(&mut self, field: &str, max_chars: usize) -> String {
        let text = self.optional_line(field, max_chars);
        self.required(field, text)
    }

    /// An e-mail address, in lower case.
    pub(crate) fn email(&mut self, field: &str) -> String {
        let text = self.raw(field).map(|text| text.trim().to_lowercase());
        let good = text.as_deref().is_none_or(is_email);
        self.demand(field, "must be an e-mail address", good);
        self.required(field, text)
    }

    /// The same, or nothing; blank is absent.
    pub(crate) fn optional_email(&mut self, field: &str) -> Option<String> {
        let text = self.raw(field)?.trim().to_lowercase();
        if text.is_empty() {
            return None;
        }
        self.demand(field, "must be an e-mail address", is_email(&text));
        Some(text)
    }

    /// A password as somebody enters it: any text that is not too long.
    pub(crate) fn entered_password(&mut self, field: &str) -> String {
        let text = self.raw(field);
        let good = text.as_ref().is_none_or(|text| text.len() <= password::MAX_BYTES);
        self.demand(field, "is too long", good);
        self.required(field, text)
    }

    /// A password that somebody chooses.
    pub(crate) fn optional_password(&mut self, field: &str) -> Option<String> {
        let text = self.raw(field)?;
        self.demand(field, PASSWORD_RULE, is_password(&text));
        Some(text)
    }

    /// The same, and it must be there.
    pub(crate) fn password(&mut self, field: &str) -> String {
        let text = self.optional_password(field);
        self.required(field, text)
    }

    /// An id, a token, a word of a vocabulary.
    pub(crate) fn optional<T: FromStr>(&mut self, field: &str, message: &str) -> Option<T> {
        let text = self.raw(field)?;
        let parsed = text.parse().ok();
        self.demand(field, message, parsed.is_some());
        parsed
    }

    /// The same, and it must be there: `None` only if there is an error.
    pub(crate) fn parsed<T: FromStr>(&mut self, field: &str, message: &str) -> Option<T> {
        let value = self.optional(field, message);
        if value.is_none() {
            self.error(field, "is a missing field");
        }
        value
    }

    /// A telephone number; blank is absent.
    pub(crate) fn optional_number(&mut self, field: &str) -> Option<E164> {
        let text = self.raw(field)?;
        if text.trim().is_empty() {
            return None;
        }
        let number = text.trim().parse().ok();
        self.demand(field, "must be a number in E.164 form, such as +15005550006", number.is_some());
        number
    }

    /// The same, and it must be there: `None` only if there is an error.
    pub(crate) fn number(&mut self, field: &str) -> Option<E164> {
        let number = self.optional_number(field);
        if number.is_none() {
            self.error(field, "is a missing field");
        }
        number
    }

    /// A whole number within bounds.
    pub(crate) fn optional_count(&mut self, field: &str, min: u64, max: u64) -> Option<u64> {
        let value = self.take(field)?;
        let count = value.as_u64().filter(|count| (min..=max).contains(count));
        self.demand(field, &format!("must be a whole number from {min} to {max}"), count.is_some());
        count
    }

    /// The same, and it must be there.
    pub(crate) fn count(&mut self, field: &str, min: u64, max: u64) -> u64 {
        let count = self.optional_count(field, min, max);
        self.required(field, count)
    }

    /// Yes or no.
    pub(crate) fn optional_bool(&mut self, field: &str) -> Option<bool> {
        let value = self.take(field)?;
        self.demand(field, "must be true or false", value.is_boolean());
        value.as_bool()
    }

    /// An object of the client's own, of at most so many bytes of JSON. U+0000 is refused: not every database can store it.
    pub(crate) fn optional_object(&mut self, field: &str, max_bytes: usize) -> Option<Map<String, Value>> {
        let value = self.take(field)?;
        let text = value.to_string();
        let good = value.is_object() && text.len() <= max_bytes && !text.contains("\\u0000");
        self.demand(field, &format!("must be an object of at most {max_bytes} bytes, without U+0000"), good);
        if let Value::Object(members) = value { Some(members) } else { None }
    }

    /// A list of different ids or words.
    pub(crate) fn optional_list<T: FromStr + Ord>(&mut self, field: &str, max: usize) -> Option<BTreeSet<T>> {
        let message = format!("must be a list of at most {max} different known ids or words");
        let list = match self.take(field)? {
            Value::Array(items) if items.len() <= max => {
                let count = items.len();
                let known = items.iter().filter_map(|item| item.as_str()?.parse().ok());
                Some(set_of(known)).filter(|known| known.len() == count)
            }
            _ => None,
        };
        self.demand(field, &message, list.is_some());
        list
    }

    /// Different names of fields, in the order that was sent; absent: none.
    pub(crate) fn columns(&mut self, field: &str, max: usize) -> Vec<String> {
        let is_name = |text: &str| {
            (1..=MAX_TAG_CHARS).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
        };
        let Some(value) = self.take(field) else { return vec![] };
        let items = value.as_array().filter(|items| items.len() <= max);
        let names: Option<Vec<String>> = items.and_then(|items| {
            items.iter().map(|item| item.as_str().filter(|text| is_name(text)).map(str::to_owned)).collect()
        });
        let different = names.filter(|names| set_of(names).len() == names.len());
        let message = format!("must be a list of at most {max} different names of fields");
        self.demand(field, &message, different.is_some());
        different.unwrap_or_default()
    }

    /// The same, and it must be there.
    pub(crate) fn list<T: FromStr + Ord>(&mut self, field: &str, max: usize) -> BTreeSet<T> {
        let list = self.optional_list(field, max);
        self.required(field, list)
    }

    /// A list of objects, which must be there: the fields of each. What is wrong in them is told by [`take_errors`](Self::take_errors).
    pub(crate) fn objects(&mut self, field: &str, max: usize) -> Vec<Self> {
        let Some(value) = self.take(field) else { return self.required(field, None) };
        let objects: Option<Vec<Self>> = match value {
            Value::Array(items) if items.len() <= max => {
                let fields = |item| match item {
                    Value::Object(given) => Some(Self { given, errors: vec![] }),
                    _ => None,
                };
                items.into_iter().map(fields).collect()
            }
            _ => None,
        };
        self.demand(field, &format!("must be a list of at most {max} different objects"), objects.is_some());
        objects.unwrap_or_default()
    }

    /// What is wrong in an object of a list, with its place before the names of the fields.
    pub(crate) fn take_errors(&mut self, place: &str, item: Self) {
        let Err(ApiError::Invalid(errors)) = item.done() else { return };
        for FieldError { field, message } in errors {
            self.error(&format!("{place}.{field}"), message);
        }
    }

    /// Different lines, without blanks at their ends, in the order that was sent: one at least.
    pub(crate) fn lines(&mut self, field: &str, max: usize, max_chars: usize) -> Vec<String> {
        let Some(value) = self.take(field) else { return self.required(field, None) };
        let items = value.as_array().filter(|items| (1..=max).contains(&items.len()));
        let lines: Option<Vec<String>> = items
            .and_then(|items| items.iter().map(|item| item.as_str().map(|s| s.trim().to_owned())).collect());
        let lines = lines.filter(|lines| set_of(lines).len() == lines.len());
        self.demand(field, &format!("must be a list of at most {max} different texts"), lines.is_some());
        let lines = lines.unwrap_or_default();
        let good = |line: &String| (1..=max_chars).contains(&line.chars().count()) && !line.contains(hides);
        let message = format!("must have 1 to {max_chars} characters, none of them a control character");
        self.demand(field, &message, lines.iter().all(good));
        lines
    }

    /// Permissions of a tenant.
    pub(crate) fn permissions(&mut self, field: &str) -> Permissions {
        let list: Option<BTreeSet<Permission>> = self.optional_list(field, Permission::ALL.len());
        let known = list.as_ref().is_none_or(|list| list.iter().all(|permission| !permission.is_platform()));
        self.demand(field, "must be permissions that a tenant can give", known);
        self.required(field, list).into_iter().collect()
    }

    /// All fields were acceptable, and there are no others.
    pub(crate) fn done(mut self) -> Result<(), ApiError> {
        for (name, _) in std::mem::take(&mut self.given).into_iter().take(MAX_UNKNOWN) {
            self.error(repeatable(&name).unwrap_or("body"), "is not known here");
        }
        if self.errors.is_empty() { Ok(()) } else { Err(ApiError::Invalid(self.errors)) }
    }
}

/// Not seen itself, it changes what is seen of the rest: control characters, overrides and isolates of the writing direction (marks
/// may be needed), the zero-width one that begins files.
pub(crate) fn hides(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

/// What is said of a password that is not acceptable.
pub(crate) const PASSWORD_RULE: &str = "must have at least 12 characters and at most 256 bytes";

/// It can be chosen: length is what makes a password strong.
pub(crate) fn is_password(text: &str) -> bool {
    text.chars().count() >= password::MIN_CHARS && text.len() <= password::MAX_BYTES
}

/// Looks like an address that mail can be sent to. Only mail can tell whether somebody reads it.
pub(crate) fn is_email(text: &str) -> bool {
    let Some((name, domain)) = text.rsplit_once('@') else { return false };
    let plain = |c: char| c.is_ascii_alphanumeric() || ".!#$%&'*+-/=?^_{|}~`".contains(c);
    let labels = domain.split('.').all(|label| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    });
    !name.is_empty()
        && name.len() <= 64
        && name.chars().all(plain)
        && domain.contains('.')
        && labels
        && text.len() <= MAX_EMAIL_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_other_text() {
        for good in ["a@example.com", "first.last+tag@sub.example.co.uk", "o'neil@example.org"] {
            assert!(is_email(good), "{good}");
        }
        let long = format!("{}@example.com", "a".repeat(65));
        for bad in [
            "",
            "a",
            "a@b",
            "@example.com",
            "a@-b.com",
            "a b@example.com",
            "a@b@c.com",
            "a@exa mple.com",
            "<a@example.com>",
            "a@example..com",
            "ä@example.com",
            &long,
        ] {
            assert!(!is_email(bad), "{bad}");
        }
    }

    #[test]
    fn every_wrong_field_is_named_once() {
        let body = serde_json::json!({
            "email": 5, "password": "short", "role": {}, "list": ["a", "a"], "count": -1, "extra": true
        });
        let Value::Object(given) = body else { panic!() };
        let mut fields = Fields { given, errors: vec![] };
        fields.email("email");
        fields.password("password");
        fields.line("role", 10);
        fields.optional_list::<String>("list", 3);
        fields.optional_count("count", 0, 5);
        fields.line("missing", 5);
        let Err(ApiError::Invalid(errors)) = fields.done() else { panic!() };
        let named: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(named, ["email", "password", "role", "list", "count", "missing", "extra"]);
    }
}
