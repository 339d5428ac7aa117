//! The HTTP surface: API routes, webhooks, authentication, OpenAPI; and what the actors need of them.
//!
//! `README.md` beside this crate has the code map, the invariants and what adapters use.

pub mod actors;
mod config;
mod sign;

pub use config::{Config, ConfigMissing, KeyConfig, OpenAiConfig, Required, TwilioConfig};
