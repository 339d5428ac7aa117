//! What every backend must pass, and the native doubles that stand in for the platforms in other crates' tests.
//!
//! A suite is written against the port alone (`Arc<dyn Db>`), so the same cases run against rusqlite here, and against
//! D1 under workerd once a probe speaks for it. `README.md` says how to add a backend.
#![forbid(unsafe_code)]

pub mod blob;
pub mod db;
#[cfg(feature = "doubles")]
pub mod doubles;
pub mod http;
pub mod interleave;
pub mod kv;
pub mod loopback;
pub mod migrations;
pub mod portable;
pub mod report;

pub use pollster::block_on;
