//! The verbs that have something to set.

use voicecore_types::E164;

use super::xml::Element;
use super::{MAX_PARAMETER_CHARS, MAX_SAY_CHARS, TwimlError};

/// `<Connect>`: hands the call to a media stream, both ways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connect(pub(super) Element);

impl Connect {
    /// Connects to `stream`.
    pub fn new(stream: Stream) -> Self {
        Self(Element::new("Connect").child(stream.0))
    }

    /// Where Twilio asks what comes next when the stream has ended. Without it the next verb follows.
    #[must_use]
    pub fn action(self, url: &str) -> Self {
        Self(self.0.attribute("action", url))
    }
}

/// `<Stream>`: a WebSocket to which the caller's audio goes, and from which the caller hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream(Element);

impl Stream {
    /// A stream to `url`: `wss`, without query or fragment.
    pub fn new(url: &str) -> Result<Self, TwimlError> {
        if !url.starts_with("wss://") {
            return Err(TwimlError::StreamNotSecure);
        }
        if url.contains(['?', '#']) {
            return Err(TwimlError::StreamQuery);
        }
        Ok(Self(Element::new("Stream").attribute("url", url)))
    }

    /// Where Twilio tells that the stream started, stopped or failed.
    #[must_use]
    pub fn status_callback(self, url: &str) -> Self {
        Self(self.0.attribute("statusCallback", url))
    }

    /// A value that comes back in the stream's `start` message, as `customParameters`.
    pub fn parameter(self, name: &str, value: &str) -> Result<Self, TwimlError> {
        if name.chars().count() + value.chars().count() > MAX_PARAMETER_CHARS {
            return Err(TwimlError::ParameterTooLong);
        }
        let parameter = Element::new("Parameter").attribute("name", name).attribute("value", value);
        Ok(Self(self.0.child(parameter)))
    }
}

/// `<Say>`: speaks text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Say(pub(super) Element);

impl Say {
    /// Speaks `text`, of which at most [`MAX_SAY_CHARS`] characters are kept.
    pub fn new(text: &str) -> Self {
        Self(Element::new("Say").text(text.chars().take(MAX_SAY_CHARS).collect::<String>()))
    }

    /// Whose voice, e.g. `Polly.Joanna-Neural`.
    #[must_use]
    pub fn voice(self, voice: &str) -> Self {
        Self(self.0.attribute("voice", voice))
    }

    /// In which language, e.g. `en-GB`.
    #[must_use]
    pub fn language(self, language: &str) -> Self {
        Self(self.0.attribute("language", language))
    }
}

/// `<Play>`: plays a sound file, or keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Play(pub(super) Element);

impl Play {
    /// Plays the sound file at `url`.
    pub fn url(url: &str) -> Self {
        Self(Element::new("Play").text(url))
    }

    /// Presses keys: `0`–`9`, `*`, `#`, `w` for half a second's pause, `W` for a second's.
    pub fn digits(digits: &str) -> Self {
        Self(Element::new("Play").attribute("digits", digits))
    }
}

/// What a `<Gather>` listens for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GatherInput {
    /// Keys.
    Dtmf,
    /// Speech.
    Speech,
    /// Whichever comes first.
    Both,
}

/// `<Gather>`: listens for speech or keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gather(pub(super) Element);

impl Gather {
    /// Listens, and sends what was heard to `action`.
    pub fn new(input: GatherInput, action: &str) -> Self {
        let input = match input {
            GatherInput::Dtmf => "dtmf",
            GatherInput::Speech => "speech",
            GatherInput::Both => "dtmf speech",
        };
        Self(Element::new("Gather").attribute("input", input).attribute("action", action))
    }

    /// Seconds of silence after which it gives up. Twilio's default is 5.
    #[must_use]
    pub fn timeout(self, seconds: u32) -> Self {
        Self(self.0.attribute("timeout", &seconds))
    }

    /// Ends after so many keys.
    #[must_use]
    pub fn num_digits(self, keys: u32) -> Self {
        Self(self.0.attribute("numDigits", &keys))
    }

