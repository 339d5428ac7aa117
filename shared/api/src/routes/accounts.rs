//! Users across all tenants, for super admins: who somebody is, and whether they sign in at all. What they are in a tenant is its
//! own business (`users`).

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;
use voicecore_api_types::{Account, Problem};
use voicecore_store::directory::people::{self, Activation, PersonRow};
use voicecore_store::directory::sessions;
use voicecore_types::{AuditEntryId, UserId};

use crate::auth::{Operator, TenantsRead, TenantsWrite};
use crate::extract::{Id, Params};
use crate::live::watchers::look_again_everywhere;
use crate::record::Record;
use crate::{ApiError, AppState};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FindAccount {
    /// The address, whole; small and capital letters are the same.
    email: String,
}

/// The user with this address.
#[utoipa::path(get, path = "/api/v1/accounts", tag = "tenants", security(("session" = ["tenants:read"])), params(FindAccount),
    responses(
        (status = 200, description = "The user.", body = Account),
        (status = 404, description = "Nobody has this address.", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn find_account(
    _operator: Operator<TenantsRead>,
    State(app): State<AppState>,
    Params(query): Params<FindAccount>,
) -> Result<Json<Account>, ApiError> {
    let found = people::by_email(&*app.ports.db, &query.email.trim().to_lowercase()).await?;
    found.map(|row| Json(show(row))).ok_or(ApiError::NotFound)
}

/// The user signs in nowhere any more: every session of theirs ends at once, in every tenant. What they were there stays. To
/// deactivate who is deactivated changes nothing.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/deactivate", tag = "tenants", security(("session" = ["tenants:write"])),
    params(("id" = String, Path, format = "uuid")),
    responses(
        (status = 200, description = "The user as they are now.", body = Account),
        (status = 409, description = "It is oneself, or nobody would be left who runs the installation.", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn deactivate_account(
    operator: Operator<TenantsWrite>,
    State(app): State<AppState>,
    Id(id): Id<UserId>,
) -> Result<Json<Account>, ApiError> {
    // The last one who runs the installation is refused by the statement; nobody locks themselves out by mistake either.
    if id == operator.session.user_id {
        return Err(ApiError::Conflict("Nobody deactivates themselves."));
    }
    set_active(&app, operator.session.user_id, id, false).await
}

/// The user may sign in again.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/reactivate", tag = "tenants", security(("session" = ["tenants:write"])),
    params(("id" = String, Path, format = "uuid")),
    responses(
        (status = 200, description = "The user as they are now.", body = Account),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn reactivate_account(
    operator: Operator<TenantsWrite>,
    State(app): State<AppState>,
    Id(id): Id<UserId>,
) -> Result<Json<Account>, ApiError> {
    if id == operator.session.user_id {
        return find(&app, id).await;
    }
    set_active(&app, operator.session.user_id, id, true).await
}

async fn set_active(app: &AppState, by: UserId, id: UserId, active: bool) -> Result<Json<Account>, ApiError> {
    let before = people::get(&*app.ports.db, id).await?.ok_or(ApiError::NotFound)?;
    if before.deactivated_at.is_none() == active {
        return Ok(Json(show(before)));
    }
    let memberships = sessions::memberships(&*app.ports.db, id).await?;
    let now = app.now();
    let tenants: Vec<_> = memberships
        .iter()
        .map(|membership| (membership.tenant_id, AuditEntryId::new(now, &app.random())))
        .collect();
    let action = if active { "user.reactivate" } else { "user.deactivate" };
    let record = Record::of_super_admin(app, by, action).about(id.to_string());
    if people::set_active(&app.ports.db, id, active, &record.entry(), &tenants).await? == Activation::Refused
    {
        let found = people::get(&*app.ports.db, id).await?.ok_or(ApiError::NotFound)?;
        if found.deactivated_at.is_none() != active {
            return Err(ApiError::Conflict("Somebody has to be left who runs the installation."));
        }
        // Somebody else has done the same at this moment.
        return Ok(Json(show(found)));
    }
    look_again_everywhere(app, id).await;
    find(app, id).await
}

async fn find(app: &AppState, id: UserId) -> Result<Json<Account>, ApiError> {
    people::get(&*app.ports.db, id).await?.map(|row| Json(show(row))).ok_or(ApiError::NotFound)
}

fn show(row: PersonRow) -> Account {
    Account {
        id: row.id,
        email: row.email,
        name: row.name,
        super_admin: row.super_admin,
        last_login_at: row.last_login_at,
        deactivated_at: row.deactivated_at,
    }
}
