use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use voicecore_types::{CallId, Millis};

/// Opens the live stream once: `GET /api/v1/live?ticket=…&after=…` as a WebSocket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "ticket": "0192f0c1-7a3e-7c11-9d0a-3b6f5e2a1c4d.0000000000000000000000000000000000000000000000000000000000000000.0000000000000000000000000000000000000000000000000000000000000000",
    "expires_at": 1_795_000_030_000_u64,
    "url": "wss://voicecore.example.com/api/v1/live?ticket=0192f0c1-7a3e-7c11-9d0a-3b6f5e2a1c4d.0000000000000000000000000000000000000000000000000000000000000000.0000000000000000000000000000000000000000000000000000000000000000"
})))]
pub struct LiveTicket {
    /// The ticket. Works once.
    pub ticket: String,
    /// When it stops working.
    #[schema(value_type = u64)]
    pub expires_at: Millis,
    /// Where to connect, ticket included.
    pub url: String,
}

/// One message of the live stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LiveEnvelope {
    /// Position in the tenant's stream, from 1, without gaps. Connect with `after=<seq>` to catch up.
    pub seq: u64,
    /// When it happened.
    #[schema(value_type = u64)]
    pub at: Millis,
    /// Which call it speaks of.
    #[schema(value_type = String, format = "uuid")]
    pub call_id: CallId,
    /// What happened: an object with `type` (`connected`, `interaction`, `caller_speaking`, `interrupted`,
    /// `model_lost`, `ended`).
    pub event: serde_json::Value,
}
