//! What every backend must pass, and the native doubles that stand in for the platforms in other crates' tests.
//!
//! A suite is written against the port alone (`Arc<dyn Db>`), so the same cases run against rusqlite here, and against
//! D1 under workerd once a probe speaks for it. `README.md` says how to add a backend.
#![forbid(unsafe_code)]

pub mod actors;
pub mod blob;
pub mod clock;
pub mod db;
#[cfg(feature = "doubles")]
pub mod doubles;
pub mod http;
pub mod http_api;
pub mod interleave;
pub mod kv;
pub mod loopback;
pub mod migrations;
#[cfg(feature = "doubles")]
pub mod outside;
pub mod portable;
pub mod queue;
pub mod rate_limits;
pub mod report;
pub mod rng;
pub mod spin;

pub use pollster::block_on;
