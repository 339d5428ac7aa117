//! A telephone call held turn by turn: `<Gather>` listens, a chat model answers, `<Say>` speaks. No media stream, so it
//! runs everywhere and takes over where streaming cannot. `README.md` has the states and the invariants.
//!
//! A crate of its own, above `voicecore-call`: it shares the bridge's vocabulary (configuration, transcript, tools, reasons)
//! and none of its machinery, and what deploys only one of the two links only that one.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::string_slice))]

mod dialogue;
mod heard;
mod log;

pub use dialogue::{Dialogue, Owed, PATIENCE};
pub use heard::{Heard, MIN_CONFIDENCE};
pub use log::MAX_REPLY_CHARS;
