//! Telephone numbers: at which a business is rung. A change holds for the next call.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use voicecore_api_types as wire;
use voicecore_api_types::{Page, Problem, WebhookAddresses};
use voicecore_domain::Provider;
use voicecore_store::directory::{self, Actor, Principal};
use voicecore_store::phone_numbers::{self as store, NewPhoneNumber, PhoneNumber};
use voicecore_store::roles::Saved;
use voicecore_store::seal::{Column, Sealer};
use voicecore_store::{Scope, audit_log, business_config, idempotency, providers};
use voicecore_types::{BusinessId, E164, Page as StoredPage, PhoneNumberId};

use super::roles::{OUTRUN, saved};
use crate::auth::{Access, ConfigRead, ConfigWrite, sees_all};
use crate::carrier::{self, NumberAtCarrier};
use crate::extract::{Id, PageParams, Params};
use crate::fields::Fields;
use crate::idempotency::{answer, answer_unkept, nothing_to_say};
use crate::record::Record;
use crate::webhooks::twilio::{FALLBACK_PATH, STATUS_PATH, VOICE_PATH};
use crate::{ApiError, AppState, doctor, etag};

const BUSINESS_RULE: &str = "must be a business of this tenant";
const OWN_ACCOUNT_RULE: &str = "must be a number of the tenant's own account at Twilio";

