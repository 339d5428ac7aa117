//! Lists: right, bounded, and along an index whatever the filters.

use proptest::prelude::*;
use voicecore_conformance::doubles::{Numbers, PostgresDb, SqliteDb};
use voicecore_conformance::{block_on, portable};
use voicecore_domain::words::words;
use voicecore_domain::{CallDirection, CallStatus, MessageKind};
use voicecore_ports::postgres::Plan;
use voicecore_ports::{Stmt, Value};
use voicecore_types::{BusinessId, DepartmentId, E164, MessageId, Millis, Page, PageRequest, UserId};

use super::{NOW, Tenant, World};
use crate::Cursor;
use crate::analytics::{self, Period};
use crate::call_notes::{self, NoteFilter};
use crate::call_words;
use crate::calls::{self, Call, CallFilter, CallSort, NewCall};
use crate::messages::{self, MessageFilter, NewMessage, NewVoicemail};
use crate::seal::Column;

const SORTS: [CallSort; 4] = [CallSort::Newest, CallSort::Oldest, CallSort::Longest, CallSort::Shortest];

/// No filter, each, and each pair of them.
fn every_pair_of_filters(world: &World, tenant: &Tenant) -> Vec<CallFilter> {
    const FILTERS: u32 = 10;
    let number: E164 = "+15005550123".parse().unwrap();
    let masks = (0..1_u32 << FILTERS).filter(|mask| mask.count_ones() <= 2);
    masks
        .map(|mask| {
            let given = |bit: u32| mask & (1 << bit) != 0;
            let mut words = vec![];
            words.extend(given(7).then(|| "parcel".to_owned()));
            words.extend(given(8).then(|| "where".to_owned()));
            CallFilter {
                status: given(0).then_some(CallStatus::Completed),
                direction: given(1).then_some(CallDirection::Inbound),
                escalated: given(9).then_some(mask % 2 == 0),
                business_id: given(2).then_some(tenant.business),
                caller: given(3).then(|| world.lookup.caller(tenant.scope.tenant(), &number)),
                dialled: given(4).then(|| world.lookup.dialled(&number)),
                from: given(5).then_some(NOW),
                to: given(6).then_some(NOW),
                words,
            }
        })
        .collect()
}

/// C15: every pair of filters, in every order, from the beginning and after a place, on both engines.
#[test]
fn every_list_is_a_walk_along_an_index() {
    let world = World::new();
    let (sqlite, postgres) = (SqliteDb::migrated(Numbers::Doubles), PostgresDb::migrated());
    let tenant = world.tenant("+15005550001");
    let place = Cursor { key: NOW, id: world.call_id(NOW).to_string() };
    let viewer = tenant.scope.clone().seen_by(UserId::new(NOW, &[2; 10]));
    for filter in every_pair_of_filters(&world, &tenant) {
        let several = SORTS.into_iter().flat_map(|sort| [(sort, None), (sort, Some(&place))]);
        let several = several.map(|(sort, after)| (&tenant.scope, sort, after));
        for (scope, sort, after) in several.chain([(&viewer, CallSort::Newest, Some(&place))]) {
            let stmts = calls::list_stmts(scope, &filter, sort, after, PageRequest::default());
            // The count is the same in every order.
            let new = if sort == CallSort::Newest && after.is_none() { 2 } else { 1 };
            for stmt in stmts.into_iter().take(new) {
                let sql = stmt.sql.text();
                assert_eq!(portable::lint(sql), [""; 0], "{sql}");
                assert!(sql.contains("tenant_id = ?"), "{sql}");
                assert_eq!(sqlite.parameters(sql), Ok(stmt.args.len()), "{sql}");
                let plan = sqlite.plan(sql).unwrap();
                let searched = !filter.words.is_empty();
                let first = if searched { "SEARCH w USING" } else { "SEARCH calls USING" };
                assert!(plan.iter().any(|step| step.starts_with(first)), "{sql}: {plan:?}");
                assert!(!plan.iter().any(|step| step.contains("SCAN calls")), "{sql}: {plan:?}");
                let by_time = matches!(sort, CallSort::Newest | CallSort::Oldest);
                let sorts = plan.iter().any(|step| step.contains("TEMP B-TREE FOR ORDER BY"));
                assert!(!sorts || !by_time, "sorted: {sql}: {plan:?}");
                let plan = Plan::new(vec![stmt.clone()]).unwrap();
                let sql = &plan.steps[0].sql;
                let nulls = vec!["null"; stmt.args.len()].join(", ");
                let steps = postgres.admin(&format!(
                    "set enable_seqscan = off; set plan_cache_mode = force_generic_plan;
                    prepare listed as {sql}; explain execute listed ({nulls})"
                ));
                assert!(!steps.is_empty());
                let whole = steps.iter().flatten().any(|step| step.contains("Seq Scan"));
                assert!(!whole, "{sql}: {steps:?}");
            }
        }
    }
}

