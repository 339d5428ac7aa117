//! The HTTP surface as a whole, natively: one binary, so that it links once.

mod webhooks;
mod world;
