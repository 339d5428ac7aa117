use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use voicecore_types::{BusinessId, DepartmentId, InvitationId, Millis, TenantId};

/// A customer of the installation.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "id": "0192f0c1-7a3e-7c11-9d0a-3b6f5e2a1c4d", "name": "Bella", "max_concurrent_calls": 10, "max_daily_calls": 1000,
    "max_hourly_calls_per_caller": 60, "max_daily_cost_micros": 50_000_000, "created_at": 1_730_616_064_574_u64, "suspended_at": null
})))]
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
    /// Calls of one number within an hour. Callers who withhold their number are not counted.
    pub max_hourly_calls_per_caller: u64,
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
#[schema(examples(json!({"name": "Bella", "owner_email": "bella@example.com", "owner_name": "Bella Rossi", "business_name": "Bella's Salon", "phone_number": "+442079460123", "language": "en", "time_zone": "Europe/London"})))]
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
    /// Name of the zone where the business is, in the tz database, e.g. `Europe/Berlin`: it is then open from nine to five from Monday to
    /// Friday, until somebody says otherwise. Without one, the assistant does not say when it is open.
    pub time_zone: Option<String>,
}

/// A tenant that was made.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "tenant_id": "0192f0c1-7a3e-7c11-9d0a-3b6f5e2a1c4d", "business_id": "0192f0c1-7a3e-7d18-ae69-f945589bf3b0",
    "department_id": "0192f0c1-7a3e-7ea2-a846-b3456c465c57", "invitation_id": "0192f0c1-7a3e-73fb-a8c0-998527345e8b"
})))]
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
#[schema(examples(json!({"max_concurrent_calls": 20, "max_daily_cost_micros": 50_000_000})))]
pub struct UpdateTenant {
    /// Its name, 1 to 200 characters.
    pub name: Option<String>,
    /// Calls on the line at once, 0 to 10,000.
    pub max_concurrent_calls: Option<u64>,
    /// Calls in a day (UTC), 0 to 1,000,000.
    pub max_daily_calls: Option<u64>,
    /// Calls of one number within an hour, 0 to 1,000,000.
    pub max_hourly_calls_per_caller: Option<u64>,
    /// What a day's calls may cost, in micro-dollars, 0 to 10^12.
    pub max_daily_cost_micros: Option<u64>,
}

/// Changes one's own tenant. What is absent stays.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"name": "Bella", "max_hourly_calls_per_caller": 30})))]
pub struct UpdateOwnTenant {
    /// Its name, 1 to 200 characters.
    pub name: Option<String>,
    /// Calls of one number within an hour, 0 to 1,000,000.
    pub max_hourly_calls_per_caller: Option<u64>,
}

/// Deletes a tenant.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"name": "Bella"})))]
pub struct DeleteTenant {
    /// The tenant's name, word for word: it shows that this one is meant.
    pub name: String,
}

/// A deletion and its report: figures, and nothing of the tenant but its id.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "tenant_id": "0192f0c1-7a3e-7c11-9d0a-3b6f5e2a1c4d", "stage": "done", "requested_at": 1_794_827_200_000_u64,
    "finished_at": 1_794_827_740_000_u64, "rows": {"calls": 3480, "messages": 212}, "objects": 40, "calls_ended": 1,
    "calls_not_ended": 0, "failed_steps": 0,
    "remains": [
        {"what": "logs of the worker: no personal data, ids of requests", "until": 1_795_432_540_000_u64},
        {"what": "the carrier: records of calls and recordings of voicemails, in the account that took the calls", "until": null},
    ]
})))]
pub struct TenantDeletion {
    /// The tenant.
    #[schema(value_type = String, format = "uuid")]
    pub tenant_id: TenantId,
    /// `access`, `calls`, `hub`, `objects`, `rows`, `settling`, `done`, in this order.
    pub stage: String,
    /// When it was asked for.
    #[schema(value_type = u64)]
    pub requested_at: Millis,
    /// When it was done; null: it is being done.
    #[schema(value_type = Option<u64>)]
    pub finished_at: Option<Millis>,
    /// Rows deleted, by table.
    pub rows: BTreeMap<String, u64>,
    /// Objects deleted.
    pub objects: u64,
    /// Calls that were on the line, and were hung up.
    pub calls_ended: u64,
    /// Calls that were on the line, and that the carrier did not end for us.
    pub calls_not_ended: u64,
    /// Steps that failed and were done later.
    pub failed_steps: u64,
    /// What others keep; known when it is done.
    pub remains: Vec<Remains>,
}

/// Something of a deleted tenant that others keep.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Remains {
    /// Where, and what.
    pub what: String,
    /// Until when; null: until somebody deletes it there.
    #[schema(value_type = Option<u64>)]
    pub until: Option<Millis>,
}
