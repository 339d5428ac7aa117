//! A20: what the database adds up is what a plain loop over the rows does.

use proptest::prelude::*;
use voicecore_conformance::doubles::{Numbers, PostgresDb, SqliteDb};
use voicecore_conformance::{block_on, portable};
use voicecore_domain::{CallDirection, CallStatus, TokenUsage};
use voicecore_ports::postgres::Plan;
use voicecore_types::{BusinessId, Millis};

use super::{NOW, Tenant, World};
use crate::analytics::{self, AnswerLatency, Counts, Division, Period};
use crate::call_words;
use crate::calls::{self, Call, FinishedCall};

const HOUR: u64 = 3_600_000;

/// A call: hours after the beginning, what became of it, and how many seconds it was connected.
type Seed = (u64, u8, u64);

fn place(world: &World, tenant: &Tenant, seeds: &[Seed]) -> Vec<Call> {
    world.limits(tenant, 1_000, 1_000, i64::from(u32::MAX));
    let mut placed = Vec::new();
    for (index, (hours, fate, seconds)) in seeds.iter().enumerate() {
        let at = NOW.plus(Millis(hours * HOUR + index as u64));
        let call = world.admitted(tenant, &format!("CA{}{index}", tenant.scope.tenant()), at);
        let answered = at.plus(Millis(2_000));
        let ended = answered.plus(Millis::from_secs(*seconds));
        let advance = |status, at| block_on(calls::advance(&tenant.scope, call.id, status, at)).unwrap();
        if *fate >= 2 {
            advance(CallStatus::InProgress, answered);
        }
        if *fate >= 3 {
            let finished = FinishedCall {
                call_id: call.id,
                connected_at: Some(answered),
                ended_at: ended,
                carrier_continues: *fate == 4,
                end_reason: if *fate == 4 { "transferred" } else { "caller_hung_up" },
                attempts: 1,
                model_sessions: 1,
                interaction_count: 1,
                model: "gpt-realtime",
                usage: TokenUsage { text_in: 1_000 * seconds, ..TokenUsage::default() },
                finished_at: ended,
            };
            assert!(block_on(calls::finish(&tenant.scope, &finished)).unwrap());
        }
        match fate {
            1 => drop(advance(CallStatus::NoAnswer, answered)),
            5 => drop(advance(CallStatus::Failed, ended)),
            _ => {}
        }
        if index % 3 == 1 {
            world.select(
                "update calls set direction = 'outbound' where id = ?1",
                vec![call.id.to_string().into()],
            );
        }
        placed.push(block_on(calls::get(&tenant.scope, call.id)).unwrap().unwrap());
    }
    placed
}

fn recount<'a>(calls: impl IntoIterator<Item = &'a Call>) -> Counts {
    let mut counts = Counts::default();
    for call in calls {
        counts.calls += 1;
        counts.answered += u64::from(call.answered_at.is_some());
        counts.ended += u64::from(call.answered_at.is_some() && call.ended_at.is_some());
        counts.transferred += u64::from(call.end_reason.as_deref() == Some("transferred"));
        counts.duration = counts.duration.plus(call.duration().unwrap_or(Millis::ZERO));
        counts.cost_micros += call.cost_micros;
    }
    counts
}

fn statuses(calls: &[&Call]) -> Vec<(CallStatus, u64)> {
    let count = |status| calls.iter().filter(|call| call.status == status).count() as u64;
    CallStatus::ALL.into_iter().map(|s| (s, count(s))).filter(|(_, n)| *n > 0).collect()
}

/// How many calls stand under each number, in the order of the numbers.
fn grouped(calls: &[&Call], part: impl Fn(&Call) -> u64) -> Vec<(u64, Counts)> {
    let mut parts: Vec<u64> = calls.iter().map(|call| part(call)).collect();
    parts.sort_unstable();
    parts.dedup();
    let of = |wanted: u64| recount(calls.iter().copied().filter(|call| part(call) == wanted));
    parts.into_iter().map(|wanted| (wanted, of(wanted))).collect()
}

