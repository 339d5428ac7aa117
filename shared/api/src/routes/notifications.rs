//! What has happened that somebody should know, as whoever is signed in sees it. They are told of what they may see, for 90 days.
//! What they read and put away is theirs alone, so it is not on record.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;
use voicecore_api_types as wire;
use voicecore_api_types::{Page, Problem, UnreadCount};
use voicecore_domain::NotificationKind;
use voicecore_store::Cursor;
use voicecore_store::directory::Principal;
use voicecore_store::notifications::{self as store, Filter, Notification, Recipient};
use voicecore_types::{Millis, NotificationId, PageRequest, UserId};

use super::preferences::member;
use crate::auth::SignedIn;
use crate::extract::{Id, Params, paged, window};
use crate::idempotency::{answer_unkept, nothing_to_say};
use crate::{ApiError, AppState};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListNotifications {
    /// `true`: only those that one has not read.
    unread: Option<bool>,
    /// Only those of this kind.
    kind: Option<wire::NotificationKind>,
    /// Only what happened at this moment or later.
    since: Option<u64>,
    /// Only what happened before this moment.
    until: Option<u64>,
    /// From 1.
    #[param(minimum = 1, maximum = 10_000)]
    page: Option<u32>,
    /// From 1 to 100; 50 when absent.
    #[param(minimum = 1, maximum = 100)]
    page_size: Option<u32>,
    /// In the place of `page`: what `next_cursor` of the page before said, with the same filters.
    cursor: Option<String>,
}

/// What concerns oneself, newest first.
#[utoipa::path(get, path = "/api/v1/notifications", tag = "notifications", security(("session" = [])),
    params(ListNotifications),
    responses(
        (status = 200, description = "One page.", body = Page<wire::Notification>),
        (status = 409, description = "The session works for no tenant now.", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn list_notifications(
    SignedIn(session): SignedIn,
    Params(query): Params<ListNotifications>,
) -> Result<Json<Page<wire::Notification>>, ApiError> {
    let (page, after) = window(query.page, query.page_size, query.cursor.as_deref())?;
    let (user, principal) = member(session)?;
    let filter = Filter {
        unread: query.unread.unwrap_or_default(),
        kind: query.kind.map(stored_kind),
        since: query.since.map(Millis),
        until: query.until.map(Millis),
    };
    let found =
        store::list(&principal.scope, recipient(user, &principal), filter, after.as_ref(), page).await?;
    let place = |row: &Notification| Cursor { key: row.created_at, id: row.id.to_string() };
    Ok(Json(paged(found, place, |notification| show(&notification))))
}

/// How many one has not read.
#[utoipa::path(get, path = "/api/v1/notifications/unread-count", tag = "notifications", security(("session" = [])),
    responses(
        (status = 200, description = "How many.", body = UnreadCount),
        (status = 409, description = "The session works for no tenant now.", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn unread_count(SignedIn(session): SignedIn) -> Result<Json<UnreadCount>, ApiError> {
    let (user, principal) = member(session)?;
    let filter = Filter { unread: true, ..Filter::default() };
    let one = PageRequest { page: 1, page_size: 1 };
    let found = store::list(&principal.scope, recipient(user, &principal), filter, None, one).await?;
    Ok(Json(UnreadCount { unread: found.total, unread_capped: found.total_capped }))
}

/// One has read it. To read it again changes nothing.
#[utoipa::path(patch, path = "/api/v1/notifications/{id}/read", tag = "notifications", security(("session" = [])),
    params(("id" = String, Path, format = "uuid")),
    responses(
        (status = 200, description = "The notification as it is now.", body = wire::Notification),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn read_notification(
    SignedIn(session): SignedIn,
    State(app): State<AppState>,
    Id(id): Id<NotificationId>,
) -> Result<Response, ApiError> {
    let (user, principal) = member(session)?;
    let now = app.now();
    let found = store::get(&principal.scope, recipient(user, &principal), id).await?;
    let mut notification = found.ok_or(ApiError::NotFound)?;
    store::read(&principal.scope, user, id, now).await?;
    notification.read_at = notification.read_at.or(Some(now));
    answer_unkept(StatusCode::OK, &show(&notification), None)
}

/// One has read everything that has happened until now.
#[utoipa::path(patch, path = "/api/v1/notifications/read-all", tag = "notifications", security(("session" = [])),
    responses(
        (status = 204, description = "None is unread."),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn read_all_notifications(
    SignedIn(session): SignedIn,
    State(app): State<AppState>,
) -> Result<Response, ApiError> {
    let (user, principal) = member(session)?;
    store::read_all(&principal.scope, user, app.now()).await?;
    Ok(nothing_to_say(&principal))
}

/// Puts one away: others still see it.
#[utoipa::path(delete, path = "/api/v1/notifications/{id}", tag = "notifications", security(("session" = [])),
    params(("id" = String, Path, format = "uuid")),
    responses(
        (status = 204, description = "One does not see it any more."),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn delete_notification(
    SignedIn(session): SignedIn,
    State(app): State<AppState>,
    Id(id): Id<NotificationId>,
) -> Result<Response, ApiError> {
    let (user, principal) = member(session)?;
    let found = store::get(&principal.scope, recipient(user, &principal), id).await?;
    found.ok_or(ApiError::NotFound)?;
    store::hide(&principal.scope, user, id, app.now()).await?;
    Ok(nothing_to_say(&principal))
}

fn recipient(user: UserId, principal: &Principal) -> Recipient<'_> {
    Recipient { user, permissions: &principal.permissions }
}

const fn stored_kind(kind: wire::NotificationKind) -> NotificationKind {
    match kind {
        wire::NotificationKind::CallEscalated => NotificationKind::CallEscalated,
        wire::NotificationKind::CallFailed => NotificationKind::CallFailed,
        wire::NotificationKind::MessageReceived => NotificationKind::MessageReceived,
        wire::NotificationKind::VoicemailReceived => NotificationKind::VoicemailReceived,
        wire::NotificationKind::InvitationAccepted => NotificationKind::InvitationAccepted,
        wire::NotificationKind::ApiKeyExpiring => NotificationKind::ApiKeyExpiring,
    }
}

const fn shown_kind(kind: NotificationKind) -> wire::NotificationKind {
    match kind {
        NotificationKind::CallEscalated => wire::NotificationKind::CallEscalated,
        NotificationKind::CallFailed => wire::NotificationKind::CallFailed,
        NotificationKind::MessageReceived => wire::NotificationKind::MessageReceived,
        NotificationKind::VoicemailReceived => wire::NotificationKind::VoicemailReceived,
        NotificationKind::InvitationAccepted => wire::NotificationKind::InvitationAccepted,
        NotificationKind::ApiKeyExpiring => wire::NotificationKind::ApiKeyExpiring,
    }
}

fn show(notification: &Notification) -> wire::Notification {
    wire::Notification {
        id: notification.id,
        kind: shown_kind(notification.kind),
        subject_id: notification.subject_id.clone(),
        created_at: notification.created_at,
        read_at: notification.read_at,
    }
}
