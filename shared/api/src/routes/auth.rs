//! Signing in and out, and what is mailed for it. A session lives in the database; a browser keeps two cookies (`cookies`).

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use voicecore_api_types as wire;
use voicecore_api_types::Problem;
use voicecore_domain::credentials::SESSION_LIFETIME;
use voicecore_domain::throttle::Wait;
use voicecore_domain::{InvitationToken, PasswordResetToken, RefreshToken};
use voicecore_ports::DbError;
use voicecore_store::audit_log::AuditEntry;
use voicecore_store::directory::accounts::{self, Acceptance};
use voicecore_store::directory::sessions::{self, NewSession, Refreshed, SessionKind};
use voicecore_types::{AuditEntryId, Millis, SessionId, TenantId, UserId};

use crate::auth::SignedIn;
use crate::fields::Fields;
use crate::jobs::{self, Job};
use crate::live::watchers::{look_again, look_again_everywhere};
use crate::mails::MailPasswordReset;
use crate::{ApiError, AppState, cookies, password, token};

/// The most characters of what a browser calls itself that are kept.
const MAX_LABEL_CHARS: usize = 120;
/// The most characters of a person's name.
pub(crate) const MAX_NAME_CHARS: usize = 200;
/// What a try waits for that came at the same moment as another one.
const CONTENDED: Millis = Millis::from_secs(1);
const TOKEN_RULE: &str = "must be the token of a mail";
const ID_RULE: &str = "must be an id";

