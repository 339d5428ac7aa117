use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{CredentialSource, Provider};

/// Which connection is to be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"provider": "twilio"})))]
pub struct TestConnection {
    /// The provider.
    pub provider: Provider,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    /// The provider knows the account.
    Works,
    /// The provider does not accept the credentials.
    Refused,
    /// The provider was reached, but answered something else: it is overloaded or broken, or the address is not its own.
    Unexpected,
    /// The provider could not be reached.
    Unreachable,
}

/// A connection that was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"provider": "twilio", "source": "tenant", "state": "works", "status": 200, "took_ms": 184})))]
pub struct ConnectionTest {
    /// The provider.
    pub provider: Provider,
    /// Whose account was used.
    pub source: CredentialSource,
    /// What came of it.
    pub state: ConnectionState,
    /// The HTTP status of the provider's answer; absent when there was none.
    pub status: Option<u16>,
    /// How long it took.
    pub took_ms: u64,
}