/// No filter, each, and each pair of them, in both orders.
fn every_pair_of_message_filters() -> Vec<MessageFilter> {
    let masks = (0..1_u32 << 8).filter(|mask| (mask & 127).count_ones() <= 2);
    masks
        .map(|mask| {
            let given = |bit: u32| mask & (1 << bit) != 0;
            let mut words = vec![];
            words.extend(given(5).then(|| "parcel".to_owned()));
            words.extend(given(6).then(|| "where".to_owned()));
            MessageFilter {
                department_id: given(0).then(|| DepartmentId::new(NOW, &[1; 10])),
                handled: given(1).then_some(given(2)),
                assignee_id: given(3).then(|| UserId::new(NOW, &[1; 10])),
                since: given(4).then_some(NOW),
                until: (given(4) && given(2)).then_some(NOW),
                words,
                oldest_first: given(7),
            }
        })
        .collect()
}

#[test]
fn every_list_of_messages_is_a_walk_along_an_index() {
    let world = World::new();
    let (sqlite, postgres) = (SqliteDb::migrated(Numbers::Doubles), PostgresDb::migrated());
    let tenant = world.tenant("+15005550001");
    let viewer = tenant.scope.clone().seen_by(UserId::new(NOW, &[2; 10]));
    let place = Cursor { key: NOW, id: MessageId::new(NOW, &[3; 10]).to_string() };
    for filter in every_pair_of_message_filters() {
        let first = if filter.words.is_empty() { "SEARCH messages USING" } else { "SEARCH w USING" };
        for (scope, after) in [(&tenant.scope, None), (&tenant.scope, Some(&place)), (&viewer, Some(&place))]
        {
            for stmt in messages::list_stmts(scope, &filter, after, PageRequest::default()) {
                walks(&sqlite, &postgres, &stmt, first, "messages");
            }
        }
    }
}

#[test]
fn every_list_of_notes_is_a_walk_along_an_index() {
    let world = World::new();
    let (sqlite, postgres) = (SqliteDb::migrated(Numbers::Doubles), PostgresDb::migrated());
    let tenant = world.tenant("+15005550001");
    let viewer = tenant.scope.clone().seen_by(UserId::new(NOW, &[2; 10]));
    let place = Cursor { key: NOW, id: world.call_id(NOW).to_string() };
    let sought = ["parcel".to_owned(), "where".to_owned()];
    for mask in (0..1_u32 << 7).filter(|mask| (mask & 63).count_ones() <= 2) {
        let given = |bit: u32| mask & (1 << bit) != 0;
        let filter = NoteFilter {
            call_id: given(0).then(|| world.call_id(NOW)),
            author_id: given(1).then_some("somebody"),
            category: given(2).then_some("billing"),
            tag: given(3).then_some("vip"),
            words: &sought[..usize::from(given(4)) + usize::from(given(5))],
            oldest_first: given(6),
        };
        let searched = filter.tag.is_some() || !filter.words.is_empty();
        let first = if searched { "SEARCH w USING" } else { "SEARCH call_notes USING" };
        for (scope, after) in [(&tenant.scope, None), (&tenant.scope, Some(&place)), (&viewer, Some(&place))]
        {
            for stmt in call_notes::find_stmts(scope, &filter, after, PageRequest::default()) {
                walks(&sqlite, &postgres, &stmt, first, "call_notes");
            }
        }
    }
}

