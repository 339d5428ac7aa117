//! The TwiML that the simulator executes: verbs, and a parser which refuses what Twilio would refuse.
//!
//! Written without `voicecore-wire`, so that a mistake of the product's builder is not shared by its judge. Attribute
//! names are those of `twilio` 6.2 (npm), `VoiceResponse`.

mod element;
mod parse;

pub(super) use parse::parse;

/// Why a document is not executed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    /// Twilio refuses it, with this error code (<https://www.twilio.com/docs/api/errors>).
    #[error("error {code}: {message}")]
    Refused {
        /// Twilio's error code.
        code: u32,
        /// What is wrong with the document.
        message: String,
    },
    /// Twilio knows it, this simulator does not play it. It is refused so that nothing passes untested.
    #[error("not simulated: {0}")]
    NotSimulated(String),
}

/// The document is not well-formed XML.
pub(super) const PARSE_FAILURE: u32 = 12100;
/// The document is XML but no valid TwiML.
pub(super) const SCHEMA: u32 = 12200;
/// The answer is not declared as XML.
pub(super) const CONTENT_TYPE: u32 = 12300;
/// The document is longer than Twilio reads.
pub(super) const TOO_LARGE: u32 = 11750;
/// The stream's URL is not `wss`.
pub(super) const STREAM_SCHEME: u32 = 31922;
/// The stream's URL has a query string, which the handshake does not carry.
pub(super) const STREAM_URL: u32 = 31920;

/// HTTP method of a request to the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Method {
    /// Parameters in the query string.
    Get,
    /// Parameters in a form body.
    #[default]
    Post,
}

/// Where a verb goes on: a URL (empty or relative: to the document's own) and how it is requested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Action {
    /// The URL as written.
    pub url: String,
    /// The method.
    pub method: Method,
}

/// One top-level instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verb {
    /// `<Connect><Stream>`.
    Connect(Connect),
    /// `<Gather>`.
    Gather(Gather),
    /// `<Say>`, `<Play>` or `<Pause>`.
    Prompt(Prompt),
    /// `<Record>`.
    Record(Record),
    /// `<Dial>`.
    Dial(Dial),
    /// `<Redirect>`.
    Redirect(Action),
    /// `<Reject>`: the call is never answered.
    Reject {
        /// The caller hears the busy signal rather than the not-in-service message.
        busy: bool,
    },
    /// `<Hangup>`.
    Hangup,
}

/// Something the caller hears from Twilio itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Prompt {
    /// `<Say>`.
    Say {
        /// The words.
        text: String,
        /// How often.
        times: u32,
    },
    /// `<Play>` of an audio file.
    Play {
        /// Where the file is.
        url: String,
        /// How often.
        times: u32,
    },
    /// `<Play digits>`: keys, and `w` for half a second of silence.
    PlayDigits(String),
    /// `<Pause>`, in seconds.
    Pause(u32),
}

/// `<Connect>` with a bidirectional `<Stream>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Connect {
    /// Requested when the stream has ended; without it the next verb runs.
    pub action: Option<Action>,
    /// `wss` URL without a query string.
    pub url: String,
    /// Name of the stream.
    pub name: Option<String>,
    /// Told of stream-started, stream-stopped, stream-error.
    pub status: Option<Action>,
    /// `<Parameter>`s, in order.
    pub parameters: Vec<(String, String)>,
}

/// `<Gather>`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an attribute of TwiML's")]
pub(super) struct Gather {
    /// Requested with what was gathered; without it the document itself is.
    pub action: Option<Action>,
    /// Keys count.
    pub dtmf: bool,
    /// Speech counts.
    pub speech: bool,
    /// So many keys end it.
    pub num_digits: Option<u32>,
    /// Seconds without input that end it.
    pub timeout: u32,
    /// This key ends it.
    pub finish_on_key: Option<char>,
    /// The action is requested even when nothing came.
    pub action_on_empty: bool,
    /// Speech ends what is said meanwhile.
    pub barge_in: bool,
    /// What is said meanwhile.
    pub prompts: Vec<Prompt>,
}

/// `<Record>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// Requested when the recording is done; without it the document itself is.
    pub action: Option<Action>,
    /// Seconds at most.
    pub max_length: u32,
    /// Seconds of silence that end it.
    pub timeout: u32,
    /// A beep comes first.
    pub beep: bool,
    /// Any of these keys ends it.
    pub finish_on_key: String,
    /// Told when the recording can be fetched.
    pub status: Option<Action>,
}

/// `<Dial>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dial {
    /// Requested when the dialled party is gone; without it the next verb runs.
    pub action: Option<Action>,
    /// Number shown to the callee.
    pub caller_id: Option<String>,
    /// Seconds of ringing.
    pub timeout: u32,
    /// Seconds of talking at most.
    pub time_limit: Option<u32>,
    /// The caller can end the dialled leg with `*`.
    pub hangup_on_star: bool,
    /// Who is rung; all at once.
    pub numbers: Vec<Callee>,
}

/// `<Number>` in a `<Dial>`, or the `<Dial>`'s own text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Callee {
    /// The number, E.164.
    pub number: String,
    /// Told of the leg's progress.
    pub status: Option<Action>,
    /// Of which events: initiated, ringing, answered, completed.
    pub events: Vec<String>,
}
