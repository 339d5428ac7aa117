//! The seam between the call and whatever speaks for the assistant.
//!
//! The call knows turns, playback, tools and time; a [`UpstreamVoice`] knows one provider's words for them. Realtime
//! is one; a voice without turns of its own (GPT-Live) or a cascade of three models are others to come.

mod prompts;
mod realtime;
mod requests;
mod session;
mod trouble;

use std::borrow::Cow;
use std::fmt;

use voicecore_wire::openai::TokenUsage;
use voicecore_wire::payload::Payload;

use crate::{EndReason, OpenModel, SessionConfig, ToolCall};
pub(crate) use trouble::refused;

/// A voice for `config`, not yet connected.
pub(crate) fn connect(config: &SessionConfig) -> Box<dyn UpstreamVoice> {
    Box::new(realtime::Realtime::new(config))
}

/// One session with a provider.
///
/// Frames to send are collected inside and taken with [`UpstreamVoice::poll_send`] after every call of a method; the
/// caller's audio alone is answered directly, because it comes 50 times a second.
pub(crate) trait UpstreamVoice: fmt::Debug + Send {
    /// Which socket to open.
    fn open(&self) -> OpenModel;
    /// Reads a frame of the provider's.
    fn receive<'a>(&mut self, text: &'a str) -> VoiceEvent<'a>;
    /// The frame that carries the caller's audio. Only after [`VoiceEvent::Ready`].
    fn hear(&self, payload: &Payload<'_>) -> String;
    /// Adds to what the model knows, without asking for an answer.
    fn tell(&mut self, role: Teller, text: &str);
    /// Gives the result of a tool that this session asked for.
    fn tool_output(&mut self, tool_call_id: &str, output: &str);
    /// Asks for an answer: it is given as soon as the model can, one after the other.
    fn ask(&mut self, ask: Ask);
    /// What was asked and not yet begun is withdrawn.
    fn withdraw(&mut self);
    /// The caller will hear no more of what is being said: the model's memory is cut to `cuts`, the answer that is
    /// being made is dropped. `stop` tells the provider to stop making it; when the caller spoke it does so by itself.
    fn interrupt(&mut self, cuts: &[ItemCut<'_>], stop: bool);
    /// With `true`, until `false`: the model listens, and neither answers nor is asked for anything but last words; what it
    /// begins all the same is dropped.
    fn hold(&mut self, on: bool);
    /// The model's instructions from its next answer on.
    fn instruct(&mut self, instructions: &str);
    /// From now on the model neither answers nor falls silent by itself when the caller speaks.
    fn lock(&mut self);
    /// An answer is being made, or asked for.
    fn is_busy(&self) -> bool;
    /// An answer is being made, or will be without being asked for again.
    fn is_answering(&self) -> bool;
    /// Time has passed: what was held back for an answer that never began may go now.
    fn nudge(&mut self);
    /// The next frame to send.
    fn poll_send(&mut self) -> Option<String>;
}

/// What the model is asked to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    /// The greeting, word for word.
    Greeting,
    /// Go on after a break in the line or in the model.
    Resume,
    /// An answer to what it was told (a tool's result, keys, the caller's words).
    Answer,
    /// Go on after having been silenced.
    Continue,
    /// Are you still there?
    StillThere,
    /// Goodbye, for this reason.
    Farewell(EndReason),
    /// The caller is being put through.
    Announce,
}

impl Ask {
    /// Nothing may interrupt it, and nothing comes after it.
    pub(crate) fn is_last(self) -> bool {
        matches!(self, Self::Farewell(_) | Self::Announce)
    }
}

/// Who told what the model is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Teller {
    Caller,
    Assistant,
    System,
}

/// What was heard of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ItemCut<'a> {
    pub(crate) item: &'a str,
    pub(crate) heard_ms: u64,
}

/// What a provider's frame means for the call.
#[derive(Debug, PartialEq)]
pub(crate) enum VoiceEvent<'a> {
    /// Nothing to the call.
    Nothing,
    /// Not in the provider's format.
    Malformed,
    /// Connected and configured: audio and requests may be sent.
    Ready,
    /// The caller began to speak.
    CallerBegan { item: Cow<'a, str> },
    /// The caller's turn is over.
    CallerEnded { item: Cow<'a, str> },
    /// More of the caller's words.
    CallerText { item: Cow<'a, str>, delta: Cow<'a, str> },
    /// All of the caller's words.
    CallerSaid { item: Cow<'a, str>, text: Cow<'a, str> },
    /// The caller's words cannot be had.
    CallerUnclear { item: Cow<'a, str> },
    /// An answer begins: what was asked, or by itself.
    AnswerBegan { ask: Option<Ask> },
    /// Audio of an answer. It must not be played unless `live`: the answer was interrupted.
    Audio { answer: Cow<'a, str>, item: Cow<'a, str>, payload: Payload<'a>, live: bool },
    /// Words of an answer.
    Text { answer: Cow<'a, str>, item: Cow<'a, str>, delta: Cow<'a, str> },
    /// All the words of an item.
    TextDone { answer: Cow<'a, str>, item: Cow<'a, str>, text: Cow<'a, str> },
    /// No more audio of an item.
    AudioDone { answer: Cow<'a, str>, item: Cow<'a, str> },
    /// A tool is wanted.
    ToolWanted { answer: Cow<'a, str>, call: ToolCall },
    /// An answer is over.
    AnswerEnded(Box<AnswerEnd>),
    /// Something is wrong.
    Trouble(Trouble),
}

/// The end of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct AnswerEnd {
    pub(crate) answer: String,
    /// What was asked, when it was asked for.
    pub(crate) ask: Option<Ask>,
    /// All was said.
    pub(crate) completed: bool,
    pub(crate) usage: TokenUsage,
    /// It failed, and this is to be done.
    pub(crate) trouble: Option<Trouble>,
}

/// What to do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Ask again after this many milliseconds.
    AskAgain { after_ms: u64 },
    /// Open another session.
    Replace,
    /// Another session would fail in the same way: the ladder goes down.
    Fatal,
}
