//! Strict simulators of Twilio and OpenAI.
