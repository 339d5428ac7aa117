//! The HTTP surface: API routes, webhooks, authentication, OpenAPI; and what the actors need of them.
//!
//! `README.md` beside this crate has the code map, the invariants and what adapters use.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::string_slice))]

pub mod actors;
mod auth;
mod carrier;
mod config;
mod convert;
mod cookies;
mod cors;
mod deadline;
mod described;
mod doctor;
mod email;
mod error;
mod error_responses;
mod etag;
mod examples;
mod extract;
mod fields;
mod hex;
mod html;
mod idempotency;
pub mod jobs;
mod layers;
pub mod live;
mod mails;
pub mod media;
mod password;
mod pdf;
mod providers;
mod qa;
mod rate_limits;
mod record;
mod router;
mod routes;
mod sign;
mod state;
#[cfg(test)]
mod testing;
mod token;
mod turn_based;
mod voicemail;
mod webhooks;

pub use config::{
    ChatConfig, Config, ConfigMissing, EmailConfig, KeyConfig, OpenAiConfig, Required, TwilioConfig,
};
pub use error::{ApiError, Cause};
pub use extract::MAX_BODY_BYTES;
use hex::hex;
pub use layers::{MAX_DROPPED_BYTES, REQUEST_ID};
pub use rate_limits::{SqlRateLimits, admit_stranger};
pub use router::{openapi_document, router};
pub use state::AppState;
