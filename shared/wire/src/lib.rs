//! Other people's formats: Twilio and OpenAI, both directions.

pub mod openai;
pub mod payload;
pub mod twilio;

#[cfg(test)]
mod fixtures;
mod loose;
