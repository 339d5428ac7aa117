//! OpenAI Realtime (GA) over WebSocket, both directions; chat completions ([`chat`]).
//! Source: `openai-python/src/openai/types/realtime`, checked by the types of npm `openai` in `tests/oracles`;
//! `protocols.md` §4.1.

pub mod chat;
mod client;
mod server;
mod session;

pub use client::{
    APPEND_AUDIO, ClientEvent, Content, Item, ResponseParams, Role, TOOL_CHOICE_NONE, append_audio,
};
pub use server::{
    ErrorBody, EventError, OutputItem, RateLimit, ResponseHead, ResponseResult, ResponseStatus, ServerEvent,
    TokenUsage,
};
pub use session::{
    AudioConfig, AudioFormat, AudioInput, AudioOutput, FunctionTool, NoiseReduction, Reasoning, Session,
    TokenLimits, Transcription, Truncation, TurnDetection,
};
