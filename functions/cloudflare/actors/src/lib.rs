//! VoiceCore on Cloudflare Workers, the script of the actors: a Durable Object for each call and one for each tenant. No rule of the
//! business is here.
//!
//! It is a script of its own because what shares an isolate shares its thread: here no password is hashed and no document made
//! while somebody speaks. The script in front reaches it through its bindings only (`script_name`, wrangler.toml).
//!
//! **Invariant:** nothing panics on input. A panic ends the wasm instance, and with it every call in the isolate. The
//! defaults of `worker`'s Durable Object handlers panic, so each actor implements all of them.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::string_slice))]

mod call;
mod hub;
mod hub_link;
mod journal;
mod socket;
mod storage;
mod timer;

use worker::{Context, Env, Request, Response, Result, event};

/// Where actors take commands (`voicecore_api::actors`), as JSON in the body of a POST.
pub(crate) const COMMAND_PATH: &str = "/command";
/// Where a hub takes the socket of a call actor. Reached through the binding only, never from outside.
pub(crate) const PUBLISH_PATH: &str = "/publish";

/// A script must answer requests. None comes: this one has no address (`workers_dev = false`, no route).
#[event(fetch)]
async fn fetch(_request: Request, _env: Env, _context: Context) -> Result<Response> {
    Response::error("actors are reached through bindings", 404)
}
