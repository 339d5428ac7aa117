//! When a business is open. The assistant knows it from the next call on.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use voicecore_api_types as wire;
use voicecore_api_types::Problem;
use voicecore_domain::opening_hours::{MAX_SPANS, OpenSpan, OpeningHours, TimeZone};
use voicecore_store::opening_hours;
use voicecore_types::BusinessId;

use crate::auth::{Access, ConfigRead, ConfigWrite, sees_all};
use crate::extract::Id;
use crate::fields::Fields;
use crate::idempotency::{answer, nothing_to_say};
use crate::record::Record;
use crate::{ApiError, AppState};

/// What is said of a zone that nobody knows.
pub(crate) const ZONE_RULE: &str = "must be a name of the tz database, such as Europe/Berlin";

/// When a business is open. 404 also as long as nobody has said.
#[utoipa::path(get, path = "/api/v1/businesses/{id}/opening-hours", tag = "businesses", security(("api_key" = ["config:read"])),
    params(("id" = String, Path, format = "uuid")),
    responses(
        (status = 200, description = "The hours.", body = wire::OpeningHours),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn get_opening_hours(
    access: Access<ConfigRead>,
    Id(id): Id<BusinessId>,
) -> Result<Json<wire::OpeningHours>, ApiError> {
    sees_all(&access.principal)?;
    let hours = opening_hours::get(&access.principal.scope, id).await?.flatten();
    hours.map(|hours| Json(show(&hours))).ok_or(ApiError::NotFound)
}

/// Says when a business is open.
#[utoipa::path(put, path = "/api/v1/businesses/{id}/opening-hours", tag = "businesses", security(("api_key" = ["config:write"])),
    params(("id" = String, Path, format = "uuid")), request_body = wire::OpeningHours,
    responses(
        (status = 200, description = "The hours.", body = wire::OpeningHours),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn put_opening_hours(
    access: Access<ConfigWrite>,
    State(app): State<AppState>,
    Id(id): Id<BusinessId>,
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
    let response = answer(&access.principal, StatusCode::OK, &show(&hours), None)?;
    set(&app, &access, id, Some(&hours)).await?;
    Ok(response)
}

/// Takes back what was said: the assistant does not say any more when the business is open.
#[utoipa::path(delete, path = "/api/v1/businesses/{id}/opening-hours", tag = "businesses",
    security(("api_key" = ["config:write"])), params(("id" = String, Path, format = "uuid")),
    responses(
        (status = 204, description = "Nobody has said them."),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn delete_opening_hours(
    access: Access<ConfigWrite>,
    State(app): State<AppState>,
    Id(id): Id<BusinessId>,
) -> Result<Response, ApiError> {
    let response = nothing_to_say(&access.principal);
    set(&app, &access, id, None).await?;
    Ok(response)
}

async fn set(
    app: &AppState,
    access: &Access<ConfigWrite>,
    id: BusinessId,
    hours: Option<&OpeningHours>,
) -> Result<(), ApiError> {
    let principal = &access.principal;
    sees_all(principal)?;
    let record = Record::of(app, principal.actor, "business.opening_hours", Some(id.to_string()));
    if opening_hours::set(&principal.scope, id, hours, &record.entry()).await? {
        Ok(())
    } else {
        Err(ApiError::NotFound)
    }
}

fn show(hours: &OpeningHours) -> wire::OpeningHours {
    wire::OpeningHours {
        time_zone: hours.zone().name().to_owned(),
        opening_hours: hours.spans().map(|span| span.to_string()).collect(),
    }
}
