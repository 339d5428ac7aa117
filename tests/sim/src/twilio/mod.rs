//! Twilio, played: the REST API, TwiML that is executed, media streams in real time, signed webhooks.
//!
//! Nothing here uses `voicecore-wire`: the product and its judge must not share a mistake.

mod account;
mod conduct;
mod control;
mod engine;
mod frames;
mod line;
mod network;
mod overrides;
mod place;
mod playback;
mod prompts;
mod received;
mod report;
mod rest;
mod screen;
mod signature;
mod state;
mod stream;
mod tones;
mod truth;
mod twiml;
mod verbs;
mod wav;
mod webhook;

pub use account::Account;
pub use place::{CallHandle, CallSpec, ModelSide, PlaceError, Twilio};
pub use playback::{SAMPLES_PER_MS, Samples};
pub use report::{CallReport, Document, Event, Speaker, Stream, StreamEnd, Truncation, Turn};
pub use signature::sign;

#[cfg(test)]
mod tests;
