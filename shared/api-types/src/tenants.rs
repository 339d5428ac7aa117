use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use voicecore_types::{BusinessId, DepartmentId, InvitationId, Millis, TenantId};

/// A customer of the installation.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Tenant {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    pub id: TenantId,
    /// Its name.
    pub name: String,
    /// Calls on the line at once.
    pub max_concurrent_calls: u64,
    /// Calls in a day (UTC).
    pub max_daily_calls: u64,
    /// What a day's calls may cost, in micro-dollars.
    pub max_daily_cost_micros: u64,
    /// When it came to be.
    #[schema(value_type = u64)]
    pub created_at: Millis,
    /// Since when it does not work; null: it works.
    #[schema(value_type = Option<u64>)]
    pub suspended_at: Option<Millis>,
}

/// Makes a tenant that can take a call at once, and invites its owner by mail.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct CreateTenant {
    /// Its name, 1 to 200 characters.
    pub name: String,
    /// The address of its owner.
    pub owner_email: String,
    /// The owner's name.
    pub owner_name: Option<String>,
    /// Name of its business as callers hear it; the tenant's when absent.
    pub business_name: Option<String>,
    /// The number that callers dial, in E.164 form.
    pub phone_number: String,
    /// The number of a human being, in E.164 form.
    pub fallback_number: Option<String>,
    /// ISO 639-1 language of the callers; `en` when absent.
    pub language: Option<String>,
}

/// A tenant that was made.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CreatedTenant {
    /// The tenant.
    #[schema(value_type = String, format = "uuid")]
    pub tenant_id: TenantId,
    /// Its business.
    #[schema(value_type = String, format = "uuid")]
    pub business_id: BusinessId,
    /// Its department.
    #[schema(value_type = String, format = "uuid")]
    pub department_id: DepartmentId,
    /// The invitation of its owner, which is mailed.
    #[schema(value_type = String, format = "uuid")]
    pub invitation_id: InvitationId,
}

/// Changes a tenant. What is absent stays.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct UpdateTenant {
    /// Its name, 1 to 200 characters.
    pub name: Option<String>,
    /// Calls on the line at once, 0 to 10,000.
    pub max_concurrent_calls: Option<u64>,
    /// Calls in a day (UTC), 0 to 1,000,000.
    pub max_daily_calls: Option<u64>,
    /// What a day's calls may cost, in micro-dollars, 0 to 10^12.
    pub max_daily_cost_micros: Option<u64>,
}