/// Both engines prepare the statement; on SQLite it begins with `first`, nobody sorts, and neither engine reads the table whole.
fn walks(sqlite: &SqliteDb, postgres: &PostgresDb, stmt: &Stmt, first: &str, table: &str) {
    let sql = stmt.sql.text();
    assert_eq!(portable::lint(sql), [""; 0], "{sql}");
    assert!(sql.contains("tenant_id = ?"), "{sql}");
    assert_eq!(sqlite.parameters(sql), Ok(stmt.args.len()), "{sql}");
    let plan = sqlite.plan(sql).unwrap();
    assert!(plan.iter().any(|step| step.starts_with(first)), "{sql}: {plan:?}");
    assert!(!plan.iter().any(|step| step.contains(&format!("SCAN {table}"))), "{sql}: {plan:?}");
    assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE FOR ORDER BY")), "sorted: {sql}: {plan:?}");
    let plan = Plan::new(vec![stmt.clone()]).unwrap();
    let sql = &plan.steps[0].sql;
    let nulls = vec!["null"; stmt.args.len()].join(", ");
    let steps = postgres.admin(&format!(
        "set enable_seqscan = off; set plan_cache_mode = force_generic_plan;
        prepare listed as {sql}; explain execute listed ({nulls})"
    ));
    assert!(!steps.is_empty());
    let whole = format!("Seq Scan on {table}");
    assert!(!steps.iter().flatten().any(|step| step.contains(&whole)), "{sql}: {steps:?}");
}

/// An argument as it is written.
fn literal(arg: &Value) -> String {
    match arg {
        Value::Int(number) => number.to_string(),
        Value::Text(text) => format!("'{text}'"),
        other => panic!("{other:?}"),
    }
}

/// Where reading a table whole is a choice, PostgreSQL does not make it: also for somebody who sees some departments only.
#[test]
fn postgres_walks_along_an_index_of_its_own_accord() {
    const FILL: [&str; 7] = [
        "insert into tenants (id, name, created_at)
        select case n when 1 then '{tenant}' else 'tenant ' || n end, 'T', 1 from generate_series(1, 40) n",
        "insert into departments (id, tenant_id, name, created_at, updated_at)
        select 'department ' || n, '{tenant}', 'D' || n, 1, 1 from generate_series(1, 5) n",
        "insert into membership_departments (tenant_id, user_id, department_id) values ('{tenant}', '{user}', 'department 1')",
        "insert into calls (id, tenant_id, business_id, phone_number_id, carrier_call_id, direction, status, started_at,
        answered_at, ended_at, department_id, end_reason)
        select 'call ' || n, case n % 40 when 1 then '{tenant}' when 0 then 'tenant 40' else 'tenant ' || (n % 40) end, 'business',
        'number', 'CA' || n, 'inbound', 'completed', n, n, n + n % 100, 'department ' || (1 + n / 40 % 5), 'caller_hung_up'
        from generate_series(1, 40000) n",
        "insert into messages (id, tenant_id, business_id, call_id, kind, body, created_at, department_id)
        select 'message ' || c.id, c.tenant_id, c.business_id, c.id, 'message', 'b', c.started_at, c.department_id from calls c",
        "insert into call_notes (id, tenant_id, call_id, author_kind, author_id, body, tags, created_at, updated_at)
        select 'note ' || c.id, c.tenant_id, c.id, 'user', 'somebody', 'b', '', c.started_at, 1 from calls c",
        "insert into call_latencies (tenant_id, call_id, seq, latency_ms)
        select c.tenant_id, c.id, n, 400 + c.started_at % 700 from calls c cross join generate_series(1, 4) n",
    ];
    let world = World::new();
    let postgres = PostgresDb::migrated();
    let tenant = world.tenant("+15005550001");
    let user = UserId::new(NOW, &[2; 10]);
    for sql in FILL {
        let sql = sql.replace("{tenant}", &tenant.scope.tenant().to_string());
        postgres.admin(&sql.replace("{user}", &user.to_string()));
    }
    postgres.analyse();
    let place = Cursor { key: Millis(20_000), id: world.call_id(NOW).to_string() };
    let page = PageRequest::default();
    for scope in [tenant.scope.clone(), tenant.scope.clone().seen_by(user)] {
        for after in [None, Some(&place)] {
            let of_messages = messages::list_stmts(&scope, &MessageFilter::default(), after, page);
            let of_notes = call_notes::find_stmts(&scope, &NoteFilter::default(), after, page);
            let completed = CallFilter { status: Some(CallStatus::Completed), ..CallFilter::default() };
            let every = CallFilter::default();
            let mut of_calls = vec![];
            for (sort, filter) in SORTS.into_iter().flat_map(|sort| [(sort, &every), (sort, &completed)]) {
                of_calls.extend(calls::list_stmts(&scope, filter, sort, after, page));
            }
            let period = Period { since: Millis(20_000), until: Millis(24_000), business_id: None };
            let figures = analytics::overview_stmts(&scope, &period);
            for stmt in of_messages.into_iter().chain(of_notes).chain(of_calls).chain(figures) {
                let sql = Plan::new(vec![stmt.clone()]).unwrap().steps[0].sql.clone();
                let args: Vec<_> = stmt.args.iter().map(literal).collect();
                let args = args.join(", ");
                let steps =
                    postgres.admin(&format!("prepare listed as {sql}; explain execute listed ({args})"));
                let steps: Vec<_> = steps.into_iter().flatten().collect();
                let scan = ["calls", "messages", "call_notes", "call_latencies"];
                let scan = scan.map(|table| format!("Seq Scan on {table}"));
                assert!(steps.iter().any(|step| step.contains("Index")), "{sql}: {steps:?}");
                assert!(!steps.iter().any(|step| scan.iter().any(|s| step.contains(s))), "{sql}: {steps:?}");
            }
        }
    }
}

