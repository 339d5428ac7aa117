use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::loose::{Number, Text, object};
use crate::payload::Payload;

mod raw;

use raw::{RawError, RawItem, RawLimit, RawResponse};

/// The text is not an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// Not JSON, or not an object with the documented types.
    #[error("not a realtime event")]
    Malformed,
    /// Audio that is not base64.
    #[error("the audio is not base64")]
    BadPayload,
}

/// What the model's server says. Names of the older dialect (still spoken by Azure) are read as the GA ones.
#[derive(Debug, Clone, PartialEq)]
pub enum ServerEvent<'a> {
    /// The first event: the session is there, with defaults.
    SessionCreated,
    /// `session.update` was accepted.
    SessionUpdated,
    /// The caller began to speak: `input_audio_buffer.speech_started`.
    SpeechStarted {
        /// The item that the utterance will become.
        item_id: Cow<'a, str>,
        /// Audio position.
        audio_start_ms: u64,
    },
    /// The caller's turn ended.
    SpeechStopped {
        /// The utterance.
        item_id: Cow<'a, str>,
        /// Audio position.
        audio_end_ms: u64,
    },
    /// The utterance became an item.
    InputCommitted {
        /// The utterance.
        item_id: Cow<'a, str>,
        /// What stands before it.
        previous_item_id: Option<Cow<'a, str>>,
    },
    /// An item is in the conversation (`.added`, or `.created` in the older dialect).
    ItemAdded {
        /// Which.
        item: OutputItem,
        /// What stands before it.
        previous_item_id: Option<Cow<'a, str>>,
    },
    /// An item was cut.
    ItemTruncated {
        /// Which.
        item_id: Cow<'a, str>,
        /// Where.
        audio_end_ms: u64,
    },
    /// An item was removed.
    ItemDeleted {
        /// Which.
        item_id: Cow<'a, str>,
    },
    /// More of what the caller said.
    CallerTextDelta {
        /// The utterance.
        item_id: Cow<'a, str>,
        /// The words.
        delta: Cow<'a, str>,
    },
    /// All of what the caller said.
    CallerTextDone {
        /// The utterance.
        item_id: Cow<'a, str>,
        /// The words.
        transcript: Cow<'a, str>,
    },
    /// The caller could not be understood.
    CallerTextFailed {
        /// The utterance.
        item_id: Cow<'a, str>,
    },
    /// An answer begins.
    ResponseCreated(ResponseHead),
    /// An answer is complete, or was given up.
    ResponseDone(Box<ResponseResult>),
    /// An answer has a new item.
    OutputItemAdded {
        /// Which answer.
        response_id: Cow<'a, str>,
        /// Which item.
        item: OutputItem,
    },
    /// An item of an answer is complete, or was given up: look at its status.
    OutputItemDone {
        /// Which answer.
        response_id: Cow<'a, str>,
        /// Which item.
        item: OutputItem,
    },
    /// Audio of an answer.
    AudioDelta {
        /// Which answer.
        response_id: Cow<'a, str>,
        /// Which item.
        item_id: Cow<'a, str>,
        /// The audio.
        delta: Payload<'a>,
    },
    /// The audio of an item is complete, or was given up.
    AudioDone {
        /// Which answer.
        response_id: Cow<'a, str>,
        /// Which item.
        item_id: Cow<'a, str>,
    },
    /// More of the words of an answer; 0 to 2 s ahead of the audio.
    TextDelta {
        /// Which answer.
        response_id: Cow<'a, str>,
        /// Which item.
        item_id: Cow<'a, str>,
        /// The words.
        delta: Cow<'a, str>,
    },
    /// All the words of an item, or those there were when it was given up.
    TextDone {
        /// Which answer.
        response_id: Cow<'a, str>,
        /// Which item.
        item_id: Cow<'a, str>,
        /// The words.
        transcript: Cow<'a, str>,
    },
    /// How much more may be asked for.
    RateLimits(Vec<RateLimit>),
    /// Something went wrong; the session normally survives.
    Error(ErrorBody),
    /// Anything else, known but of no use here, or unknown: to be ignored. The caller still has the text.
    Other {
        /// Its `type`.
        kind: Cow<'a, str>,
    },
}

/// An item of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OutputItem {
    /// Its name.
    pub id: String,
    /// `message`, `function_call`, …
    pub kind: String,
    /// `completed`, `incomplete` or `in_progress`; empty when not given.
    pub status: String,
    /// `user`, `assistant` or `system`, of a message.
    pub role: String,
    /// The model's name of the tool call.
    pub call_id: String,
    /// Which tool.
    pub name: String,
    /// JSON text, as the model wrote it: may be anything.
    pub arguments: String,
}

/// The beginning of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ResponseHead {
    /// Its name.
    pub id: String,
    /// Our name of the request, when it was ours and the server echoes metadata.
    pub request: Option<String>,
}

/// The end of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseResult {
    /// Its name.
    pub id: String,
    /// Our name of the request, when it was ours and the server echoes metadata.
    pub request: Option<String>,
    /// How it ended.
    pub status: ResponseStatus,
    /// `turn_detected`, `client_cancelled`, `max_output_tokens`, `content_filter`; empty otherwise.
    pub reason: String,
    /// Why it failed.
    pub error: Option<ErrorBody>,
    /// What is billed; cancelled answers are, too.
    pub usage: TokenUsage,
    /// Its items; not every server repeats them.
    pub output: Vec<OutputItem>,
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseStatus {
    /// All was said.
    Completed,
    /// The caller or the client interrupted.
    Cancelled,
    /// An error.
    Failed,
    /// A limit or the content filter stopped it.
    Incomplete,
}

