//! The conformance suite of [`Db`]: what the port promises, on every engine (properties B45, and the ground under A15).
//!
//! Each case empties the suite's two tables, so the cases run against one database in any order, one after the other.

use std::sync::Arc;

use voicecore_ports::{Db, DbError, MAX_INT, MAX_PARAMETERS, MAX_STATEMENTS, Rows, Sql, Stmt, Value};

use crate::interleave::{both, step_aside_by};

/// Runs every case against a backend, and panics at the first promise that is broken; the output names the case.
pub async fn suite(db: SharedDb) {
    macro_rules! cases {
        ($($case:ident),+ $(,)?) => {$(
            println!("{}", stringify!($case));
            $case(Arc::clone(&db)).await;
        )+};
    }
    cases!(
        values_come_back_as_they_went_in,
        a_batch_is_all_or_nothing,
        a_missed_row_count_rolls_back,
        counts_are_those_of_their_own_statement,
        constraints_are_told_apart,
        statements_see_what_came_before,
        limits_are_the_same_everywhere,
        a_hundred_interleavings_lose_nothing,
    );
}

/// A backend under test.
pub type SharedDb = Arc<dyn Db>;

/// Two tables of the suite's own, empty.
async fn tables(db: &SharedDb) {
    for sql in [
        "drop table if exists conformance_entries",
        "drop table if exists conformance",
        "create table conformance (id text primary key, n bigint, x double precision, t text)",
        "create table conformance_entries (id text primary key, amount bigint not null)",
    ] {
        let done = db.query(Stmt::new(sql, vec![])).await;
        assert!(done.is_ok(), "{sql}: {done:?}");
    }
}

fn insert(id: &str, n: impl Into<Value>) -> Stmt {
    Stmt::new("insert into conformance (id, n) values (?1, ?2)", vec![id.into(), n.into()])
}

fn set(id: &str, n: i64) -> Stmt {
    Stmt::new("update conformance set n = ?2 where id = ?1", vec![id.into(), n.into()])
}

async fn query(db: &SharedDb, sql: &'static str, args: Vec<Value>) -> Rows {
    let rows = db.query(Stmt::new(sql, args)).await;
    assert!(rows.is_ok(), "{sql}: {rows:?}");
    rows.unwrap_or_default()
}

async fn number(db: &SharedDb, sql: &'static str) -> i64 {
    let rows = query(db, sql, vec![]).await;
    match rows.rows.first().and_then(|row| row.get("v")) {
        Some(Value::Int(n)) => *n,
        other => unreachable!("{sql}: {other:?}"),
    }
}

async fn stored(db: &SharedDb) -> i64 {
    number(db, "select count(*) as v from conformance").await
}

/// Null, whole numbers to ±2^53, fractions, and text of any script come back equal; an empty text is not null.
async fn values_come_back_as_they_went_in(db: SharedDb) {
    tables(&db).await;
    let texts = ["", " ", "plain", "Grüße, 世界 👩‍🚒", "quote ' \" ; -- \\ \n\t", "1", "null"];
    for (index, text) in texts.into_iter().enumerate() {
        let id = index.to_string();
        query(&db, "insert into conformance (id, t) values (?1, ?2)", vec![id.into(), text.into()]).await;
    }
    let rows = query(&db, "select t, n from conformance order by id", vec![]).await;
    let back: Vec<_> = rows.rows.iter().map(|row| (row.get("t").cloned(), row.get("n").cloned())).collect();
    let went: Vec<_> = texts.iter().map(|text| (Some((*text).into()), Some(Value::Null))).collect();
    assert_eq!(back, went);

    for n in [0, 1, -1, i64::from(i32::MAX) + 1, 1_795_217_820_000, MAX_INT - 1, -MAX_INT] {
        query(&db, "delete from conformance", vec![]).await;
        query(&db, "insert into conformance (id, n, x) values ('n', ?, ?)", vec![n.into(), Value::Real(0.5)])
            .await;
        let rows = query(&db, "select n, x, t from conformance where n = ?", vec![n.into()]).await;
        let row = rows.rows.first().cloned().unwrap_or_default();
        assert_eq!(row.get("n"), Some(&Value::Int(n)));
        assert_eq!(row.get("x"), Some(&Value::Real(0.5)));
        assert_eq!(row.get("t"), Some(&Value::Null));
    }
}

