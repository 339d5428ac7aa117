//! Limits that protect a tenant, where they are not stored with it.

use voicecore_types::Millis;

/// Without a summary for this long after it began, a call is closed by the scheduled job: the longest call, plus what
/// resuming, the goodbye and the actor's own alarm may take.
pub const UNFINISHED_AFTER: Millis = Millis::from_secs(3_600 + 600);

/// Without a carrier's end for this long, a call is taken as ended even though its summary is there: it was transferred,
/// and the human part (`<Dial timeLimit>`, four hours unless it is set) must be over by then.
pub const UNENDED_AFTER: Millis = Millis::from_secs(5 * 3_600);

/// A call that is held turn by turn and of which nothing was heard for this long is taken as abandoned. One question of the
/// carrier follows the other within the longest reply, the longest silence and the longest turn of a caller: minutes.
pub const DIALOGUE_QUIET_AFTER: Millis = Millis::from_secs(600);

/// Calls closed in one run of the scheduled job; the rest waits for the next minute.
pub const OVERDUE_BATCH: u32 = 100;

/// Calls of one number are counted within this time (`max_hourly_calls_per_caller`).
pub const CALLER_WINDOW: Millis = Millis::from_secs(3_600);

const MILLIS_PER_DAY: u64 = 86_400_000;

/// The day of a moment, in days since 1970-01-01 UTC: what daily caps are counted by.
pub const fn day(moment: Millis) -> u64 {
    moment.0 / MILLIS_PER_DAY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_change_at_midnight_utc() {
        assert_eq!(day(Millis(0)), 0);
        assert_eq!(day(Millis(86_399_999)), 0);
        assert_eq!(day(Millis(86_400_000)), 1);
        // 2026-11-20T23:37:00Z
        assert_eq!(day(Millis(1_795_217_820_000)), 20_777);
    }
}
