//! Messages that callers left, and who deals with them.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use voicecore_api_types::{ChangeMessage, Message, Page, Problem};
use voicecore_store::messages::{self, MessageFilter};
use voicecore_store::seal::{Column, Sealer};
use voicecore_store::{Cursor, users};
use voicecore_types::{DepartmentId, MessageId, Millis, UserId};

use super::calls::search_window;
use crate::auth::{Access, MessagesRead, MessagesWrite, sees_all};
use crate::extract::{Id, Params, paged};
use crate::fields::Fields;
use crate::idempotency::{answer_unkept, nothing_to_say};
use crate::record::Record;
use crate::{ApiError, AppState, convert, etag};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListMessages {
    /// Only messages of this department itself.
    #[param(value_type = Option<String>, format = "uuid")]
    department_id: Option<DepartmentId>,
    /// `true`: only messages that have been dealt with; `false`: only those that have not.
    handled: Option<bool>,
    /// Only messages that are this user's task.
    #[param(value_type = Option<String>, format = "uuid")]
    assignee_id: Option<UserId>,
    /// Only messages that were left at this moment or later.
    since: Option<u64>,
    /// Only messages that were left before this moment.
    until: Option<u64>,
    /// Only messages with all of these words in them, whole, in any order and case: 1 to 8 different ones.
    q: Option<String>,
    /// `newest` (the default) or `oldest` first.
    #[param(inline)]
    sort: Option<Sort>,
    /// From 1.
    #[param(minimum = 1, maximum = 10_000)]
    page: Option<u32>,
    /// From 1 to 100; 50 when absent.
    #[param(minimum = 1, maximum = 100)]
    page_size: Option<u32>,
    /// In the place of `page`: what `next_cursor` of the page before said, with the same filters and order.
    cursor: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Sort {
    Newest,
    Oldest,
}

/// Messages.
#[utoipa::path(get, path = "/api/v1/messages", tag = "messages", security(("api_key" = ["messages:read"])),
    params(ListMessages),
    responses(
        (status = 200, description = "One page.", body = Page<Message>),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn list_messages(
    access: Access<MessagesRead>,
    State(app): State<AppState>,
    Params(query): Params<ListMessages>,
) -> Result<Json<Page<Message>>, ApiError> {
    let (page, after, words) =
        search_window(query.page, query.page_size, query.cursor.as_deref(), query.q.as_deref())?;
    let filter = MessageFilter {
        department_id: query.department_id,
        handled: query.handled,
        assignee_id: query.assignee_id,
        since: query.since.map(Millis),
        until: query.until.map(Millis),
        words,
        oldest_first: query.sort == Some(Sort::Oldest),
    };
    let scope = &access.principal.scope;
    let sealer = app.sealer(scope.tenant(), &access.principal.wrapped_key)?;
    let rows = messages::list(scope, &filter, after.as_ref(), page).await?;
    let place = |row: &messages::Message| Cursor { key: row.created_at, id: row.id.to_string() };
    Ok(Json(paged(rows, place, |row| show(&sealer, row))))
}

/// One message. `ETag` is its version.
#[utoipa::path(get, path = "/api/v1/messages/{id}", tag = "messages", security(("api_key" = ["messages:read"])),
    params(("id" = String, Path, format = "uuid")),
    responses(
        (status = 200, description = "The message.", body = Message),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn get_message(
    access: Access<MessagesRead>,
    State(app): State<AppState>,
    Id(id): Id<MessageId>,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    let message = messages::get(&principal.scope, id).await?.ok_or(ApiError::NotFound)?;
    shown(&app.sealer(principal.scope.tenant(), &principal.wrapped_key)?, message)
}

/// Says whose task a message is, and that it is done. With `If-Match`, only if it still is that version.
#[utoipa::path(patch, path = "/api/v1/messages/{id}", tag = "messages", security(("api_key" = ["messages:write"])),
    params(("id" = String, Path, format = "uuid"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of what was read.")),
    request_body = ChangeMessage,
    responses(
        (status = 200, description = "The message as it is now.", body = Message),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn update_message(
    access: Access<MessagesWrite>,
    State(app): State<AppState>,
    Id(id): Id<MessageId>,
    headers: HeaderMap,
    mut fields: Fields,
) -> Result<Response, ApiError> {
    let Access { principal, .. } = &access;
    let scope = &principal.scope;
    let handled = fields.optional_bool("handled");
    let is_given = fields.has("assignee_id");
    let assignee = fields.optional("assignee_id", NO_USER);
    fields.done()?;
    let mut message = messages::get(scope, id).await?.ok_or(ApiError::NotFound)?;
    etag::check(&headers, message.version)?;
    if let Some(user) = assignee
        && users::get(scope, user).await?.is_none()
    {
        return Err(ApiError::invalid("assignee_id", NO_USER));
    }
    if is_given {
        message.assignee_id = assignee;
    }
    if let Some(handled) = handled {
        message.handled_at = handled.then(|| message.handled_at.unwrap_or(app.now()));
    }
    message.version += 1;
    let record = Record::of(&app, principal.actor, "message.update", Some(id.to_string()));
    if !messages::update(scope, &message, &record.entry()).await? {
        return Err(etag::outrun(&headers, OUTRUN));
    }
    shown(&app.sealer(scope.tenant(), &principal.wrapped_key)?, message)
}

/// Deletes a message, for those who see all departments (`departments:all`). With `If-Match`, only if it still is that version.
#[utoipa::path(delete, path = "/api/v1/messages/{id}", tag = "messages", security(("api_key" = ["messages:write"])),
    params(("id" = String, Path, format = "uuid"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of what was read.")),
    responses(
        (status = 204, description = "It is gone."),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn delete_message(
    access: Access<MessagesWrite>,
    State(app): State<AppState>,
    Id(id): Id<MessageId>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    let message = messages::get(&principal.scope, id).await?.ok_or(ApiError::NotFound)?;
    sees_all(principal)?;
    etag::check(&headers, message.version)?;
    let record = Record::of(&app, principal.actor, "message.delete", Some(id.to_string()));
    let response = nothing_to_say(principal);
    if messages::delete(&principal.scope, &message, &record.entry()).await? {
        return Ok(response);
    }
    Err(etag::outrun(&headers, OUTRUN))
}

const NO_USER: &str = "must be the id of a user of the tenant";
const OUTRUN: &str = "The message was changed at the same moment. Try again.";

/// It shows a telephone number, so it is not kept.
fn shown(sealer: &Sealer, message: messages::Message) -> Result<Response, ApiError> {
    let version = message.version;
    answer_unkept(StatusCode::OK, &show(sealer, message), Some(version))
}

/// A number that does not open is left out: the rest of the message is still worth reading.
fn show(sealer: &Sealer, row: messages::Message) -> Message {
    let number = row.callback_number.and_then(|sealed| sealer.open(Column::CallbackNumber, &sealed).ok());
    Message {
        id: row.id,
        call_id: row.call_id,
        kind: convert::message_kind(row.kind),
        caller_name: row.caller_name,
        callback_number: number,
        text: row.body,
        recording_id: row.recording_id,
        recording_ms: row.recording_length.map(|length| length.0),
        created_at: row.created_at,
        department_id: row.department_id,
        handled_at: row.handled_at,
        assignee_id: row.assignee_id,
        version: row.version,
    }
}
