use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use voicecore_types::{Millis, SessionId, TenantId, UserId};

/// Signs in.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"email": "ana@example.com", "password": "correct horse battery staple"})))]
pub struct Login {
    /// The user's address.
    pub email: String,
    /// Their password.
    pub password: String,
    /// The tenant to work in, for users who work for several; the first one when absent.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub tenant_id: Option<TenantId>,
}

/// Signed in. The refresh token is in a cookie that scripts cannot read.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "access_token": "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJ2b2ljZWNvcmUiLCJhdWQiOiJ2b2ljZWNvcmUtYXBpIiwic2lkIjoiMDFhMWVkZTgtODEwMC03MmJkLTg3OTYtZGZmOTFiMDk4MzdhIiwiaWF0IjoxNzk1MDAwMDAwLCJleHAiOjE3OTUwMDA5MDB9.0000000000000000000000000000000000000000000",
    "token_type": "Bearer", "expires_in": 900, "session_id": "01a1ede8-8100-72bd-8796-dff91b09837a"
})))]
pub struct SignedIn {
    /// Send it as `Authorization: Bearer …`.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: String,
    /// Seconds until the access token has to be refreshed.
    pub expires_in: u64,
    /// The session.
    #[schema(value_type = String, format = "uuid")]
    pub session_id: SessionId,
}

/// Asks for a mail by which a new password can be chosen.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"email": "ana@example.com"})))]
pub struct ForgotPassword {
    /// The user's address.
    pub email: String,
}

/// Chooses a new password.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"token": "vcp_0000000000000000000000000000000000000000000000000000000000000000", "password": "correct horse battery staple"})))]
pub struct ResetPassword {
    /// The token of the mail.
    pub token: String,
    /// The new password, 12 to 256 characters.
    pub password: String,
}

/// Accepts an invitation.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"token": "vci_0000000000000000000000000000000000000000000000000000000000000000", "name": "Ana Ruiz", "password": "correct horse battery staple"})))]
pub struct AcceptInvitation {
    /// The token of the mail.
    pub token: String,
    /// Name, in the place of the invitation's.
    pub name: Option<String>,
    /// A password, 12 to 256 characters: needed of whoever has none yet, and without effect for whoever has one.
    pub password: Option<String>,
}

/// Accepted: sign in now.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"email": "ana@example.com", "tenant_id": "0192f0c1-7a3e-7c11-9d0a-3b6f5e2a1c4d", "tenant_name": "Bella"})))]
pub struct Accepted {
    /// The address to sign in with.
    pub email: String,
    /// The tenant.
    #[schema(value_type = String, format = "uuid")]
    pub tenant_id: TenantId,
    /// Its name.
    pub tenant_name: String,
}

/// Works in another tenant from now on.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"tenant_id": "0192f0c1-7a3e-7c11-9d0a-3b6f5e2a1c4d"})))]
pub struct SwitchTenant {
    /// Which one.
    #[schema(value_type = String, format = "uuid")]
    pub tenant_id: TenantId,
}

/// Who is signed in.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "user_id": "01972fa9-7078-7093-a21f-575106cd3b10", "email": "ana@example.com", "name": "Ana Ruiz",
    "session_id": "01a1ede8-8100-72bd-8796-dff91b09837a", "super_admin": false, "impersonating": false,
    "tenant_id": "0192f0c1-7a3e-7c11-9d0a-3b6f5e2a1c4d", "role": "0197255c-b878-7fe7-a6ac-8edd1a67e5e3",
    "permissions": ["calls:read", "calls:write"],
    "memberships": [{"tenant_id": "0192f0c1-7a3e-7c11-9d0a-3b6f5e2a1c4d", "tenant_name": "Bella", "role": "Supervisor"}]
})))]
pub struct Me {
    /// The user.
    #[schema(value_type = String, format = "uuid")]
    pub user_id: UserId,
    /// Their address.
    pub email: String,
    /// Their name.
    pub name: String,
    /// The session.
    #[schema(value_type = String, format = "uuid")]
    pub session_id: SessionId,
    /// They run the installation.
    pub super_admin: bool,
    /// A super admin looks into the tenant: everything is on its record.
    pub impersonating: bool,
    /// The tenant that the session works in.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub tenant_id: Option<TenantId>,
    /// What they are there: a built-in role's word or a custom role's id.
    pub role: Option<String>,
    /// What they may do.
    pub permissions: Vec<String>,
    /// The tenants that they work for.
    pub memberships: Vec<Membership>,
}

/// A tenant that a user works for.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct Membership {
    /// The tenant.
    #[schema(value_type = String, format = "uuid")]
    pub tenant_id: TenantId,
    /// Its name.
    pub tenant_name: String,
    /// What the user is there, by name.
    pub role: String,
}

/// A device on which the user is signed in.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    pub id: SessionId,
    /// It is the one that asks.
    pub current: bool,
    /// A super admin's look into a tenant.
    pub impersonating: bool,
    /// The tenant that it works in.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub tenant_id: Option<TenantId>,
    /// What the browser called itself.
    pub label: String,
    /// When somebody signed in.
    #[schema(value_type = u64)]
    pub created_at: Millis,
    /// When it was refreshed last.
    #[schema(value_type = u64)]
    pub last_used_at: Millis,
    /// When it ends by itself.
    #[schema(value_type = u64)]
    pub expires_at: Millis,
}

/// Where a user is signed in.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "items": [
        {
            "id": "01a1ede8-8100-72bd-8796-dff91b09837a", "current": true, "impersonating": false,
            "tenant_id": "0192f0c1-7a3e-7c11-9d0a-3b6f5e2a1c4d", "label": "Firefox", "created_at": 1_794_992_800_000_u64,
            "last_used_at": 1_794_999_460_000_u64, "expires_at": 1_797_584_800_000_u64
        },
    ]
})))]
pub struct Sessions {
    /// The newest first.
    pub items: Vec<Session>,
}
