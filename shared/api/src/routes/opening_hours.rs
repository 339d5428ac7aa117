//! When a business is open. The assistant knows it from the next call on.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use voicecore_api_types as wire;
use voicecore_api_types::Problem;
use voicecore_domain::opening_hours::{MAX_SPANS, OpenSpan, OpeningHours, TimeZone};
use voicecore_store::opening_hours;
use voicecore_types::BusinessId;

use super::roles::OUTRUN;
use crate::auth::{Access, ConfigRead, ConfigWrite, sees_all};
use crate::extract::Id;
use crate::fields::Fields;
use crate::idempotency::{answer, answer_unkept, nothing_to_say};
use crate::record::Record;
use crate::{ApiError, AppState, etag};

/// What is said of a zone that nobody knows.
pub(crate) const ZONE_RULE: &str = "must be a name of the tz database, such as Europe/Berlin";

/// When a business is open. 404 also as long as nobody has said. `ETag` is the version of the business.
#[utoipa::path(get, path = "/api/v1/businesses/{id}/opening-hours", tag = "businesses", security(("api_key" = ["config:read"])),
    params(("id" = String, Path, format = "uuid")),
    responses(
        (status = 200, description = "The hours.", body = wire::OpeningHours),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn get_opening_hours(
    access: Access<ConfigRead>,
    Id(id): Id<BusinessId>,
) -> Result<Response, ApiError> {
    sees_all(&access.principal)?;
    let found = opening_hours::get(&access.principal.scope, id).await?;
    let Some((Some(hours), version)) = found else { return Err(ApiError::NotFound) };
    answer_unkept(StatusCode::OK, &show(&hours), Some(version))
}

/// Says when a business is open. `If-Match` has to name the version of the business that it is meant for, which the business itself shows, too.
#[utoipa::path(put, path = "/api/v1/businesses/{id}/opening-hours", tag = "businesses", security(("api_key" = ["config:write"])),
    params(("id" = String, Path, format = "uuid"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of what was read. Needed.")), request_body = wire::OpeningHours,
    responses(
        (status = 200, description = "The hours.", body = wire::OpeningHours),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn put_opening_hours(
    access: Access<ConfigWrite>,
    State(app): State<AppState>,
    Id(id): Id<BusinessId>,
    headers: HeaderMap,
    mut fields: Fields,
) -> Result<Response, ApiError> {
    let zone: Option<TimeZone> = fields.parsed("time_zone", ZONE_RULE);
    let spans: BTreeSet<OpenSpan> = fields.list("opening_hours", MAX_SPANS);
    let hours = zone.and_then(|zone| OpeningHours::new(zone, spans));
    fields.demand(
        "opening_hours",
        "must not have a minute in two of them",
        zone.is_none() || hours.is_some(),
    );
    fields.done()?;
    let hours = hours.ok_or(ApiError::NotFound)?;
    set(&app, &access, &headers, id, Some(&hours)).await
}

/// Takes back what was said: the assistant does not say any more when the business is open.
#[utoipa::path(delete, path = "/api/v1/businesses/{id}/opening-hours", tag = "businesses",
    security(("api_key" = ["config:write"])), params(("id" = String, Path, format = "uuid"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of what was read.")),
    responses(
        (status = 204, description = "Nobody has said them."),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn delete_opening_hours(
    access: Access<ConfigWrite>,
    State(app): State<AppState>,
    Id(id): Id<BusinessId>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    set(&app, &access, &headers, id, None).await
}

async fn set(
    app: &AppState,
    access: &Access<ConfigWrite>,
    headers: &HeaderMap,
    id: BusinessId,
    hours: Option<&OpeningHours>,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    sees_all(principal)?;
    let record = Record::of(app, principal.actor, "business.opening_hours", Some(id.to_string()));
    let (_, version) = opening_hours::get(&principal.scope, id).await?.ok_or(ApiError::NotFound)?;
    let response = if let Some(hours) = hours {
        etag::demand(headers, version)?;
        answer(principal, StatusCode::OK, &show(hours), Some(version + 1))?
    } else {
        etag::check(headers, version)?;
        nothing_to_say(principal)
    };
    if opening_hours::set(&principal.scope, (id, version), hours, &record.entry()).await? {
        return Ok(response);
    }
    Err(etag::outrun(headers, OUTRUN))
}

fn show(hours: &OpeningHours) -> wire::OpeningHours {
    wire::OpeningHours {
        time_zone: hours.zone().name().to_owned(),
        opening_hours: hours.spans().map(|span| span.to_string()).collect(),
    }
}