/// What is said in a call.
fn said(caller: u8, minutes: u64) -> Vec<String> {
    words(&format!(
        "Hello, it is {caller} about {} — again",
        ["parcels", "bills"][usize::from(minutes.is_multiple_of(2))]
    ))
}

/// Some calls with few different values, so that filters meet.
fn some_calls(world: &World, tenant: &Tenant, seeds: &[(u64, u8, u8)]) -> Vec<(Call, u8)> {
    world.limits(tenant, 1_000, 1_000, i64::from(u32::MAX));
    let mut stored = Vec::new();
    for (index, (minutes, caller, status)) in seeds.iter().enumerate() {
        let at = NOW.plus(Millis(minutes * 60_000));
        let number: E164 = format!("+1500555010{caller}").parse().unwrap();
        let sealed = tenant.sealer.seal(Column::CallerNumber, number.expose(), world.rng.bytes()).unwrap();
        let hash = world.lookup.caller(tenant.scope.tenant(), &number);
        let new = NewCall {
            call_id: world.call_id(at),
            carrier_call_id: &format!("CA{index}"),
            business_id: tenant.business,
            phone_number_id: tenant.number,
            direction: CallDirection::Inbound,
            status: CallStatus::Ringing,
            caller: Some((&sealed, &hash)),
            started_at: at,
        };
        block_on(calls::admit(&tenant.scope, &new)).unwrap();
        let status = CallStatus::ALL[usize::from(*status)];
        // Calls that were connected last as many seconds as the number has at its end.
        let ended = at.plus(Millis(u64::from(*caller) * 1_000));
        if status == CallStatus::Completed {
            block_on(calls::advance(&tenant.scope, new.call_id, CallStatus::InProgress, at)).unwrap();
        }
        block_on(calls::advance(&tenant.scope, new.call_id, status, ended)).unwrap();
        if *caller == 1 {
            world.select(
                "update calls set end_reason = 'transferred' where id = ?1",
                vec![new.call_id.to_string().into()],
            );
        }
        if index % 3 == 0 {
            // A carrier's clock that is ahead of ours answers after the end.
            world.select(
                "update calls set answered_at = ended_at + 9000 where id = ?1 and answered_at is not null and ended_at is not null",
                vec![new.call_id.to_string().into()],
            );
        }
        block_on(call_words::store(&tenant.scope, new.call_id, &said(*caller, *minutes), &[], None)).unwrap();
        let call = block_on(calls::get(&tenant.scope, new.call_id)).unwrap().unwrap();
        stored.push((call, *caller));
    }
    stored
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// A20: a page is what a plain loop over all calls gives, and its total a recount.
    #[test]
    fn a20_lists_equal_a_naive_recount(
        seeds in prop::collection::vec((0_u64..6, 0_u8..3, 0_u8..8), 0..14),
        status in prop::option::of(0_u8..8),
        caller in prop::option::of(0_u8..3),
        from in prop::option::of(0_u64..7),
        to in prop::option::of(0_u64..7),
        other_business in any::<bool>(),
        sort in 0_usize..4,
        said_words in prop::sample::subsequence(vec!["hello", "1", "parcels", "nothing"], 0..3),
        dialled in prop::option::of(any::<bool>()),
        escalated in prop::option::of(any::<bool>()),
        outbound in prop::option::of(any::<bool>()),
        page in 1_u32..4,
        page_size in 1_u32..6,
    ) {
        let world = World::new();
        let tenant = world.tenant("+15005550001");
        let stored = some_calls(&world, &tenant, &seeds);
        let minute = |m: u64| NOW.plus(Millis(m * 60_000));
        let number = |c: u8| format!("+1500555010{c}").parse::<E164>().unwrap();
        let filter = CallFilter {
            status: status.map(|s| CallStatus::ALL[usize::from(s)]),
            direction: outbound.map(|out| if out { CallDirection::Outbound } else { CallDirection::Inbound }),
            escalated,
            dialled: dialled.map(|ours| {
                world.lookup.dialled(&if ours { "+15005550001" } else { "+15005550002" }.parse().unwrap())
            }),
            words: said_words.iter().map(|word| (*word).to_owned()).collect(),
            business_id: other_business.then(|| BusinessId::new(NOW, &[9; 10])),
            caller: caller.map(|c| world.lookup.caller(tenant.scope.tenant(), &number(c))),
            from: from.map(minute),
            to: to.map(minute),
        };
        let sort = SORTS[sort];
        let mut expected: Vec<Call> = stored
            .into_iter()
            .filter(|(call, from_number)| {
                let minutes = call.started_at.since(NOW).0 / 60_000;
                let heard = said(*from_number, minutes);
                filter.status.is_none_or(|s| call.status == s)
                    && filter.business_id.is_none_or(|b| call.business_id == b)
                    && caller.is_none_or(|c| *from_number == c)
                    && filter.from.is_none_or(|m| call.started_at >= m)
                    && filter.to.is_none_or(|m| call.started_at < m)
                    && filter.words.iter().all(|word| heard.contains(word))
                    && dialled != Some(false)
                    && outbound != Some(true)
                    && escalated.is_none_or(|wanted| (call.end_reason.as_deref() == Some("transferred")) == wanted)
            })
            .map(|(call, _)| call)
            .collect();
        expected.sort_by_key(|call| (sort.place(call).key, call.id.to_string()));
        if matches!(sort, CallSort::Newest | CallSort::Longest) {
            expected.reverse();
        }
        let request = PageRequest { page, page_size };
        let got = block_on(calls::list(&tenant.scope, &filter, sort, None, request)).unwrap();
        prop_assert_eq!(got.total, expected.len() as u64);
        prop_assert!(!got.total_capped);
        let skip = ((page - 1) * page_size) as usize;
        let window: Vec<Call> = expected.iter().skip(skip).take(page_size as usize).cloned().collect();
        prop_assert_eq!(&got.items, &window);
        // What follows a place is what follows it, wherever the page would have ended.
        if let Some(last) = window.last() {
            let first = PageRequest { page: 1, page_size };
            let got = block_on(calls::list(&tenant.scope, &filter, sort, Some(&sort.place(last)), first)).unwrap();
            let rest: Vec<Call> = expected.iter().skip(skip + window.len()).take(page_size as usize).cloned().collect();
            prop_assert_eq!((got.items, got.total), (rest, expected.len() as u64));
        }
    }
}

