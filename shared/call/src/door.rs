use std::collections::BTreeMap;

use voicecore_wire::twilio::media::{CarrierEvent, CarrierFrame, StreamWriter};

/// What the carrier told in its `start` frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamOpened {
    /// The carrier's name of the stream.
    pub stream_sid: String,
    /// The carrier's name of the call.
    pub call_sid: String,
    /// The account the call belongs to.
    pub account_sid: String,
    /// `<Parameter>`s of the TwiML, by name; the one-time token is among them. Unverified, like all of this.
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

/// Frames before `start`, of any kind; Twilio sends one (`connected`).
const MAX_FRAMES: u32 = 16;
/// Longest frame before and including `start`, in bytes: it holds a few names and at most 99 `<Parameter>`s of 500
/// characters.
const MAX_FRAME_BYTES: usize = 64 * 1024;

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
        self.frames = self.frames.saturating_add(1);
        if frame.len() > MAX_FRAME_BYTES {
            return Err(DoorRefused::TooLong);
        }
        // What cannot be read is passed over like what is not known; it only must not go on for ever.
        let event = CarrierFrame::parse(frame).map(|frame| frame.event);
        let Ok(CarrierEvent::Start(start)) = event else {
            return if self.frames >= MAX_FRAMES { Err(DoorRefused::NoStart) } else { Ok(None) };
        };
        if !start.is_mulaw_8k() {
            return Err(DoorRefused::WrongFormat);
        }
        if StreamWriter::new(&start.stream_sid).is_none() || start.call_sid.is_empty() {
            return Err(DoorRefused::Malformed);
        }
        Ok(Some(StreamOpened {
            stream_sid: start.stream_sid,
            call_sid: start.call_sid,
            account_sid: start.account_sid,
            parameters: start.custom_parameters,
        }))
    }
}
