//! The audit log: its lists, and its chain under any hand in the database (property B29).

use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use voicecore_conformance::doubles::{Numbers, SqliteDb};
use voicecore_conformance::interleave::{both, step_aside_by};
use voicecore_conformance::{block_on, portable};
use voicecore_ports::{BoxFuture, Db, DbError, Rows, Stmt, Value};
use voicecore_types::{AuditEntryId, Millis, Page, PageRequest};

use super::{NOW, Tenant, World};
use crate::audit_log::{self, AuditEntry, AuditFilter, AuditRow, Flaw, SEALED_AT_ONCE, Sealing, Verified};
use crate::{Scope, directory};

const ACTIONS: [&str; 3] = ["call.end", "provider.set", "tenant.suspend"];
const ACTORS: [&str; 2] = ["key-1", "key-2"];

/// Writes `count` entries beside the one that setting the tenant up has written.
fn write(world: &World, tenant: &Tenant, count: usize) {
    for n in 0..count {
        let at = NOW.plus(Millis(n as u64 / 3));
        let entry = AuditEntry {
            id: AuditEntryId::new(at, &world.rng.bytes()),
            at,
            actor_kind: "api_key",
            actor_id: (n % 3 < 2).then(|| ACTORS[n % 2]),
            action: ACTIONS[n % 3],
            subject_id: (n % 4 != 0).then_some("subject-1"),
        };
        let fields: &[&str] = if n % 2 == 0 { &[] } else { &["api_key", "name"] };
        block_on(tenant.scope.batch(vec![audit_log::entry_of_fields(&tenant.scope, &entry, fields)]))
            .unwrap();
    }
}

fn seal_all(tenant: &Tenant) -> u32 {
    let mut sealed = 0;
    loop {
        let step = block_on(audit_log::seal(&tenant.scope, &tenant.sealer, NOW)).unwrap();
        sealed += step.sealed;
        if !step.more {
            return sealed;
        }
    }
}

/// Walks the whole chain in steps of `limit`.
fn verify(tenant: &Tenant, limit: u32) -> (u32, Verified) {
    let (mut after, mut checked) = (0, 0);
    loop {
        let step = block_on(audit_log::verify(&tenant.scope, &tenant.sealer, after, limit)).unwrap();
        checked += step.checked;
        match step.next {
            Some(next) => after = next,
            None => return (checked, step),
        }
    }
}

/// A hand in the database: each changes what was sealed.
#[derive(Debug, Clone, Copy)]
enum Hand {
    Column(usize),
    Remove,
    CutOffEnd,
    CutOffEndAndMoveHead,
    CutOffEndAndMoveHeadWithHash,
    Insert,
    InsertBehind,
    InsertBefore,
    Swap,
    SwapWithHashes,
    Unseal,
    ForgetHead,
    HeadHash,
}

const COLUMNS: [&str; 9] = [
    "update audit_log set id = 'x' where tenant_id = ?1 and seq = ?2",
    "update audit_log set at = at + 1 where tenant_id = ?1 and seq = ?2",
    "update audit_log set actor_kind = 'operator' where tenant_id = ?1 and seq = ?2",
    "update audit_log set actor_id = coalesce(actor_id, '') || 'x' where tenant_id = ?1 and seq = ?2",
    "update audit_log set action = 'call.read' where tenant_id = ?1 and seq = ?2",
    "update audit_log set subject_id = coalesce(subject_id, '') || 'x' where tenant_id = ?1 and seq = ?2",
    "update audit_log set fields = coalesce(fields, '') || 'x' where tenant_id = ?1 and seq = ?2",
    "update audit_log set hash = 'AAAA' where tenant_id = ?1 and seq = ?2",
    "update audit_log set hash = null where tenant_id = ?1 and seq = ?2",
];

fn hand() -> impl Strategy<Value = Hand> {
    prop_oneof![
        4 => (0..COLUMNS.len()).prop_map(Hand::Column),
        1 => Just(Hand::Remove),
        1 => Just(Hand::CutOffEnd),
        1 => Just(Hand::CutOffEndAndMoveHead),
        2 => Just(Hand::CutOffEndAndMoveHeadWithHash),
        1 => Just(Hand::Insert),
        1 => Just(Hand::InsertBehind),
        1 => Just(Hand::InsertBefore),
        1 => Just(Hand::Swap),
        1 => Just(Hand::SwapWithHashes),
        1 => Just(Hand::Unseal),
        1 => Just(Hand::ForgetHead),
        1 => Just(Hand::HeadHash),
    ]
}

