//! The nested parts of an event, as they stand in JSON.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{ErrorBody, OutputItem, RateLimit, ResponseHead, ResponseResult, ResponseStatus, TokenUsage};
use crate::loose::{Number, Text};

#[derive(Deserialize)]
pub(super) struct RawItem<'a> {
    #[serde(borrow, default)]
    id: Text<'a>,
    #[serde(borrow, default, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow, default)]
    status: Text<'a>,
    #[serde(borrow, default)]
    role: Text<'a>,
    #[serde(borrow, default)]
    call_id: Text<'a>,
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(borrow, default)]
    arguments: Text<'a>,
}

impl From<RawItem<'_>> for OutputItem {
    fn from(raw: RawItem<'_>) -> Self {
        Self {
            id: raw.id.0.into_owned(),
            kind: raw.kind.0.into_owned(),
            status: raw.status.0.into_owned(),
            role: raw.role.0.into_owned(),
            call_id: raw.call_id.0.into_owned(),
            name: raw.name.0.into_owned(),
            arguments: raw.arguments.0.into_owned(),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct RawResponse<'a> {
    #[serde(borrow, default)]
    id: Text<'a>,
    #[serde(borrow, default)]
    status: Text<'a>,
    /// An object, or in some dialects a bare string.
    #[serde(borrow, default)]
    status_details: Option<&'a RawValue>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    metadata: Option<RawMetadata<'a>>,
    #[serde(borrow, default)]
    output: Option<Vec<RawItem<'a>>>,
}

#[derive(Deserialize)]
struct RawMetadata<'a> {
    #[serde(borrow, default)]
    request: Text<'a>,
}

#[derive(Deserialize, Default)]
struct RawDetails<'a> {
    #[serde(borrow, default)]
    reason: Text<'a>,
    #[serde(borrow, default)]
    error: Option<RawError<'a>>,
}

impl RawResponse<'_> {
    pub(super) fn head(self) -> ResponseHead {
        ResponseHead { id: self.id.0.into_owned(), request: request_of(self.metadata) }
    }

    pub(super) fn result(self) -> ResponseResult {
        let details = self
            .status_details
            .and_then(|raw| serde_json::from_str::<RawDetails<'_>>(raw.get()).ok())
            .unwrap_or_default();
        let status = match self.status.0.as_ref() {
            "cancelled" => ResponseStatus::Cancelled,
            "failed" => ResponseStatus::Failed,
            "incomplete" => ResponseStatus::Incomplete,
            _ => ResponseStatus::Completed,
        };
        let usage =
            self.usage.and_then(|raw| serde_json::from_str::<RawUsage>(raw.get()).ok()).unwrap_or_default();
        ResponseResult {
            id: self.id.0.into_owned(),
            request: request_of(self.metadata),
            status,
            reason: details.reason.0.into_owned(),
            error: details.error.map(Into::into),
            usage: usage.into(),
            output: self.output.unwrap_or_default().into_iter().map(Into::into).collect(),
        }
    }
}

fn request_of(metadata: Option<RawMetadata<'_>>) -> Option<String> {
    metadata.and_then(|metadata| metadata.request.into_option()).map(Cow::into_owned)
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawUsage {
    input_token_details: Option<RawTokens>,
    output_token_details: Option<RawTokens>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawTokens {
    text_tokens: Number,
    audio_tokens: Number,
    cached_tokens: Number,
    cached_tokens_details: Option<RawCached>,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(default)]
struct RawCached {
    text_tokens: Number,
    audio_tokens: Number,
}

impl From<RawUsage> for TokenUsage {
    fn from(raw: RawUsage) -> Self {
        let input = raw.input_token_details.unwrap_or_default();
        let output = raw.output_token_details.unwrap_or_default();
        let (text_in, audio_in) = (input.text_tokens.or_zero(), input.audio_tokens.or_zero());
        let (text_cached, audio_cached) = if let Some(cached) = input.cached_tokens_details {
            (cached.text_tokens.or_zero(), cached.audio_tokens.or_zero())
        } else {
            // Without details: instructions and tools come first in the context, and they are text.
            let cached = input.cached_tokens.or_zero();
            let text = cached.min(text_in);
            (text, cached.saturating_sub(text))
        };
        Self {
            text_in,
            audio_in,
            text_cached: text_cached.min(text_in),
            audio_cached: audio_cached.min(audio_in),
            text_out: output.text_tokens.or_zero(),
            audio_out: output.audio_tokens.or_zero(),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct RawLimit {
    #[serde(default)]
    name: String,
    #[serde(default)]
    remaining: Number,
    #[serde(default)]
    reset_seconds: f64,
}

impl From<RawLimit> for RateLimit {
    fn from(raw: RawLimit) -> Self {
        // `as` saturates: negative and NaN become 0.
        Self {
            name: raw.name,
            remaining: raw.remaining.or_zero(),
            reset_ms: (raw.reset_seconds * 1_000.0) as u64,
        }
    }
}

#[derive(Deserialize, Default)]
pub(super) struct RawError<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow, default)]
    code: Text<'a>,
    #[serde(borrow, default)]
    message: Text<'a>,
    #[serde(borrow, default)]
    event_id: Text<'a>,
}

impl From<RawError<'_>> for ErrorBody {
    fn from(raw: RawError<'_>) -> Self {
        Self {
            kind: raw.kind.0.into_owned(),
            code: raw.code.0.into_owned(),
            message: raw.message.0.into_owned(),
            event_id: raw.event_id.0.into_owned(),
        }
    }
}
