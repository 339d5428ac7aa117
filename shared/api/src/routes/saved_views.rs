//! Ways to look at a list that users have kept. What a view filters by is what the list itself takes: the same parser reads both.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use voicecore_api_types as wire;
use voicecore_api_types::{Page, Problem, ViewNoun};
use voicecore_store::directory::Principal;
use voicecore_store::saved_views::{self as store, SavedView};
use voicecore_store::seal::{Column, Sealed, Sealer};
use voicecore_types::{Page as StoredPage, SavedViewId, UserId};

use super::calls::ListCalls;
use super::preferences::member;
use crate::auth::SignedIn;
use crate::extract::{Id, PageParams, Params};
use crate::fields::Fields;
use crate::idempotency::{answer_unkept, nothing_to_say};
use crate::record::Record;
use crate::{ApiError, AppState, etag};

const MAX_NAME_CHARS: usize = 100;
const MAX_FILTER_BYTES: usize = 4_096;
const MAX_COLUMNS: usize = 30;
/// The one noun so far.
const CALLS: &str = "calls";
/// Parameters of the list that say where one is in it, not which rows there are; the order has a field of its own.
const NO_FILTERS: [&str; 4] = ["page", "page_size", "cursor", "sort"];

/// What is sealed of a view.
#[derive(Default, Serialize, Deserialize)]
struct Document {
    filters: Map<String, Value>,
    columns: Vec<String>,
    sort: Option<String>,
}

