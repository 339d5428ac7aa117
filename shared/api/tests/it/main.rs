//! The HTTP surface as a whole, natively: one binary, so that it links once.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests; the lints know only `#[test]` functions"
)]

mod access;
mod agents;
mod api;
mod assistants;
mod audit;
mod businesses;
mod conformance;
mod conventions;
mod deletion;
mod departments;
mod documented;
mod examples;
mod hostile;
mod hostile_words;
mod identity;
mod interventions;
mod invitations;
mod isolation;
mod keyed;
mod ladder;
mod leaks;
mod lifecycle;
mod limits;
mod live;
mod mails;
mod media;
mod messages;
mod notes;
mod notifications;
mod old_rows;
mod openapi;
mod opening_hours;
mod others;
mod phone_numbers;
mod pitfalls;
mod preferences;
mod privacy;
mod providers;
mod qa;
mod requests;
mod responses;
mod rooms;
mod rotation;
mod saved_views;
mod search;
mod setup;
mod setup_progress;
mod switch;
mod take_over;
mod tenants;
mod test_calls;
mod test_connection;
mod transcripts;
mod turn_ends;
mod turn_races;
mod turns;
mod versions;
mod webhooks;
mod world;
