use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// When a business is open, by the clock of where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"time_zone": "Europe/Berlin", "opening_hours": ["monday 09:00-12:30", "monday 13:30-18:00", "saturday 10:00-14:00"]})))]
pub struct OpeningHours {
    /// Name of the zone in the tz database, e.g. `Europe/Berlin`.
    pub time_zone: String,
    /// At most 28 spans, e.g. `monday 09:00-17:30`, none of which has a minute in common with another. A day ends at `24:00`: a night is
    /// two spans. None: always closed.
    pub opening_hours: Vec<String>,
}
