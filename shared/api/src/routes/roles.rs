//! Roles: what every tenant has, and what this one has made.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use voicecore_api_types as wire;
use voicecore_api_types::Problem;
use voicecore_domain::{BuiltinRole, Permissions};
use voicecore_store::roles::{self, Role, Saved};
use voicecore_types::RoleId;

use crate::auth::{Access, RolesRead, RolesWrite, may_give};
use crate::extract::Id;
use crate::fields::Fields;
use crate::idempotency::{answer, answer_unkept, nothing_to_say};
use crate::live::watchers::look_again;
use crate::record::Record;
use crate::{ApiError, AppState, etag};

/// The most characters of the name of a role, a department or a key.
pub(crate) const MAX_NAME_CHARS: usize = 100;

/// What is said when somebody else was faster.
pub(crate) const OUTRUN: &str = "It was changed at the same moment. Try again.";

/// All roles.
#[utoipa::path(get, path = "/api/v1/roles", tag = "roles", security(("api_key" = ["roles:read"])),
    responses(
        (status = 200, description = "All of them.", body = wire::Roles),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn list_roles(access: Access<RolesRead>) -> Result<Json<wire::Roles>, ApiError> {
    let mut items: Vec<wire::Role> = BuiltinRole::ALL.into_iter().map(show_builtin).collect();
    items.extend(roles::list(&access.principal.scope).await?.iter().map(show));
    Ok(Json(wire::Roles { items }))
}

/// One role: one of those that every tenant has by its word, one that this tenant has made by its id.
#[utoipa::path(get, path = "/api/v1/roles/{id}", tag = "roles", security(("api_key" = ["roles:read"])),
    params(("id" = String, Path)),
    responses(
        (status = 200, description = "The role.", body = wire::Role),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn get_role(access: Access<RolesRead>, Id(id): Id<String>) -> Result<Response, ApiError> {
    if let Some(role) = BuiltinRole::ALL.into_iter().find(|role| role.as_str() == id) {
        return answer_unkept(StatusCode::OK, &show_builtin(role), None);
    }
    let id: RoleId = id.parse().map_err(|_| ApiError::NotFound)?;
    let role = roles::get(&access.principal.scope, id).await?.ok_or(ApiError::NotFound)?;
    answer_unkept(StatusCode::OK, &show(&role), Some(role.version))
}

/// Makes a role.
#[utoipa::path(post, path = "/api/v1/roles", tag = "roles", security(("api_key" = ["roles:write"])),
    request_body = wire::SaveRole,
    responses(
        (status = 201, description = "The role.", body = wire::Role),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn create_role(
    access: Access<RolesWrite>,
    State(app): State<AppState>,
    fields: Fields,
) -> Result<Response, ApiError> {
    let (name, permissions) = wanted(fields)?;
    let principal = &access.principal;
    may_give(principal, &permissions)?;
    let now = app.now();
    let id = RoleId::new(now, &app.random());
    let role = Role { id, name, permissions, created_at: now, updated_at: now, version: 1 };
    let record = Record::of(&app, principal.actor, "role.create", Some(id.to_string()));
    let response = answer(principal, StatusCode::CREATED, &show(&role), Some(role.version))?;
    saved(&HeaderMap::new(), roles::create(&principal.scope, &role, &record.entry()).await?)?;
    Ok(response)
}

/// Changes a role that the tenant has made. It holds for the very next request of whoever has it. `If-Match` has to name the version that it
/// is meant for.
#[utoipa::path(put, path = "/api/v1/roles/{id}", tag = "roles", security(("api_key" = ["roles:write"])),
    params(("id" = String, Path, format = "uuid"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of what was read. Needed.")), request_body = wire::SaveRole,
    responses(
        (status = 200, description = "The role as it is now.", body = wire::Role),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn update_role(
    access: Access<RolesWrite>,
    State(app): State<AppState>,
    Id(id): Id<RoleId>,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, ApiError> {
    let (name, permissions) = wanted(fields)?;
    let principal = &access.principal;
    let before = roles::get(&principal.scope, id).await?.ok_or(ApiError::NotFound)?;
    may_give(principal, &before.permissions)?;
    may_give(principal, &permissions)?;
    etag::demand(&headers, before.version)?;
    let role = Role { name, permissions, updated_at: app.now(), version: before.version + 1, ..before };
    let record = Record::of(&app, principal.actor, "role.update", Some(id.to_string()));
    let response = answer(principal, StatusCode::OK, &show(&role), Some(role.version))?;
    saved(&headers, roles::update(&principal.scope, &role, &record.entry()).await?)?;
    look_again(&app, principal.scope.tenant()).await;
    Ok(response)
}

/// Deletes a role that nobody has and nobody is invited to.
#[utoipa::path(delete, path = "/api/v1/roles/{id}", tag = "roles", security(("api_key" = ["roles:write"])),
    params(("id" = String, Path, format = "uuid"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of what was read.")),
    responses(
        (status = 204, description = "It is gone."),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn delete_role(
    access: Access<RolesWrite>,
    State(app): State<AppState>,
    Id(id): Id<RoleId>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    let before = roles::get(&principal.scope, id).await?.ok_or(ApiError::NotFound)?;
    may_give(principal, &before.permissions)?;
    etag::check(&headers, before.version)?;
    let record = Record::of(&app, principal.actor, "role.delete", Some(id.to_string()));
    let response = nothing_to_say(principal);
    saved(&headers, roles::delete(&principal.scope, id, before.version, &record.entry()).await?)?;
    Ok(response)
}

fn wanted(mut fields: Fields) -> Result<(String, Permissions), ApiError> {
    let name = fields.line("name", MAX_NAME_CHARS);
    let permissions = fields.permissions("permissions");
    fields.done()?;
    Ok((name, permissions))
}

/// What is said when something with a name was not saved, in answer to a request with these headers.
pub(crate) fn saved(headers: &HeaderMap, saved: Saved) -> Result<(), ApiError> {
    match saved {
        Saved::Done => Ok(()),
        Saved::NameTaken => Err(ApiError::Conflict("There is one with this name already.")),
        Saved::TooMany => Err(ApiError::Conflict("There are as many as a tenant may have.")),
        Saved::InUse => Err(ApiError::Conflict("Somebody or something still belongs to it.")),
        Saved::Unknown => Err(ApiError::NotFound),
        Saved::Outrun => Err(etag::outrun(headers, OUTRUN)),
    }
}

/// As the API names them.
pub(crate) fn words(permissions: &Permissions) -> Vec<String> {
    permissions.iter().map(|permission| permission.as_str().to_owned()).collect()
}

fn show_builtin(role: BuiltinRole) -> wire::Role {
    wire::Role {
        id: role.as_str().to_owned(),
        name: role.as_str().to_owned(),
        builtin: true,
        permissions: words(&role.permissions()),
        version: None,
    }
}

fn show(role: &Role) -> wire::Role {
    wire::Role {
        id: role.id.to_string(),
        permissions: words(&role.permissions),
        name: role.name.clone(),
        builtin: false,
        version: Some(role.version),
    }
}
