//! Where somebody is signed in, and who they are there.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use voicecore_api_types as wire;
use voicecore_api_types::Problem;
use voicecore_domain::Permissions;
use voicecore_store::StoreError;
use voicecore_store::directory::sessions::{self, SessionKind};
use voicecore_types::SessionId;

use super::auth::on_record;
use crate::auth::SignedIn;
use crate::extract::Id;
use crate::live::watchers::look_again_everywhere;
use crate::{ApiError, AppState};

/// Who is signed in, and what they may do.
#[utoipa::path(get, path = "/api/v1/me", tag = "auth", security(("session" = [])),
    responses(
        (status = 200, description = "The user.", body = wire::Me),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn me(
    SignedIn(session): SignedIn,
    State(app): State<AppState>,
) -> Result<Json<wire::Me>, ApiError> {
    let memberships = sessions::memberships(&*app.ports.db, session.user_id).await?;
    let mut permissions: Vec<String> = Vec::new();
    if let Some(principal) = &session.principal {
        permissions.extend(principal.permissions.iter().map(|permission| permission.as_str().to_owned()));
    }
    if session.super_admin && session.kind == SessionKind::Login {
        permissions
            .extend(Permissions::of_platform().iter().map(|permission| permission.as_str().to_owned()));
    }
    Ok(Json(wire::Me {
        user_id: session.user_id,
        email: session.email,
        name: session.name,
        session_id: session.id,
        super_admin: session.super_admin,
        impersonating: session.kind == SessionKind::Impersonation,
        tenant_id: session.tenant_id,
        role: session.role,
        permissions,
        memberships: memberships
            .into_iter()
            .map(|row| wire::Membership {
                tenant_id: row.tenant_id,
                tenant_name: row.tenant_name,
                role: row.role,
            })
            .collect(),
    }))
}

/// Where the user is signed in.
#[utoipa::path(get, path = "/api/v1/sessions", tag = "auth", security(("session" = [])),
    responses(
        (status = 200, description = "All of their sessions.", body = wire::Sessions),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn list_sessions(
    SignedIn(session): SignedIn,
    State(app): State<AppState>,
) -> Result<Json<wire::Sessions>, ApiError> {
    let rows = sessions::list(&*app.ports.db, session.user_id, app.now()).await?;
    let items = rows
        .into_iter()
        .map(|row| wire::Session {
            id: row.id,
            current: row.id == session.id,
            impersonating: row.kind == SessionKind::Impersonation.as_str(),
            tenant_id: row.tenant_id,
            label: row.label,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            expires_at: row.expires_at,
        })
        .collect();
    Ok(Json(wire::Sessions { items }))
}

/// Ends one of the user's sessions. Its next request is refused.
#[utoipa::path(delete, path = "/api/v1/sessions/{id}", tag = "auth", security(("session" = [])),
    params(("id" = String, Path, format = "uuid")),
    responses(
        (status = 204, description = "It is over."),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn revoke_session(
    SignedIn(session): SignedIn,
    State(app): State<AppState>,
    Id(id): Id<SessionId>,
) -> Result<StatusCode, ApiError> {
    let mut stmts = vec![sessions::revoke(id, session.user_id, app.now()).exactly(1)];
    stmts.extend(on_record(&app, session.user_id, session.tenant_id, "session.revoke", id));
    match app.ports.db.batch(stmts).await {
        Ok(_) => {
            look_again_everywhere(&app, session.user_id).await;
            Ok(StatusCode::NO_CONTENT)
        }
        Err(voicecore_ports::DbError::Unexpected { .. }) => Err(ApiError::NotFound),
        Err(error) => Err(StoreError::from(error).into()),
    }
}

/// Ends all sessions of the user but this one.
#[utoipa::path(delete, path = "/api/v1/sessions", tag = "auth", security(("session" = [])),
    responses(
        (status = 204, description = "They are over."),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn revoke_other_sessions(
    SignedIn(session): SignedIn,
    State(app): State<AppState>,
) -> Result<StatusCode, ApiError> {
    let mut stmts = vec![sessions::revoke_others(session.id, session.user_id, app.now())];
    stmts.extend(on_record(&app, session.user_id, session.tenant_id, "session.revoke_others", session.id));
    app.ports.db.batch(stmts).await.map_err(StoreError::from)?;
    look_again_everywhere(&app, session.user_id).await;
    Ok(StatusCode::NO_CONTENT)
}