/// Words of a message, and what is known of it.
type Left = (u64, usize, Option<u8>, bool, bool);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// A20: of messages as well.
    #[test]
    fn a20_messages_equal_a_naive_recount(
        seeds in prop::collection::vec((0_u64..6, 0_usize..4, prop::option::of(0_u8..2), any::<bool>(), any::<bool>()), 0..12),
        department in prop::option::of(0_u8..2),
        handled in prop::option::of(any::<bool>()),
        assigned in any::<bool>(),
        since in prop::option::of(0_u64..7),
        until in prop::option::of(0_u64..7),
        sought in prop::sample::subsequence(vec!["parcel", "late", "nothing"], 0..3),
        oldest_first in any::<bool>(),
        page in 1_u32..4,
        page_size in 1_u32..6,
    ) {
        const TEXTS: [&str; 4] = ["", "The PARCEL is late", "Late, late!", "my parcel"];
        let world = World::new();
        let tenant = world.tenant("+15005550001");
        let call = world.admitted(&tenant, "CA1", NOW);
        let minute = |m: u64| NOW.plus(Millis(m * 60_000));
        let department_of = |n: u8| DepartmentId::new(NOW, &[n; 10]);
        let user = UserId::new(NOW, &[7; 10]);
        let mut stored: Vec<(MessageId, Left)> = vec![];
        for seed in &seeds {
            let (at, text, of, done, theirs) = *seed;
            let message = NewMessage {
                id: MessageId::new(minute(at), &world.rng.bytes()),
                call_id: call.id,
                caller_name: None,
                callback_number: None,
                body: TEXTS[text],
                created_at: minute(at),
            };
            block_on(tenant.scope.batch(messages::insert(&tenant.scope, &message).into())).unwrap();
            world.select(
                "update messages set department_id = ?2, handled_at = ?3, assignee_id = ?4 where id = ?1",
                vec![
                    message.id.to_string().into(),
                    of.map(|n| department_of(n).to_string()).into(),
                    done.then_some(NOW).into(),
                    theirs.then(|| user.to_string()).into(),
                ],
            );
            stored.push((message.id, *seed));
        }
        stored.retain(|(_, (at, text, of, done, theirs))| {
            department.is_none_or(|n| *of == Some(n))
                && handled.is_none_or(|wanted| *done == wanted)
                && (!assigned || *theirs)
                && since.is_none_or(|m| *at >= m)
                && until.is_none_or(|m| *at < m)
                && sought.iter().all(|word| words(TEXTS[*text]).contains(&(*word).to_owned()))
        });
        let mut expected: Vec<_> = stored.iter().map(|(id, (at, ..))| (minute(*at), *id)).collect();
        expected.sort_by_key(|(at, id)| (*at, id.to_string()));
        if !oldest_first {
            expected.reverse();
        }
        let filter = MessageFilter {
            department_id: department.map(department_of),
            handled,
            assignee_id: assigned.then_some(user),
            since: since.map(minute),
            until: until.map(minute),
            words: sought.iter().map(|word| (*word).to_owned()).collect(),
            oldest_first,
        };
        let skip = ((page - 1) * page_size) as usize;
        let got = block_on(messages::list(&tenant.scope, &filter, None, PageRequest { page, page_size })).unwrap();
        let ids = |page: &Page<messages::Message>| page.items.iter().map(|m| (m.created_at, m.id)).collect::<Vec<_>>();
        let window = |skip: usize| expected.iter().skip(skip).take(page_size as usize).copied().collect::<Vec<_>>();
        prop_assert_eq!((ids(&got), got.total), (window(skip), expected.len() as u64));
        if let Some(last) = got.items.last() {
            let place = Cursor { key: last.created_at, id: last.id.to_string() };
            let first = PageRequest { page: 1, page_size };
            let got = block_on(messages::list(&tenant.scope, &filter, Some(&place), first)).unwrap();
            prop_assert_eq!(ids(&got), window(skip + page_size as usize));
        }
    }
}

