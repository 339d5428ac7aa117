use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Somebody whose service a tenant may pay for with an account of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// The model that hears and speaks.
    OpenAi,
    /// The model that reads and writes, of turn-based calls.
    Chat,
    /// The telephone.
    Twilio,
}

/// Whose account is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CredentialSource {
    /// The tenant's own.
    Tenant,
    /// The installation's.
    Installation,
    /// There is none: what needs the provider does not work.
    None,
}

/// Whose account at a provider is used. Secrets are never shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "provider": "openai", "source": "tenant", "ends_with": "cdef", "account_sid": null, "updated_at": 1_789_816_000_000_u64,
    "version": 1
})))]
pub struct ProviderStatus {
    /// At whose service.
    pub provider: Provider,
    /// Whose account.
    pub source: CredentialSource,
    /// With the tenant's own: the last four characters of its secret.
    pub ends_with: Option<String>,
    /// With the tenant's own at Twilio: the `AccountSid`.
    pub account_sid: Option<String>,
    /// With the tenant's own: when it was set.
    pub updated_at: Option<u64>,
    /// With the tenant's own: grows by one with every change; that of `ETag`.
    pub version: Option<u64>,
}

/// Whose accounts are used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "items": [
        {
            "provider": "openai", "source": "tenant", "ends_with": "cdef", "account_sid": null, "updated_at": 1_789_816_000_000_u64,
            "version": 1
        },
        {"provider": "chat", "source": "none", "ends_with": null, "account_sid": null, "updated_at": null, "version": null},
        {"provider": "twilio", "source": "installation", "ends_with": null, "account_sid": null, "updated_at": null, "version": null},
    ]
})))]
pub struct Providers {
    /// One for each provider.
    pub items: Vec<ProviderStatus>,
}

/// The credential of the tenant's own account. `openai` and `chat` take `api_key`, `twilio` takes the other two.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"api_key": "sk-0123456789abcdef"})))]
pub struct ProviderCredential {
    /// The secret key, 16 to 512 visible ASCII characters.
    #[serde(default)]
    pub api_key: Option<String>,
    /// `AC` and 32 hexadecimal digits: the account (or sub-account) that owns the numbers.
    #[serde(default)]
    pub account_sid: Option<String>,
    /// The auth token of that account, 16 to 512 visible ASCII characters: it signs webhooks, too.
    #[serde(default)]
    pub auth_token: Option<String>,
}

impl fmt::Debug for ProviderCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProviderCredential(***)")
    }
}
