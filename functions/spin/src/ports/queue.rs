use std::sync::Arc;

use voicecore_ports::{BoxFuture, Clock, Db, DbError, Queue, QueueError, Rng, Stmt, Value};
use voicecore_types::Millis;

/// The port's limit.
const MAX_JOB_BYTES: usize = 64 * 1024;
/// A job that was taken and not heard of again may be taken by another after this long.
pub(crate) const LEASE: Millis = Millis(2 * 60 * 1000);
/// A job that failed may be taken again after this long, as on Workers.
pub(crate) const RETRY_DELAY: Millis = Millis(30 * 1000);
/// A job is tried this often, then given up: kept, for people to look at.
pub(crate) const MAX_ATTEMPTS: u32 = 10;
/// That long, and no longer: it may name a call, or somebody's address. As long as on Workers, and as the report of a deletion says
/// (`voicecore_domain::deletion`).
pub(crate) const DEAD_KEPT: Millis = Millis(14 * 86_400 * 1000);
/// Jobs that were kept long enough, deleted at once. Asked every minute, more than can be given up meanwhile.
const DELETED_AT_ONCE: u32 = 1_000;

/// Jobs done in one run. The answer says whether there may be more.
const MAX_JOBS: u32 = 200;
/// No more jobs are taken after this long: timers and gateways wait about half a minute.
const RUN_LIMIT: Millis = Millis(20_000);

/// A job that is ours until its lease ends.
pub(crate) struct Taken {
    id: String,
    attempts: i64,
    /// JSON.
    pub(crate) job: String,
}

/// Jobs as rows of the database. Delivered at least once: one that is being done may be taken again when its lease has ended.
pub(crate) struct SqlQueue {
    db: Arc<dyn Db>,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
}

impl SqlQueue {
    pub(crate) fn new(db: Arc<dyn Db>, clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> Self {
        Self { db, clock, rng }
    }

    async fn put(&self, job: String) -> Result<(), QueueError> {
        let mut random = [0; 16];
        self.rng.fill(&mut random);
        let id = format!("{:032x}", u128::from_be_bytes(random));
        let insert = Stmt::new(
            "insert into jobs (id, job, due_at) values (?1, ?2, ?3)",
            vec![id.into(), job.into(), self.clock.now().into()],
        );
        self.db.query(insert.exactly(1)).await.map(drop).map_err(|_| QueueError)
    }
}

impl Queue for SqlQueue {
    fn send<'a>(&'a self, job: &'a serde_json::Value) -> BoxFuture<'a, Result<(), QueueError>> {
        Box::pin(async move {
            let text = job.to_string();
            if text.len() > MAX_JOB_BYTES {
                return Err(QueueError);
            }
            self.put(text).await
        })
    }
}

/// What [`drain`] did.
pub(crate) struct Drained {
    pub(crate) done: u32,
    /// They wait for another try.
    pub(crate) failed: u32,
    /// Given up since the last time.
    pub(crate) given_up: u64,
    /// A limit was reached: there may be more.
    pub(crate) more: bool,
}

/// Does what is due, one job after the other, by `work`, which is given its JSON; what that fails with is logged.
///
/// No job is taken before the one ahead of it is out of hand: whatever a job does to its instance, or the database to a run, costs
/// no other job an attempt.
pub(crate) async fn drain<Work: Future<Output = Result<(), String>>>(
    db: &dyn Db,
    clock: &dyn Clock,
    work: impl Fn(String) -> Work,
) -> Result<Drained, DbError> {
    let began = clock.now();
    let given_up = bury(db, began).await?;
    let mut drained = Drained { done: 0, failed: 0, given_up, more: false };
    loop {
        let late = clock.now().0.saturating_sub(began.0) > RUN_LIMIT.0;
        if late || drained.done + drained.failed >= MAX_JOBS {
            drained.more = true;
            return Ok(drained);
        }
        let Some(taken) = take(db, clock.now()).await? else { return Ok(drained) };
        match work(taken.job.clone()).await {
            Ok(()) => {
                drained.done += 1;
                complete(db, &taken).await?;
            }
            Err(error) => {
                eprintln!("a job failed: {error}");
                drained.failed += 1;
                give_back(db, &taken, clock.now()).await?;
            }
        }
    }
}

/// Takes the job that is due for longest. Two runners never take the same: PostgreSQL lets the second wait for the first, and then looks
/// once more at what the statement itself demands of the row, but not into the list that it had made before; so all of it is demanded
/// twice. The second gets none then, and leaves the rest to the first.
pub(crate) async fn take(db: &dyn Db, now: Millis) -> Result<Option<Taken>, DbError> {
    let lease_ends = Millis(now.0.saturating_add(LEASE.0));
    let take = Stmt::new(
        "update jobs set attempts = attempts + 1, due_at = ?1
         where dead_at is null and due_at <= ?2 and attempts < ?3 and id in (
           select id from jobs where dead_at is null and due_at <= ?2 and attempts < ?3 order by due_at limit 1
         ) returning id, attempts, job",
        vec![lease_ends.into(), now.into(), MAX_ATTEMPTS.into()],
    );
    let taken = db.query(take).await?.rows.into_iter().next();
    Ok(taken.and_then(|mut row| match (row.remove("id"), row.remove("attempts"), row.remove("job")) {
        (Some(Value::Text(id)), Some(Value::Int(attempts)), Some(Value::Text(job))) => {
            Some(Taken { id, attempts, job })
        }
        _ => None,
    }))
}

/// It is done.
pub(crate) async fn complete(db: &dyn Db, taken: &Taken) -> Result<(), DbError> {
    db.query(Stmt::new("delete from jobs where id = ?1", vec![taken.id.as_str().into()])).await.map(drop)
}

/// It failed: somebody tries again later. Nothing happens when somebody else has taken it meanwhile.
pub(crate) async fn give_back(db: &dyn Db, taken: &Taken, now: Millis) -> Result<(), DbError> {
    let due_at = Millis(now.0.saturating_add(RETRY_DELAY.0));
    let later = Stmt::new(
        "update jobs set due_at = ?3 where id = ?1 and attempts = ?2",
        vec![taken.id.as_str().into(), taken.attempts.into(), due_at.into()],
    );
    db.query(later).await.map(drop)
}

/// Gives up what was tried too often, also what never came back because it ended its instance. Returns how many. What was given up
/// [`DEAD_KEPT`] ago is deleted.
pub(crate) async fn bury(db: &dyn Db, now: Millis) -> Result<u64, DbError> {
    let bury = Stmt::new(
        "update jobs set dead_at = ?1 where dead_at is null and due_at <= ?1 and attempts >= ?2",
        vec![now.into(), MAX_ATTEMPTS.into()],
    );
    let kept_since = Millis(now.0.saturating_sub(DEAD_KEPT.0));
    let forget = Stmt::new(
        "delete from jobs where id in (select id from jobs where dead_at <= ?1 order by dead_at limit ?2)",
        vec![kept_since.into(), DELETED_AT_ONCE.into()],
    );
    let buried = db.query(bury).await?.changed;
    db.query(forget).await?;
    Ok(buried)
}