/// One's own views and those that others share, by name.
#[utoipa::path(get, path = "/api/v1/saved-views", tag = "saved-views", security(("session" = [])), params(PageParams),
    responses(
        (status = 200, description = "One page.", body = Page<wire::SavedView>),
        (status = 409, description = "The session works for no tenant now.", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn list_views(
    SignedIn(session): SignedIn,
    State(app): State<AppState>,
    Params(query): Params<PageParams>,
) -> Result<Json<Page<wire::SavedView>>, ApiError> {
    let page = query.request()?;
    let (user, principal) = member(session)?;
    let views = StoredPage::of_all(store::list(&principal.scope, user).await?, page);
    let sealer = app.sealer(principal.scope.tenant(), &principal.wrapped_key)?;
    Ok(Json(Page::from_rows(views, |view| show(&sealer, &view))))
}

/// One view. `ETag` is its version.
#[utoipa::path(get, path = "/api/v1/saved-views/{id}", tag = "saved-views", security(("session" = [])),
    params(("id" = String, Path, format = "uuid")),
    responses(
        (status = 200, description = "The view.", body = wire::SavedView),
        (status = 409, description = "The session works for no tenant now.", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn get_view(
    SignedIn(session): SignedIn,
    State(app): State<AppState>,
    Id(id): Id<SavedViewId>,
) -> Result<Response, ApiError> {
    let (user, principal) = member(session)?;
    let view = store::get(&principal.scope, user, id).await?.ok_or(ApiError::NotFound)?;
    shown(&app, &principal, StatusCode::OK, &view)
}

/// Keeps a view for oneself, or for everybody in the tenant. One has at most 100.
#[utoipa::path(post, path = "/api/v1/saved-views", tag = "saved-views", security(("session" = [])),
    request_body = wire::SaveView,
    responses(
        (status = 201, description = "The view.", body = wire::SavedView),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn create_view(
    SignedIn(session): SignedIn,
    State(app): State<AppState>,
    fields: Fields,
) -> Result<Response, ApiError> {
    let (user_id, principal) = member(session)?;
    let wanted = Wanted::of(fields)?;
    let now = app.now();
    let id = SavedViewId::new(now, &app.random());
    let view = SavedView {
        id,
        user_id,
        document: wanted.sealed(&app, &principal)?,
        name: wanted.name,
        noun: CALLS.to_owned(),
        shared_at: wanted.shared.then_some(now),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let record = Record::of(&app, principal.actor, "saved_view.create", Some(id.to_string()));
    if store::create(&principal.scope, &view, &record.entry()).await? {
        return shown(&app, &principal, StatusCode::CREATED, &view);
    }
    Err(ApiError::Conflict("You have as many views as you may have."))
}

/// Changes one's own view. `If-Match` has to name the version that it is meant for.
#[utoipa::path(put, path = "/api/v1/saved-views/{id}", tag = "saved-views", security(("session" = [])),
    params(("id" = String, Path, format = "uuid"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of what was read. Needed.")),
    request_body = wire::SaveView,
    responses(
        (status = 200, description = "The view as it is now.", body = wire::SavedView),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn update_view(
    SignedIn(session): SignedIn,
    State(app): State<AppState>,
    Id(id): Id<SavedViewId>,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, ApiError> {
    let (user, principal) = member(session)?;
    let wanted = Wanted::of(fields)?;
    let before = own(store::get(&principal.scope, user, id).await?, user)?;
    etag::demand(&headers, before.version)?;
    let now = app.now();
    let view = SavedView {
        document: wanted.sealed(&app, &principal)?,
        name: wanted.name,
        shared_at: wanted.shared.then(|| before.shared_at.unwrap_or(now)),
        version: before.version + 1,
        updated_at: now,
        ..before
    };
    let record = Record::of(&app, principal.actor, "saved_view.update", Some(id.to_string()));
    if store::update(&principal.scope, &view, &record.entry()).await? {
        return shown(&app, &principal, StatusCode::OK, &view);
    }
    Err(ApiError::PreconditionFailed)
}

/// Deletes one's own view. With `If-Match`, only if it still is that version.
#[utoipa::path(delete, path = "/api/v1/saved-views/{id}", tag = "saved-views", security(("session" = [])),
    params(("id" = String, Path, format = "uuid"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of what was read.")),
    responses(
        (status = 204, description = "It is gone."),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn delete_view(
    SignedIn(session): SignedIn,
    State(app): State<AppState>,
    Id(id): Id<SavedViewId>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let (user, principal) = member(session)?;
    let view = own(store::get(&principal.scope, user, id).await?, user)?;
    etag::check(&headers, view.version)?;
    let record = Record::of(&app, principal.actor, "saved_view.delete", Some(id.to_string()));
    if store::delete(&principal.scope, &view, &record.entry()).await? {
        return Ok(nothing_to_say(&principal));
    }
    Err(ApiError::PreconditionFailed)
}

/// What others share is seen, and not changed.
fn own(view: Option<SavedView>, user: UserId) -> Result<SavedView, ApiError> {
    let view = view.ok_or(ApiError::NotFound)?;
    if view.user_id == user {
        Ok(view)
    } else {
        Err(ApiError::Conflict("This view is somebody else's. Keep one of your own."))
    }
}

/// A body whose values are acceptable.
struct Wanted {
    name: String,
    shared: bool,
    document: Document,
}

impl Wanted {
    fn of(mut fields: Fields) -> Result<Self, ApiError> {
        let name = fields.line("name", MAX_NAME_CHARS);
        let noun = fields.line("noun", 20);
        fields.demand("noun", "must be calls", noun.is_empty() || noun == CALLS);
        let shared = fields.optional_bool("shared").unwrap_or_default();
        let filters = fields.optional_object("filters", MAX_FILTER_BYTES).unwrap_or_default();
        let columns = fields.columns("columns", MAX_COLUMNS);
        let sort = fields.optional_line("sort", 20);
        // Each filter by itself, so that each that is wrong is named; then all of them, and the order.
        for (name, value) in &filters {
            if NO_FILTERS.contains(&name.as_str()) || !is_taken(name, value.clone()) {
                fields.demand(
                    "filters",
                    "must be filters that the list takes, with values as it takes them",
                    false,
                );
            }
        }
        if let Some(sort) = &sort {
            let order = Value::from(sort.as_str());
            fields.demand("sort", "must be an order of the list", is_taken("sort", order));
        }
        fields.done()?;
        Ok(Self { name, shared, document: Document { filters, columns, sort } })
    }

    fn sealed(&self, app: &AppState, principal: &Principal) -> Result<Sealed, ApiError> {
        let text =
            serde_json::to_string(&self.document).map_err(|error| ApiError::Internal(error.to_string()))?;
        let sealer = app.sealer(principal.scope.tenant(), &principal.wrapped_key)?;
        Ok(sealer.seal(Column::SavedView, &text, app.nonce())?)
    }
}

/// The list of calls takes this parameter.
fn is_taken(name: &str, value: Value) -> bool {
    let mut parameters = Map::new();
    parameters.insert(name.to_owned(), value);
    serde_json::from_value::<ListCalls>(Value::Object(parameters)).is_ok_and(|query| query.wanted().is_ok())
}

fn shown(
    app: &AppState,
    principal: &Principal,
    status: StatusCode,
    view: &SavedView,
) -> Result<Response, ApiError> {
    let sealer = app.sealer(principal.scope.tenant(), &principal.wrapped_key)?;
    answer_unkept(status, &show(&sealer, view), Some(view.version))
}

/// Of a view that does not open only the name is shown.
fn show(sealer: &Sealer, view: &SavedView) -> wire::SavedView {
    let text = sealer.open(Column::SavedView, &view.document).unwrap_or_default();
    let document: Document = serde_json::from_str(&text).unwrap_or_default();
    wire::SavedView {
        id: view.id,
        user_id: view.user_id,
        name: view.name.clone(),
        noun: ViewNoun::Calls,
        shared: view.shared_at.is_some(),
        filters: document.filters,
        columns: document.columns,
        sort: document.sort,
        version: view.version,
        created_at: view.created_at,
        updated_at: view.updated_at,
    }
}
