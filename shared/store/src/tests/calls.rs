//! Admission and the life of a call.

use proptest::prelude::*;
use voicecore_conformance::block_on;
use voicecore_conformance::doubles::TestDb;
use voicecore_domain::{CallStatus, Transition, limits, pricing};
use voicecore_ports::Value;
use voicecore_types::Millis;

use super::finish::{MODEL, get, spent, summary};
use super::{NOW, World};
use crate::calls::{self, Admission, Advance, Call, Refusal};
use crate::{StoreError, businesses};

/// The statuses that were entered, in the order of their entries.
fn entered(world: &World, call: &Call) -> Vec<CallStatus> {
    // Each engine's own name for the place of a row.
    let sql = match *world.stored {
        TestDb::Sqlite(_) => "select status from call_events where call_id = ?1 order by at, rowid",
        TestDb::Postgres(_) => "select status from call_events where call_id = ?1 order by at, ctid",
    };
    let rows = world.select(sql, vec![call.id.to_string().into()]);
    rows.iter()
        .map(|row| match row.get("status") {
            Some(Value::Text(status)) => status.parse().unwrap(),
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn a_call_is_admitted_once() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let call = world.admitted(&tenant, "CA1", NOW);
    assert_eq!(call.status, CallStatus::Ringing);
    for _ in 0..3 {
        assert_eq!(world.admit(&tenant, "CA1", NOW.plus(Millis(5))), Admission::Repeated(call.clone()));
    }
    assert_eq!(spent(&world, limits::day(NOW)), (1, 0));
    assert_eq!(entered(&world, &call), [CallStatus::Ringing]);
}

#[test]
fn a_repeated_webhook_is_answered_alike_at_the_limit() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    world.limits(&tenant, 1, 1_000, 1_000_000);
    let call = world.admitted(&tenant, "CA1", NOW);
    assert_eq!(world.admit(&tenant, "CA2", NOW), Admission::Refused(Refusal::Concurrency));
    assert_eq!(world.admit(&tenant, "CA1", NOW), Admission::Repeated(call));
}

/// Whoever looked the number up before the tenant was stopped stores nothing afterwards: a deletion finds every call.
#[test]
fn a_tenant_that_does_not_work_takes_no_call() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let call = world.admitted(&tenant, "CA1", NOW);
    world.select("update tenants set suspended_at = 1", vec![]);
    assert_eq!(world.admit(&tenant, "CA2", NOW), Admission::Refused(Refusal::Suspended));
    assert_eq!(world.admit(&tenant, "CA1", NOW), Admission::Repeated(call));
    assert_eq!(spent(&world, limits::day(NOW)), (1, 0));
    world.select("update tenants set suspended_at = null", vec![]);
    world.admitted(&tenant, "CA2", NOW);
}

#[test]
fn a_new_tenant_has_room_for_ten_calls() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    for n in 0..10 {
        world.admitted(&tenant, &format!("CA{n}"), NOW);
    }
    assert_eq!(world.admit(&tenant, "CA10", NOW), Admission::Refused(Refusal::Concurrency));
}

#[test]
fn the_number_must_be_the_tenants() {
    let world = World::new();
    let (one, mut two) = (world.tenant("+15005550001"), world.tenant("+15005550002"));
    two.number = one.number;
    let call = calls::NewCall {
        call_id: world.call_id(NOW),
        carrier_call_id: "CA1",
        business_id: two.business,
        phone_number_id: one.number,
        direction: voicecore_domain::CallDirection::Inbound,
        status: CallStatus::Ringing,
        caller: None,
        started_at: NOW,
    };
    let refused = block_on(calls::admit(&two.scope, &call));
    assert!(matches!(refused, Err(StoreError::NotFound(_))), "{refused:?}");
}