#[test]
fn totals_are_exact_to_ten_thousand() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let call = world.admitted(&tenant, "CA1", NOW);
    let more = |count: i64| {
        world.select(
            "insert into calls (id, tenant_id, business_id, phone_number_id, carrier_call_id, direction, status, started_at)
            with recursive n (n) as (select 1 union all select n + 1 from n where n < ?2)
            select 'bulk' || ?2 || n, c.tenant_id, c.business_id, c.phone_number_id, 'CA' || ?2 || n, 'inbound', 'ringing',
            c.started_at from n join calls c on c.id = ?1",
            vec![call.id.to_string().into(), count.into()],
        );
        // The ids above are none of ours, so only the total can be asked for: a page behind all of them.
        let last = PageRequest { page: 200, page_size: 100 };
        let page = block_on(calls::list(&tenant.scope, &CallFilter::default(), CallSort::Newest, None, last))
            .unwrap();
        (page.total, page.total_capped)
    };
    assert_eq!(more(9_999), (Page::<Call>::TOTAL_CAP, false));
    assert_eq!(more(1), (Page::<Call>::TOTAL_CAP, true));
}

#[test]
fn messages_are_listed_newest_first_and_sealed() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let call = world.admitted(&tenant, "CA1", NOW);
    let number = tenant.sealer.seal(Column::CallbackNumber, "+15005550777", world.rng.bytes()).unwrap();
    for (minute, body) in [(1, "first"), (3, "third"), (2, "second")] {
        let at = NOW.plus(Millis(minute * 60_000));
        let message = NewMessage {
            id: MessageId::new(at, &world.rng.bytes()),
            call_id: call.id,
            caller_name: Some("Ada"),
            callback_number: Some(&number),
            body,
            created_at: at,
        };
        block_on(tenant.scope.batch(messages::insert(&tenant.scope, &message).into())).unwrap();
    }
    let page = block_on(messages::list(
        &tenant.scope,
        &MessageFilter::default(),
        None,
        PageRequest { page: 1, page_size: 2 },
    ))
    .unwrap();
    let bodies: Vec<_> = page.items.iter().map(|m| m.body.as_str()).collect();
    assert_eq!((bodies, page.total), (vec!["third", "second"], 3));
    assert!(page.items.iter().all(|m| m.kind == MessageKind::Message && m.recording_id.is_none()));
    let sealed = page.items[0].callback_number.as_ref().unwrap();
    assert_eq!(tenant.sealer.open_number(Column::CallbackNumber, sealed).unwrap().expose(), "+15005550777");
    assert!(world.stored.dump().iter().all(|text| !text.contains("5005550777")));
}

#[test]
fn a_recording_is_one_message() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let (one, two) = (world.admitted(&tenant, "CA1", NOW), world.admitted(&tenant, "CA2", NOW));
    let store = |call: &Call, recording_id, length| {
        let voicemail = NewVoicemail {
            id: MessageId::new(NOW, &world.rng.bytes()),
            call_id: call.id,
            callback_number: None,
            recording_id,
            recording_length: length,
            created_at: NOW,
        };
        block_on(messages::insert_voicemail(&tenant.scope, &voicemail)).unwrap()
    };
    assert!(store(&one, "RE1", Some(Millis(12_000))));
    assert!(!store(&one, "RE1", None));
    assert!(store(&one, "RE2", None) && store(&two, "RE1", None));
    let page =
        block_on(messages::list(&tenant.scope, &MessageFilter::default(), None, PageRequest::default()))
            .unwrap();
    assert_eq!(page.total, 3);
    let first =
        page.items.iter().find(|m| m.call_id == one.id && m.recording_id.as_deref() == Some("RE1")).unwrap();
    assert_eq!((first.kind, first.body.as_str()), (MessageKind::Voicemail, ""));
    assert_eq!((first.recording_length, first.business_id), (Some(Millis(12_000)), tenant.business));
}
