//! The call machine from outside: a world around it, the pitfalls of `pitfalls.md` one by one, the calls of
//! `tests/calls`, and properties.

mod carrier;
mod fixtures;
mod pitfalls_audio;
mod pitfalls_platform;
mod pitfalls_session;
mod pitfalls_tools;
mod properties;
mod survival;
mod world;
