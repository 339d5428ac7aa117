//! The store against SQLite with every migration applied, numbers bound as D1 binds them.

mod analytics;
mod audit_log;
mod calls;
mod directory;
mod finish;
mod isolation;
mod lists;
mod master_key;
mod rate_limits;
mod seal;
mod statements;
mod tenants;
mod throttle;
mod tool_runs;
mod world;

use world::{NOW, Tenant, World};
