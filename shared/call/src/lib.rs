//! The call machine: one telephone call as a value, without I/O, clock or randomness.
//!
//! Feed it with [`Call::handle`], then drain [`Call::poll_output`] until it gives `None`, then arm one timer for
//! [`Call::poll_timeout`]. That is the whole contract (see `README.md` beside this crate for the invariants).
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::string_slice))]

mod after;
mod call;
mod config;
mod door;
mod intake;
mod io;
mod journal;
mod ledger;
mod loudness;
mod operator;
mod speech;
mod timers;
mod tone;
mod tools;
mod transcript;
mod turns;
mod upstream;
mod voicing;

pub use after::AfterStream;
pub use call::{AttachRefused, Attached, Call, Counters};
pub use config::{CallConfig, Limits, NoiseReduction, SessionConfig, ToolSpec, TurnDetection};
pub use door::{Door, DoorRefused, StreamOpened};
pub use io::{Input, LiveEvent, OpenModel, Output, ToolCall, ToolEffect, ToolResult};
pub use journal::JournalEntry;
pub use operator::{Intervention, OperatorAction, OperatorCommand};
pub use transcript::{CallSummary, EndReason, Interaction, InteractionKind, Speaker, Usage};
