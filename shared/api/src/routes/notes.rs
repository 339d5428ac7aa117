//! What people write down about calls.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;
use voicecore_api_types as wire;
use voicecore_api_types::{AuditActor, Page, Problem};
use voicecore_domain::words::words;
use voicecore_store::Cursor;
use voicecore_store::call_notes::{self, Note, NoteFilter};
use voicecore_types::{CallId, NoteId, Page as StoredPage};

use super::calls::{find, search_window, wanted_words};
use super::messages::Sort;
use crate::auth::{Access, CallsRead, CallsWrite, sees_all};
use crate::extract::{Id, Ids, Params, page_request, paged};
use crate::fields::Fields;
use crate::idempotency::{answer, answer_unkept, nothing_to_say};
use crate::record::Record;
use crate::{ApiError, AppState, etag};

/// The longest note.
const MAX_BODY_CHARS: usize = 4_000;
const MAX_CATEGORY_CHARS: usize = 50;
const MAX_TAGS: usize = 20;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListNotes {
    /// Only notes with this tag.
    tag: Option<String>,
    /// Only notes of this category.
    category: Option<String>,
    /// Only notes of this author, by their id.
    author_id: Option<String>,
    /// Only notes with all of these words in them, whole, in any order and case: 1 to 8 different ones.
    q: Option<String>,
    /// From 1.
    #[param(minimum = 1, maximum = 10_000)]
    page: Option<u32>,
    /// From 1 to 100; 50 when absent.
    #[param(minimum = 1, maximum = 100)]
    page_size: Option<u32>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FindNotes {
    /// Only notes about this call.
    #[param(value_type = Option<String>, format = "uuid")]
    call_id: Option<CallId>,
    /// Only notes with this tag.
    tag: Option<String>,
    /// Only notes of this category.
    category: Option<String>,
    /// Only notes of this author, by their id.
    author_id: Option<String>,
    /// Only notes with all of these words in them, whole, in any order and case: 1 to 8 different ones.
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

/// The notes of all calls that the asker sees.
#[utoipa::path(get, path = "/api/v1/notes", tag = "notes", security(("api_key" = ["calls:read"])), params(FindNotes),
    responses(
        (status = 200, description = "One page.", body = Page<wire::Note>),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn find_notes(
    access: Access<CallsRead>,
    Params(query): Params<FindNotes>,
) -> Result<Json<Page<wire::Note>>, ApiError> {
    let (page, after, words) =
        search_window(query.page, query.page_size, query.cursor.as_deref(), query.q.as_deref())?;
    let filter = NoteFilter {
        call_id: query.call_id,
        author_id: query.author_id.as_deref(),
        category: query.category.as_deref(),
        tag: query.tag.as_deref(),
        words: &words,
        oldest_first: query.sort == Some(Sort::Oldest),
    };
    let rows = call_notes::find(&access.principal.scope, &filter, after.as_ref(), page).await?;
    let place = |note: &Note| Cursor { key: note.created_at, id: note.id.to_string() };
    Ok(Json(paged(rows, place, |note| show(&note))))
}

/// The notes of a call, newest first.
#[utoipa::path(get, path = "/api/v1/calls/{id}/notes", tag = "notes", security(("api_key" = ["calls:read"])),
    params(("id" = String, Path, format = "uuid"), ListNotes),
    responses(
        (status = 200, description = "One page.", body = Page<wire::Note>),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn list_notes(
    access: Access<CallsRead>,
    Id(call): Id<CallId>,
    Params(query): Params<ListNotes>,
) -> Result<Json<Page<wire::Note>>, ApiError> {
    let page = page_request(query.page, query.page_size)?;
    let wanted = wanted_words(query.q.as_deref())?;
    find(&access.principal, call).await?;
    let mut notes = call_notes::list(&access.principal.scope, call).await?;
    notes.retain(|note| {
        query.tag.as_ref().is_none_or(|tag| note.tags.contains(tag))
            && query.category.as_ref().is_none_or(|category| note.category.as_ref() == Some(category))
            && query.author_id.as_ref().is_none_or(|author| note.author_id == *author)
            && (wanted.is_empty() || {
                let there = words(&note.body);
                wanted.iter().all(|word| there.binary_search(word).is_ok())
            })
    });
    Ok(Json(Page::from_rows(StoredPage::of_all(notes, page), |note| show(&note))))
}

/// One note. `ETag` is its version.
#[utoipa::path(get, path = "/api/v1/calls/{id}/notes/{note_id}", tag = "notes", security(("api_key" = ["calls:read"])),
    params(("id" = String, Path, format = "uuid"), ("note_id" = String, Path, format = "uuid")),
    responses(
        (status = 200, description = "The note.", body = wire::Note),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn get_note(
    access: Access<CallsRead>,
    Ids(call, id): Ids<CallId, NoteId>,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    find(principal, call).await?;
    let note = call_notes::get(&principal.scope, call, id).await?.ok_or(ApiError::NotFound)?;
    answer_unkept(StatusCode::OK, &show(&note), Some(note.version))
}

/// Writes a note. A call has at most 100.
#[utoipa::path(post, path = "/api/v1/calls/{id}/notes", tag = "notes", security(("api_key" = ["calls:write"])),
    params(("id" = String, Path, format = "uuid")), request_body = wire::SaveNote,
    responses(
        (status = 201, description = "The note.", body = wire::Note),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn create_note(
    access: Access<CallsWrite>,
    State(app): State<AppState>,
    Id(call_id): Id<CallId>,
    fields: Fields,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    let (body, category, tags) = wanted(fields)?;
    find(principal, call_id).await?;
    let now = app.now();
    let id = NoteId::new(now, &app.random());
    let (author_kind, author_id) = (principal.actor.kind().to_owned(), principal.actor.id());
    let note = Note {
        id,
        call_id,
        author_kind,
        author_id,
        body,
        category,
        tags,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let record = Record::of(&app, principal.actor, "note.create", Some(id.to_string()));
    let response = answer(principal, StatusCode::CREATED, &show(&note), Some(note.version))?;
    if call_notes::create(&principal.scope, &note, &record.entry()).await? {
        return Ok(response);
    }
    Err(ApiError::Conflict("The call has as many notes as it may have."))
}

/// Changes a note. With `If-Match`, only if it still is that version. A note shows who wrote it: its text is changed by them, and by
/// those with `departments:all`, whom the audit log names; whoever else may change it, changes its category and tags.
#[utoipa::path(put, path = "/api/v1/calls/{id}/notes/{note_id}", tag = "notes", security(("api_key" = ["calls:write"])),
    params(("id" = String, Path, format = "uuid"), ("note_id" = String, Path, format = "uuid"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of what was read.")),
    request_body = wire::SaveNote,
    responses(
        (status = 200, description = "The note as it is now.", body = wire::Note),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn update_note(
    access: Access<CallsWrite>,
    State(app): State<AppState>,
    Ids(call, id): Ids<CallId, NoteId>,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    let (body, category, tags) = wanted(fields)?;
    find(principal, call).await?;
    let before = call_notes::get(&principal.scope, call, id).await?.ok_or(ApiError::NotFound)?;
    if body != before.body && principal.actor.id() != before.author_id {
        sees_all(principal)?;
    }
    etag::check(&headers, before.version)?;
    let version = before.version + 1;
    let note = Note { body, category, tags, version, updated_at: app.now(), ..before };
    let record = Record::of(&app, principal.actor, "note.update", Some(id.to_string()));
    let response = answer(principal, StatusCode::OK, &show(&note), Some(version))?;
    if call_notes::update(&principal.scope, &note, &record.entry()).await? {
        return Ok(response);
    }
    // Somebody else was faster than between our reading and our writing.
    Err(etag::outrun(&headers, "The note was changed at the same moment. Try again."))
}

/// Deletes a note. With `If-Match`, only if it still is that version.
#[utoipa::path(delete, path = "/api/v1/calls/{id}/notes/{note_id}", tag = "notes", security(("api_key" = ["calls:write"])),
    params(("id" = String, Path, format = "uuid"), ("note_id" = String, Path, format = "uuid"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of what was read.")),
    responses(
        (status = 204, description = "It is gone."),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn delete_note(
    access: Access<CallsWrite>,
    State(app): State<AppState>,
    Ids(call, id): Ids<CallId, NoteId>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    find(principal, call).await?;
    let note = call_notes::get(&principal.scope, call, id).await?.ok_or(ApiError::NotFound)?;
    etag::check(&headers, note.version)?;
    let meant = etag::is_asked(&headers).then_some(note.version);
    let record = Record::of(&app, principal.actor, "note.delete", Some(id.to_string()));
    let response = nothing_to_say(principal);
    if call_notes::delete(&principal.scope, &note, meant, &record.entry()).await? {
        return Ok(response);
    }
    // Somebody else was faster than between our reading and our writing.
    Err(if meant.is_some() { ApiError::PreconditionFailed } else { ApiError::NotFound })
}

fn wanted(mut fields: Fields) -> Result<(String, Option<String>, Vec<String>), ApiError> {
    let body = fields.text("body", MAX_BODY_CHARS);
    let category = fields.optional_line("category", MAX_CATEGORY_CHARS);
    let tags = fields.tags("tags", MAX_TAGS);
    fields.done()?;
    Ok((body, category, tags))
}

fn show(note: &Note) -> wire::Note {
    wire::Note {
        id: note.id,
        call_id: note.call_id,
        author: AuditActor { kind: note.author_kind.clone(), id: Some(note.author_id.clone()) },
        body: note.body.clone(),
        category: note.category.clone(),
        tags: note.tags.clone(),
        version: note.version,
        created_at: note.created_at,
        updated_at: note.updated_at,
    }
}
