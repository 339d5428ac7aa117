//! Who works for a tenant, and who is invited to.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use voicecore_api_types as wire;
use voicecore_api_types::{Page, Problem};
use voicecore_domain::credentials::INVITATION_LIFETIME;
use voicecore_domain::{BuiltinRole, Permissions};
use voicecore_store::directory::Principal;
use voicecore_store::invitations::{self, Invitation, NewInvitation};
use voicecore_store::users::{self, Changed, MAX_DEPARTMENTS, RoleRef, User, UserChange};
use voicecore_store::{Cursor, Scope, departments, roles};
use voicecore_types::{DepartmentId, InvitationId, RoleId, UserId};

use super::auth::MAX_NAME_CHARS;
use super::roles::OUTRUN;
use crate::auth::{Access, UsersRead, UsersWrite, may_give, sees_all};
use crate::email::HttpEmail;
use crate::extract::{CursorParams, Id, Params, paged};
use crate::fields::Fields;
use crate::idempotency::{answer, answer_unkept, nothing_to_say};
use crate::jobs::{self, Job};
use crate::live::watchers::look_again;
use crate::mails::MailInvitation;
use crate::record::Record;
use crate::{ApiError, AppState, etag};

const LAST_ADMIN: ApiError =
    ApiError::Conflict("The tenant would be left without an administrator. Make somebody else one first.");
const ROLE_RULE: &str = "must be tenant_admin, manager, agent, viewer or the id of a role of this tenant";