    /// Ends at this key, which is not part of the digits. Twilio's default is `#`; empty for none.
    #[must_use]
    pub fn finish_on_key(self, key: &str) -> Self {
        Self(self.0.attribute("finishOnKey", key))
    }

    /// Speech ends when the recogniser thinks that it does, rather than after a fixed pause.
    #[must_use]
    pub fn speech_timeout_auto(self) -> Self {
        Self(self.0.attribute("speechTimeout", "auto"))
    }

    /// The language of the speech, e.g. `en-GB`.
    #[must_use]
    pub fn language(self, language: &str) -> Self {
        Self(self.0.attribute("language", language))
    }

    /// Words that are likely, separated by commas.
    #[must_use]
    pub fn hints(self, hints: &str) -> Self {
        Self(self.0.attribute("hints", hints))
    }

    /// Asks `action` also when nothing was heard, instead of going on with the next verb.
    #[must_use]
    pub fn action_on_empty_result(self) -> Self {
        Self(self.0.attribute("actionOnEmptyResult", &true))
    }

    /// Speaks while it listens; the caller may interrupt.
    #[must_use]
    pub fn say(self, say: Say) -> Self {
        Self(self.0.child(say.0))
    }

    /// Plays while it listens; the caller may interrupt.
    #[must_use]
    pub fn play(self, play: Play) -> Self {
        Self(self.0.child(play.0))
    }
}

/// `<Record>`: records the caller, after a beep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record(pub(super) Element);

impl Record {
    /// Records, and asks `action` what comes next. Without any sound the next verb follows instead.
    pub fn new(action: &str) -> Self {
        Self(Element::new("Record").attribute("action", action))
    }

    /// The longest recording, in seconds. Twilio's default is an hour.
    #[must_use]
    pub fn max_length(self, seconds: u32) -> Self {
        Self(self.0.attribute("maxLength", &seconds))
    }

    /// Seconds of silence that end it. Twilio's default is 5.
    #[must_use]
    pub fn timeout(self, seconds: u32) -> Self {
        Self(self.0.attribute("timeout", &seconds))
    }

    /// Ends at one of these keys. Twilio's default is any key.
    #[must_use]
    pub fn finish_on_key(self, keys: &str) -> Self {
        Self(self.0.attribute("finishOnKey", keys))
    }

    /// No beep before it.
    #[must_use]
    pub fn no_beep(self) -> Self {
        Self(self.0.attribute("playBeep", &false))
    }

    /// Where Twilio tells that the recording can be fetched.
    #[must_use]
    pub fn recording_status_callback(self, url: &str) -> Self {
        Self(self.0.attribute("recordingStatusCallback", url))
    }
}

/// `<Dial>`: connects the caller with somebody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dial(pub(super) Element);

impl Dial {
    /// Dials a telephone number.
    pub fn number(number: &E164) -> Self {
        Self(Element::new("Dial").child(Element::new("Number").text(number.expose())))
    }

    /// Where Twilio asks what comes next when it is over. Without it the next verb follows.
    #[must_use]
    pub fn action(self, url: &str) -> Self {
        Self(self.0.attribute("action", url))
    }

    /// Seconds to let it ring. Twilio's default is 30.
    #[must_use]
    pub fn timeout(self, seconds: u32) -> Self {
        Self(self.0.attribute("timeout", &seconds))
    }

    /// The longest conversation, in seconds. Twilio's default is four hours.
    #[must_use]
    pub fn time_limit(self, seconds: u32) -> Self {
        Self(self.0.attribute("timeLimit", &seconds))
    }

    /// The number that the called party sees: the caller's own, which is the default, or one of the account's.
    #[must_use]
    pub fn caller_id(self, number: &E164) -> Self {
        Self(self.0.attribute("callerId", number.expose()))
    }

    /// The caller hears ringing, and is billed as answered, only when the called party answers.
    #[must_use]
    pub fn answer_on_bridge(self) -> Self {
        Self(self.0.attribute("answerOnBridge", &true))
    }
}

/// Why a call is declined: what the caller hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectReason {
    /// "Not in service."
    Rejected,
    /// The busy tone.
    Busy,
}

impl RejectReason {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Busy => "busy",
        }
    }
}
