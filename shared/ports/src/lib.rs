//! What VoiceCore asks of a platform: object-safe traits, each with its contract in its doc comment.
//!
//! `functions/README.md` says who implements which. A new backend must pass the conformance suite of its port
//! (`tests/conformance`). Futures are boxed and `Send` because axum demands `Send` on wasm too; the Cloudflare
//! adapter wraps its futures in `worker::send::SendFuture`, so nothing in `shared/` needs `unsafe`.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::string_slice))]

mod actors;
mod blob;
mod clock;
mod db;
mod email;
pub mod guard;
mod http;
mod kv;
pub mod postgres;
mod queue;
mod rate_limits;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

pub use actors::{ActorError, Actors};
pub use blob::{Blob, BlobError, MAX_BLOB_BYTES};
pub use clock::{Clock, Rng};
pub use db::{
    Db, DbError, Expect, MAX_INT, MAX_PARAMETERS, MAX_STATEMENTS, Reach, Row, Rows, Sql, Stmt, Value,
};
pub use email::{Email, EmailError, EmailMessage, MAX_MAIL_BYTES, MAX_SUBJECT_CHARS};
pub use http::{Http, HttpError, HttpRequest, HttpResponse};
pub use kv::{Kv, KvError};
pub use queue::{Queue, QueueError};
pub use rate_limits::{RateLimit, RateLimitError, RateLimits};

/// A future of a port: boxed, so that the traits are object-safe; `Send`, so that axum takes them.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Every port of one running system. Cheap to clone.
#[derive(Clone)]
pub struct Ports {
    /// The database.
    pub db: Arc<dyn Db>,
    /// Content-addressed cache.
    pub kv: Arc<dyn Kv>,
    /// Documents: transcripts, journals, recordings.
    pub blob: Arc<dyn Blob>,
    /// Jobs for later.
    pub queue: Arc<dyn Queue>,
    /// Requests to other services.
    pub http: Arc<dyn Http>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub rng: Arc<dyn Rng>,
    /// The actors: calls and hubs.
    pub actors: Arc<dyn Actors>,
    /// Counters of how often things were done.
    pub rate_limits: Arc<dyn RateLimits>,
}
