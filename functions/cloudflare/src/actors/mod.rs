//! The actors, as Durable Objects.

mod call;
mod hub;
mod hub_link;
mod journal;
mod socket;
mod storage;
mod timer;

/// Where actors take commands (`voicecore_api::actors`), as JSON in the body of a POST.
pub(crate) const COMMAND_PATH: &str = "/command";
/// Where a hub takes the socket of a call actor. Reached through the binding only, never from outside.
pub(crate) const PUBLISH_PATH: &str = "/publish";