/// Tokens of one answer. Cached ones are part of the input, not beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TokenUsage {
    /// Text in, cached included.
    pub text_in: u64,
    /// Audio in, cached included.
    pub audio_in: u64,
    /// Text in from the cache.
    pub text_cached: u64,
    /// Audio in from the cache.
    pub audio_cached: u64,
    /// Text out.
    pub text_out: u64,
    /// Audio out.
    pub audio_out: u64,
}

/// How much more may be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimit {
    /// `requests` or `tokens`.
    pub name: String,
    /// What is left.
    pub remaining: u64,
    /// Until all is there again.
    pub reset_ms: u64,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ErrorBody {
    /// E.g. `invalid_request_error`.
    pub kind: String,
    /// E.g. `conversation_already_has_active_response`; may be empty.
    pub code: String,
    /// For people.
    pub message: String,
    /// The client's event that caused it; may be empty.
    pub event_id: String,
}

#[derive(Deserialize)]
struct RawEvent<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow, default)]
    response_id: Text<'a>,
    #[serde(borrow, default)]
    item_id: Text<'a>,
    #[serde(borrow, default)]
    delta: Text<'a>,
    #[serde(borrow, default)]
    transcript: Text<'a>,
    #[serde(borrow, default)]
    text: Text<'a>,
    #[serde(borrow, default)]
    previous_item_id: Text<'a>,
    #[serde(default)]
    audio_start_ms: Number,
    #[serde(default)]
    audio_end_ms: Number,
    #[serde(borrow, default)]
    item: Option<&'a RawValue>,
    #[serde(borrow, default)]
    response: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
    #[serde(borrow, default)]
    rate_limits: Option<&'a RawValue>,
}

impl<'a> ServerEvent<'a> {
    /// Reads a text frame. Unknown events become [`ServerEvent::Other`], unknown fields are ignored, missing ones are
    /// empty. Nothing is copied for audio: this runs up to 50 times a second for each call.
    pub fn parse(text: &'a str) -> Result<Self, EventError> {
        let raw: RawEvent<'a> = object(text).ok_or(EventError::Malformed)?;
        let (response_id, item_id) = (raw.response_id.into_inner(), raw.item_id.into_inner());
        Ok(match raw.kind.0.as_ref() {
            "response.output_audio.delta" | "response.audio.delta" => Self::AudioDelta {
                response_id,
                item_id,
                delta: Payload::new(raw.delta.into_inner()).ok_or(EventError::BadPayload)?,
            },
            "response.output_audio_transcript.delta"
            | "response.audio_transcript.delta"
            | "response.output_text.delta"
            | "response.text.delta" => {
                Self::TextDelta { response_id, item_id, delta: raw.delta.into_inner() }
            }
            "response.output_audio_transcript.done" | "response.audio_transcript.done" => {
                Self::TextDone { response_id, item_id, transcript: raw.transcript.into_inner() }
            }
            "response.output_text.done" | "response.text.done" => {
                Self::TextDone { response_id, item_id, transcript: raw.text.into_inner() }
            }
            "response.output_audio.done" | "response.audio.done" => Self::AudioDone { response_id, item_id },
            "input_audio_buffer.speech_started" => {
                Self::SpeechStarted { item_id, audio_start_ms: raw.audio_start_ms.or_zero() }
            }
            "input_audio_buffer.speech_stopped" => {
                Self::SpeechStopped { item_id, audio_end_ms: raw.audio_end_ms.or_zero() }
            }
            "input_audio_buffer.committed" => {
                Self::InputCommitted { item_id, previous_item_id: raw.previous_item_id.into_option() }
            }
            "conversation.item.added" | "conversation.item.created" => Self::ItemAdded {
                item: nested::<RawItem>(raw.item)?.into(),
                previous_item_id: raw.previous_item_id.into_option(),
            },
            "conversation.item.truncated" => {
                Self::ItemTruncated { item_id, audio_end_ms: raw.audio_end_ms.or_zero() }
            }
            "conversation.item.deleted" => Self::ItemDeleted { item_id },
            "conversation.item.input_audio_transcription.delta" => {
                Self::CallerTextDelta { item_id, delta: raw.delta.into_inner() }
            }
            "conversation.item.input_audio_transcription.completed" => {
                Self::CallerTextDone { item_id, transcript: raw.transcript.into_inner() }
            }
            "conversation.item.input_audio_transcription.failed" => Self::CallerTextFailed { item_id },
            "response.created" => Self::ResponseCreated(nested::<RawResponse>(raw.response)?.head()),
            "response.done" => Self::ResponseDone(Box::new(nested::<RawResponse>(raw.response)?.result())),
            "response.output_item.added" => {
                Self::OutputItemAdded { response_id, item: nested::<RawItem>(raw.item)?.into() }
            }
            "response.output_item.done" => {
                Self::OutputItemDone { response_id, item: nested::<RawItem>(raw.item)?.into() }
            }
            "rate_limits.updated" => Self::RateLimits(
                nested::<Vec<RawLimit>>(raw.rate_limits)?.into_iter().map(Into::into).collect(),
            ),
            "session.created" => Self::SessionCreated,
            "session.updated" => Self::SessionUpdated,
            "error" => Self::Error(nested::<RawError>(raw.error)?.into()),
            _ => Self::Other { kind: raw.kind.into_inner() },
        })
    }
}

fn nested<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Result<T, EventError> {
    serde_json::from_str(raw.ok_or(EventError::Malformed)?.get()).map_err(|_| EventError::Malformed)
}

#[cfg(test)]
mod tests;
