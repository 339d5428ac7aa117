//! The SQL-backed queue beyond what the port promises: what `/jobs/run` rests on.

use serde_json::{Value, json};
use voicecore_ports::{Db, Ports, Stmt};
use voicecore_types::Millis;

use crate::ports::queue::{
    DEAD_KEPT, LEASE, MAX_ATTEMPTS, RETRY_DELAY, Taken, bury, complete, drain, give_back, take,
};

/// By then the second runner waits for the first.
#[cfg(feature = "postgres")]
const COMMITTED_AFTER: Millis = Millis(500);

async fn query(db: &dyn Db, sql: &'static str) -> Vec<voicecore_ports::Row> {
    let rows = db.query(Stmt::new(sql, vec![])).await;
    assert!(rows.is_ok(), "{sql}: {rows:?}");
    rows.unwrap_or_default().rows
}

/// Up to so many, taken one by one.
async fn taken(db: &dyn Db, now: Millis, limit: u32) -> Vec<Taken> {
    let mut all = Vec::new();
    for _ in 0..limit {
        let taken = take(db, now).await;
        assert!(taken.is_ok(), "the queue does not answer");
        all.extend(taken.unwrap_or_default());
    }
    all
}

/// What has come since this was last asked.
pub(crate) async fn delivered(ports: &Ports) -> Vec<Value> {
    let db = &*ports.db;
    let mut jobs = Vec::new();
    for job in taken(db, ports.clock.now(), 9).await {
        jobs.extend(serde_json::from_str::<Value>(&job.job));
        assert!(complete(db, &job).await.is_ok(), "the queue does not answer");
    }
    jobs
}

/// Does what is due as `/jobs/run` does. A job that is the word `panic` ends the instance.
pub(crate) async fn drained(ports: &Ports) -> String {
    let work = async |job: String| {
        assert!(job != "\"panic\"", "on purpose");
        Ok(())
    };
    match drain(&*ports.db, &*ports.clock, work).await {
        Ok(drained) => format!("{} done, {} given up", drained.done, drained.given_up),
        Err(error) => error.to_string(),
    }
}

/// Runs every case, and panics at the first promise that is broken.
pub(crate) async fn run(ports: &Ports) {
    let db = &*ports.db;
    query(db, "delete from jobs").await;
    let now = Millis(ports.clock.now().0 + 1_000);
    let later = |span: Millis, times: u64| Millis(now.0 + span.0 * times);

    for k in 0..5 {
        assert!(ports.queue.send(&json!({"k": k})).await.is_ok());
    }

    // Nobody takes what another has.
    let first = taken(db, now, 3).await;
    let second = taken(db, now, 3).await;
    assert_eq!((first.len(), second.len()), (3, 2));
    assert!(taken(db, now, 3).await.is_empty());
    let mut jobs: Vec<_> = first.iter().chain(&second).map(|taken| taken.job.as_str()).collect();
    jobs.sort_unstable();
    assert_eq!(jobs, [0, 1, 2, 3, 4].map(|k| json!({"k": k}).to_string()));

    // Done is gone. What failed comes back after the delay, what was not heard of after the lease.
    for job in &second {
        assert!(complete(db, job).await.is_ok());
    }
    let Some(failed) = first.first() else { unreachable!("three were taken") };
    assert!(give_back(db, failed, now).await.is_ok());
    assert_eq!(taken(db, later(RETRY_DELAY, 1), 9).await.len(), 1);
    let returned = taken(db, later(LEASE, 2), 9).await;
    assert_eq!(returned.len(), 3);

    // Somebody whose lease has ended gives nothing back: it is another's by now.
    assert!(give_back(db, failed, now).await.is_ok());
    assert!(taken(db, later(LEASE, 2), 9).await.is_empty());

    // Tried as often as it may be, it is given up and kept.
    for round in 3..=u64::from(MAX_ATTEMPTS) * 2 {
        taken(db, later(LEASE, round), 9).await;
    }
    assert!(bury(db, later(LEASE, 99)).await.is_ok_and(|buried| buried == 3));
    assert!(taken(db, later(LEASE, 99), 9).await.is_empty());
    let dead = "select id from jobs where dead_at is not null";
    assert_eq!(query(db, dead).await.len(), 3);

    // Kept for as long as is said, and no longer; what still waits is not touched.
    let kept_until = Millis(later(LEASE, 99).0 + DEAD_KEPT.0);
    assert!(ports.queue.send(&json!({"k": "waits"})).await.is_ok());
    assert!(bury(db, Millis(kept_until.0 - 1)).await.is_ok_and(|buried| buried == 0));
    assert_eq!(query(db, dead).await.len(), 3);
    assert!(bury(db, kept_until).await.is_ok_and(|buried| buried == 0));
    assert_eq!(query(db, "select id from jobs").await.len(), 1);
    query(db, "delete from jobs").await;
}

/// The second runner finds the job before the first one's taking of it is there to be seen.
#[cfg(feature = "postgres")]
pub(crate) async fn raced(ports: &Ports) -> String {
    use futures_util::future::join;

    let (db, now) = (&*ports.db, ports.clock.now());
    query(db, "delete from jobs").await;
    assert!(ports.queue.send(&json!({"k": 0})).await.is_ok());
    let first = crate::pg_traps::open().await;
    let lease_ends = now.0 + LEASE.0;
    let take_it = format!("update jobs set attempts = attempts + 1, due_at = {lease_ends}");
    for sql in ["begin", &take_it] {
        assert!(first.execute(sql, vec![]).await.is_ok(), "{sql}");
    }
    let commit = async {
        ports.clock.sleep(COMMITTED_AFTER).await;
        first.execute("commit", vec![]).await
    };
    let (second, committed) = join(taken(db, Millis(now.0 + 1_000), 1), commit).await;
    assert!(committed.is_ok());
    query(db, "delete from jobs").await;
    format!("the second has taken {}", second.len())
}
