use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use voicecore_types::{ApiKeyId, Millis, UserId};

/// An API key, without the key itself.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "id": "01a01eda-0600-7dda-ae6f-ee2b476fd63d", "name": "Reporting", "prefix": "0123456789abcdef", "permissions": ["calls:read"],
    "created_at": 1_787_224_000_000_u64, "created_by": "0192f0c1-7a3e-7a5b-a14a-ca396e2611e4", "expires_at": null,
    "last_used_at": 1_794_999_720_000_u64, "revoked_at": null
})))]
pub struct ApiKey {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    pub id: ApiKeyId,
    /// Its name.
    pub name: String,
    /// Its public part: `vc_<prefix>_…`.
    pub prefix: String,
    /// What it allows.
    pub permissions: Vec<String>,
    /// When it was made.
    #[schema(value_type = u64)]
    pub created_at: Millis,
    /// Who made it; null: set-up or the operator.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub created_by: Option<UserId>,
    /// From then on it opens nothing.
    #[schema(value_type = Option<u64>)]
    pub expires_at: Option<Millis>,
    /// When it was used last, to the minute.
    #[schema(value_type = Option<u64>)]
    pub last_used_at: Option<Millis>,
    /// When somebody took it back.
    #[schema(value_type = Option<u64>)]
    pub revoked_at: Option<Millis>,
}

/// A key that was made.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "id": "01a1ee56-5e00-7f13-befc-d675eabd48d3",
    "api_key": "vc_0123456789abcdef_0000000000000000000000000000000000000000000000000000000000000000", "expires_at": null
})))]
pub struct NewApiKey {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    pub id: ApiKeyId,
    /// The key itself, `vc_<prefix>_<secret>`. Shown this once: only a hash is kept.
    pub api_key: String,
    /// From then on it opens nothing.
    #[schema(value_type = Option<u64>)]
    pub expires_at: Option<Millis>,
}

/// A key to be made.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"name": "Reporting", "permissions": ["calls:read"]})))]
pub struct CreateApiKey {
    /// Its name, 1 to 100 characters.
    pub name: String,
    /// What it allows: nothing that whoever makes it may not do.
    pub permissions: Vec<String>,
    /// From then on it opens nothing; never when absent.
    #[schema(value_type = Option<u64>)]
    pub expires_at: Option<Millis>,
}

/// A key gets a successor.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"overlap_seconds": 3600})))]
pub struct RotateApiKey {
    /// For so many seconds both open, at most 2,592,000 (30 days); a day when absent.
    pub overlap_seconds: Option<u64>,
}
