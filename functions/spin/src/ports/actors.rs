use serde_json::Value;
use voicecore_ports::{ActorError, Actors, BoxFuture};
use voicecore_types::{CallId, TenantId};

/// Spin has no actors and no sockets: whatever needs one says so.
pub(crate) struct NoActors;

impl Actors for NoActors {
    fn available(&self) -> bool {
        false
    }

    fn call(&self, _call: CallId, _command: Value) -> BoxFuture<'_, Result<Value, ActorError>> {
        Box::pin(async { Err(ActorError::Unsupported) })
    }

    fn hub(&self, _tenant: TenantId, _command: Value) -> BoxFuture<'_, Result<Value, ActorError>> {
        Box::pin(async { Err(ActorError::Unsupported) })
    }
}
