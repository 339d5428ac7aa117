//! What both scripts on Cloudflare Workers are made of: the ports, the application's state over the bindings, what a panic does,
//! and responses of axum as the runtime's.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::string_slice))]

mod app;
mod http;
mod panic;
pub mod ports;

pub use self::app::{App, app};
pub use self::http::{into_worker, path_and_query};
pub use self::panic::install_hook;