/// Does it, at place `at` of `last` places.
fn meddle(world: &World, tenant: &Tenant, hand: Hand, at: i64, last: i64) {
    const COPY: &str = "insert into audit_log (id, tenant_id, at, actor_kind, action, seq, hash)
        select 'copy', tenant_id, at, actor_kind, action, ?3, hash from audit_log where tenant_id = ?1 and seq = ?2";
    const PLACE: &str = "update audit_log set seq = ?3 where tenant_id = ?1 and seq = ?2";
    const HASH: &str = "update audit_log set hash = ?3 where tenant_id = ?1 and seq = ?2";
    let me = || tenant.scope.tenant_arg();
    let run = |sql: &'static str, args: Vec<Value>| world.select(sql, args);
    let place = |from: i64, to: i64| run(PLACE, vec![me(), from.into(), to.into()]);
    let other = if at == last { 1 } else { last };
    match hand {
        Hand::Column(column) => drop(run(COLUMNS[column], vec![me(), at.into()])),
        Hand::Remove => {
            drop(run("delete from audit_log where tenant_id = ?1 and seq = ?2", vec![me(), at.into()]));
        }
        Hand::CutOffEnd | Hand::CutOffEndAndMoveHead | Hand::CutOffEndAndMoveHeadWithHash => {
            run("delete from audit_log where tenant_id = ?1 and seq >= ?2", vec![me(), at.into()]);
            if matches!(hand, Hand::CutOffEndAndMoveHead) {
                // Without knowing that the hash moves along.
                run("update audit_chains set seq = ?2 where tenant_id = ?1", vec![me(), (at - 1).into()]);
            }
            if matches!(hand, Hand::CutOffEndAndMoveHeadWithHash) {
                let sql =
                    "update audit_chains set seq = ?2, end_hash = coalesce((select l.hash from audit_log l
                    where l.tenant_id = ?1 and l.seq = ?2), '') where tenant_id = ?1";
                run(sql, vec![me(), (at - 1).into()]);
            }
        }
        Hand::Insert => {
            for from in (at..=last).rev() {
                place(from, from + 1);
            }
            run(COPY, vec![me(), (at + 1).into(), at.into()]);
            run("update audit_chains set seq = seq + 1 where tenant_id = ?1", vec![me()]);
        }
        Hand::InsertBehind => drop(run(COPY, vec![me(), at.into(), (last + 1).into()])),
        Hand::InsertBefore => drop(run(COPY, vec![me(), at.into(), (-at).into()])),
        Hand::Swap | Hand::SwapWithHashes => {
            let hash = |seq: i64| {
                let rows = run(
                    "select hash from audit_log where tenant_id = ?1 and seq = ?2",
                    vec![me(), seq.into()],
                );
                rows[0]["hash"].clone()
            };
            let (one, two) = (hash(at), hash(other));
            place(at, last + 1);
            place(other, at);
            place(last + 1, other);
            if matches!(hand, Hand::SwapWithHashes) {
                run(HASH, vec![me(), at.into(), one]);
                run(HASH, vec![me(), other.into(), two]);
            }
        }
        Hand::Unseal => {
            let sql = "update audit_log set seq = null, hash = null where tenant_id = ?1 and seq = ?2";
            run(sql, vec![me(), at.into()]);
        }
        Hand::ForgetHead => drop(run("delete from audit_chains where tenant_id = ?1", vec![me()])),
        Hand::HeadHash => {
            drop(run("update audit_chains set end_hash = 'AAAA' where tenant_id = ?1", vec![me()]));
        }
    }
}

/// A database whose every answer lets the other writer go first as often as the schedule says.
struct Aside {
    inner: Arc<dyn Db>,
    schedule: Mutex<u32>,
}

impl Aside {
    async fn wait(&self) {
        let mut schedule = *self.schedule.lock().unwrap();
        step_aside_by(&mut schedule).await;
        *self.schedule.lock().unwrap() = schedule;
    }
}