/// A statement that fails undoes those before it, and stops those after it.
async fn a_batch_is_all_or_nothing(db: SharedDb) {
    tables(&db).await;
    let failed = db.batch(vec![insert("a", 1_i64), insert("a", 2_i64), insert("b", 3_i64)]).await;
    assert!(matches!(failed, Err(DbError::Constraint)), "{failed:?}");
    assert_eq!(stored(&db).await, 0);

    let failed = db.batch(vec![insert("a", 1_i64), Stmt::new("select * from no_such_table", vec![])]).await;
    assert!(matches!(failed, Err(DbError::Invalid(_))), "{failed:?}");
    assert_eq!(stored(&db).await, 0);

    let done = db.batch(vec![insert("a", 1_i64), insert("b", 2_i64)]).await;
    assert!(done.is_ok_and(|results| results.len() == 2));
    assert_eq!(stored(&db).await, 2);
    assert!(db.batch(vec![]).await.is_ok_and(|results| results.is_empty()));
}

/// Whichever statement misses its count, nothing of the batch stays, and the error names it. The same for one statement.
async fn a_missed_row_count_rolls_back(db: SharedDb) {
    tables(&db).await;
    query(&db, "insert into conformance (id, n) values ('here', 1)", vec![]).await;
    let good = |k: usize| insert(&format!("new{k}"), 1_i64).exactly(1);
    for place in 0..4 {
        let batch: Vec<_> =
            (0..4).map(|k| if k == place { set("gone", 5).exactly(1) } else { good(k) }).collect();
        let missed = db.batch(batch).await;
        assert!(matches!(missed, Err(DbError::Unexpected { index }) if index == place), "{missed:?}");
        assert_eq!(stored(&db).await, 1);
    }
    for wrong in [0, 2] {
        let missed = db.batch(vec![set("here", 7).exactly(wrong)]).await;
        assert!(matches!(missed, Err(DbError::Unexpected { index: 0 })), "{missed:?}");
        let missed = db.query(set("here", 7).exactly(wrong)).await;
        assert!(matches!(missed, Err(DbError::Unexpected { index: 0 })), "{missed:?}");
    }
    assert_eq!(number(&db, "select n as v from conformance").await, 1);
    assert!(db.query(set("here", 7).exactly(1)).await.is_ok_and(|rows| rows.changed == 1));
    assert_eq!(number(&db, "select n as v from conformance").await, 7);
}

/// A count belongs to its own statement: not to the one before, to a row that `on conflict` let alone, or to a `select`.
async fn counts_are_those_of_their_own_statement(db: SharedDb) {
    const IGNORE: &str = "insert into conformance (id, n) values (?1, 1) on conflict (id) do nothing";
    const UPSERT: &str = "insert into conformance (id, n) values (?1, 1)
        on conflict (id) do update set n = conformance.n + excluded.n";
    const RETURNING: &str = "insert into conformance (id, n) values (?1, 1), (?2, 2) returning id";
    const NOTHING: &str = "insert into conformance (id, n) select ?1, 1 from conformance where n = -1";
    tables(&db).await;
    let one = |sql, id: &str| Stmt::new(sql, vec![id.into()]);
    let results = db
        .batch(vec![
            one(IGNORE, "a").exactly(1),
            one(IGNORE, "a").exactly(0),
            one(UPSERT, "a").exactly(1),
            Stmt::new("select id from conformance", vec![]),
            one(NOTHING, "z").exactly(0),
            Stmt::new(RETURNING, vec!["b".into(), "c".into()]).exactly(2),
            Stmt::new("update conformance set n = 9", vec![]).exactly(3),
            Stmt::new("delete from conformance where id <> 'a'", vec![]).exactly(2),
        ])
        .await;
    assert!(results.is_ok(), "{results:?}");
    let counts: Vec<_> = results.unwrap_or_default().iter().map(|r| (r.changed, r.rows.len())).collect();
    assert_eq!(counts, [(1, 0), (0, 0), (1, 0), (0, 1), (0, 0), (2, 2), (3, 0), (2, 0)]);
}

/// Unique keys and missing values are `Constraint`, wrong statements `Invalid`.
async fn constraints_are_told_apart(db: SharedDb) {
    tables(&db).await;
    query(&db, "insert into conformance (id, n) values ('a', 1)", vec![]).await;
    let unique = db.query(insert("a", 1_i64)).await;
    assert!(matches!(unique, Err(DbError::Constraint)), "{unique:?}");
    let missing = Stmt::new(
        "insert into conformance_entries (id, amount) values (?1, ?2)",
        vec!["a".into(), Value::Null],
    );
    let missing = db.query(missing).await;
    assert!(matches!(missing, Err(DbError::Constraint)), "{missing:?}");
    for wrong in ["selec 1", "select nothing from conformance", "insert into nowhere (id) values (1)"] {
        let invalid = db.query(Stmt::new(wrong, vec![])).await;
        assert!(matches!(invalid, Err(DbError::Invalid(_))), "{wrong}: {invalid:?}");
    }
}