#[test]
fn every_figure_is_a_walk_along_an_index() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let (sqlite, postgres) = (SqliteDb::migrated(Numbers::Doubles), PostgresDb::migrated());
    for business_id in [None, Some(tenant.business)] {
        let period = Period { since: NOW, until: NOW.plus(Millis(1)), business_id };
        let mut stmts = analytics::overview_stmts(&tenant.scope, &period);
        for division in [Division::Days, Division::Hours] {
            stmts.extend(analytics::volume_stmts(&tenant.scope, &period, division, -1));
        }
        for stmt in stmts {
            let sql = stmt.sql.text();
            assert_eq!(portable::lint(sql), [""; 0], "{sql}");
            assert_eq!(sqlite.parameters(sql), Ok(stmt.args.len()), "{sql}");
            let plan = sqlite.plan(sql).unwrap();
            let bound = if sql.contains("started_at >= ?") { "started_at>?" } else { "(tenant_id=?" };
            let walks = |step: &String| step.starts_with("SEARCH calls USING") && step.contains(bound);
            assert!(plan.iter().any(walks), "{sql}: {plan:?}");
            let of_calls = |step: &String| {
                step.starts_with("SEARCH l USING") && step.contains("(tenant_id=? AND call_id=?)")
            };
            assert_eq!(plan.iter().any(of_calls), sql.contains("call_latencies"), "{sql}: {plan:?}");
            let plan = Plan::new(vec![stmt.clone()]).unwrap();
            let parameters = postgres.parameters(&plan.steps[0].sql);
            assert_eq!(parameters.map(|types| types.len()), Ok(stmt.args.len()), "{sql}");
            if sql.contains("call_latencies") {
                assert_eq!(postgres.walks(&plan.steps[0].sql), Ok(vec![]), "{sql}");
            }
        }
    }
}

/// Calls, by the hours after the beginning at which they came in, with the waits for answers in them.
fn waits() -> impl Strategy<Value = Vec<(u64, Vec<u64>)>> {
    let wait = prop_oneof![4 => 0_u64..4, 4 => 200_u64..3_000, 1 => Just(9_999_999_999)];
    prop::collection::vec((0_u64..40, prop::collection::vec(wait, 0..30)), 0..8)
}

fn place_waits(world: &World, tenant: &Tenant, calls: &[(u64, Vec<u64>)]) {
    world.limits(tenant, 1_000, 1_000, i64::from(u32::MAX));
    for (index, (hours, waits)) in calls.iter().enumerate() {
        let at = NOW.plus(Millis(hours * HOUR + index as u64));
        let call = world.admitted(tenant, &format!("CA{}{index}", tenant.scope.tenant()), at);
        let store = |latencies: &[(u32, Millis)]| {
            block_on(call_words::store(&tenant.scope, call.id, &[], latencies, None)).unwrap();
        };
        // Of what was known before nothing stays.
        store(&[(1, Millis(77)), (99, Millis(7))]);
        store(&waits.iter().zip(1..).map(|(wait, seq)| (seq, Millis(*wait))).collect::<Vec<_>>());
    }
}

