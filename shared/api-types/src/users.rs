use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use voicecore_types::{DepartmentId, InvitationId, Millis, UserId};

/// Somebody who works for the tenant.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "id": "01972fa9-7078-7093-a21f-575106cd3b10", "email": "ana@example.com", "name": "Ana Ruiz",
    "role": "0197255c-b878-7fe7-a6ac-8edd1a67e5e3", "role_name": "Supervisor", "departments": ["01972036-5c78-79d7-8734-8d77b17eb2dd"],
    "joined_at": 1_748_851_323_000_u64, "last_login_at": 1_794_992_800_000_u64, "active": true, "version": 2
})))]
pub struct User {
    /// Their id.
    #[schema(value_type = String, format = "uuid")]
    pub id: UserId,
    /// Their address.
    pub email: String,
    /// Their name; empty as long as nobody said it.
    pub name: String,
    /// `tenant_admin`, `manager`, `agent`, `viewer`, or the id of a role that the tenant has made.
    pub role: String,
    /// What the role is called.
    pub role_name: String,
    /// The departments that they belong to by themselves. Left out of lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>)]
    pub departments: Option<Vec<DepartmentId>>,
    /// Since when they work for the tenant.
    #[schema(value_type = u64)]
    pub joined_at: Millis,
    /// When they last began to work for the tenant: signed in to it, or went over to it from another one.
    #[schema(value_type = Option<u64>)]
    pub last_login_at: Option<Millis>,
    /// They can act for the tenant.
    pub active: bool,
    /// Grows by one with every change of what they are in the tenant; that of `ETag`.
    pub version: u64,
}

/// Changes what somebody is in the tenant. What is absent stays.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"role": "viewer", "active": true})))]
pub struct UpdateUser {
    /// `tenant_admin`, `manager`, `agent`, `viewer`, or the id of a role that the tenant has made.
    pub role: Option<String>,
    /// All departments that they belong to, at most 20.
    #[schema(value_type = Option<Vec<String>>)]
    pub departments: Option<Vec<DepartmentId>>,
    /// `false`: they can do nothing for the tenant, and are signed out of it.
    pub active: Option<bool>,
}

/// Invites somebody by mail.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"email": "ana@example.com", "name": "Ana Ruiz", "role": "viewer"})))]
pub struct InviteUser {
    /// Their address.
    pub email: String,
    /// Their name.
    pub name: Option<String>,
    /// As in `User`.
    pub role: String,
    /// Departments that they will belong to, at most 20.
    #[schema(value_type = Option<Vec<String>>)]
    pub departments: Option<Vec<DepartmentId>>,
}

/// An invitation that is open.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "id": "01a1e930-0200-7073-8cc5-67f8bd1e5b4d", "email": "tom@example.com", "name": "Tom Baker", "role": "viewer",
    "created_at": 1_794_913_600_000_u64, "expires_at": 1_795_518_400_000_u64
})))]
pub struct Invitation {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    pub id: InvitationId,
    /// Who is invited.
    pub email: String,
    /// Their name, as far as it is known.
    pub name: String,
    /// What they will be.
    pub role: String,
    /// When.
    #[schema(value_type = u64)]
    pub created_at: Millis,
    /// Until when it can be accepted.
    #[schema(value_type = u64)]
    pub expires_at: Millis,
}

/// A user of the installation, whatever tenants they work for.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "id": "01972fa9-7078-7093-a21f-575106cd3b10", "email": "ana@example.com", "name": "Ana Ruiz", "super_admin": false,
    "last_login_at": 1_794_992_800_000_u64, "deactivated_at": null
})))]
pub struct Account {
    /// Their id.
    #[schema(value_type = String, format = "uuid")]
    pub id: UserId,
    /// Their address.
    pub email: String,
    /// Their name; empty as long as nobody said it.
    pub name: String,
    /// They run the installation.
    pub super_admin: bool,
    /// When they signed in last, for whichever tenant.
    #[schema(value_type = Option<u64>)]
    pub last_login_at: Option<Millis>,
    /// Since when they sign in nowhere any more; null: they may.
    #[schema(value_type = Option<u64>)]
    pub deactivated_at: Option<Millis>,
}