/// Users, who joined last first.
#[utoipa::path(get, path = "/api/v1/users", tag = "users", security(("api_key" = ["users:read"])), params(CursorParams),
    responses(
        (status = 200, description = "One page.", body = Page<wire::User>),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn list_users(
    access: Access<UsersRead>,
    Params(query): Params<CursorParams>,
) -> Result<Json<Page<wire::User>>, ApiError> {
    let (page, after) = query.window()?;
    let rows = users::list(&access.principal.scope, after.as_ref(), page).await?;
    let place = |row: &User| Cursor { key: row.joined_at, id: row.id.to_string() };
    Ok(Json(paged(rows, place, |row| show(row, None))))
}

/// One user.
#[utoipa::path(get, path = "/api/v1/users/{id}", tag = "users", security(("api_key" = ["users:read"])),
    params(("id" = String, Path, format = "uuid")),
    responses(
        (status = 200, description = "The user.", body = wire::User),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn get_user(access: Access<UsersRead>, Id(id): Id<UserId>) -> Result<Response, ApiError> {
    let scope = &access.principal.scope;
    let user = users::get(scope, id).await?.ok_or(ApiError::NotFound)?;
    let departments = users::departments(scope, id).await?;
    let version = user.version;
    answer_unkept(StatusCode::OK, &show(user, Some(departments)), Some(version))
}

/// Changes what a user is, what they belong to, and whether they work. It holds for their very next request. Nobody makes of
/// anybody, or takes from anybody, what they are not themselves. `If-Match` has to name the version that it is meant for.
#[utoipa::path(patch, path = "/api/v1/users/{id}", tag = "users", security(("api_key" = ["users:write"])),
    params(("id" = String, Path, format = "uuid"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of what was read. Needed.")), request_body = wire::UpdateUser,
    responses(
        (status = 200, description = "The user as they are now.", body = wire::User),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn update_user(
    access: Access<UsersWrite>,
    State(app): State<AppState>,
    Id(id): Id<UserId>,
    headers: HeaderMap,
    mut fields: Fields,
) -> Result<Response, ApiError> {
    let role = fields.optional_line("role", 64);
    let departments = fields.optional_list::<DepartmentId>("departments", MAX_DEPARTMENTS);
    let active = fields.optional_bool("active");
    fields.done()?;
    let principal = &access.principal;
    let mut user = users::get(&principal.scope, id).await?.ok_or(ApiError::NotFound)?;
    may_give(principal, &user.permissions)?;
    let role = match role {
        Some(role) => Some(given_role(principal, &role).await?),
        None => None,
    };
    if departments.is_some() {
        sees_all(principal)?;
    }
    let version = user.version;
    etag::demand(&headers, version)?;
    user.version += 1;
    let departments: Option<Vec<DepartmentId>> = departments.map(|ids| ids.into_iter().collect());
    let record = Record::of(&app, principal.actor, "user.update", Some(id.to_string()));
    let belongs_to = match &departments {
        Some(ids) => ids.clone(),
        None => users::departments(&principal.scope, id).await?,
    };
    let change = UserChange { role: role.as_ref().map(|(role, _)| *role), departments, active };
    if let Some((role, name)) = role {
        (user.role, user.role_name) = (role_word(role), name);
    }
    match active {
        Some(true) => user.deactivated_at = None,
        Some(false) => user.deactivated_at = user.deactivated_at.or(Some(app.now())),
        None => {}
    }
    let response = answer(principal, StatusCode::OK, &show(user, Some(belongs_to)), Some(version + 1))?;
    match users::update(&principal.scope, (id, version), &change, &record.entry()).await? {
        Changed::Done => look_again(&app, principal.scope.tenant()).await,
        Changed::LastAdmin => return Err(LAST_ADMIN),
        Changed::NoSuchDepartment => return Err(no_such_department()),
        Changed::Outrun => return Err(etag::outrun(&headers, OUTRUN)),
    }
    Ok(response)
}

/// The user does not work for the tenant any more. Their very next request is refused. Whoever works for no other tenant either is forgotten:
/// address, name, password and sessions.
#[utoipa::path(delete, path = "/api/v1/users/{id}", tag = "users", security(("api_key" = ["users:write"])),
    params(("id" = String, Path, format = "uuid"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of what was read.")),
    responses(
        (status = 204, description = "They are gone."),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn remove_user(
    access: Access<UsersWrite>,
    State(app): State<AppState>,
    Id(id): Id<UserId>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    let user = users::get(&principal.scope, id).await?.ok_or(ApiError::NotFound)?;
    may_give(principal, &user.permissions)?;
    etag::check(&headers, user.version)?;
    let record = Record::of(&app, principal.actor, "user.remove", Some(id.to_string()));
    let response = nothing_to_say(principal);
    match users::remove(&principal.scope, (id, user.version), &record.entry()).await? {
        Changed::Done => {
            look_again(&app, principal.scope.tenant()).await;
            Ok(response)
        }
        Changed::Outrun => Err(etag::outrun(&headers, OUTRUN)),
        Changed::LastAdmin | Changed::NoSuchDepartment => Err(LAST_ADMIN),
    }
}

/// Invites somebody by mail, in the place of an earlier invitation. Nobody is told whether there is a user with this address.
#[utoipa::path(post, path = "/api/v1/users/invitations", tag = "users", security(("api_key" = ["users:write"])),
    request_body = wire::InviteUser,
    responses(
        (status = 201, description = "A mail is on its way.", body = wire::Invitation),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn invite_user(
    access: Access<UsersWrite>,
    State(app): State<AppState>,
    mut fields: Fields,
) -> Result<Response, ApiError> {
    let email = fields.email("email");
    let name = fields.optional_line("name", MAX_NAME_CHARS).unwrap_or_default();
    let role = fields.line("role", 64);
    let wanted = fields.optional_list::<DepartmentId>("departments", MAX_DEPARTMENTS).unwrap_or_default();
    fields.done()?;
    HttpEmail::new(&app)?;
    let principal = &access.principal;
    let (role, _) = given_role(principal, &role).await?;
    if !wanted.is_empty() {
        sees_all(principal)?;
        check_departments(&principal.scope, wanted.iter().copied()).await?;
    }
    let now = app.now();
    let new = NewInvitation {
        id: InvitationId::new(now, &app.random()),
        email: &email,
        name: &name,
        role,
        departments: &wanted.into_iter().collect::<Vec<_>>(),
        created_at: now,
        expires_at: now.plus(INVITATION_LIFETIME),
    };
    let record = Record::of(&app, principal.actor, "user.invite", Some(new.id.to_string()));
    let shown = wire::Invitation {
        id: new.id,
        email: email.clone(),
        name: name.clone(),
        role: role_word(role),
        created_at: now,
        expires_at: new.expires_at,
    };
    let response = answer(principal, StatusCode::CREATED, &shown, None)?;
    may_undo(principal, invitations::of_address(&principal.scope, &email).await?).await?;
    invitations::create(&principal.scope, &new, &record.entry()).await?;
    send_invitation(&app, &principal.scope, new.id).await;
    Ok(response)
}

/// The mail is sent by a job. The invitation is stored by now, and is not taken back when the queue is away: the job of every minute finds it.
pub(crate) async fn send_invitation(app: &AppState, scope: &Scope, id: InvitationId) {
    let job = MailInvitation { tenant_id: scope.tenant(), invitation_id: id };
    let _ = jobs::enqueue(app, &Job::MailInvitation(job)).await;
}

/// Invitations that are open, the newest first.
#[utoipa::path(get, path = "/api/v1/users/invitations", tag = "users", security(("api_key" = ["users:read"])),
    params(CursorParams),
    responses(
        (status = 200, description = "One page.", body = Page<wire::Invitation>),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn list_invitations(
    access: Access<UsersRead>,
    State(app): State<AppState>,
    Params(query): Params<CursorParams>,
) -> Result<Json<Page<wire::Invitation>>, ApiError> {
    let (page, after) = query.window()?;
    let rows = invitations::list(&access.principal.scope, after.as_ref(), page, app.now()).await?;
    let show = |row: Invitation| wire::Invitation {
        id: row.id,
        email: row.email,
        name: row.name,
        role: row.role,
        created_at: row.created_at,
        expires_at: row.expires_at,
    };
    Ok(Json(paged(rows, |row| Cursor { key: row.created_at, id: row.id.to_string() }, show)))
}

/// Takes an invitation back: its link opens nothing any more.
#[utoipa::path(delete, path = "/api/v1/users/invitations/{id}", tag = "users", security(("api_key" = ["users:write"])),
    params(("id" = String, Path, format = "uuid")),
    responses(
        (status = 204, description = "It is void."),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn revoke_invitation(
    access: Access<UsersWrite>,
    State(app): State<AppState>,
    Id(id): Id<InvitationId>,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    may_undo(principal, invitations::get(&principal.scope, id).await?).await?;
    let record = Record::of(&app, principal.actor, "user.invite_revoke", Some(id.to_string()));
    let response = nothing_to_say(principal);
    if invitations::revoke(&principal.scope, id, &record.entry()).await? {
        Ok(response)
    } else {
        Err(ApiError::NotFound)
    }
}

/// A role of this tenant that allows nothing which whoever gives it may not do, and its name.
async fn given_role(principal: &Principal, text: &str) -> Result<(RoleRef, String), ApiError> {
    let unknown = || ApiError::invalid("role", ROLE_RULE);
    let (role, name, permissions): (RoleRef, String, Permissions) =
        if let Ok(role) = text.parse::<BuiltinRole>() {
            (RoleRef::Builtin(role), role.as_str().to_owned(), role.permissions())
        } else {
            let id: RoleId = text.parse().map_err(|_| unknown())?;
            let role = roles::get(&principal.scope, id).await?.ok_or_else(unknown)?;
            (RoleRef::Custom(id), role.name, role.permissions)
        };
    may_give(principal, &permissions)?;
    Ok((role, name))
}

/// Whoever could not have given an invitation does not take it back either, nor puts a lesser one in its place.
async fn may_undo(principal: &Principal, invitation: Option<Invitation>) -> Result<(), ApiError> {
    let Some(invitation) = invitation else { return Ok(()) };
    match given_role(principal, &invitation.role).await {
        Err(missing @ ApiError::Forbidden(_)) => Err(missing),
        // A role that is not there any more makes nobody anything.
        Err(ApiError::Invalid(_)) => Ok(()),
        other => other.map(|_| ()),
    }
}

fn role_word(role: RoleRef) -> String {
    match role {
        RoleRef::Builtin(role) => role.as_str().to_owned(),
        RoleRef::Custom(id) => id.to_string(),
    }
}

async fn check_departments(
    scope: &Scope,
    wanted: impl Iterator<Item = DepartmentId>,
) -> Result<(), ApiError> {
    for id in wanted.take(MAX_DEPARTMENTS) {
        departments::get(scope, id).await?.ok_or_else(no_such_department)?;
    }
    Ok(())
}

fn no_such_department() -> ApiError {
    ApiError::invalid("departments", "must be departments of this tenant")
}

fn show(user: User, departments: Option<Vec<DepartmentId>>) -> wire::User {
    wire::User {
        id: user.id,
        email: user.email,
        name: user.name,
        role: user.role,
        role_name: user.role_name,
        departments,
        joined_at: user.joined_at,
        last_login_at: user.last_login_at,
        version: user.version,
        active: user.deactivated_at.is_none(),
    }
}
