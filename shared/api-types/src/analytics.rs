use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use voicecore_types::{BusinessId, Millis};

use crate::CallStatus;

/// Calls of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct CallCounts {
    /// All of them.
    pub calls: u64,
    /// Those that were connected.
    pub answered: u64,
    /// Those that went on to a human being.
    pub transferred: u64,
    /// How long both sides were connected, in all, of calls that are over.
    pub duration_ms: u64,
    /// What the model's provider bills for them, in millionths of a US dollar, by list prices.
    pub cost_micros: u64,
}

/// Calls in one status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StatusCount {
    /// Which.
    pub status: CallStatus,
    /// How many.
    pub calls: u64,
}

/// How long callers waited for answers: from the end of what they said to the first sound of the assistant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct AnswerLatency {
    /// Answers that somebody waited for, in calls that are over.
    pub turns: u64,
    /// Half of the answers came within this time (an exact percentile, by nearest rank); absent when there was none.
    pub p50_ms: Option<u64>,
    /// 95 of a hundred answers came within this time, likewise.
    pub p95_ms: Option<u64>,
}

/// How a period went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "since": 1_794_787_200_000_u64, "until": 1_794_960_000_000_u64,
    "total": {"calls": 72, "answered": 67, "transferred": 9, "duration_ms": 5_432_300, "cost_micros": 4_435_660},
    "previous": {"calls": 60, "answered": 55, "transferred": 7, "duration_ms": 4_310_000, "cost_micros": 3_512_900}, "active_calls": 2,
    "average_duration_ms": 81_079, "escalation_rate": 0.125,
    "answer_latency": {"turns": 486, "p50_ms": 764, "p95_ms": 1_640}, "previous_answer_latency": {"turns": 402, "p50_ms": 801, "p95_ms": 1_580},
    "by_status": [{"status": "completed", "calls": 67}, {"status": "no_answer", "calls": 5}]
})))]
pub struct Overview {
    /// The first moment that counts.
    #[schema(value_type = u64)]
    pub since: Millis,
    /// The first moment that does not count any more.
    #[schema(value_type = u64)]
    pub until: Millis,
    /// Calls that came in then.
    pub total: CallCounts,
    /// The same of the period of the same length before.
    pub previous: CallCounts,
    /// Calls on the line now, whenever they came in.
    pub active_calls: u64,
    /// Mean length of connections that are over; absent when there was none.
    pub average_duration_ms: Option<u64>,
    /// Share of the calls that went on to a human being, from 0 to 1; absent without calls.
    pub escalation_rate: Option<f64>,
    /// How long callers waited for answers, in the calls that came in then. Calls that were over before this was measured have no part
    /// in it.
    pub answer_latency: AnswerLatency,
    /// The same of the period of the same length before.
    pub previous_answer_latency: AnswerLatency,
    /// By status; those without calls are left out.
    pub by_status: Vec<StatusCount>,
}

/// The calls of a day or an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VolumePoint {
    /// When the day or hour begins.
    #[schema(value_type = u64)]
    pub at: Millis,
    /// Its calls.
    #[serde(flatten)]
    pub counts: CallCounts,
}

/// The calls of one hour of the day, on all days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HourVolume {
    /// From 0 to 6, from Monday on.
    pub weekday: u8,
    /// From 0 to 23.
    pub hour: u8,
    /// How many.
    pub calls: u64,
}

/// The calls of one business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BusinessVolume {
    /// Which.
    #[schema(value_type = String, format = "uuid")]
    pub business_id: BusinessId,
    /// Its calls.
    #[serde(flatten)]
    pub counts: CallCounts,
}

/// Who rang whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallDirection {
    /// A caller rang one of the tenant's numbers.
    Inbound,
    /// Somebody was rung for the tenant.
    Outbound,
}

/// The calls of one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DirectionVolume {
    /// Which.
    pub direction: CallDirection,
    /// Its calls.
    #[serde(flatten)]
    pub counts: CallCounts,
}

/// When calls came in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "since": 1_794_787_200_000_u64, "until": 1_794_960_000_000_u64, "utc_offset_minutes": 0,
    "points": [
        {
            "at": 1_794_787_200_000_u64, "calls": 40, "answered": 37, "transferred": 5, "duration_ms": 3_021_400,
            "cost_micros": 2_467_120
        },
        {
            "at": 1_794_873_600_000_u64, "calls": 32, "answered": 30, "transferred": 4, "duration_ms": 2_410_900,
            "cost_micros": 1_968_540
        },
    ],
    "hours": [{"weekday": 0, "hour": 9, "calls": 40}, {"weekday": 1, "hour": 14, "calls": 32}],
    "businesses": [
        {
            "business_id": "0192f0c1-7a3e-7d18-ae69-f945589bf3b0", "calls": 72, "answered": 67, "transferred": 9,
            "duration_ms": 5_432_300, "cost_micros": 4_435_660
        },
    ],
    "by_status": [{"status": "completed", "calls": 67}, {"status": "no_answer", "calls": 5}],
    "by_direction": [
        {"direction": "inbound", "calls": 72, "answered": 67, "transferred": 9, "duration_ms": 5_432_300, "cost_micros": 4_435_660},
    ],
    "previous": {"calls": 60, "answered": 55, "transferred": 7, "duration_ms": 4_310_000, "cost_micros": 3_512_900}, "growth": 0.2
})))]
pub struct CallVolume {
    /// The first moment that counts.
    #[schema(value_type = u64)]
    pub since: Millis,
    /// The first moment that does not count any more.
    #[schema(value_type = u64)]
    pub until: Millis,
    /// Minutes that local time is ahead of UTC: days, hours and weekdays are those of local time.
    pub utc_offset_minutes: i32,
    /// By day or hour, in order; those without calls are left out.
    pub points: Vec<VolumePoint>,
    /// By weekday and hour, in order; those without calls are left out.
    pub hours: Vec<HourVolume>,
    /// By business, the busiest first.
    pub businesses: Vec<BusinessVolume>,
    /// By status; those without calls are left out.
    pub by_status: Vec<StatusCount>,
    /// Inbound and outbound; those without calls are left out.
    pub by_direction: Vec<DirectionVolume>,
    /// Calls of the period of the same length before.
    pub previous: CallCounts,
    /// By what share of those there are more calls now (0.5: half as many again; -1: none any more); absent without calls before.
    pub growth: Option<f64>,
}