impl Db for Aside {
    fn query(&self, stmt: Stmt) -> BoxFuture<'_, Result<Rows, DbError>> {
        Box::pin(async move {
            self.wait().await;
            self.inner.query(stmt).await
        })
    }

    fn batch(&self, stmts: Vec<Stmt>) -> BoxFuture<'_, Result<Vec<Rows>, DbError>> {
        Box::pin(async move {
            self.wait().await;
            self.inner.batch(stmts).await
        })
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// Whatever is sealed verifies, however it was sealed and is walked; any change, removal, insertion or reordering of what
    /// was sealed is found, and at its place where the place is known.
    #[test]
    fn b29_any_change_to_history_breaks_the_chain(
        count in 1_usize..60, limit in 1_u32..70, place in any::<prop::sample::Index>(), hand in hand(),
    ) {
        let world = World::new();
        let (tenant, other) = (world.tenant("+15005550001"), world.tenant("+15005550002"));
        write(&world, &tenant, count / 2);
        seal_all(&tenant);
        write(&world, &tenant, count - count / 2);
        seal_all(&tenant);
        seal_all(&other);
        let last = count as u64 + 1;
        let (checked, whole) = verify(&tenant, limit);
        prop_assert_eq!((u64::from(checked), whole.broken, whole.unsealed), (last, None, 0));
        prop_assert_eq!(whole.head.map(|head| head.seq), Some(last));

        let at = i64::try_from(1 + place.index(count + 1)).unwrap();
        meddle(&world, &tenant, hand, at, last.cast_signed());
        let (_, verified) = verify(&tenant, limit);
        let Some(broken) = verified.broken else {
            return Err(TestCaseError::fail(format!("{hand:?} at {at} of {last} was not found")));
        };
        match hand {
            Hand::Column(_) => prop_assert_eq!((broken.seq, broken.flaw), (at as u64, Flaw::Changed)),
            Hand::Remove | Hand::CutOffEnd | Hand::Unseal => {
                prop_assert_eq!((broken.seq, broken.flaw), (at as u64, Flaw::Missing));
            }
            Hand::Insert => prop_assert_eq!(broken.seq, at as u64),
            Hand::Swap | Hand::SwapWithHashes => prop_assert_eq!(broken.flaw, Flaw::Changed),
            Hand::InsertBehind => prop_assert_eq!((broken.seq, broken.flaw), (last + 1, Flaw::Inserted)),
            Hand::InsertBefore | Hand::ForgetHead => prop_assert_eq!(broken.flaw, Flaw::Inserted),
            Hand::CutOffEndAndMoveHead | Hand::CutOffEndAndMoveHeadWithHash | Hand::HeadHash => prop_assert_eq!(broken.flaw, Flaw::Changed),
        }
        // To seal more does not heal it, and nobody else's chain is the worse for it.
        write(&world, &tenant, 2);
        let _ = block_on(audit_log::seal(&tenant.scope, &tenant.sealer, NOW));
        prop_assert!(verify(&tenant, limit).1.broken.is_some(), "{:?}", hand);
        prop_assert_eq!(verify(&other, limit).1.broken, None);
    }

    /// Two sealers at once, and entries that come meanwhile: one chain, without a fork or a gap.
    #[test]
    fn b29_two_sealers_never_fork_a_chain(count in 1_usize..90, a in any::<u32>(), b in any::<u32>()) {
        let world = World::new();
        let tenant = world.tenant("+15005550001");
        write(&world, &tenant, count);
        let sealer = |schedule| {
            let db = Aside { inner: world.db.clone(), schedule: Mutex::new(schedule) };
            let scope = Scope::for_job(Arc::new(db), tenant.scope.tenant());
            let key = &tenant.sealer;
            async move {
                let mut sealed = 0;
                // Each loser of a race was beaten by somebody who sealed.
                for _ in 0..10 {
                    let step = audit_log::seal(&scope, key, NOW).await.unwrap();
                    sealed += step.sealed;
                    if !step.more {
                        break;
                    }
                }
                sealed
            }
        };
        let (one, two) = block_on(both(sealer(a), sealer(b)));
        prop_assert_eq!((one + two) as usize, count + 1);
        let (checked, verified) = verify(&tenant, 1_000);
        prop_assert_eq!((checked as usize, verified.broken, verified.unsealed), (count + 1, None, 0));
    }

    /// The list is what a naive filter over all entries gives.
    #[test]
    fn audit_lists_equal_a_naive_filter(
        count in 0_usize..30, sealed in any::<bool>(), actor in prop::option::of(0_usize..2), action in prop::option::of(0_usize..3),
        subject in any::<bool>(), since in prop::option::of(0_u64..12), until in prop::option::of(0_u64..12), page in 1_u32..4,
    ) {
        let world = World::new();
        let (tenant, other) = (world.tenant("+15005550001"), world.tenant("+15005550002"));
        write(&world, &tenant, count);
        write(&world, &other, 3);
        if sealed {
            seal_all(&tenant);
        }
        let all = list(&tenant, &AuditFilter::default(), PageRequest { page: 1, page_size: 100 }).items;
        prop_assert_eq!(all.len(), count + 1);
        let filter = AuditFilter {
            actor_id: actor.map(|n| ACTORS[n]),
            action: action.map(|n| ACTIONS[n]),
            subject_id: subject.then_some("subject-1"),
            since: since.map(|n| NOW.plus(Millis(n))),
            until: until.map(|n| NOW.plus(Millis(n))),
        };
        let fits = |row: &&AuditRow| {
            filter.actor_id.is_none_or(|id| row.actor_id.as_deref() == Some(id))
                && filter.action.is_none_or(|action| row.action == action)
                && filter.subject_id.is_none_or(|id| row.subject_id.as_deref() == Some(id))
                && filter.since.is_none_or(|since| row.at >= since)
                && filter.until.is_none_or(|until| row.at < until)
        };
        let expected: Vec<AuditRow> = all.iter().filter(fits).cloned().collect();
        let got = list(&tenant, &filter, PageRequest { page, page_size: 7 });
        prop_assert_eq!(got.total, expected.len() as u64);
        let window: Vec<AuditRow> = expected.into_iter().skip((page as usize - 1) * 7).take(7).collect();
        prop_assert_eq!(got.items, window);
    }
}

