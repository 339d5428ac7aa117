//! The HTTP surface as a whole, natively: one binary, so that it links once.

mod api;
mod isolation;
mod live;
mod media;
mod openapi;
mod setup;
mod webhooks;
mod world;
