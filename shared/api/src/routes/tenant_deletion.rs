//! The deletion of a tenant, for super admins: asked for here, done by the job of every minute (`jobs/delete_tenants`).

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use voicecore_api_types as wire;
use voicecore_api_types::Problem;
use voicecore_store::Scope;
use voicecore_store::directory::installation;
use voicecore_store::tenant_deletions::{self, Deletion, RequestedBy};
use voicecore_types::TenantId;

use super::setup::MAX_NAME_CHARS;
use crate::auth::{Operator, TenantsRead, TenantsWrite};
use crate::extract::Id;
use crate::fields::Fields;
use crate::jobs::DeletionReport;
use crate::live::watchers::look_again;
use crate::record::Record;
use crate::{ApiError, AppState};

/// Deletes a tenant with everything that is known of it, over every store. It does not work from now on; the rest is done within
/// minutes, and cannot be taken back. To ask again changes nothing.
#[utoipa::path(delete, path = "/api/v1/tenants/{id}", tag = "tenants", security(("session" = ["tenants:write"])),
    params(("id" = String, Path, format = "uuid")), request_body = wire::DeleteTenant,
    responses(
        (status = 202, description = "It is being deleted. `Location` says where the report is.", body = wire::TenantDeletion),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn delete_tenant(
    operator: Operator<TenantsWrite>,
    State(app): State<AppState>,
    Id(id): Id<TenantId>,
    mut fields: Fields,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<wire::TenantDeletion>), ApiError> {
    let name = fields.line("name", MAX_NAME_CHARS);
    fields.done()?;
    let scope = Scope::for_job(app.ports.db.clone(), id);
    if tenant_deletions::get(&scope).await?.is_none() {
        let tenant = installation::get(&*app.ports.db, id).await?.ok_or(ApiError::NotFound)?;
        if tenant.name != name {
            return Err(ApiError::invalid("name", "is not the name of this tenant"));
        }
        let record = Record::of_super_admin(&app, operator.session.user_id, "tenant.delete");
        let entry = record.entry();
        let by = RequestedBy { kind: "user", id: entry.actor_id };
        // `false`: somebody else has asked at the same moment.
        tenant_deletions::request(&scope, by, &entry).await?;
        look_again(&app, id).await;
    }
    let deletion = find(&scope).await?;
    let report = format!("/api/v1/tenants/{id}/deletion");
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, report)], Json(deletion)))
}

/// How far the deletion of a tenant has come, or what it came to: the report is kept.
#[utoipa::path(get, path = "/api/v1/tenants/{id}/deletion", tag = "tenants", security(("session" = ["tenants:read"])),
    params(("id" = String, Path, format = "uuid")),
    responses(
        (status = 200, description = "The report.", body = wire::TenantDeletion),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn get_deletion(
    _operator: Operator<TenantsRead>,
    State(app): State<AppState>,
    Id(id): Id<TenantId>,
) -> Result<Json<wire::TenantDeletion>, ApiError> {
    find(&Scope::for_job(app.ports.db.clone(), id)).await.map(Json)
}

async fn find(scope: &Scope) -> Result<wire::TenantDeletion, ApiError> {
    let deletion = tenant_deletions::get(scope).await?.ok_or(ApiError::NotFound)?;
    Ok(show(&deletion))
}

fn show(deletion: &Deletion) -> wire::TenantDeletion {
    let report: DeletionReport = serde_json::from_str(&deletion.report).unwrap_or_default();
    let remains = report.remains.into_iter();
    wire::TenantDeletion {
        tenant_id: deletion.scope.tenant(),
        stage: deletion.stage.as_str().to_owned(),
        requested_at: deletion.requested_at,
        finished_at: deletion.finished_at,
        rows: report.rows,
        objects: report.objects,
        calls_ended: report.calls_ended,
        calls_not_ended: report.calls_not_ended,
        failed_steps: report.failed_steps,
        remains: remains.map(|left| wire::Remains { what: left.what, until: left.until }).collect(),
    }
}