/// What happens to a tenant's calls, for the model below.
#[derive(Debug, Clone)]
enum Step {
    Ring { carrier: u8, caller: Option<u8> },
    End { carrier: u8 },
    Finish { carrier: u8, audio_out: u64 },
    Wait { minutes: u64 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0_u8..12, prop::option::of(0_u8..2)).prop_map(|(carrier, caller)| Step::Ring { carrier, caller }),
        2 => (0_u8..12).prop_map(|carrier| Step::End { carrier }),
        2 => (0_u8..12, 0_u64..40_000).prop_map(|(carrier, audio_out)| Step::Finish { carrier, audio_out }),
        1 => prop::sample::select(vec![0.3, 1.0, 5.0, 19.0]).prop_map(|hours| Step::Wait { minutes: (hours * 60.0) as u64 }),
    ];
    prop::collection::vec(step, 0..40)
}

/// A call of the model.
struct Known {
    call: Call,
    caller: Option<u8>,
    on_line: bool,
    finished: bool,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// A27: never one call too many, whatever the order of rings, ends and summaries, and each refusal for a reason.
    #[test]
    fn a27_admission_equals_a_plain_count(
        steps in steps(),
        concurrent in 1_u32..4,
        daily in 1_u32..8,
        hourly in 1_u8..4,
    ) {
        const CAP: u64 = 3_000_000;
        let world = World::new();
        let tenant = world.tenant("+15005550001");
        world.limits(&tenant, concurrent.into(), daily.into(), CAP.cast_signed());
        world.limit_callers(&tenant, hourly.into());
        let mut now = NOW;
        let mut known: std::collections::BTreeMap<u8, Known> = std::collections::BTreeMap::new();
        let mut today: std::collections::BTreeMap<u64, (u64, u64)> = std::collections::BTreeMap::new();
        for step in steps {
            now = now.plus(Millis(1));
            let used = *today.entry(limits::day(now)).or_default();
            match step {
                Step::Wait { minutes } => now = now.plus(Millis::from_secs(minutes * 60)),
                Step::Ring { carrier, caller } => {
                    let on_line = known.values().filter(|k| k.on_line).count();
                    let rung = known.values().filter(|k| k.caller.is_some() && k.caller == caller
                        && now.since(k.call.started_at) < Millis::from_secs(3_600)).count();
                    let admission = world.admit_from(&tenant, &format!("CA{carrier}"), caller, now);
                    let expected = if known.contains_key(&carrier) { None }
                        else if on_line >= concurrent as usize { Some(Refusal::Concurrency) }
                        else if used.0 >= u64::from(daily) { Some(Refusal::DailyCalls) }
                        else if used.1 >= CAP { Some(Refusal::DailyCost) }
                        else if rung >= usize::from(hourly) { Some(Refusal::HourlyCaller) }
                        else { None };
                    match (admission, expected) {
                        (Admission::Refused(why), Some(expected)) => prop_assert_eq!(why, expected),
                        (Admission::Repeated(_), None) => prop_assert!(known.contains_key(&carrier)),
                        (Admission::Admitted(call), None) => {
                            let new = Known { call, caller, on_line: true, finished: false };
                            prop_assert!(known.insert(carrier, new).is_none());
                            today.entry(limits::day(now)).or_default().0 += 1;
                        }
                        (got, expected) => prop_assert!(false, "{got:?} instead of {expected:?}"),
                    }
                }
                Step::End { carrier } => if let Some(k) = known.get_mut(&carrier) {
                    let change = block_on(calls::advance(&tenant.scope, k.call.id, CallStatus::Completed, now)).unwrap();
                    prop_assert_eq!(change == Advance::Changed, k.on_line);
                    k.on_line = false;
                },
                Step::Finish { carrier, audio_out } => if let Some(k) = known.get_mut(&carrier) {
                    let summary = summary(&k.call, now, audio_out);
                    prop_assert_eq!(block_on(calls::finish(&tenant.scope, &summary)).unwrap(), !k.finished);
                    if !k.finished {
                        today.entry(limits::day(now)).or_default().1 += pricing::cost_micros(MODEL, &summary.usage);
                    }
                    (k.finished, k.on_line) = (true, false);
                },
            }
        }
        for (day, used) in today {
            prop_assert_eq!(spent(&world, day), used);
        }
    }