fn list(tenant: &Tenant, filter: &AuditFilter<'_>, request: PageRequest) -> Page<AuditRow> {
    block_on(audit_log::list(&tenant.scope, filter, None, request)).unwrap()
}

#[test]
fn every_audit_list_is_a_walk_along_an_index() {
    let world = World::new();
    let sqlite = SqliteDb::migrated(Numbers::Doubles);
    let tenant = world.tenant("+15005550001");
    for bits in 0..32_u8 {
        let given = |bit: u8| bits & (1 << bit) != 0;
        let filter = AuditFilter {
            actor_id: given(0).then_some("a"),
            action: given(1).then_some("b"),
            subject_id: given(2).then_some("c"),
            since: given(3).then_some(NOW),
            until: given(4).then_some(NOW),
        };
        for stmt in audit_log::list_stmts(&tenant.scope, &filter, None, PageRequest::default()) {
            let sql = stmt.sql.text();
            assert_eq!(portable::lint(sql), [""; 0], "{sql}");
            assert_eq!(sqlite.parameters(sql), Ok(stmt.args.len()), "{sql}");
            let plan = sqlite.plan(sql).unwrap();
            assert!(plan.iter().any(|step| step.starts_with("SEARCH audit_log USING")), "{sql}: {plan:?}");
            assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "sorted: {sql}: {plan:?}");
        }
    }
}

#[test]
fn a_step_of_sealing_is_bounded_and_says_that_there_is_more() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    write(&world, &tenant, SEALED_AT_ONCE as usize);
    let step = || block_on(audit_log::seal(&tenant.scope, &tenant.sealer, NOW)).unwrap();
    assert_eq!(step(), Sealing { sealed: SEALED_AT_ONCE, more: true });
    assert_eq!(step(), Sealing { sealed: 1, more: false });
    assert_eq!(step(), Sealing { sealed: 0, more: false });
}

#[test]
fn tenants_with_something_to_seal_are_found_in_their_order() {
    let world = World::new();
    let tenants: Vec<_> =
        ["+15005550001", "+15005550002", "+15005550003"].iter().map(|number| world.tenant(number)).collect();
    let found = |after, limit| {
        let found = block_on(directory::unsealed_audits(&world.db, after, limit)).unwrap();
        found.iter().map(|unsealed| unsealed.scope.tenant()).collect::<Vec<_>>()
    };
    let mut ids: Vec<_> = tenants.iter().map(|tenant| tenant.scope.tenant()).collect();
    ids.sort();
    assert_eq!(found(None, 10), ids);
    assert_eq!(found(None, 2), ids[..2]);
    assert_eq!(found(Some(ids[1]), 10), ids[2..]);
    for tenant in &tenants {
        seal_all(tenant);
    }
    assert!(found(None, 10).is_empty());
}

/// An export goes through the sealed entries once, in the order of the chain.
#[test]
fn an_export_is_the_chain() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    write(&world, &tenant, 9);
    seal_all(&tenant);
    write(&world, &tenant, 2);
    let mut places = Vec::new();
    loop {
        let after = places.last().copied().unwrap_or(0);
        let step = block_on(audit_log::export(&tenant.scope, after, 4)).unwrap();
        if step.is_empty() {
            break;
        }
        places.extend(step.iter().map(|row| row.sealed.as_ref().unwrap().0));
    }
    assert_eq!(places, (1..=10).collect::<Vec<_>>());
}
