//! What remains of a call when it is over.

use proptest::prelude::*;
use voicecore_conformance::block_on;
use voicecore_domain::{CallStatus, TokenUsage, limits};
use voicecore_ports::Value;
use voicecore_types::Millis;

use super::{NOW, Tenant, World};
use crate::calls::{self, Admission, Call, FinishedCall, Refusal};
use crate::directory;

const HOUR: Millis = Millis::from_secs(3_600);
pub(super) const MODEL: &str = "gpt-realtime-2.1";

/// What an actor says in the end.
pub(super) fn summary(call: &Call, at: Millis, audio_out: u64) -> FinishedCall<'static> {
    FinishedCall {
        call_id: call.id,
        connected_at: Some(call.started_at.plus(Millis(500))),
        ended_at: at,
        carrier_continues: false,
        end_reason: "caller_hung_up",
        attempts: 1,
        model_sessions: 1,
        interaction_count: 4,
        model: MODEL,
        usage: TokenUsage { audio_out, ..TokenUsage::default() },
        finished_at: at,
    }
}

pub(super) fn get(tenant: &Tenant, call: &Call) -> Call {
    block_on(calls::get(&tenant.scope, call.id)).unwrap().unwrap()
}

/// Calls and cost of a day.
pub(super) fn spent(world: &World, day: u64) -> (u64, u64) {
    let rows =
        world.select("select calls, cost_micros from usage_daily where day = ?1", vec![Millis(day).into()]);
    match rows.first().map(|row| (row.get("calls").cloned(), row.get("cost_micros").cloned())) {
        Some((Some(Value::Int(calls)), Some(Value::Int(cost)))) => {
            (calls.cast_unsigned(), cost.cast_unsigned())
        }
        None => (0, 0),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_finished_call_has_everything() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let call = world.admitted(&tenant, "CA1", NOW);
    let ended = NOW.plus(Millis(60_500));
    assert!(block_on(calls::finish(&tenant.scope, &summary(&call, ended, 1_200))).unwrap());
    let stored = get(&tenant, &call);
    assert_eq!(stored.status, CallStatus::Completed);
    assert_eq!(stored.end_reason.as_deref(), Some("caller_hung_up"));
    assert_eq!(stored.duration(), Some(Millis(60_000)));
    assert_eq!((stored.attempts, stored.model_sessions, stored.interaction_count), (1, 1, 4));
    assert_eq!((stored.usage.audio_out, stored.cost_micros), (1_200, 76_800));
    assert_eq!(stored.model.as_deref(), Some(MODEL));
}

#[test]
fn a_call_that_was_never_connected_has_failed() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let call = world.admitted(&tenant, "CA1", NOW);
    let lost =
        FinishedCall { connected_at: None, end_reason: "abandoned", ..summary(&call, NOW.plus(HOUR), 0) };
    assert!(block_on(calls::finish(&tenant.scope, &lost)).unwrap());
    let stored = get(&tenant, &call);
    assert_eq!((stored.status, stored.duration()), (CallStatus::Failed, Some(Millis::ZERO)));
}

/// How a call is finished that no actor holds.
fn closed(call: &Call, at: Millis) -> FinishedCall<'static> {
    FinishedCall {
        connected_at: None,
        end_reason: "abandoned",
        attempts: 0,
        model_sessions: 0,
        interaction_count: 0,
        ..summary(call, at, 0)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Whether a call was closed without its actor before or after the actor's summary, and however often each comes: what
    /// was used is stored and paid for once, and the first end is the last word.
    #[test]
    fn a_summary_is_never_lost_to_a_call_that_was_only_closed(
        summaries in prop::collection::vec(any::<bool>(), 1..6),
        ended in prop::option::of(Just(CallStatus::Completed)),
    ) {
        let world = World::new();
        let tenant = world.tenant("+15005550001");
        let call = world.admitted(&tenant, "CA1", NOW);
        if let Some(ended) = ended {
            block_on(calls::advance(&tenant.scope, call.id, ended, NOW.plus(Millis(700)))).unwrap();
        }
        let mut stored: Option<(bool, u64)> = None;
        for (minute, real) in (1..).zip(summaries) {
            let at = NOW.plus(Millis(minute * 60_000));
            let finished = if real { summary(&call, at, 1_000 * minute) } else { closed(&call, at) };
            let before = get(&tenant, &call);
            let changed = block_on(calls::finish(&tenant.scope, &finished)).unwrap();
            let counts = match stored {
                None => true,
                Some((was_real, _)) => real && !was_real,
            };
            prop_assert_eq!(changed, counts);
            if counts {
                stored = Some((real, if real { 1_000 * minute } else { 0 }));
            } else {
                prop_assert_eq!(&get(&tenant, &call), &before);
            }
            if before.status.is_end() {
                prop_assert_eq!(get(&tenant, &call).status, before.status);
            }
        }
        let (real, audio_out) = stored.unwrap();
        let after = get(&tenant, &call);
        prop_assert_eq!((after.usage.audio_out, after.cost_micros), (audio_out, audio_out * 64));
        prop_assert_eq!(after.end_reason.as_deref(), Some(if real { "caller_hung_up" } else { "abandoned" }));
        prop_assert_eq!((after.attempts, after.interaction_count), if real { (1, 4) } else { (0, 0) });
        prop_assert_eq!(spent(&world, limits::day(NOW)), (1, after.cost_micros));
    }
}

#[test]
fn the_cost_counts_against_the_day_on_which_it_is_known() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    world.limits(&tenant, 10, 100, 70_000);
    let call = world.admitted(&tenant, "CA1", NOW);
    let after_midnight = NOW.plus(HOUR).plus(HOUR);
    block_on(calls::finish(&tenant.scope, &summary(&call, after_midnight, 1_200))).unwrap();
    assert_eq!(spent(&world, limits::day(NOW)), (1, 0));
    assert_eq!(spent(&world, limits::day(after_midnight)), (0, 76_800));
    assert_eq!(world.admit(&tenant, "CA2", after_midnight), Admission::Refused(Refusal::DailyCost));
    world.admitted(&tenant, "CA3", after_midnight.plus(Millis::from_secs(86_400)));
}

#[test]
fn overdue_calls_are_found_and_no_others() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let unfinished = world.admitted(&tenant, "CA1", NOW);
    let transferred = world.admitted(&tenant, "CA2", NOW);
    let over = world.admitted(&tenant, "CA3", NOW);
    let continues = FinishedCall { carrier_continues: true, ..summary(&transferred, NOW, 0) };
    block_on(calls::finish(&tenant.scope, &continues)).unwrap();
    block_on(calls::finish(&tenant.scope, &summary(&over, NOW, 0))).unwrap();

    let overdue = |at: Millis| -> Vec<_> {
        let mut found = block_on(directory::overdue_calls(&world.db, at)).unwrap();
        found.sort_by_key(|location| location.call_id);
        found.iter().map(|location| (location.call_id, location.finished)).collect()
    };
    assert_eq!(overdue(NOW.plus(HOUR)), []);
    assert_eq!(overdue(NOW.plus(limits::UNFINISHED_AFTER).plus(Millis(1))), [(unfinished.id, false)]);
    let mut both = [(unfinished.id, false), (transferred.id, true)];
    both.sort();
    assert_eq!(overdue(NOW.plus(limits::UNENDED_AFTER).plus(Millis(1))), both);
}
