//! TwiML: what Twilio is to do with a call, as a typed document.
//!
//! ```
//! use voicecore_wire::twilio::twiml::{Connect, Response, Say, Stream};
//!
//! let stream = Stream::new("wss://voice.example.com/media/1")?.parameter("token", "abc")?;
//! let document = Response::new()
//!     .connect(Connect::new(stream).action("https://voice.example.com/after"))
//!     .say(Say::new("Sorry & goodbye."))
//!     .hangup()
//!     .to_xml();
//! assert!(document.ends_with("<Say>Sorry &amp; goodbye.</Say><Hangup/></Response>"));
//! # Ok::<(), voicecore_wire::twilio::twiml::TwimlError>(())
//! ```
//!
//! Source: twilio.com/docs/voice/twiml; element and attribute names are judged by the `twilio` package in `tests/oracles`.
//! Requests that a document causes are all `POST`, Twilio's default, so there is no `method` to set.

mod callback;
mod verbs;
mod xml;

pub use callback::CallbackUrl;
pub use verbs::{Connect, Dial, Gather, GatherInput, Play, Record, RejectReason, Say, Stream};

use xml::Element;

/// The content type of a document.
pub const CONTENT_TYPE: &str = "text/xml; charset=utf-8";
/// The most characters that one `<Say>` may hold (twilio.com/docs/voice/twiml/say). Longer text is cut.
pub const MAX_SAY_CHARS: usize = 4_096;
/// The most characters of a `<Parameter>`'s name and value together (twilio.com/docs/voice/twiml/stream).
pub const MAX_PARAMETER_CHARS: usize = 500;

/// A document that Twilio would refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TwimlError {
    /// Streams go to `wss` addresses only (Twilio error 31922).
    #[error("the address of a stream must begin with wss://")]
    StreamNotSecure,
    /// A query is not passed on, and breaks the handshake (Twilio error 31920): use the path, or parameters.
    #[error("the address of a stream must have neither query nor fragment")]
    StreamQuery,
    /// Name and value of a parameter are longer than [`MAX_PARAMETER_CHARS`].
    #[error("name and value of a stream parameter are longer than {MAX_PARAMETER_CHARS} characters")]
    ParameterTooLong,
}

/// A document: verbs, executed in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response(Element);

impl Response {
    /// An empty document. Played as it is, it ends the call.
    pub fn new() -> Self {
        Self(Element::new("Response"))
    }

    fn verb(self, verb: Element) -> Self {
        Self(self.0.child(verb))
    }

    /// Connects the call to a media stream; later verbs wait until that has ended, and are not reached if there is an
    /// action.
    #[must_use]
    pub fn connect(self, connect: Connect) -> Self {
        self.verb(connect.0)
    }

    /// Speaks.
    #[must_use]
    pub fn say(self, say: Say) -> Self {
        self.verb(say.0)
    }

    /// Plays a sound file or keys.
    #[must_use]
    pub fn play(self, play: Play) -> Self {
        self.verb(play.0)
    }

    /// Waits.
    #[must_use]
    pub fn pause(self, seconds: u32) -> Self {
        self.verb(Element::new("Pause").attribute("length", &seconds))
    }

    /// Listens for speech or keys. Without any, the next verb follows.
    #[must_use]
    pub fn gather(self, gather: Gather) -> Self {
        self.verb(gather.0)
    }

    /// Records the caller.
    #[must_use]
    pub fn record(self, record: Record) -> Self {
        self.verb(record.0)
    }

    /// Connects the caller with somebody else.
    #[must_use]
    pub fn dial(self, dial: Dial) -> Self {
        self.verb(dial.0)
    }

    /// Goes on with the document at `url`; later verbs are not reached.
    #[must_use]
    pub fn redirect(self, url: &str) -> Self {
        self.verb(Element::new("Redirect").text(url))
    }

    /// Ends the call.
    #[must_use]
    pub fn hangup(self) -> Self {
        self.verb(Element::new("Hangup"))
    }

    /// Declines the call before it is answered, which costs nothing. Only as the first verb.
    #[must_use]
    pub fn reject(self, reason: RejectReason) -> Self {
        self.verb(Element::new("Reject").attribute("reason", reason.as_str()))
    }

    /// The document as XML.
    pub fn to_xml(&self) -> String {
        let mut xml = String::from(r#"<?xml version="1.0" encoding="UTF-8"?>"#);
        self.0.write(&mut xml);
        xml
    }
}

impl Default for Response {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
