//! Twilio Media Streams, both directions, bidirectional (`<Connect><Stream>`) and in text frames only.
//! Source: <https://www.twilio.com/docs/voice/media-streams/websocket-messages>, `protocols.md` §4.4.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::loose::{Number, Text, object};
use crate::payload::Payload;

/// A frame that Twilio sent.
#[derive(Debug, Clone, PartialEq)]
pub struct CarrierFrame<'a> {
    /// Which stream it belongs to; empty in `connected`.
    pub stream_sid: Cow<'a, str>,
    /// What it says.
    pub event: CarrierEvent<'a>,
}

/// What a frame says.
#[derive(Debug, Clone, PartialEq)]
pub enum CarrierEvent<'a> {
    /// The socket is there; `start` follows.
    Connected,
    /// The stream begins.
    Start(Box<Start>),
    /// Audio of the caller.
    Media {
        /// Presentation time in milliseconds from the start of the stream, on Twilio's clock.
        timestamp: Option<u64>,
        /// 20 ms of µ-law, usually.
        payload: Payload<'a>,
    },
    /// A key was pressed: `0` to `9`, `*`, `#`, `A` to `D`.
    Dtmf(char),
    /// All audio that was sent before this mark has been played, or was cleared.
    Mark(Cow<'a, str>),
    /// The stream is over.
    Stop,
    /// Something else, to be ignored.
    Unknown,
}

/// The `start` frame's contents.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Start {
    /// `MZ…`.
    pub stream_sid: String,
    /// `AC…`.
    pub account_sid: String,
    /// `CA…`.
    pub call_sid: String,
    /// `inbound`, for a bidirectional stream.
    pub tracks: Vec<String>,
    /// `<Parameter>`s of the TwiML.
    pub custom_parameters: BTreeMap<String, String>,
    /// `audio/x-mulaw`.
    pub encoding: String,
    /// 8000.
    pub sample_rate: u64,
    /// 1.
    pub channels: u64,
}

/// The text is not a frame of Twilio's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Not JSON, or not an object with the documented types.
    #[error("not a media stream frame")]
    Malformed,
    /// `media` whose payload is not base64.
    #[error("the payload is not base64")]
    BadPayload,
}

#[derive(Deserialize)]
struct RawFrame<'a> {
    #[serde(borrow, default)]
    event: Text<'a>,
    #[serde(borrow, default, rename = "streamSid")]
    stream_sid: Text<'a>,
    #[serde(borrow, default)]
    media: Option<RawMedia<'a>>,
    #[serde(borrow, default)]
    mark: Option<RawMark<'a>>,
    #[serde(borrow, default)]
    start: Option<&'a RawValue>,
    #[serde(borrow, default)]
    dtmf: Option<RawDtmf<'a>>,
}

#[derive(Deserialize)]
struct RawMedia<'a> {
    #[serde(default)]
    timestamp: Number,
    #[serde(borrow, default)]
    payload: Text<'a>,
}

#[derive(Deserialize)]
struct RawMark<'a> {
    #[serde(borrow, default)]
    name: Text<'a>,
}

