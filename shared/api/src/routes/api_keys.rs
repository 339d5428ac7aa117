//! API keys: made, listed, replaced and taken back. The key itself is shown once.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use voicecore_api_types as wire;
use voicecore_api_types::{Page, Problem};
use voicecore_domain::ApiKey;
use voicecore_store::Cursor;
use voicecore_store::api_keys::{self, ApiKeyRow, NewApiKey};
use voicecore_store::directory::Actor;
use voicecore_types::{ApiKeyId, Millis};

use super::roles::{MAX_NAME_CHARS, words};
use crate::auth::{Access, ApiKeysRead, ApiKeysWrite, may_give, sees_all};
use crate::extract::{CursorParams, Id, Params, paged};
use crate::fields::Fields;
use crate::idempotency::nothing_to_say;
use crate::live::watchers::look_again;
use crate::record::Record;
use crate::{ApiError, AppState};

/// Both keys open for so long when nothing is said: a day.
const DEFAULT_OVERLAP_SECONDS: u64 = 86_400;
/// The longest: 30 days.
const MAX_OVERLAP_SECONDS: u64 = 30 * 86_400;
/// The last moment that can be stored (see `voicecore_ports::MAX_INT`).
const LAST_MOMENT: u64 = 1 << 53;

/// Keys, the newest first; those that open nothing any more among them.
#[utoipa::path(get, path = "/api/v1/api-keys", tag = "api keys", security(("api_key" = ["api_keys:read"])),
    params(CursorParams),
    responses(
        (status = 200, description = "One page.", body = Page<wire::ApiKey>),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn list_api_keys(
    access: Access<ApiKeysRead>,
    Params(query): Params<CursorParams>,
) -> Result<Json<Page<wire::ApiKey>>, ApiError> {
    let (page, after) = query.window()?;
    let rows = api_keys::list(&access.principal.scope, after.as_ref(), page).await?;
    Ok(Json(paged(rows, |row| Cursor { key: row.created_at, id: row.id.to_string() }, show)))
}

/// One key, also one that opens nothing any more.
#[utoipa::path(get, path = "/api/v1/api-keys/{id}", tag = "api keys", security(("api_key" = ["api_keys:read"])),
    params(("id" = String, Path, format = "uuid")),
    responses(
        (status = 200, description = "What is known of it; never the key itself.", body = wire::ApiKey),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn get_api_key(
    access: Access<ApiKeysRead>,
    Id(id): Id<ApiKeyId>,
) -> Result<Json<wire::ApiKey>, ApiError> {
    let row = api_keys::get(&access.principal.scope, id).await?.ok_or(ApiError::NotFound)?;
    Ok(Json(show(row)))
}

/// Makes a key. It is the tenant's, not its maker's: it goes on opening when they leave. So a super admin who looks into the tenant makes
/// none.
#[utoipa::path(post, path = "/api/v1/api-keys", tag = "api keys", security(("api_key" = ["api_keys:write"])),
    request_body = wire::CreateApiKey,
    responses(
        (status = 201, description = "The key, shown this once.", body = wire::NewApiKey),
        (status = 409, description = "A super admin looks into the tenant.", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn create_api_key(
    access: Access<ApiKeysWrite>,
    State(app): State<AppState>,
    mut fields: Fields,
) -> Result<(StatusCode, Json<wire::NewApiKey>), ApiError> {
    let now = app.now();
    let name = fields.line("name", MAX_NAME_CHARS);
    let permissions = fields.permissions("permissions");
    let expires_at = fields.optional_count("expires_at", now.0 + 1, LAST_MOMENT).map(Millis);
    fields.done()?;
    let principal = &access.principal;
    // A key sees all departments.
    sees_all(principal)?;
    may_give(principal, &permissions)?;
    belongs_here(principal.actor)?;
    let key = ApiKey::new(&app.random());
    let new = NewApiKey {
        id: ApiKeyId::new(now, &app.random()),
        name: &name,
        key: &key,
        permissions: &permissions,
        created_at: now,
        created_by: principal.actor.user(),
        expires_at,
    };
    let record = Record::of(&app, principal.actor, "api_key.create", Some(new.id.to_string()));
    api_keys::create(&principal.scope, &new, &record.entry()).await?;
    Ok((StatusCode::CREATED, Json(shown_once(&new))))
}

/// Makes a key in the place of another one, with the same permissions. Both open for a while, so that nothing stands still. A super admin
/// who looks into the tenant makes none.
#[utoipa::path(post, path = "/api/v1/api-keys/{id}/rotate", tag = "api keys", security(("api_key" = ["api_keys:write"])),
    params(("id" = String, Path, format = "uuid")), request_body = wire::RotateApiKey,
    responses(
        (status = 201, description = "The new key, shown this once.", body = wire::NewApiKey),
        (status = 409, description = "The key opens nothing any more, or a super admin looks into the tenant.", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn rotate_api_key(
    access: Access<ApiKeysWrite>,
    State(app): State<AppState>,
    Id(id): Id<ApiKeyId>,
    mut fields: Fields,
) -> Result<(StatusCode, Json<wire::NewApiKey>), ApiError> {
    let overlap = fields.optional_count("overlap_seconds", 0, MAX_OVERLAP_SECONDS);
    fields.done()?;
    let principal = &access.principal;
    let old = api_keys::get(&principal.scope, id).await?.ok_or(ApiError::NotFound)?;
    sees_all(principal)?;
    may_give(principal, &old.permissions)?;
    belongs_here(principal.actor)?;
    let now = app.now();
    let overlap_ends = now.plus(Millis::from_secs(overlap.unwrap_or(DEFAULT_OVERLAP_SECONDS)));
    let key = ApiKey::new(&app.random());
    let new = NewApiKey {
        id: ApiKeyId::new(now, &app.random()),
        name: &old.name,
        key: &key,
        permissions: &old.permissions,
        created_at: now,
        created_by: principal.actor.user(),
        expires_at: old.expires_at,
    };
    let record = Record::of(&app, principal.actor, "api_key.rotate", Some(id.to_string()));
    if !api_keys::rotate(&principal.scope, id, overlap_ends, &new, &record.entry()).await? {
        return Err(ApiError::Conflict("This key opens nothing any more. Make a new one."));
    }
    if overlap == Some(0) {
        look_again(&app, principal.scope.tenant()).await;
    }
    Ok((StatusCode::CREATED, Json(shown_once(&new))))
}

/// Takes a key back: its next request is refused.
#[utoipa::path(delete, path = "/api/v1/api-keys/{id}", tag = "api keys", security(("api_key" = ["api_keys:write"])),
    params(("id" = String, Path, format = "uuid")),
    responses(
        (status = 204, description = "It opens nothing any more."),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn revoke_api_key(
    access: Access<ApiKeysWrite>,
    State(app): State<AppState>,
    Id(id): Id<ApiKeyId>,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    let key = api_keys::get(&principal.scope, id).await?.ok_or(ApiError::NotFound)?;
    may_give(principal, &key.permissions)?;
    let record = Record::of(&app, principal.actor, "api_key.revoke", Some(id.to_string()));
    let response = nothing_to_say(principal);
    if api_keys::revoke(&principal.scope, id, &record.entry()).await? {
        look_again(&app, principal.scope.tenant()).await;
        Ok(response)
    } else {
        Err(ApiError::NotFound)
    }
}

/// Whoever looks into a tenant gets no key of it. It would open the tenant when the hour is over, for whoever has seen it, under the
/// tenant's name and with nobody's on it.
///
/// It is refused, and not made to end with the hour: a key is for a program, and one that stops within the hour sets nobody up. Set-up on
/// behalf of a customer has its own ways: `POST /api/v1/tenants` invites whoever makes the keys, and an invitation, which looking in
/// allows, leads to an account with a name that is on the list of users. Keys can be revoked while looking in: that opens nothing.
fn belongs_here(actor: Actor) -> Result<(), ApiError> {
    match actor {
        Actor::Impersonator { .. } => Err(ApiError::Conflict(
            "Whoever looks into a tenant makes no keys of it. Somebody who works for it makes them.",
        )),
        Actor::ApiKey(_) | Actor::User { .. } => Ok(()),
    }
}

fn shown_once(new: &NewApiKey<'_>) -> wire::NewApiKey {
    wire::NewApiKey { id: new.id, api_key: new.key.expose().to_owned(), expires_at: new.expires_at }
}

fn show(row: ApiKeyRow) -> wire::ApiKey {
    wire::ApiKey {
        id: row.id,
        name: row.name,
        prefix: row.prefix,
        permissions: words(&row.permissions),
        created_at: row.created_at,
        created_by: row.created_by,
        expires_at: row.expires_at,
        last_used_at: row.last_used_at,
        revoked_at: row.revoked_at,
    }
}
