//! Figures about calls.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use voicecore_api_types as wire;
use voicecore_api_types::Problem;
use voicecore_domain::CallStatus;
use voicecore_store::analytics::{self, AnswerLatency, Counts, Division, Period};
use voicecore_types::{BusinessId, Millis};

use crate::auth::{Access, CallsRead};
use crate::extract::Params;
use crate::{ApiError, AppState, convert};

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;
/// The longest period: the database reads every call of it.
const MAX_DAYS: u64 = 400;
/// The longest period that is divided into hours.
const MAX_DAYS_OF_HOURS: u64 = 31;
/// What an absent `since` means.
const DEFAULT_DAYS: u64 = 30;
/// Local times are from 12 hours behind UTC to 14 ahead of it.
const OFFSETS: std::ops::RangeInclusive<i32> = -720..=840;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Overview {
    /// The first moment that counts; 30 days before `until` when absent.
    since: Option<u64>,
    /// The first moment that does not count any more; now when absent. The period is at most 400 days long.
    until: Option<u64>,
    /// Only calls to this business.
    #[param(value_type = Option<String>, format = "uuid")]
    business_id: Option<BusinessId>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CallVolume {
    /// The first moment that counts; 30 days before `until` when absent.
    since: Option<u64>,
    /// The first moment that does not count any more; now when absent. The period is at most 400 days long.
    until: Option<u64>,
    /// Only calls to this business.
    #[param(value_type = Option<String>, format = "uuid")]
    business_id: Option<BusinessId>,
    /// `day` (the default) or `hour`, for periods of at most 31 days.
    #[param(inline)]
    interval: Option<Interval>,
    /// Minutes that local time is ahead of UTC, from -720 to 840; 0 when absent.
    utc_offset_minutes: Option<i32>,
}

#[derive(Clone, Copy, Default, PartialEq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Interval {
    #[default]
    Day,
    Hour,
}

/// How a period went, beside the period of the same length before it. Of calls in the departments that the asker sees.
#[utoipa::path(get, path = "/api/v1/analytics/overview", tag = "analytics", security(("api_key" = ["calls:read"])),
    params(Overview),
    responses(
        (status = 200, description = "The figures.", body = wire::Overview),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn overview(
    access: Access<CallsRead>,
    State(app): State<AppState>,
    Params(query): Params<Overview>,
) -> Result<Json<wire::Overview>, ApiError> {
    let period = period(&app, query.since, query.until, query.business_id, MAX_DAYS)?;
    let found = analytics::overview(&access.principal.scope, &period).await?;
    let total = found.total;
    // A division by no calls has no result.
    let rate = (total.calls > 0).then(|| total.transferred as f64 / total.calls as f64);
    Ok(Json(wire::Overview {
        since: period.since,
        until: period.until,
        total: counts(total),
        previous: counts(found.previous),
        active_calls: found.active,
        average_duration_ms: total.duration.0.checked_div(total.ended),
        escalation_rate: rate,
        answer_latency: answer_latency(found.answer_latency),
        previous_answer_latency: answer_latency(found.previous_answer_latency),
        by_status: statuses(found.by_status),
    }))
}

/// When calls came in: by day or hour, by hour of the week, by business, status and direction, beside the period of the same length
/// before.
#[utoipa::path(get, path = "/api/v1/analytics/call-volume", tag = "analytics", security(("api_key" = ["calls:read"])),
    params(CallVolume),
    responses(
        (status = 200, description = "The figures.", body = wire::CallVolume),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn call_volume(
    access: Access<CallsRead>,
    State(app): State<AppState>,
    Params(query): Params<CallVolume>,
) -> Result<Json<wire::CallVolume>, ApiError> {
    let offset = query.utc_offset_minutes.unwrap_or(0);
    if !OFFSETS.contains(&offset) {
        return Err(ApiError::invalid("utc_offset_minutes", "must be from -720 to 840"));
    }
    let (division, max_days, step) = match query.interval.unwrap_or_default() {
        Interval::Day => (Division::Days, MAX_DAYS, DAY),
        Interval::Hour => (Division::Hours, MAX_DAYS_OF_HOURS, HOUR),
    };
    let period = period(&app, query.since, query.until, query.business_id, max_days)?;
    let ahead = i64::from(offset) * 60_000;
    let found = analytics::volume(&access.principal.scope, &period, division, ahead).await?;
    let begins = |part: u64| Millis(part.saturating_mul(step).saturating_add_signed(-ahead));
    let by_direction: Vec<_> = found
        .by_direction
        .into_iter()
        .map(|(direction, of)| wire::DirectionVolume {
            direction: convert::shown_direction(direction),
            counts: counts(of),
        })
        .collect();
    let calls: u64 = by_direction.iter().map(|direction| direction.counts.calls).sum();
    let before = found.previous.calls;
    // A division by no calls has no result.
    let growth = (before > 0).then(|| calls as f64 / before as f64 - 1.0);
    let points = found.points.into_iter();
    let hours = found.hours.into_iter();
    let businesses = found.businesses.into_iter();
    Ok(Json(wire::CallVolume {
        since: period.since,
        until: period.until,
        utc_offset_minutes: offset,
        points: points.map(|(part, of)| wire::VolumePoint { at: begins(part), counts: counts(of) }).collect(),
        hours: hours
            .map(|(part, calls)| wire::HourVolume {
                weekday: (part / 24) as u8,
                hour: (part % 24) as u8,
                calls,
            })
            .collect(),
        businesses: businesses
            .map(|(business_id, of)| wire::BusinessVolume { business_id, counts: counts(of) })
            .collect(),
        by_status: statuses(found.by_status),
        by_direction,
        previous: counts(found.previous),
        growth,
    }))
}

fn period(
    app: &AppState,
    since: Option<u64>,
    until: Option<u64>,
    business_id: Option<BusinessId>,
    max_days: u64,
) -> Result<Period, ApiError> {
    let until = until.unwrap_or(app.now().0);
    let since = since.unwrap_or(until.saturating_sub(DEFAULT_DAYS * DAY));
    if since >= until || until - since > max_days * DAY {
        let message = format!("must be before `until`, and at most {max_days} days before it");
        return Err(ApiError::invalid("since", message));
    }
    Ok(Period { since: Millis(since), until: Millis(until), business_id })
}

fn counts(of: Counts) -> wire::CallCounts {
    wire::CallCounts {
        calls: of.calls,
        answered: of.answered,
        transferred: of.transferred,
        duration_ms: of.duration.0,
        cost_micros: of.cost_micros,
    }
}

fn answer_latency(of: AnswerLatency) -> wire::AnswerLatency {
    let ms = |wait: Option<Millis>| wait.map(|wait| wait.0);
    wire::AnswerLatency { turns: of.turns, p50_ms: ms(of.p50), p95_ms: ms(of.p95) }
}

fn statuses(found: Vec<(CallStatus, u64)>) -> Vec<wire::StatusCount> {
    let shown = found
        .into_iter()
        .map(|(status, calls)| wire::StatusCount { status: convert::shown_status(status), calls });
    shown.collect()
}