#[derive(Deserialize)]
struct RawDtmf<'a> {
    #[serde(borrow, default)]
    digit: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct RawStart {
    stream_sid: String,
    account_sid: String,
    call_sid: String,
    tracks: Vec<String>,
    custom_parameters: BTreeMap<String, String>,
    media_format: RawFormat,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct RawFormat {
    encoding: String,
    sample_rate: Number,
    channels: Number,
}

impl<'a> CarrierFrame<'a> {
    /// Reads a text frame. Unknown events and fields are fine, numbers may be strings (Twilio's are).
    ///
    /// Nothing is copied for `media` and `mark`: this runs 50 times a second for each call.
    pub fn parse(text: &'a str) -> Result<Self, FrameError> {
        let raw: RawFrame<'a> = object(text).ok_or(FrameError::Malformed)?;
        let event = match (raw.event.0.as_ref(), raw.media, raw.mark, raw.start, raw.dtmf) {
            ("media", Some(media), ..) => CarrierEvent::Media {
                timestamp: media.timestamp.0,
                payload: Payload::new(media.payload.into_inner()).ok_or(FrameError::BadPayload)?,
            },
            ("mark", _, Some(mark), ..) => CarrierEvent::Mark(mark.name.into_inner()),
            ("start", _, _, Some(start), _) => CarrierEvent::Start(Box::new(Start::parse(start)?)),
            ("dtmf", _, _, _, Some(dtmf)) => CarrierEvent::Dtmf(key(&dtmf.digit.0)?),
            ("connected", ..) => CarrierEvent::Connected,
            ("stop", ..) => CarrierEvent::Stop,
            ("media" | "mark" | "start" | "dtmf", ..) => return Err(FrameError::Malformed),
            _ => CarrierEvent::Unknown,
        };
        Ok(Self { stream_sid: raw.stream_sid.into_inner(), event })
    }
}

fn key(digit: &str) -> Result<char, FrameError> {
    let mut keys = digit.chars();
    match (keys.next(), keys.next()) {
        (Some(key @ ('0'..='9' | '*' | '#' | 'A'..='D')), None) => Ok(key),
        _ => Err(FrameError::Malformed),
    }
}

impl Start {
    fn parse(raw: &RawValue) -> Result<Self, FrameError> {
        let raw: RawStart = object(raw.get()).ok_or(FrameError::Malformed)?;
        Ok(Self {
            stream_sid: raw.stream_sid,
            account_sid: raw.account_sid,
            call_sid: raw.call_sid,
            tracks: raw.tracks,
            custom_parameters: raw.custom_parameters,
            encoding: raw.media_format.encoding,
            sample_rate: raw.media_format.sample_rate.or_zero(),
            channels: raw.media_format.channels.or_zero(),
        })
    }

    /// The audio is what every Media Stream carries: 8 kHz mono µ-law.
    #[must_use]
    pub fn is_mulaw_8k(&self) -> bool {
        self.encoding == "audio/x-mulaw" && self.sample_rate == 8_000 && self.channels == 1
    }
}

/// Writes the frames of one stream. Each is one allocation of the right size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamWriter {
    stream_sid: String,
}

impl StreamWriter {
    /// The longest stream name accepted; Twilio's have 34 characters.
    pub const MAX_STREAM_SID: usize = 64;

    /// `None` unless `stream_sid` consists of 1 to 64 ASCII letters and digits: it is written into frames as it is.
    #[must_use]
    pub fn new(stream_sid: &str) -> Option<Self> {
        let good = (1..=Self::MAX_STREAM_SID).contains(&stream_sid.len())
            && stream_sid.bytes().all(|byte| byte.is_ascii_alphanumeric());
        good.then(|| Self { stream_sid: stream_sid.to_owned() })
    }

    /// Which stream it writes for.
    #[must_use]
    pub fn stream_sid(&self) -> &str {
        &self.stream_sid
    }

    /// Audio to be played after what was sent before: raw µ-law, any length.
    #[must_use]
    pub fn media(&self, payload: &Payload<'_>) -> String {
        concat(&[
            r#"{"event":"media","streamSid":""#,
            &self.stream_sid,
            r#"","media":{"payload":""#,
            payload.as_str(),
            r#""}}"#,
        ])
    }

    /// Asks for an echo when all audio sent before has been played (or cleared).
    #[must_use]
    pub fn mark(&self, name: MarkName) -> String {
        let MarkName { generation, number } = name;
        format!(
            r#"{{"event":"mark","streamSid":"{}","mark":{{"name":"{generation}.{number}"}}}}"#,
            self.stream_sid
        )
    }

    /// Throws away all audio that was sent and not yet played; its marks are echoed at once.
    #[must_use]
    pub fn clear(&self) -> String {
        concat(&[r#"{"event":"clear","streamSid":""#, &self.stream_sid, r#""}"#])
    }
}

/// The name of a mark: which clearing of the carrier's buffer it belongs to, and its number in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MarkName {
    /// Marks of an earlier generation are echoes of what was cleared.
    pub generation: u32,
    /// From 0 in each generation.
    pub number: u32,
}

impl MarkName {
    /// Reads an echoed name; `None` for one that is not ours.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let (generation, number) = name.split_once('.')?;
        Some(Self { generation: generation.parse().ok()?, number: number.parse().ok()? })
    }
}

pub(crate) fn concat(parts: &[&str]) -> String {
    let mut text = String::with_capacity(parts.iter().map(|part| part.len()).sum());
    for part in parts {
        text.push_str(part);
    }
    text
}

#[cfg(test)]
mod tests;
