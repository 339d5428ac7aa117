//! The API by noun: one file, one noun. `router` lists every route once; the OpenAPI document is made from that list.

pub(crate) mod audit;
pub(crate) mod calls;
pub(crate) mod health;
pub(crate) mod live;
pub(crate) mod messages;
pub(crate) mod openapi;
pub(crate) mod providers;
pub(crate) mod setup;
pub(crate) mod setup_page;
