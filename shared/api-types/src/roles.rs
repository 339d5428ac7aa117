use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use voicecore_types::RoleId;

/// What somebody may do.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "id": "0197255c-b878-7fe7-a6ac-8edd1a67e5e3", "name": "Supervisor", "builtin": false, "permissions": ["calls:read", "calls:write"],
    "version": 1
})))]
pub struct Role {
    /// A word for what every tenant has, an id for what this one has made.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Every tenant has it; it cannot be changed.
    pub builtin: bool,
    /// What it allows.
    pub permissions: Vec<String>,
    /// Of a role that the tenant has made: grows by one with every change; that of `ETag`.
    pub version: Option<u64>,
}

/// All roles of a tenant.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "items": [
        {
            "id": "agent", "name": "agent", "builtin": true,
            "permissions": ["calls:read", "calls:write", "messages:read", "messages:write", "departments:read", "agents:read"],
            "version": null
        },
        {
            "id": "0197255c-b878-7fe7-a6ac-8edd1a67e5e3", "name": "Supervisor", "builtin": false,
            "permissions": ["calls:read", "calls:write"], "version": 1
        },
    ]
})))]
pub struct Roles {
    /// The built-in ones first.
    pub items: Vec<Role>,
}

/// A role to be made, or as it is to be.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"name": "Supervisor", "permissions": ["calls:read", "calls:write"]})))]
pub struct SaveRole {
    /// Its name, 1 to 100 characters.
    pub name: String,
    /// What it allows: nothing that whoever saves it may not do.
    pub permissions: Vec<String>,
}

/// The id of a role that was made.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CreatedRole {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    pub id: RoleId,
}
