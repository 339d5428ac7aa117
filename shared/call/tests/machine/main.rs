//! The call machine from outside: a world around it, the pitfalls of `pitfalls.md` one by one, the calls of
//! `tests/calls`, and properties.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, which clippy does not take for tests outside of `#[test]`"
)]

mod carrier;
mod endings;
mod fixtures;
mod operator;
mod pitfalls_audio;
mod pitfalls_platform;
mod pitfalls_session;
mod pitfalls_tools;
mod properties;
mod silence;
mod survival;
mod world;
