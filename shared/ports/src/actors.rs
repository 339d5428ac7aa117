use voicecore_types::{CallId, TenantId};

use crate::BoxFuture;

/// An actor did not answer.
#[derive(Debug, thiserror::Error)]
pub enum ActorError {
    /// It cannot be reached, or failed. Trying again may help.
    #[error("the actor is unavailable")]
    Unavailable,
    /// This platform has no actors (Spin).
    #[error("this platform has no actors")]
    Unsupported,
}

/// The actors of the system: one `CallActor` for each call, one `HubActor` for each tenant.
///
/// Messages are JSON of the types in `voicecore-api` (`actors::CallCommand` and its reply, `actors::HubCommand`), so
/// both ends share one table. Each command is idempotent.
pub trait Actors: Send + Sync {
    /// This platform has actors. Where it has none, every command is [`ActorError::Unsupported`], and calls are held turn by
    /// turn instead of over a media stream.
    fn available(&self) -> bool;
    /// Sends a command to the actor of `call` and returns its reply.
    fn call(
        &self,
        call: CallId,
        command: serde_json::Value,
    ) -> BoxFuture<'_, Result<serde_json::Value, ActorError>>;
    /// Sends a command to the hub of `tenant` and returns its reply.
    fn hub(
        &self,
        tenant: TenantId,
        command: serde_json::Value,
    ) -> BoxFuture<'_, Result<serde_json::Value, ActorError>>;
}