/// In the order in which they were added.
#[utoipa::path(get, path = "/api/v1/phone-numbers", tag = "phone-numbers", security(("api_key" = ["config:read"])),
    params(PageParams),
    responses(
        (status = 200, description = "One page.", body = Page<wire::PhoneNumber>),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn list_phone_numbers(
    access: Access<ConfigRead>,
    State(app): State<AppState>,
    Params(query): Params<PageParams>,
) -> Result<Json<Page<wire::PhoneNumber>>, ApiError> {
    let page = query.request()?;
    let principal = &access.principal;
    let webhooks = webhooks(&app)?;
    let sealer = app.sealer(principal.scope.tenant(), &principal.wrapped_key)?;
    let numbers = StoredPage::of_all(store::list(&principal.scope).await?, page);
    Ok(Json(Page::from_rows(numbers, |number| show(&sealer, &webhooks, &number))))
}

/// One number, and what it has to be set to at Twilio.
#[utoipa::path(get, path = "/api/v1/phone-numbers/{id}", tag = "phone-numbers", security(("api_key" = ["config:read"])),
    params(("id" = String, Path, format = "uuid")),
    responses(
        (status = 200, description = "The number.", body = wire::PhoneNumber),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn get_phone_number(
    access: Access<ConfigRead>,
    State(app): State<AppState>,
    Id(id): Id<PhoneNumberId>,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    let number = store::get(&principal.scope, id).await?.ok_or(ApiError::NotFound)?;
    let sealer = app.sealer(principal.scope.tenant(), &principal.wrapped_key)?;
    answer_unkept(StatusCode::OK, &show(&sealer, &webhooks(&app)?, &number), Some(number.version))
}

/// Adds a number, which rings nowhere yet and is one of the account at Twilio that the tenant's calls use: Twilio is asked. Where there are several
/// tenants, those of the installation's account are added by super admins only, who look into the tenant.
#[utoipa::path(post, path = "/api/v1/phone-numbers", tag = "phone-numbers", security(("api_key" = ["config:write"])),
    request_body = wire::CreatePhoneNumber,
    responses(
        (status = 201, description = "The number.", body = wire::PhoneNumber),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn create_phone_number(
    access: Access<ConfigWrite>,
    State(app): State<AppState>,
    mut fields: Fields,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    sees_all(principal)?;
    let phone_number = fields.number("phone_number");
    let business_id = fields.parsed("business_id", BUSINESS_RULE);
    fields.done()?;
    let (Some(phone_number), Some(business_id)) = (phone_number, business_id) else {
        return Err(ApiError::NotFound);
    };
    let scope = &principal.scope;
    let sealer = app.sealer(scope.tenant(), &principal.wrapped_key)?;
    refuse_loops(scope, &sealer, business_id, &phone_number).await?;
    refuse_common(&app, principal).await?;
    demand_ownership(&app, scope, &phone_number).await?;
    let lookup = app.lookup_key().await?.ok_or_else(|| ApiError::Internal("no look-up key".to_owned()))?;
    let now = app.now();
    let id = PhoneNumberId::new(now, &app.random());
    let number = sealer.seal(Column::PhoneNumber, phone_number.expose(), app.nonce())?;
    let number_hash = lookup.dialled(&phone_number);
    let new = NewPhoneNumber { id, number: &number, number_hash: &number_hash };
    let record = Record::of(&app, principal.actor, "phone_number.create", Some(id.to_string()));
    let shown = PhoneNumber { id, business_id, number: number.clone(), created_at: now, version: 1 };
    // Telephone numbers lie encrypted: an answer that shows one is not kept for repetitions.
    let response = answer_unkept(StatusCode::CREATED, &show(&sealer, &webhooks(&app)?, &shown), Some(1))?;
    match store::create(scope, business_id, &new, &record.entry()).await? {
        Saved::Done => Ok(response),
        Saved::NameTaken => Err(ApiError::Conflict("This telephone number is set up already.")),
        _ => Err(ApiError::Conflict("There are as many as a tenant may have.")),
    }
}

/// Another business answers from now on. `If-Match` has to name the version that it is meant for.
#[utoipa::path(put, path = "/api/v1/phone-numbers/{id}", tag = "phone-numbers", security(("api_key" = ["config:write"])),
    params(("id" = String, Path, format = "uuid"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of what was read. Needed.")), request_body = wire::UpdatePhoneNumber,
    responses(
        (status = 200, description = "The number as it is now.", body = wire::PhoneNumber),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn update_phone_number(
    access: Access<ConfigWrite>,
    State(app): State<AppState>,
    Id(id): Id<PhoneNumberId>,
    headers: HeaderMap,
    mut fields: Fields,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    sees_all(principal)?;
    let business_id = fields.parsed("business_id", BUSINESS_RULE);
    fields.done()?;
    let before = store::get(&principal.scope, id).await?.ok_or(ApiError::NotFound)?;
    let business_id: BusinessId = business_id.ok_or(ApiError::NotFound)?;
    etag::demand(&headers, before.version)?;
    let names = (id, before.version);
    let sealer = app.sealer(principal.scope.tenant(), &principal.wrapped_key)?;
    let record = Record::of(&app, principal.actor, "phone_number.update", Some(id.to_string()));
    let changed =
        show(&sealer, &webhooks(&app)?, &PhoneNumber { business_id, version: before.version + 1, ..before });
    let response = answer_unkept(StatusCode::OK, &changed, Some(changed.version))?;
    match store::set_business(&principal.scope, names, business_id, &record.entry()).await? {
        Saved::Done => Ok(response),
        Saved::Outrun => Err(etag::outrun(&headers, OUTRUN)),
        _ => Err(ApiError::invalid("business_id", BUSINESS_RULE)),
    }
}

/// Nobody answers the number any more. Calls that run go on. At Twilio nothing changes: there the number is rung until its webhooks
/// are taken away.
#[utoipa::path(delete, path = "/api/v1/phone-numbers/{id}", tag = "phone-numbers", security(("api_key" = ["config:write"])),
    params(("id" = String, Path, format = "uuid"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of what was read.")),
    responses(
        (status = 204, description = "It is gone."),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn delete_phone_number(
    access: Access<ConfigWrite>,
    State(app): State<AppState>,
    Id(id): Id<PhoneNumberId>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    sees_all(principal)?;
    let before = store::get(&principal.scope, id).await?.ok_or(ApiError::NotFound)?;
    etag::check(&headers, before.version)?;
    let record = Record::of(&app, principal.actor, "phone_number.delete", Some(id.to_string()));
    let response = nothing_to_say(principal);
    saved(&headers, store::delete(&principal.scope, (id, before.version), &record.entry()).await?)?;
    Ok(response)
}

/// Asks Twilio whether calls to the number reach us: whether the account has it, and whether it is set to our webhooks.
#[utoipa::path(post, path = "/api/v1/phone-numbers/{id}/doctor", tag = "phone-numbers",
    security(("api_key" = ["config:write"])), params(("id" = String, Path, format = "uuid")),
    responses(
        (status = 200, description = "What was found.", body = wire::PhoneNumberDiagnosis),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn diagnose_phone_number(
    access: Access<ConfigWrite>,
    State(app): State<AppState>,
    Id(id): Id<PhoneNumberId>,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    let scope = &principal.scope;
    let number = store::get(scope, id).await?.ok_or(ApiError::NotFound)?;
    let sealer = app.sealer(scope.tenant(), &principal.wrapped_key)?;
    let phone_number = sealer.open(Column::PhoneNumber, &number.number)?;
    let phone_number =
        phone_number.parse().map_err(|_| ApiError::Internal("a stored number is none".to_owned()))?;
    let record = Record::of(&app, principal.actor, "phone_number.diagnose", Some(id.to_string()));
    audit_log::record(scope, &record.entry()).await?;
    let (found, source) = carrier::find_number(&app, scope, &phone_number).await?;
    let checks = doctor::examine(&found, &webhooks(&app)?);
    let healthy = checks.iter().all(|check| check.ok);
    let diagnosis = wire::PhoneNumberDiagnosis { healthy, source, checks };
    let response = answer(principal, StatusCode::OK, &diagnosis, None)?;
    idempotency::settle(scope).await?;
    Ok(response)
}

/// A business of the tenant's that transfers its calls to this number would ring itself.
async fn refuse_loops(
    scope: &Scope,
    sealer: &Sealer,
    business: BusinessId,
    number: &E164,
) -> Result<(), ApiError> {
    let businesses = business_config::list(scope).await?;
    if !businesses.iter().any(|known| known.id == business) {
        return Err(ApiError::invalid("business_id", BUSINESS_RULE));
    }
    let mut fallbacks = businesses.iter().filter_map(|business| business.fallback_number.as_ref());
    let opened =
        |sealed| sealer.open(Column::FallbackNumber, sealed).is_ok_and(|text| text == number.expose());
    if fallbacks.any(opened) {
        return Err(ApiError::invalid("phone_number", "must not be a number that calls are transferred to"));
    }
    Ok(())
}

/// The numbers of the installation's account are nobody's until they are given to somebody. Where there is more than one tenant, each could take
/// what was bought for another, or find out by trying what another has: so it is super admins who give them, looking into the tenant. A
/// tenant's own account is its own affair.
async fn refuse_common(app: &AppState, principal: &Principal) -> Result<(), ApiError> {
    let gives = matches!(principal.actor, Actor::Impersonator { .. });
    if gives || providers::get(&principal.scope, Provider::Twilio).await?.is_some() {
        return Ok(());
    }
    if directory::has_several_tenants(&*app.ports.db).await? {
        return Err(ApiError::invalid("phone_number", OWN_ACCOUNT_RULE));
    }
    Ok(())
}

/// Only whoever has a number at the carrier may say who answers it.
async fn demand_ownership(app: &AppState, scope: &Scope, number: &E164) -> Result<(), ApiError> {
    match carrier::find_number(app, scope, number).await?.0 {
        NumberAtCarrier::Ours(_) => Ok(()),
        NumberAtCarrier::Unknown => {
            Err(ApiError::invalid("phone_number", "must be a number of the account at Twilio"))
        }
        NumberAtCarrier::Refused => Err(ApiError::Conflict(
            "Twilio does not accept the credentials of the account. Set them anew before numbers are added.",
        )),
        NumberAtCarrier::Unexpected | NumberAtCarrier::Unreachable => Err(ApiError::Unavailable {
            part: "carrier",
            cause: "the number could not be looked up".to_owned(),
        }),
    }
}

/// What a number has to be set to.
fn webhooks(app: &AppState) -> Result<WebhookAddresses, ApiError> {
    let origin = app.config.public_url.get()?;
    Ok(WebhookAddresses {
        voice_url: format!("{origin}{VOICE_PATH}"),
        status_callback_url: format!("{origin}{STATUS_PATH}"),
        fallback_url: format!("{origin}{FALLBACK_PATH}"),
    })
}

fn show(sealer: &Sealer, webhooks: &WebhookAddresses, number: &PhoneNumber) -> wire::PhoneNumber {
    wire::PhoneNumber {
        id: number.id,
        phone_number: sealer.open(Column::PhoneNumber, &number.number).ok(),
        business_id: number.business_id,
        webhooks: webhooks.clone(),
        created_at: number.created_at,
        version: number.version,
    }
}
