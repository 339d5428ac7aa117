//! What somebody who is signed in has chosen for themselves. The last write stays, whichever device made it; a device that does not
//! want to undo what another one did sends `If-Match`.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Map, Value, json};
use voicecore_api_types as wire;
use voicecore_api_types::{Problem, Theme};
use voicecore_store::directory::Principal;
use voicecore_store::directory::sessions::Session;
use voicecore_store::preferences::{self as store, Preferences};
use voicecore_types::UserId;

use super::setup::is_language;
use crate::auth::SignedIn;
use crate::fields::Fields;
use crate::idempotency::answer;
use crate::record::Record;
use crate::{ApiError, AppState, etag};

/// Bytes of a layout as JSON.
const MAX_LAYOUT_BYTES: usize = 16_384;

/// What one has chosen. `ETag` is the version.
#[utoipa::path(get, path = "/api/v1/preferences", tag = "preferences", security(("session" = [])),
    responses(
        (status = 200, description = "All of it.", body = wire::Preferences),
        (status = 409, description = "The session works for no tenant now.", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn get_preferences(SignedIn(session): SignedIn) -> Result<Response, ApiError> {
    let (user, principal) = member(session)?;
    shown(&principal, store::get(&principal.scope, user).await?)
}

/// Chooses, in the place of all that was chosen before. The last write stays; with `If-Match` it is refused if another one came
/// between.
#[utoipa::path(put, path = "/api/v1/preferences", tag = "preferences", security(("session" = [])),
    params(("If-Match" = Option<String>, Header, description = "The `ETag` of what was read.")),
    request_body = wire::SavePreferences,
    responses(
        (status = 200, description = "As it is now.", body = wire::Preferences),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn put_preferences(
    SignedIn(session): SignedIn,
    State(app): State<AppState>,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, ApiError> {
    let (user, principal) = member(session)?;
    let document = wanted(fields)?;
    let scope = &principal.scope;
    let mut read = None;
    if etag::is_asked(&headers) {
        let version = store::get(scope, user).await?.map_or(0, |before| before.version);
        etag::check(&headers, version)?;
        read = Some(version);
    }
    let record = Record::of(&app, principal.actor, "preferences.update", Some(user.to_string()));
    if !store::put(scope, user, &document, read, &record.entry()).await? {
        return Err(ApiError::PreconditionFailed);
    }
    shown(&principal, store::get(scope, user).await?)
}

/// Who is signed in, and for which tenant: what is a user's own is kept for each.
pub(super) fn member(session: Session) -> Result<(UserId, Principal), ApiError> {
    match session.principal {
        Some(principal) if principal.suspended => Err(ApiError::TenantSuspended),
        Some(principal) => Ok((session.user_id, principal)),
        None => {
            Err(ApiError::Conflict("What is your own is kept for each tenant, and you work in none now."))
        }
    }
}

fn wanted(mut fields: Fields) -> Result<String, ApiError> {
    let theme = fields.optional_line("theme", 10);
    let known = theme.as_deref().is_none_or(|word| theme_of(word).is_some());
    fields.demand("theme", "is not one of the values that are known", known);
    let language = fields.optional_line("language", 2);
    let good = language.as_deref().is_none_or(is_language);
    fields.demand("language", "must be two small letters (ISO 639-1)", good);
    let layout = fields.optional_object("layout", MAX_LAYOUT_BYTES).unwrap_or_default();
    fields.done()?;
    Ok(json!({"theme": theme, "language": language, "layout": layout}).to_string())
}

fn theme_of(word: &str) -> Option<Theme> {
    [("light", Theme::Light), ("dark", Theme::Dark), ("system", Theme::System)]
        .into_iter()
        .find(|(known, _)| *known == word)
        .map(|(_, theme)| theme)
}

fn shown(principal: &Principal, stored: Option<Preferences>) -> Result<Response, ApiError> {
    let version = stored.as_ref().map_or(0, |stored| stored.version);
    let updated_at = stored.as_ref().map(|stored| stored.updated_at);
    let document: Map<String, Value> = match stored {
        None => Map::new(),
        Some(stored) => serde_json::from_str(&stored.document)
            .map_err(|_| ApiError::Internal("stored preferences cannot be read".to_owned()))?,
    };
    let text = |name: &str| document.get(name).and_then(Value::as_str);
    let preferences = wire::Preferences {
        theme: text("theme").and_then(theme_of),
        language: text("language").map(str::to_owned),
        layout: document.get("layout").and_then(Value::as_object).cloned().unwrap_or_default(),
        version,
        updated_at,
    };
    answer(principal, StatusCode::OK, &preferences, Some(version))
}
