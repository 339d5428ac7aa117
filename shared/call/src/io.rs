use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::{CallSummary, Interaction, Intervention, JournalEntry};

/// What happens to a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Input<'a> {
    /// A text frame of the carrier's media socket.
    CarrierText(&'a str),
    /// A binary frame of the carrier's media socket, of this many bytes. Twilio sends none: counted and ignored.
    CarrierBinary(usize),
    /// The carrier's socket closed or failed: the current one, never one that was superseded.
    CarrierClosed,
    /// The carrier says by another way (status callback) that the telephone call is over.
    CarrierEnded,
    /// The model's socket is open.
    ModelOpened,
    /// The model could not be reached, or refused before a socket was open; `status` 0 when there was no answer.
    ModelRefused {
        /// HTTP status.
        status: u16,
        /// The body's first bytes: an error document of the provider.
        body: &'a str,
    },
    /// A text frame of the model's socket.
    ModelText(&'a str),
    /// A binary frame of the model's socket, of this many bytes. Counted and ignored.
    ModelBinary(usize),
    /// The model's socket closed or failed.
    ModelClosed {
        /// WebSocket close code; 1006 when there was none.
        code: u16,
        /// Reason text.
        reason: &'a str,
    },
    /// A tool has finished.
    ToolDone(ToolResult),
    /// An operator (API, dashboard) wants something. Ignored when it comes too late ([`crate::Call::takes`]) or again.
    Operator(Intervention),
    /// The moment of `poll_timeout` has come, or has not quite: early and late calls are harmless.
    Timer,
}

/// What the adapter has to do, in order. What is large and rare is boxed: the outputs of a frame are moved three times.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Send this text frame to the carrier.
    ToCarrier(String),
    /// Close the carrier's socket. Twilio then asks `<Connect action>` what comes next.
    CloseCarrier,
    /// Open a socket to the model; a socket that is still open has been told to close before.
    OpenModel(OpenModel),
    /// Send this text frame to the model.
    ToModel(String),
    /// Send the caller's audio to the model: this part of the carrier's text frame that is being handled, as it is, between the
    /// two halves of [`OpenModel::audio_frame`]. Fifty times a second for each call, so nothing is written for it here.
    ///
    /// Only while that frame is handled, and only of one that is ASCII: a place in it is the same in bytes and in UTF-16 units.
    CallerAudio(Range<usize>),
    /// Close the model's socket.
    CloseModel,
    /// Run a tool and bring its result as `Input::ToolDone`. Emitted once for each `tool_call_id`, and once more when
    /// the call is resumed before the result was journaled: (call id, `tool_call_id`) is the idempotency key.
    RunTool(Box<ToolCall>),
    /// Append to the journal, without making audio wait.
    Journal(Box<JournalEntry>),
    /// Tell the hub (dashboards).
    Hub(Box<LiveEvent>),
    /// The call is over; emitted exactly once, last. Store the summary, delete the actor's storage.
    Finished(Box<CallSummary>),
}

/// Which socket to open upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenModel {
    /// Path and query below the provider's base URL, e.g. `/realtime?model=gpt-realtime-2.1`.
    pub path: String,
    /// What stands before and behind the caller's audio in a frame to this model: [`Output::CallerAudio`].
    pub audio_frame: [&'static str; 2],
}

/// A tool the model wants to be run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The model's id of this call of the tool: with the call id, the idempotency key.
    pub tool_call_id: String,
    /// Which tool.
    pub name: String,
    /// Arguments as JSON text, as the model wrote it: may be anything.
    pub arguments: String,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolResult {
    /// As in the [`ToolCall`].
    pub tool_call_id: String,
    /// What the model is told, as JSON text.
    pub output: String,
    /// What the call itself has to do.
    pub effect: ToolEffect,
}

/// What a tool asks of the call itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolEffect {
    /// Nothing.
    #[default]
    None,
    /// Say goodbye, wait for its last mark, hang up.
    EndCall,
    /// Announce it, wait for the last mark, leave the stream for `<Dial>`.
    Transfer,
}

/// What dashboards see of a running call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum LiveEvent {
    /// The media stream is connected, at this attempt.
    Connected {
        /// 1 for the first stream of the call.
        attempt: u32,
    },
    /// An utterance or tool run, new or changed (same `seq`).
    Interaction(Interaction),
    /// The caller began to speak.
    CallerSpeaking,
    /// The assistant was interrupted, by the caller or by an operator.
    Interrupted,
    /// The model's session was lost and is being replaced.
    ModelLost,
    /// The call is over.
    Ended {
        /// Why, as in [`CallSummary::reason`].
        reason: crate::EndReason,
    },
}
