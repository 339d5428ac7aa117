//! Other people's formats: Twilio and OpenAI, both directions.

pub mod twilio;