    /// A11, C3: whatever is reported, and wherever the summary comes among the reports, the log has each change of the
    /// call exactly once, in order; the call ends once; it costs once.
    #[test]
    fn a11_every_change_is_logged_once(
        reports in prop::collection::vec(prop::sample::select(CallStatus::ALL.to_vec()), 0..12),
        summaries in prop::collection::vec(0_usize..12, 0..3),
        transferred in any::<bool>(),
    ) {
        let world = World::new();
        let tenant = world.tenant("+15005550001");
        let call = world.admitted(&tenant, "CA1", NOW);
        let mut log = vec![CallStatus::Ringing];
        let mut now = NOW;
        let mut finished = false;
        for place in 0..=reports.len() {
            for _ in summaries.iter().filter(|at| **at == place) {
                now = now.plus(Millis(1_000));
                let mut summary = summary(&call, now, 1_000);
                summary.carrier_continues = transferred;
                prop_assert_eq!(block_on(calls::finish(&tenant.scope, &summary)).unwrap(), !finished);
                let leads_to = if transferred { CallStatus::InProgress } else { CallStatus::Completed };
                if let (false, Transition::To(next)) = (finished, log[log.len() - 1].after(leads_to)) {
                    log.push(next);
                }
                finished = true;
            }
            let Some(report) = reports.get(place) else { break };
            now = now.plus(Millis(1_000));
            let change = block_on(calls::advance(&tenant.scope, call.id, *report, now)).unwrap();
            match log[log.len() - 1].after(*report) {
                Transition::To(next) => {
                    prop_assert_eq!(change, Advance::Changed);
                    log.push(next);
                }
                Transition::Stay => prop_assert_eq!(change, Advance::Unchanged),
            }
            prop_assert_eq!(get(&tenant, &call).status, log[log.len() - 1]);
        }
        prop_assert_eq!(entered(&world, &call), log.clone());
        let stored = get(&tenant, &call);
        prop_assert_eq!(stored.ended_at.is_some(), log[log.len() - 1].is_end());
        prop_assert_eq!(stored.finished_at.is_some(), finished);
        prop_assert_eq!(stored.cost_micros, if finished { 64_000 } else { 0 });
        prop_assert_eq!(spent(&world, limits::day(NOW)), (1, stored.cost_micros));
    }
}

#[test]
fn an_actor_gets_everything_in_one_statement() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let call = world.admitted(&tenant, "CA1", NOW);
    let setup = block_on(businesses::call_setup(&tenant.scope, call.id)).unwrap().unwrap();
    assert_eq!((setup.call_id, setup.carrier_call_id.as_str()), (call.id, "CA1"));
    assert_eq!((setup.business_id, setup.business_name.as_str()), (tenant.business, "Business"));
    assert_eq!(setup.call_length, Millis::from_secs(3_600));
    let assistant = &setup.assistant;
    assert_eq!((assistant.name.as_str(), assistant.greeting.as_deref()), ("Assistant", None));
    assert_eq!(assistant.instructions.as_deref(), Some("Be brief."));
    let sealer = world.master.open_tenant(tenant.scope.tenant(), &setup.wrapped_key).unwrap();
    let fallback = setup.fallback_number.unwrap();
    let number = sealer.open_number(crate::seal::Column::FallbackNumber, &fallback).unwrap();
    assert_eq!(number.expose(), "+15005559999");
    let dialled =
        sealer.open_number(crate::seal::Column::PhoneNumber, &setup.dialled_number.unwrap()).unwrap();
    assert_eq!(dialled.expose(), "+15005550001");
    let alone = block_on(businesses::fallback_number(&tenant.scope, tenant.business)).unwrap();
    assert_eq!(alone, Some(fallback));

    // History outlives what is configured.
    world.select("delete from phone_numbers", vec![]);
    let setup = block_on(businesses::call_setup(&tenant.scope, call.id)).unwrap().unwrap();
    assert!(setup.dialled_number.is_none());
}
