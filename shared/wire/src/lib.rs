//! Other people's formats: Twilio and OpenAI, both directions.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::string_slice))]

pub mod openai;
pub mod payload;
pub mod twilio;

#[cfg(test)]
mod fixtures;
mod loose;