/// The wait that stands at the place of so many of a hundred when all of them are in order.
fn nearest_rank(mut waits: Vec<u64>) -> AnswerLatency {
    waits.sort_unstable();
    let at =
        |percent: usize| Some(Millis(*waits.get((waits.len() * percent).div_ceil(100).checked_sub(1)?)?));
    AnswerLatency { turns: waits.len() as u64, p50: at(50), p95: at(95) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a20_answer_latency_equals_a_naive_recount(
        mine in waits(),
        theirs in waits(),
        since in 0_u64..30,
        length in 1_u64..30,
        business in 0_u8..3,
    ) {
        let world = World::new();
        let (tenant, other) = (world.tenant("+15005550001"), world.tenant("+15005550002"));
        place_waits(&world, &tenant, &mine);
        place_waits(&world, &other, &theirs);
        let business_id = [None, Some(tenant.business), Some(BusinessId::new(NOW, &[9; 10]))][usize::from(business)];
        let moment = |hours: u64| NOW.plus(Millis(hours * HOUR));
        let period = Period { since: moment(since), until: moment(since + length), business_id };
        let within = |from: u64, to: u64| {
            let calls = mine.iter().enumerate().filter(|(index, (hours, _))| {
                let at = hours * HOUR + *index as u64;
                business < 2 && at + length * HOUR >= from && at + length * HOUR < to
            });
            nearest_rank(calls.flat_map(|(_, (_, waits))| waits.clone()).collect())
        };
        let found = block_on(analytics::overview(&tenant.scope, &period)).unwrap();
        // Moments are counted from a period before the beginning, so that none is below zero.
        let (before, now, after) = (since * HOUR, (since + length) * HOUR, (since + 2 * length) * HOUR);
        prop_assert_eq!(found.answer_latency, within(now, after));
        prop_assert_eq!(found.previous_answer_latency, within(before, now));
    }

    #[test]
    fn a20_b19_figures_equal_a_naive_recount(
        mine in prop::collection::vec((0_u64..80, 0_u8..6, 0_u64..400), 0..14),
        theirs in prop::collection::vec((0_u64..80, 0_u8..6, 0_u64..400), 0..4),
        since in 0_u64..60,
        length in 1_u64..60,
        half_hours_ahead in -24_i64..29,
        other_business in any::<bool>(),
        by_hour in any::<bool>(),
    ) {
        let world = World::new();
        let (tenant, other) = (world.tenant("+15005550001"), world.tenant("+15005550002"));
        let placed = place(&world, &tenant, &mine);
        place(&world, &other, &theirs);
        let business = other_business.then(|| BusinessId::new(NOW, &[9; 10]));
        let moment = |hours: u64| NOW.plus(Millis(hours * HOUR));
        let period = Period { since: moment(since), until: moment(since + length), business_id: business };
        let within = |from: Millis, to: Millis| -> Vec<&Call> {
            let fits = |call: &&Call| call.started_at >= from && call.started_at < to && !other_business;
            placed.iter().filter(fits).collect()
        };
        let counted = within(period.since, period.until);

        let found = block_on(analytics::overview(&tenant.scope, &period)).unwrap();
        prop_assert_eq!(found.total, recount(counted.iter().copied()));
        let before = Millis(period.since.0 - length * HOUR);
        prop_assert_eq!(found.previous, recount(within(before, period.since)));
        let active = placed.iter().filter(|call| call.ended_at.is_none() && !other_business).count();
        prop_assert_eq!(found.active, active as u64);
        prop_assert_eq!(&found.by_status, &statuses(&counted));

        let ahead = half_hours_ahead * 1_800_000;
        let (division, step) = if by_hour { (Division::Hours, HOUR) } else { (Division::Days, 24 * HOUR) };
        let found = block_on(analytics::volume(&tenant.scope, &period, division, ahead)).unwrap();
        let local = |call: &Call| call.started_at.0.checked_add_signed(ahead).unwrap();
        prop_assert_eq!(&found.points, &grouped(&counted, |call| local(call) / step));
        // 1970-01-05 was the first Monday.
        let week_hour = |call: &Call| (local(call) - 4 * 24 * HOUR) / HOUR % 168;
        let hours: Vec<_> = grouped(&counted, week_hour).into_iter().map(|(part, of)| (part, of.calls)).collect();
        prop_assert_eq!(found.hours, hours);
        let all = recount(counted.iter().copied());
        let businesses = if counted.is_empty() { vec![] } else { vec![(tenant.business, all)] };
        prop_assert_eq!(found.businesses, businesses);
        prop_assert_eq!(found.by_status, statuses(&counted));
        let ways = [CallDirection::Inbound, CallDirection::Outbound].map(|way| {
            (way, recount(counted.iter().copied().filter(|call| call.direction == way)))
        });
        let ways: Vec<_> = ways.into_iter().filter(|(_, of)| of.calls > 0).collect();
        prop_assert_eq!(found.by_direction, ways);
        prop_assert_eq!(found.previous, recount(within(before, period.since)));
    }
}
