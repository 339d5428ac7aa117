//! Messages that callers left.

use axum::Json;
use axum::extract::State;
use voicecore_api_types::{Message, Page, Problem};
use voicecore_store::messages;
use voicecore_store::seal::{Column, Sealer};

use crate::auth::{Access, MessagesRead};
use crate::extract::{PageParams, Params};
use crate::{ApiError, AppState, convert};

/// Messages, newest first.
#[utoipa::path(get, path = "/api/v1/messages", tag = "messages", security(("api_key" = ["messages:read"])),
    params(PageParams),
    responses(
        (status = 200, description = "One page.", body = Page<Message>),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn list_messages(
    access: Access<MessagesRead>,
    State(app): State<AppState>,
    Params(query): Params<PageParams>,
) -> Result<Json<Page<Message>>, ApiError> {
    let page = query.request()?;
    let scope = &access.principal.scope;
    let sealer = app.sealer(scope.tenant(), &access.principal.wrapped_key)?;
    let rows = messages::list(scope, page).await?;
    Ok(Json(Page::from_rows(rows, |row| show(&sealer, row))))
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
    }
}
