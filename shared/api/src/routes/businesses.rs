//! Businesses: what a tenant answers the telephone for, and how. A change holds for the next call.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use voicecore_api_types as wire;
use voicecore_api_types::{Page, Problem};
use voicecore_domain::{BusinessKind, VoiceMode};
use voicecore_store::business_config::{self as store, Business};
use voicecore_store::directory::Principal;
use voicecore_store::seal::{Column, Sealer};
use voicecore_store::{Scope, assistants};
use voicecore_types::{AssistantId, BusinessId, E164, Millis, Page as StoredPage};

use super::setup::MAX_NAME_CHARS;
use crate::auth::{Access, ConfigRead, ConfigWrite, sees_all};
use crate::extract::{Id, PageParams, Params};
use crate::fields::Fields;
use crate::idempotency::{answer, answer_unkept, nothing_to_say};
use crate::record::Record;
use crate::{ApiError, AppState, convert, etag};

pub(crate) const UNKNOWN_WORD: &str = "is not one of the values that are known";
const ASSISTANT_RULE: &str = "must be the id of an assistant that has been published";
/// Seconds of a call: the machine ends it after an hour at the latest.
const CALL_SECONDS: std::ops::RangeInclusive<u64> = 30..=3_600;

/// By name.
#[utoipa::path(get, path = "/api/v1/config/business", tag = "config", security(("api_key" = ["config:read"])),
    params(PageParams),
    responses(
        (status = 200, description = "One page.", body = Page<wire::Business>),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn list_businesses(
    access: Access<ConfigRead>,
    State(app): State<AppState>,
    Params(query): Params<PageParams>,
) -> Result<Json<Page<wire::Business>>, ApiError> {
    let page = query.request()?;
    let principal = &access.principal;
    let all = store::list(&principal.scope).await?;
    let sealer = app.sealer(principal.scope.tenant(), &principal.wrapped_key)?;
    Ok(Json(Page::from_rows(StoredPage::of_all(all, page), |business| show(&sealer, &business))))
}

/// One business. `ETag` is its version.
#[utoipa::path(get, path = "/api/v1/config/business/{id}", tag = "config", security(("api_key" = ["config:read"])),
    params(("id" = String, Path, format = "uuid")),
    responses(
        (status = 200, description = "The business.", body = wire::Business),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn get_business(
    access: Access<ConfigRead>,
    State(app): State<AppState>,
    Id(id): Id<BusinessId>,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    let business = store::get(&principal.scope, id).await?.ok_or(ApiError::NotFound)?;
    let sealer = app.sealer(principal.scope.tenant(), &principal.wrapped_key)?;
    answer_unkept(StatusCode::OK, &show(&sealer, &business), Some(business.version))
}

/// The answer of a change. Telephone numbers lie encrypted, so one that shows one is not kept for repetitions.
fn told(
    principal: &Principal,
    status: StatusCode,
    business: &wire::Business,
    version: u64,
) -> Result<Response, ApiError> {
    if business.fallback_number.is_some() {
        return answer_unkept(status, business, Some(version));
    }
    answer(principal, status, business, Some(version))
}

/// What depends on a business: what would be missed if it were deleted.
#[utoipa::path(get, path = "/api/v1/config/business/{id}/usage", tag = "config", security(("api_key" = ["config:read"])),
    params(("id" = String, Path, format = "uuid")),
    responses(
        (status = 200, description = "What there is.", body = wire::BusinessUsage),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn business_usage(
    access: Access<ConfigRead>,
    Id(id): Id<BusinessId>,
) -> Result<Json<wire::BusinessUsage>, ApiError> {
    let scope = &access.principal.scope;
    store::get(scope, id).await?.ok_or(ApiError::NotFound)?;
    let usage = store::usage(scope, id).await?;
    let cap = StoredPage::<()>::TOTAL_CAP;
    Ok(Json(wire::BusinessUsage {
        phone_numbers: usage.phone_numbers,
        active_calls: usage.active_calls,
        calls: usage.calls.min(cap),
        calls_capped: usage.calls > cap,
        last_call_at: usage.last_call_at,
        deletable: usage.phone_numbers == 0 && usage.active_calls == 0,
    }))
}

/// Makes a business. It belongs to no department yet, and no number rings there.
#[utoipa::path(post, path = "/api/v1/config/business", tag = "config", security(("api_key" = ["config:write"])),
    request_body = wire::SaveBusiness,
    responses(
        (status = 201, description = "The business.", body = wire::Business),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn create_business(
    access: Access<ConfigWrite>,
    State(app): State<AppState>,
    fields: Fields,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    sees_all(principal)?;
    let wanted = Wanted::of(fields)?;
    wanted.refuse_unfit(&app, &principal.scope).await?;
    let sealer = app.sealer(principal.scope.tenant(), &principal.wrapped_key)?;
    let now = app.now();
    let id = BusinessId::new(now, &app.random());
    let empty = Business {
        id,
        name: String::new(),
        kind: BusinessKind::default(),
        assistant_id: None,
        voice_mode: None,
        fallback_number: None,
        call_length: Millis::ZERO,
        has_opening_hours: false,
        department_id: None,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let business = wanted.applied(&app, &sealer, &empty)?;
    let record = Record::of(&app, principal.actor, "business.create", Some(id.to_string()));
    let response = told(principal, StatusCode::CREATED, &show(&sealer, &business), 1)?;
    if store::create(&principal.scope, &business, &record.entry()).await? {
        return Ok(response);
    }
    Err(ApiError::Conflict("There are as many as a tenant may have."))
}

/// Changes a business, for the next call. `If-Match` has to name the version that it is meant for.
#[utoipa::path(put, path = "/api/v1/config/business/{id}", tag = "config", security(("api_key" = ["config:write"])),
    params(("id" = String, Path, format = "uuid"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of what was read. Needed.")),
    request_body = wire::SaveBusiness,
    responses(
        (status = 200, description = "The business as it is now.", body = wire::Business),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn update_business(
    access: Access<ConfigWrite>,
    State(app): State<AppState>,
    Id(id): Id<BusinessId>,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    sees_all(principal)?;
    let wanted = Wanted::of(fields)?;
    wanted.refuse_unfit(&app, &principal.scope).await?;
    let before = store::get(&principal.scope, id).await?.ok_or(ApiError::NotFound)?;
    etag::demand(&headers, before.version)?;
    let sealer = app.sealer(principal.scope.tenant(), &principal.wrapped_key)?;
    let version = before.version + 1;
    let changed = wanted.changed(&sealer, &before);
    let business = wanted.applied(&app, &sealer, &Business { version, updated_at: app.now(), ..before })?;
    let record = Record::of(&app, principal.actor, "business.update", Some(id.to_string()));
    let response = told(principal, StatusCode::OK, &show(&sealer, &business), version)?;
    if store::update(&principal.scope, &business, &record.entry(), &changed).await? {
        return Ok(response);
    }
    Err(ApiError::PreconditionFailed)
}

/// Deletes a business that no number and no running call needs (`…/usage`). Its calls stay. With `If-Match`, only if it still is
/// that version.
#[utoipa::path(delete, path = "/api/v1/config/business/{id}", tag = "config", security(("api_key" = ["config:write"])),
    params(("id" = String, Path, format = "uuid"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of what was read.")),
    responses(
        (status = 204, description = "It is gone."),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn delete_business(
    access: Access<ConfigWrite>,
    State(app): State<AppState>,
    Id(id): Id<BusinessId>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    sees_all(principal)?;
    let business = store::get(&principal.scope, id).await?.ok_or(ApiError::NotFound)?;
    etag::check(&headers, business.version)?;
    let record = Record::of(&app, principal.actor, "business.delete", Some(id.to_string()));
    let response = nothing_to_say(principal);
    if store::delete(&principal.scope, &business, &record.entry()).await? {
        return Ok(response);
    }
    Err(ApiError::Conflict("Somebody or something still belongs to it."))
}

/// A body whose values are acceptable.
struct Wanted {
    name: String,
    kind: BusinessKind,
    assistant_id: Option<AssistantId>,
    voice_mode: Option<VoiceMode>,
    fallback_number: Option<E164>,
    call_length: Millis,
}

impl Wanted {
    fn of(mut fields: Fields) -> Result<Self, ApiError> {
        let name = fields.line("name", MAX_NAME_CHARS);
        let kind = fields.optional("kind", UNKNOWN_WORD).unwrap_or_default();
        let assistant_id = fields.optional("assistant_id", ASSISTANT_RULE);
        let voice_mode = fields.optional("voice_mode", UNKNOWN_WORD);
        let fallback_number = fields.optional_number("fallback_number");
        let (least, most) = (*CALL_SECONDS.start(), *CALL_SECONDS.end());
        let seconds = fields.optional_count("call_length_seconds", least, most).unwrap_or(most);
        fields.done()?;
        let call_length = Millis::from_secs(seconds);
        Ok(Self { name, kind, assistant_id, voice_mode, fallback_number, call_length })
    }

    /// What only the database knows: an assistant that was never published answers nobody, and a call that went on to a number of
    /// the tenant's own would come back.
    async fn refuse_unfit(&self, app: &AppState, scope: &Scope) -> Result<(), ApiError> {
        if let Some(id) = self.assistant_id {
            let assistant = assistants::get(scope, id).await?;
            if assistant.is_none_or(|assistant| assistant.published_version.is_none()) {
                return Err(ApiError::invalid("assistant_id", ASSISTANT_RULE));
            }
        }
        app.refuse_own_number(scope, "fallback_number", self.fallback_number.as_ref()).await
    }

    /// Names of what is to be another value than it was.
    fn changed(&self, sealer: &Sealer, before: &Business) -> Vec<&'static str> {
        let number = opened(sealer, before);
        let fields = [
            ("name", self.name == before.name),
            ("kind", self.kind == before.kind),
            ("assistant_id", self.assistant_id == before.assistant_id),
            ("voice_mode", self.voice_mode == before.voice_mode),
            ("fallback_number", self.fallback_number.as_ref().map(E164::expose) == number.as_deref()),
            ("call_length_seconds", self.call_length == before.call_length),
        ];
        fields.into_iter().filter(|(_, same)| !same).map(|(name, _)| name).collect()
    }

    fn applied(self, app: &AppState, sealer: &Sealer, to: &Business) -> Result<Business, ApiError> {
        let number = self.fallback_number.as_ref();
        let stored = number.map(|n| sealer.seal(Column::FallbackNumber, n.expose(), app.nonce()));
        Ok(Business {
            name: self.name,
            kind: self.kind,
            assistant_id: self.assistant_id,
            voice_mode: self.voice_mode,
            fallback_number: stored.transpose()?,
            call_length: self.call_length,
            ..to.clone()
        })
    }
}

/// A number that does not open is left out.
fn opened(sealer: &Sealer, business: &Business) -> Option<String> {
    business.fallback_number.as_ref().and_then(|sealed| sealer.open(Column::FallbackNumber, sealed).ok())
}

fn show(sealer: &Sealer, business: &Business) -> wire::Business {
    wire::Business {
        id: business.id,
        name: business.name.clone(),
        kind: convert::business_kind(business.kind),
        assistant_id: business.assistant_id,
        voice_mode: business.voice_mode.map(convert::shown_voice_mode),
        fallback_number: opened(sealer, business),
        call_length_seconds: business.call_length.0 / 1_000,
        has_opening_hours: business.has_opening_hours,
        department_id: business.department_id,
        version: business.version,
        created_at: business.created_at,
        updated_at: business.updated_at,
    }
}
