//! Errors as the service words them.

use serde_json::{Value, json};

/// Body of an `error` event, or of a refused request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ApiError {
    /// `invalid_request_error`, `server_error`, …
    pub(super) kind: String,
    /// Stable name.
    pub(super) code: Option<String>,
    /// For a human.
    pub(super) message: String,
    /// The field at fault.
    pub(super) param: Option<String>,
}

impl ApiError {
    /// The client's mistake in a certain field.
    pub(super) fn invalid(code: &str, param: &str, message: impl Into<String>) -> Self {
        Self { param: Some(param.to_owned()), ..Self::request(code, message) }
    }

    /// The client's mistake.
    pub(super) fn request(code: &str, message: impl Into<String>) -> Self {
        Self {
            kind: "invalid_request_error".into(),
            code: Some(code.into()),
            message: message.into(),
            param: None,
        }
    }

    /// As part of an `error` event; `event_id` is the client's name of the event at fault.
    pub(super) fn event(&self, event_id: Option<&str>) -> Value {
        json!({ "type": self.kind, "code": self.code, "message": self.message, "param": self.param, "event_id": event_id })
    }

    /// As the body of an HTTP answer.
    pub(super) fn body(&self) -> Value {
        json!({ "error": { "message": self.message, "type": self.kind, "param": self.param, "code": self.code } })
    }
}