/// Signs in. Too many wrong passwords make the next try wait (429, `Retry-After`), longer each time; a device on which the user
/// has signed in before is counted by itself.
#[utoipa::path(post, path = "/api/v1/auth/login", tag = "auth", security(()), request_body = wire::Login,
    responses(
        (status = 200, description = "Signed in. Cookies keep it so.", body = wire::SignedIn),
        (status = 401, description = "The address or the password is wrong.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "There were too many tries, or requests: `Retry-After` says how long to wait.", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn login(
    State(app): State<AppState>,
    headers: HeaderMap,
    mut fields: Fields,
) -> Result<Response, ApiError> {
    let email = fields.email("email");
    let entered = fields.entered_password("password");
    let tenant: Option<TenantId> = fields.optional("tenant_id", ID_RULE);
    fields.done()?;
    let secret = app.config.keys.jwt_secret.get()?;
    let (throttle, known) = cookies::throttle_key(secret, &headers, &email);
    begin_try(&app, &throttle, known).await?;
    let account = accounts::account(&*app.ports.db, &email).await?;
    let stored = account.as_ref().and_then(|account| account.password_hash.as_deref());
    if !password::verify(&entered, stored)? {
        return Err(ApiError::LoginRefused);
    }
    let Some(account) = account else { return Err(ApiError::LoginRefused) };
    let tenant = choose_tenant(&app, account.user_id, tenant).await?;
    let (session, refresh) = begin_session(&app, &headers, account.user_id, tenant, &throttle).await?;
    let mut response = Json(signed_in(&app, session, token::ACCESS_LIFETIME)?).into_response();
    response.headers_mut().append(header::SET_COOKIE, cookies::keep(&app, &refresh)?);
    response.headers_mut().append(header::SET_COOKIE, cookies::remember(&app, &headers, &email)?);
    Ok(response)
}

/// Counts a try, before it is known how it ends: any number at the same moment count.
async fn begin_try(app: &AppState, key: &str, known_device: bool) -> Result<(), ApiError> {
    let before = accounts::throttle(&*app.ports.db, key).await?;
    let after =
        before.attempt(app.now(), known_device).map_err(|Wait(wait)| ApiError::TooManyAttempts(wait))?;
    if accounts::note_try(&*app.ports.db, key, before, after).await? {
        Ok(())
    } else {
        Err(ApiError::TooManyAttempts(CONTENDED))
    }
}

/// The tenant that is wanted, or the first one; a super admin may work for none.
async fn choose_tenant(
    app: &AppState,
    user: UserId,
    wanted: Option<TenantId>,
) -> Result<Option<TenantId>, ApiError> {
    let memberships = sessions::memberships(&*app.ports.db, user).await?;
    match wanted {
        Some(wanted) if memberships.iter().any(|membership| membership.tenant_id == wanted) => {
            Ok(Some(wanted))
        }
        Some(_) => Err(ApiError::invalid("tenant_id", "is not one of your tenants")),
        None => Ok(memberships.first().map(|membership| membership.tenant_id)),
    }
}

async fn begin_session(
    app: &AppState,
    headers: &HeaderMap,
    user: UserId,
    tenant: Option<TenantId>,
    throttle: &str,
) -> Result<(SessionId, RefreshToken), ApiError> {
    let now = app.now();
    let id = SessionId::new(now, &app.random());
    let refresh = cookies::signed_token(app.config.keys.jwt_secret.get()?, id, &app.random());
    let session = NewSession {
        id,
        user_id: user,
        tenant_id: tenant,
        kind: SessionKind::Login,
        refresh: Some(&refresh),
        label: &label(headers),
        now,
        expires_at: now.plus(SESSION_LIFETIME),
    };
    let mut stmts =
        vec![sessions::begin(&session), accounts::signed_in(user, now), accounts::clear_throttle(throttle)];
    stmts.extend(tenant.map(|tenant| accounts::works_for(user, tenant, now)));
    stmts.extend(on_record(app, user, tenant, "session.create", id));
    app.ports.db.batch(stmts).await.map_err(voicecore_store::StoreError::from)?;
    Ok((id, refresh))
}

/// What a user does about their sessions is on the record of the tenant that the session works in; where it works in none, of a
/// tenant of theirs, and where there is none, of the installation.
pub(crate) fn on_record(
    app: &AppState,
    user: UserId,
    tenant: Option<TenantId>,
    action: &'static str,
    session: SessionId,
) -> Vec<voicecore_ports::Stmt> {
    let now = app.now();
    let id = AuditEntryId::new(now, &app.random());
    let (actor, subject) = (user.to_string(), session.to_string());
    match tenant {
        Some(tenant) => {
            let entry = AuditEntry {
                id,
                at: now,
                actor_kind: "user",
                actor_id: Some(&actor),
                action,
                subject_id: Some(&subject),
            };
            vec![accounts::log_in(&app.ports.db, tenant, &entry)]
        }
        None => accounts::log(id, user, action, now).into(),
    }
}

/// What the browser calls itself, for the list of sessions.
pub(crate) fn label(headers: &HeaderMap) -> String {
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    agent.chars().filter(|c| !c.is_control()).take(MAX_LABEL_CHARS).collect()
}

/// What opens the API as this session, for so long.
pub(crate) fn signed_in(
    app: &AppState,
    session: SessionId,
    lifetime: Millis,
) -> Result<wire::SignedIn, ApiError> {
    let secret = app.config.keys.jwt_secret.get()?;
    Ok(wire::SignedIn {
        access_token: token::issue(secret, session, app.now(), lifetime),
        token_type: "Bearer".to_owned(),
        expires_in: lifetime.0 / 1_000,
        session_id: session,
    })
}

/// A new access token for the cookie, which is replaced. A cookie that was replaced more than ten seconds ago ends the
/// session: it may have been stolen.
#[utoipa::path(post, path = "/api/v1/auth/refresh", tag = "auth", security(()),
    responses(
        (status = 200, description = "Signed in, still.", body = wire::SignedIn),
        (status = 401, description = "There is no cookie, or its session is over.", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn refresh(State(app): State<AppState>, headers: HeaderMap) -> Result<Response, ApiError> {
    let secret = app.config.keys.jwt_secret.get()?;
    let token = cookies::refresh_token(secret, &headers).ok_or(ApiError::Unauthenticated(None))?;
    let next = cookies::successor(secret, &token);
    match sessions::refresh(&*app.ports.db, &token, &next, app.now()).await? {
        Refreshed::Rotated | Refreshed::Again => {
            let mut response =
                Json(signed_in(&app, token.session(), token::ACCESS_LIFETIME)?).into_response();
            response.headers_mut().append(header::SET_COOKIE, cookies::keep(&app, &next)?);
            Ok(response)
        }
        refused @ (Refreshed::Reused { .. } | Refreshed::Unknown) => {
            // One that this system has made: whoever knows a session's name cannot end it by a cookie of their own.
            // A stolen cookie is not answered any later for the sake of a live stream: its hub finds out by itself.
            if let Refreshed::Reused { user_id, tenant_id } = refused {
                end_stolen(&app, token.session(), user_id, tenant_id).await?;
            }
            let mut response = ApiError::Unauthenticated(None).into_response();
            response.headers_mut().append(header::SET_COOKIE, cookies::forget(&app)?);
            Ok(response)
        }
    }
}

/// Ends a session whose cookie may have been stolen, on the record of the tenant that it works in: other tenants of its user are not told
/// where else they are signed in. Once, however often the cookie is shown.
async fn end_stolen(
    app: &AppState,
    session: SessionId,
    user: UserId,
    tenant: Option<TenantId>,
) -> Result<(), ApiError> {
    let mut stmts = vec![sessions::revoke(session, user, app.now()).exactly(1)];
    stmts.extend(on_record(app, user, tenant, "session.reuse", session));
    match app.ports.db.batch(stmts).await {
        // Somebody else has ended it at this moment.
        Ok(_) | Err(DbError::Unexpected { .. }) => Ok(()),
        Err(error) => Err(voicecore_store::StoreError::from(error).into()),
    }
}

/// Ends the session. Its access tokens open nothing from now on.
#[utoipa::path(post, path = "/api/v1/auth/logout", tag = "auth", security(("session" = [])),
    responses(
        (status = 204, description = "Signed out."),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn logout(
    SignedIn(session): SignedIn,
    State(app): State<AppState>,
) -> Result<Response, ApiError> {
    let mut stmts = vec![sessions::revoke(session.id, session.user_id, app.now())];
    stmts.extend(on_record(&app, session.user_id, session.tenant_id, "session.revoke", session.id));
    app.ports.db.batch(stmts).await.map_err(voicecore_store::StoreError::from)?;
    if let Some(tenant) = session.tenant_id {
        look_again(&app, tenant).await;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    // Whoever looked into a tenant has the cookie of their own session, which goes on.
    if session.kind == SessionKind::Login {
        response.headers_mut().append(header::SET_COOKIE, cookies::forget(&app)?);
    }
    Ok(response)
}

/// Lets the session work in another tenant of its user, from the next request on.
#[utoipa::path(post, path = "/api/v1/auth/tenant", tag = "auth", security(("session" = [])),
    request_body = wire::SwitchTenant,
    responses(
        (status = 204, description = "The session works there now."),
        (status = 404, description = "One does not belong to such a tenant.", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn switch_tenant(
    SignedIn(session): SignedIn,
    State(app): State<AppState>,
    mut fields: Fields,
) -> Result<StatusCode, ApiError> {
    let tenant: Option<TenantId> = fields.parsed("tenant_id", ID_RULE);
    fields.done()?;
    let tenant = tenant.ok_or(ApiError::NotFound)?;
    if sessions::switch(&*app.ports.db, session.id, session.user_id, tenant).await? {
        let mut stmts = on_record(&app, session.user_id, Some(tenant), "session.switch", session.id);
        stmts.push(accounts::works_for(session.user_id, tenant, app.now()));
        app.ports.db.batch(stmts).await.map_err(voicecore_store::StoreError::from)?;
        if let Some(left) = session.tenant_id.filter(|left| *left != tenant) {
            look_again(&app, left).await;
        }
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::NotFound)
    }
}

/// Mails a link by which a new password can be chosen, if somebody has this address. Nobody is told whether somebody has.
#[utoipa::path(post, path = "/api/v1/auth/forgot-password", tag = "auth", security(()),
    request_body = wire::ForgotPassword,
    responses(
        (status = 202, description = "If there is such a user, a mail is on its way."),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn forgot_password(
    State(app): State<AppState>,
    mut fields: Fields,
) -> Result<StatusCode, ApiError> {
    let email = fields.email("email");
    fields.done()?;
    crate::email::HttpEmail::new(&app)?;
    let secret = app.config.keys.jwt_secret.get()?;
    // Mailboxes are not to be filled: such a wish is throttled like a try to sign in, apart from those.
    let (throttle, _) = cookies::throttle_key(secret, &HeaderMap::new(), &format!("reset:{email}"));
    match begin_try(&app, &throttle, false).await {
        Ok(()) => jobs::enqueue(&app, &Job::MailPasswordReset(MailPasswordReset { email })).await?,
        Err(ApiError::TooManyAttempts(_)) => {}
        Err(error) => return Err(error),
    }
    Ok(StatusCode::ACCEPTED)
}

/// Chooses a new password. Every session of the user ends; this device counts as one on which they have signed in.
#[utoipa::path(post, path = "/api/v1/auth/reset-password", tag = "auth", security(()),
    request_body = wire::ResetPassword,
    responses(
        (status = 204, description = "Sign in with it now."),
        (status = 403, description = "The token is unknown, used or expired.", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn reset_password(
    State(app): State<AppState>,
    headers: HeaderMap,
    mut fields: Fields,
) -> Result<Response, ApiError> {
    let token: Option<PasswordResetToken> = fields.parsed("token", TOKEN_RULE);
    let chosen = fields.password("password");
    fields.done()?;
    let token = token.ok_or(ApiError::TokenInvalid)?;
    let email = choose_password(&app, &token, &chosen).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().append(header::SET_COOKIE, cookies::remember(&app, &headers, &email)?);
    Ok(response)
}

/// Does so; gives the user's address.
pub(crate) async fn choose_password(
    app: &AppState,
    token: &PasswordResetToken,
    chosen: &str,
) -> Result<String, ApiError> {
    let db = &*app.ports.db;
    let now = app.now();
    // Strangers cost no hash.
    let (user, email) = accounts::password_reset(db, token, now).await?.ok_or(ApiError::TokenInvalid)?;
    let hash = password::hash(chosen, &app.random())?;
    let entry = AuditEntryId::new(now, &app.random());
    if accounts::reset_password(db, token, user, &hash, entry, now).await? {
        look_again_everywhere(app, user).await;
        Ok(email)
    } else {
        Err(ApiError::TokenInvalid)
    }
}

/// Accepts an invitation: whoever has no password yet chooses one.
#[utoipa::path(post, path = "/api/v1/auth/accept-invitation", tag = "auth", security(()),
    request_body = wire::AcceptInvitation,
    responses(
        (status = 200, description = "Sign in now.", body = wire::Accepted),
        (status = 403, description = "The token is unknown, used or expired.", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn accept_invitation(
    State(app): State<AppState>,
    mut fields: Fields,
) -> Result<Json<wire::Accepted>, ApiError> {
    let token: Option<InvitationToken> = fields.parsed("token", TOKEN_RULE);
    let name = fields.optional_line("name", MAX_NAME_CHARS);
    let chosen = fields.optional_password("password");
    fields.done()?;
    let token = token.ok_or(ApiError::TokenInvalid)?;
    accept(&app, &token, name.as_deref(), chosen.as_deref()).await.map(Json)
}

/// Does so.
pub(crate) async fn accept(
    app: &AppState,
    token: &InvitationToken,
    name: Option<&str>,
    chosen: Option<&str>,
) -> Result<wire::Accepted, ApiError> {
    let db = &*app.ports.db;
    let now = app.now();
    let invitation = accounts::invitation(db, token, now).await?.ok_or(ApiError::TokenInvalid)?;
    let password_hash = match (invitation.has_password, chosen) {
        (true, _) => None,
        (false, Some(chosen)) => Some(password::hash(chosen, &app.random())?),
        (false, None) => return Err(ApiError::invalid("password", "is a missing field")),
    };
    let by = Acceptance {
        token,
        user_id: UserId::new(now, &app.random()),
        name,
        password_hash: password_hash.as_deref(),
        now,
        audit_entry_id: AuditEntryId::new(now, &app.random()),
    };
    if !accounts::accept(db, &invitation, &by).await? {
        return Err(ApiError::TokenInvalid);
    }
    Ok(wire::Accepted {
        email: invitation.email,
        tenant_id: invitation.tenant_id,
        tenant_name: invitation.tenant_name,
    })
}
