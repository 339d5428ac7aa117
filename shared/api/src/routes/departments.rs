//! Departments: a tree. Users who do not see all departments see theirs and what is below them, here and wherever something
//! belongs to one.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use voicecore_api_types as wire;
use voicecore_api_types::Problem;
use voicecore_store::departments::{self, Department};
use voicecore_store::roles::Saved;
use voicecore_types::{BusinessId, DepartmentId};

use super::roles::{MAX_NAME_CHARS, saved};
use crate::auth::{Access, DepartmentsRead, DepartmentsWrite, sees_all};
use crate::extract::{Id, Ids};
use crate::fields::Fields;
use crate::idempotency::{answer, answer_unkept, nothing_to_say};
use crate::record::Record;
use crate::{ApiError, AppState, etag};

/// Departments, by name.
#[utoipa::path(get, path = "/api/v1/departments", tag = "departments", security(("api_key" = ["departments:read"])),
    responses(
        (status = 200, description = "All that the asker sees.", body = wire::Departments),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn list_departments(
    access: Access<DepartmentsRead>,
) -> Result<Json<wire::Departments>, ApiError> {
    let rows = departments::list(&access.principal.scope).await?;
    Ok(Json(wire::Departments { items: rows.iter().map(show).collect() }))
}

/// One department.
#[utoipa::path(get, path = "/api/v1/departments/{id}", tag = "departments", security(("api_key" = ["departments:read"])),
    params(("id" = String, Path, format = "uuid")),
    responses(
        (status = 200, description = "The department.", body = wire::Department),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn get_department(
    access: Access<DepartmentsRead>,
    Id(id): Id<DepartmentId>,
) -> Result<Response, ApiError> {
    let department = departments::get(&access.principal.scope, id).await?.ok_or(ApiError::NotFound)?;
    answer_unkept(StatusCode::OK, &show(&department), Some(department.version))
}

/// Makes a department.
#[utoipa::path(post, path = "/api/v1/departments", tag = "departments", security(("api_key" = ["departments:write"])),
    request_body = wire::SaveDepartment,
    responses(
        (status = 201, description = "The department.", body = wire::Department),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn create_department(
    access: Access<DepartmentsWrite>,
    State(app): State<AppState>,
    fields: Fields,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    sees_all(principal)?;
    let (name, parent_id) = wanted(fields)?;
    if let Some(parent) = parent_id {
        departments::get(&principal.scope, parent).await?.ok_or_else(no_such_parent)?;
    }
    let now = app.now();
    let id = DepartmentId::new(now, &app.random());
    let department = Department { id, parent_id, name, created_at: now, updated_at: now, version: 1 };
    let record = Record::of(&app, principal.actor, "department.create", Some(id.to_string()));
    let response = answer(principal, StatusCode::CREATED, &show(&department), Some(department.version))?;
    saved(&HeaderMap::new(), departments::create(&principal.scope, &department, &record.entry()).await?)?;
    Ok(response)
}

/// Renames and moves a department. It cannot be moved into itself or below. `If-Match` has to name the version that it is meant for.
#[utoipa::path(put, path = "/api/v1/departments/{id}", tag = "departments", security(("api_key" = ["departments:write"])),
    params(("id" = String, Path, format = "uuid"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of what was read. Needed.")), request_body = wire::SaveDepartment,
    responses(
        (status = 200, description = "The department as it is now.", body = wire::Department),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn update_department(
    access: Access<DepartmentsWrite>,
    State(app): State<AppState>,
    Id(id): Id<DepartmentId>,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    sees_all(principal)?;
    let (name, parent_id) = wanted(fields)?;
    let before = departments::get(&principal.scope, id).await?.ok_or(ApiError::NotFound)?;
    etag::demand(&headers, before.version)?;
    let version = before.version + 1;
    let department = Department { name, parent_id, updated_at: app.now(), version, ..before };
    let record = Record::of(&app, principal.actor, "department.update", Some(id.to_string()));
    let response = answer(principal, StatusCode::OK, &show(&department), Some(version))?;
    match departments::update(&principal.scope, &department, &record.entry()).await? {
        // That there is such a department has been found out.
        Saved::Unknown => return Err(no_such_parent()),
        other => saved(&headers, other)?,
    }
    Ok(response)
}

/// Deletes a department that has none below it and no business. Its people leave it.
#[utoipa::path(delete, path = "/api/v1/departments/{id}", tag = "departments",
    security(("api_key" = ["departments:write"])), params(("id" = String, Path, format = "uuid"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of what was read.")),
    responses(
        (status = 204, description = "It is gone."),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn delete_department(
    access: Access<DepartmentsWrite>,
    State(app): State<AppState>,
    Id(id): Id<DepartmentId>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    sees_all(principal)?;
    let before = departments::get(&principal.scope, id).await?.ok_or(ApiError::NotFound)?;
    etag::check(&headers, before.version)?;
    let record = Record::of(&app, principal.actor, "department.delete", Some(id.to_string()));
    let response = nothing_to_say(principal);
    saved(&headers, departments::delete(&principal.scope, id, before.version, &record.entry()).await?)?;
    Ok(response)
}

/// The calls of a business belong to this department from now on; those that were stay where they are.
#[utoipa::path(put, path = "/api/v1/departments/{id}/businesses/{business_id}", tag = "departments",
    security(("api_key" = ["departments:write"])),
    params(("id" = String, Path, format = "uuid"), ("business_id" = String, Path, format = "uuid")),
    responses(
        (status = 204, description = "It belongs to it."),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn assign_business(
    access: Access<DepartmentsWrite>,
    State(app): State<AppState>,
    Ids(id, business): Ids<DepartmentId, BusinessId>,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    sees_all(principal)?;
    let record = Record::of(&app, principal.actor, "department.assign", Some(business.to_string()));
    let response = nothing_to_say(principal);
    saved(
        &HeaderMap::new(),
        departments::assign_business(&principal.scope, id, business, &record.entry()).await?,
    )?;
    Ok(response)
}

fn wanted(mut fields: Fields) -> Result<(String, Option<DepartmentId>), ApiError> {
    let name = fields.line("name", MAX_NAME_CHARS);
    let parent = fields.optional("parent_id", "must be a department of this tenant");
    fields.done()?;
    Ok((name, parent))
}

fn no_such_parent() -> ApiError {
    ApiError::invalid("parent_id", "must be a department of this tenant, and not this one or below it")
}

fn show(department: &Department) -> wire::Department {
    wire::Department {
        id: department.id,
        parent_id: department.parent_id,
        name: department.name.clone(),
        created_at: department.created_at,
        updated_at: department.updated_at,
        version: department.version,
    }
}
