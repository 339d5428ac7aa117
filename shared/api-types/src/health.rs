use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The process runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"status": "ok", "version": "0.1.0"})))]
pub struct Health {
    /// Always `ok`.
    pub status: String,
    /// Version of the software.
    pub version: String,
}

/// Everything that a call needs is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"status": "ready"})))]
pub struct Readiness {
    /// Always `ready`; anything else is a problem document with status 503.
    pub status: String,
}
