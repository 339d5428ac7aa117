//! The API by noun: one file, one noun. `router` lists every route once; the OpenAPI document is made from that list.

pub(crate) mod account_pages;
pub(crate) mod accounts;
pub(crate) mod analytics;
pub(crate) mod api_keys;
pub(crate) mod audit;
pub(crate) mod auth;
pub(crate) mod businesses;
pub(crate) mod calls;
pub(crate) mod departments;
pub(crate) mod health;
pub(crate) mod live;
pub(crate) mod messages;
pub(crate) mod notes;
pub(crate) mod openapi;
pub(crate) mod opening_hours;
pub(crate) mod preferences;
pub(crate) mod providers;
pub(crate) mod roles;
pub(crate) mod sessions;
pub(crate) mod setup;
pub(crate) mod setup_page;
pub(crate) mod tenant_deletion;
pub(crate) mod tenants;
pub(crate) mod test_connection;
pub(crate) mod transcripts;
pub(crate) mod users;
