//! The HTTP surface: API routes, webhooks, authentication, OpenAPI; and what the actors need of them.
//!
//! `README.md` beside this crate has the code map, the invariants and what adapters use.
#![forbid(unsafe_code)]

pub mod actors;
mod config;
mod hex;
mod sign;
#[cfg(test)]
mod testing;

pub use config::{Config, ConfigMissing, KeyConfig, OpenAiConfig, Required, TwilioConfig};
use hex::hex;