/// Statement n of a batch sees what those before it did.
async fn statements_see_what_came_before(db: SharedDb) {
    tables(&db).await;
    let results = db
        .batch(vec![
            insert("a", 1_i64),
            Stmt::new("update conformance set n = n + 1 where id = 'a'", vec![]).exactly(1),
            Stmt::new(
                "insert into conformance (id, n) select 'b', n * 10 from conformance where id = 'a'",
                vec![],
            ),
            Stmt::new("select n from conformance order by id", vec![]),
        ])
        .await;
    let last = results.ok().and_then(|mut results| results.pop()).unwrap_or_default();
    let numbers: Vec<_> = last.rows.iter().filter_map(|row| row.get("n").cloned()).collect();
    assert_eq!(numbers, [Value::Int(2), Value::Int(20)]);
}

/// As many parameters and statements as the port allows work everywhere; one more is refused everywhere.
async fn limits_are_the_same_everywhere(db: SharedDb) {
    tables(&db).await;
    let wide = |parameters: usize| {
        let mut sql = Sql::new("select id from conformance where n in (");
        (1..parameters).for_each(|_| sql.push("?,"));
        sql.push("?)");
        let args = (0_i64..).take(parameters).map(Value::from).collect();
        Stmt::of(sql, args)
    };
    let full = db.query(wide(MAX_PARAMETERS)).await;
    assert!(full.is_ok(), "{full:?}");
    assert!(matches!(db.query(wide(MAX_PARAMETERS + 1)).await, Err(DbError::Invalid(_))));

    let many =
        |count: usize| (0..count).map(|k| insert(&k.to_string(), 1_i64).exactly(1)).collect::<Vec<_>>();
    assert!(matches!(db.batch(many(MAX_STATEMENTS + 1)).await, Err(DbError::Invalid(_))));
    assert_eq!(stored(&db).await, 0);
    let full = db.batch(many(MAX_STATEMENTS)).await;
    assert!(full.is_ok(), "{full:?}");
    assert!(matches!(db.query(insert("large", MAX_INT + 1)).await, Err(DbError::Invalid(_))));
    assert!(matches!(
        db.query(Stmt::new("select 1 as v", vec![]).exactly(1)).await,
        Err(DbError::Invalid(_))
    ));
}

/// Two writers that read, think, and write what they thought, with a version to tell whether it still holds: in each of
/// 100 interleavings nobody overwrites what they have not seen, and no half of a batch stays.
async fn a_hundred_interleavings_lose_nothing(db: SharedDb) {
    tables(&db).await;
    query(&db, "insert into conformance (id, n) values ('balance', 0)", vec![]).await;
    let (mut won, mut lost) = (0_i64, 0_i64);
    for schedule in 0..100_u32 {
        // Spread over the bits, so that neighbours differ in more than their last step.
        let bits = schedule.wrapping_mul(0x9e37_79b9);
        let first = deposit(&db, format!("a{schedule}"), bits);
        let second = deposit(&db, format!("b{schedule}"), bits >> 16);
        let (first, second) = both(first, second).await;
        assert!(first || second, "interleaving {schedule}: nobody won");
        won += i64::from(first) + i64::from(second);
        lost += i64::from(!first) + i64::from(!second);
    }
    assert_eq!(number(&db, "select n as v from conformance").await, won);
    assert_eq!(number(&db, "select count(*) as v from conformance_entries").await, won);
    assert_eq!(number(&db, "select sum(amount) as v from conformance_entries").await, won * (won + 1) / 2);
    assert!(lost > 0, "no interleaving made the writers meet: the case tests nothing");
}

/// Adds one to the balance and notes the new balance, if the balance still is what was read.
async fn deposit(db: &SharedDb, id: String, mut schedule: u32) -> bool {
    step_aside_by(&mut schedule).await;
    let seen = number(db, "select n as v from conformance where id = 'balance'").await;
    step_aside_by(&mut schedule).await;
    let written = db
        .batch(vec![
            // The entry first: it has to be undone when the second statement misses.
            Stmt::new(
                "insert into conformance_entries (id, amount) values (?1, ?2)",
                vec![id.into(), (seen + 1).into()],
            ),
            Stmt::new(
                "update conformance set n = ?1 where id = 'balance' and n = ?2",
                vec![(seen + 1).into(), seen.into()],
            )
            .exactly(1),
        ])
        .await;
    match written {
        Ok(_) => true,
        Err(DbError::Unexpected { index: 1 }) => false,
        Err(other) => unreachable!("{other:?}"),
    }
}
