//! Parameters of Twilio's webhooks, read by allow-list.
//!
//! Twilio sends more than the product needs: the caller's city, state and postal code, addresses of networks, account
//! names. What is not named in a type here is dropped when the request has been verified, and so can be neither stored nor
//! logged. Sources: twilio.com/docs/voice/twiml (request parameters) and the page of each verb.

mod form;

use std::fmt;
use std::str::FromStr;

use voicecore_types::E164;

pub use form::{Form, MAX_FORM_BYTES, MAX_FORM_PARAMETERS, WebhookError};

use super::sid::{AccountSid, CallSid, RecordingSid, StreamSid};

/// The most characters kept of recognised speech.
pub const MAX_SPEECH_CHARS: usize = 4_000;
/// The most keys kept of one `<Gather>` or `<Record>`.
pub const MAX_DIGITS: usize = 32;
/// The most characters kept of a description of an error.
pub const MAX_ERROR_CHARS: usize = 300;
/// The longest recording address that is kept, in bytes.
pub const MAX_URL_BYTES: usize = 1_024;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
            /// A word that Twilio did not use when this was written.
            Unknown,
        }

        impl FromStr for $name {
            type Err = std::convert::Infallible;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Ok(match text { $($word => Self::$variant,)* _ => Self::Unknown })
            }
        }
    };
}

words! {
    /// Where a call is.
    CallStatus {
        /// Not dialled yet.
        Queued = "queued",
        /// Being dialled.
        Initiated = "initiated",
        /// Ringing.
        Ringing = "ringing",
        /// Answered.
        InProgress = "in-progress",
        /// Answered, and over.
        Completed = "completed",
        /// The other side was busy.
        Busy = "busy",
        /// It could not be connected.
        Failed = "failed",
        /// Nobody answered.
        NoAnswer = "no-answer",
        /// Given up before it was answered.
        Canceled = "canceled",
    }
}

impl CallStatus {
    /// Nothing comes after this status.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Busy | Self::Failed | Self::NoAnswer | Self::Canceled)
    }
}

words! {
    /// How a `<Dial>` ended.
    DialStatus {
        /// The called party answered, and hung up.
        Completed = "completed",
        /// The called party answered and was put into a conference.
        Answered = "answered",
        /// Busy.
        Busy = "busy",
        /// Nobody answered in time.
        NoAnswer = "no-answer",
        /// The number could not be reached.
        Failed = "failed",
        /// The caller hung up before anybody answered.
        Canceled = "canceled",
    }
}

impl DialStatus {
    /// Somebody was spoken to.
    pub const fn was_answered(self) -> bool {
        matches!(self, Self::Completed | Self::Answered)
    }
}

words! {
    /// What happened to a media stream.
    StreamEvent {
        /// The socket is open.
        Started = "stream-started",
        /// The stream is over.
        Stopped = "stream-stopped",
        /// The socket could not be opened, or broke.
        Error = "stream-error",
    }
}

words! {
    /// Who called whom.
    Direction {
        /// Somebody called one of our numbers.
        Inbound = "inbound",
        /// We called, by the REST API.
        OutboundApi = "outbound-api",
        /// We called, by `<Dial>`.
        OutboundDial = "outbound-dial",
    }
}

/// Numbers that come where a caller withheld the own one: ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN and UNAVAILABLE, typed on
/// a telephone's keys. They have the form of E.164, and belong to nobody.
const WITHHELD_NUMBERS: [&str; 5] = ["+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"];

/// The parameters that every webhook of a call carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRef {
    /// Which call: the key of everything, since Twilio repeats webhooks.
    pub sid: CallSid,
    /// Whose it is.
    pub account_sid: AccountSid,
    /// Where it is.
    pub status: CallStatus,
}

impl CallRef {
    fn read(form: &Form) -> Result<Self, WebhookError> {
        Ok(Self {
            sid: form.required("CallSid")?,
            account_sid: form.required("AccountSid")?,
            status: form.parsed("CallStatus").unwrap_or(CallStatus::Unknown),
        })
    }
}

/// A call comes in, or a part of a TwiML document asks for the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoiceWebhook {
    /// The call.
    pub call: CallRef,
    /// The caller's number; `None` when it was withheld, or is no number at all (`client:…`, `sip:…`).
    pub from: Option<E164>,
    /// The number that was dialled; `None` when it is no number at all.
    pub to: Option<E164>,
    /// Who called whom.
    pub direction: Direction,
}

impl VoiceWebhook {
    /// Reads the parameters.
    pub fn read(form: &Form) -> Result<Self, WebhookError> {
        let from = form.get("From").filter(|from| !WITHHELD_NUMBERS.contains(from));
        Ok(Self {
            call: CallRef::read(form)?,
            from: from.and_then(|from| from.parse().ok()),
            to: form.parsed("To"),
            direction: form.parsed("Direction").unwrap_or(Direction::Unknown),
        })
    }
}

