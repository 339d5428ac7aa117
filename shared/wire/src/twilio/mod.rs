//! Twilio: webhooks and their signatures, TwiML, the REST API.

pub mod media;
pub mod origin;
pub mod rest;
pub mod sid;
pub mod signature;
pub mod twiml;
pub mod webhook;
