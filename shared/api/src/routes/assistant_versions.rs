//! What was published of an assistant. The last version is what the next call uses.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use voicecore_api_types as wire;
use voicecore_api_types::{AuditActor, Page, Problem};
use voicecore_store::assistants::{self as store, Assistant, MAX_VERSIONS, Publication};
use voicecore_types::{AssistantId, Page as StoredPage};

use super::assistants::{changed, show, show_settings};
use crate::auth::{Access, ConfigRead, ConfigWrite, sees_all};
use crate::extract::{Id, Ids, PageParams, Params};
use crate::idempotency::answer;
use crate::record::Record;
use crate::{ApiError, AppState, etag};

/// Publishes the draft: it is what the next call of every business that names the assistant uses, and it is kept as a version that
/// nothing changes. Calls on the line go on as they began. `If-Match` has to name the version that it is meant for.
#[utoipa::path(post, path = "/api/v1/assistants/{id}/publish", tag = "assistants", security(("api_key" = ["config:write"])),
    params(("id" = String, Path, format = "uuid"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of what was read. Needed.")),
    responses(
        (status = 200, description = "The assistant as it is now.", body = wire::Assistant),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn publish_assistant(
    access: Access<ConfigWrite>,
    State(app): State<AppState>,
    Id(id): Id<AssistantId>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    sees_all(principal)?;
    let before = store::get(&principal.scope, id).await?.ok_or(ApiError::NotFound)?;
    etag::demand(&headers, before.version)?;
    let number = before.published_version.unwrap_or(0) + 1;
    if number > MAX_VERSIONS.into() {
        return Err(ApiError::Conflict("There are as many versions as an assistant may have."));
    }
    let record = Record::of(&app, principal.actor, "assistant.publish", Some(id.to_string()));
    let entry = record.entry();
    let assistant = Assistant {
        published_version: Some(number),
        version: before.version + 1,
        updated_at: entry.at,
        ..before
    };
    let response = answer(principal, StatusCode::OK, &show(&assistant), Some(assistant.version))?;
    if store::publish(&principal.scope, id, before.version, &entry).await? {
        return Ok(response);
    }
    Err(ApiError::PreconditionFailed)
}

/// What was published of an assistant, newest first.
#[utoipa::path(get, path = "/api/v1/assistants/{id}/versions", tag = "assistants", security(("api_key" = ["config:read"])),
    params(("id" = String, Path, format = "uuid"), PageParams),
    responses(
        (status = 200, description = "One page.", body = Page<wire::AssistantPublication>),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn list_versions(
    access: Access<ConfigRead>,
    Id(id): Id<AssistantId>,
    Params(query): Params<PageParams>,
) -> Result<Json<Page<wire::AssistantPublication>>, ApiError> {
    let page = query.request()?;
    let scope = &access.principal.scope;
    store::get(scope, id).await?.ok_or(ApiError::NotFound)?;
    let all = store::versions(scope, id).await?;
    Ok(Json(Page::from_rows(StoredPage::of_all(all, page), |publication| wire::AssistantPublication {
        number: publication.number,
        published_at: publication.at,
        published_by: by(&publication),
    })))
}

/// One version.
#[utoipa::path(get, path = "/api/v1/assistants/{id}/versions/{number}", tag = "assistants",
    security(("api_key" = ["config:read"])),
    params(("id" = String, Path, format = "uuid"), ("number" = u64, Path)),
    responses(
        (status = 200, description = "The version.", body = wire::AssistantVersion),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn get_version(
    access: Access<ConfigRead>,
    Ids(id, number): Ids<AssistantId, u64>,
) -> Result<Json<wire::AssistantVersion>, ApiError> {
    let found = store::version(&access.principal.scope, id, number).await?;
    let (publication, settings) = found.ok_or(ApiError::NotFound)?;
    Ok(Json(wire::AssistantVersion {
        number: publication.number,
        settings: show_settings(&settings),
        published_at: publication.at,
        published_by: by(&publication),
    }))
}

/// Makes a version the draft again, which then can be published. `If-Match` has to name the version of the draft that is given up.
#[utoipa::path(post, path = "/api/v1/assistants/{id}/versions/{number}/restore", tag = "assistants",
    security(("api_key" = ["config:write"])),
    params(("id" = String, Path, format = "uuid"), ("number" = u64, Path),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of what was read. Needed.")),
    responses(
        (status = 200, description = "The assistant as it is now.", body = wire::Assistant),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn restore_version(
    access: Access<ConfigWrite>,
    State(app): State<AppState>,
    Ids(id, number): Ids<AssistantId, u64>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    sees_all(principal)?;
    let before = store::get(&principal.scope, id).await?.ok_or(ApiError::NotFound)?;
    let found = store::version(&principal.scope, id, number).await?;
    let (_, draft) = found.ok_or(ApiError::NotFound)?;
    etag::demand(&headers, before.version)?;
    let fields = changed(&before.draft, &draft);
    let assistant = Assistant { draft, version: before.version + 1, updated_at: app.now(), ..before };
    let record = Record::of(&app, principal.actor, "assistant.restore", Some(id.to_string()));
    let response = answer(principal, StatusCode::OK, &show(&assistant), Some(assistant.version))?;
    if store::update(&principal.scope, &assistant, &record.entry(), &fields).await? {
        return Ok(response);
    }
    Err(ApiError::PreconditionFailed)
}

fn by(publication: &Publication) -> AuditActor {
    AuditActor { kind: publication.by_kind.clone(), id: publication.by_id.clone() }
}