/// The status of a call changed. These come late, twice and out of order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusCallback {
    /// The call, with its new status.
    pub call: CallRef,
    /// How long it was, in whole seconds; only with the status `completed`.
    pub duration_s: Option<u32>,
    /// Its place in the order of events, from 0. Only calls made through the REST API number them.
    pub sequence: Option<u32>,
}

impl StatusCallback {
    /// Reads the parameters.
    pub fn read(form: &Form) -> Result<Self, WebhookError> {
        Ok(Self {
            call: CallRef::read(form)?,
            duration_s: form.parsed("CallDuration"),
            sequence: form.parsed("SequenceNumber"),
        })
    }
}

/// A media stream started, stopped or failed (`<Stream statusCallback>`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamStatus {
    /// The call. Its status is not among these parameters: `Unknown`.
    pub call: CallRef,
    /// Which stream.
    pub stream_sid: StreamSid,
    /// What happened.
    pub event: StreamEvent,
    /// Twilio's words for the error: at most [`MAX_ERROR_CHARS`] characters.
    pub error: Option<String>,
}

impl StreamStatus {
    /// Reads the parameters.
    pub fn read(form: &Form) -> Result<Self, WebhookError> {
        Ok(Self {
            call: CallRef::read(form)?,
            stream_sid: form.required("StreamSid")?,
            event: form.required("StreamEvent")?,
            error: form.text("StreamError", MAX_ERROR_CHARS),
        })
    }
}

/// A `<Connect>` is over: what comes next (`<Connect action>`)?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectEnded {
    /// The call; with a final status the caller has hung up, and the answer is not played.
    pub call: CallRef,
    /// The stream that ended. Not promised by any page of Twilio's.
    pub stream_sid: Option<StreamSid>,
}

impl ConnectEnded {
    /// Reads the parameters.
    pub fn read(form: &Form) -> Result<Self, WebhookError> {
        Ok(Self { call: CallRef::read(form)?, stream_sid: form.parsed("StreamSid") })
    }
}

/// A `<Dial>` is over (`<Dial action>`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialEnded {
    /// The caller's leg.
    pub call: CallRef,
    /// How it ended.
    pub dial_status: DialStatus,
    /// The leg that was dialled.
    pub dial_call_sid: Option<CallSid>,
    /// How long they talked, in whole seconds.
    pub duration_s: Option<u32>,
}

impl DialEnded {
    /// Reads the parameters.
    pub fn read(form: &Form) -> Result<Self, WebhookError> {
        Ok(Self {
            call: CallRef::read(form)?,
            dial_status: form.required("DialCallStatus")?,
            dial_call_sid: form.parsed("DialCallSid"),
            duration_s: form.parsed("DialCallDuration"),
        })
    }
}

/// A `<Record>` is over (`<Record action>`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordEnded {
    /// The call; its status is final when the caller hung up to end the message.
    pub call: CallRef,
    /// The recording.
    pub recording_sid: RecordingSid,
    /// Where it can be fetched, `https` only. Prefer an address built from `recording_sid`: a server that fetches what a
    /// request names fetches anything.
    pub url: Option<String>,
    /// How long it is, in whole seconds.
    pub duration_s: Option<u32>,
}

impl RecordEnded {
    /// Reads the parameters.
    pub fn read(form: &Form) -> Result<Self, WebhookError> {
        let url = form.get("RecordingUrl");
        let url = url.filter(|url| url.starts_with("https://") && url.len() <= MAX_URL_BYTES);
        Ok(Self {
            call: CallRef::read(form)?,
            recording_sid: form.required("RecordingSid")?,
            url: url.map(str::to_owned),
            duration_s: form.parsed("RecordingDuration"),
        })
    }
}

/// A `<Gather>` is over (`<Gather action>`). Speech and digits are both absent when nothing was said.
#[derive(Clone, PartialEq)]
pub struct Gathered {
    /// The call.
    pub call: CallRef,
    /// What was understood: at most [`MAX_SPEECH_CHARS`] characters.
    pub speech: Option<String>,
    /// How sure the recogniser is, from 0 to 1.
    pub confidence: Option<f32>,
    /// The keys that were pressed, of `0`–`9`, `*`, `#`, and `A`–`D`: at most [`MAX_DIGITS`].
    pub digits: Option<String>,
}

impl Gathered {
    /// Reads the parameters.
    pub fn read(form: &Form) -> Result<Self, WebhookError> {
        let is_key = |b: u8| b.is_ascii_digit() || matches!(b, b'*' | b'#' | b'A'..=b'D');
        let digits = form.get("Digits").filter(|keys| keys.len() <= MAX_DIGITS && keys.bytes().all(is_key));
        Ok(Self {
            call: CallRef::read(form)?,
            speech: form.text("SpeechResult", MAX_SPEECH_CHARS),
            confidence: form.parsed("Confidence").filter(|sure| (0.0..=1.0).contains(sure)),
            digits: digits.map(str::to_owned),
        })
    }
}

impl fmt::Debug for Gathered {
    /// Neither what was said nor the keys: a caller may type a card number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gathered").field("call", &self.call).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
