//! A database in front of which things go wrong.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use voicecore_conformance::doubles::ManualClock;
use voicecore_ports::{BoxFuture, Clock as _, Db, DbError, Rows, Stmt};
use voicecore_types::Millis;

/// A database that hangs is given up by its port after this long (`functions/*/src/ports`).
const DB_DEADLINE: Millis = Millis(2_000);

/// A database that can be switched off, that takes its time, or takes everything and never answers.
pub(crate) struct Switch {
    inner: Arc<dyn Db>,
    clock: Arc<ManualClock>,
    /// Milliseconds that every statement takes.
    slow: AtomicU64,
    off: AtomicBool,
    hangs: AtomicBool,
    asked: AtomicU32,
    /// How many statements or batches go well before the next ones fail, and how.
    fault: Mutex<Option<(u32, Fault)>>,
    rival: AtomicBool,
    before_change: Mutex<Option<BoxFuture<'static, ()>>>,
    finishes: Mutex<VecDeque<Finish>>,
}

/// How a database fails.
#[derive(Clone, Copy)]
pub(crate) enum Fault {
    /// It is away.
    Away,
    /// It does not take the statement.
    Broken,
}

/// What becomes of the end of a tool run that is not answered in time.
#[derive(Clone, Copy)]
pub(crate) enum Finish {
    /// It is stored all the same.
    Late,
    /// It is not.
    Lost,
}

impl Switch {
    /// Everything goes well.
    pub(crate) fn new(inner: Arc<dyn Db>, clock: Arc<ManualClock>) -> Self {
        Self {
            inner,
            clock,
            slow: AtomicU64::new(0),
            off: AtomicBool::new(false),
            hangs: AtomicBool::new(false),
            asked: AtomicU32::new(0),
            fault: Mutex::default(),
            rival: AtomicBool::new(false),
            before_change: Mutex::default(),
            finishes: Mutex::default(),
        }
    }

    /// Before the next change of what has a version is made, `work` is done: a race that the change must lose or win cleanly.
    pub(crate) fn before_change(&self, work: BoxFuture<'static, ()>) {
        *self.before_change.lock().unwrap() = Some(work);
    }

    async fn interpose(&self, stmt: &Stmt) {
        let raced = [
            "update dialogues",
            "update call_notes",
            "update messages",
            "delete from messages",
            "update departments",
            "update roles",
            "update memberships",
            "update phone_numbers",
            "update businesses set time_zone",
            "insert into provider_credentials",
            "delete from provider_credentials",
        ];
        let work = if raced.iter().any(|start| stmt.sql.text().starts_with(start)) {
            self.before_change.lock().unwrap().take()
        } else {
            None
        };
        if let Some(work) = work {
            work.await;
        }
    }

    /// So the next ends of tool runs go, one after the other; the rest as usual.
    pub(crate) fn finishes(&self, finishes: &[Finish]) {
        *self.finishes.lock().unwrap() = finishes.iter().copied().collect();
    }

    fn next_finish(&self, stmts: &[Stmt]) -> Option<Finish> {
        let finishes = stmts.iter().any(|stmt| stmt.sql.text().starts_with("update tool_runs"));
        if finishes { self.finishes.lock().unwrap().pop_front() } else { None }
    }

    /// From now on it fails so, after as many statements or batches; or it is whole again.
    pub(crate) fn fails(&self, fault: Option<(u32, Fault)>) {
        *self.fault.lock().unwrap() = fault;
    }

    fn fault(&self) -> Result<(), DbError> {
        match &mut *self.fault.lock().unwrap() {
            None => Ok(()),
            Some((0, Fault::Away)) => Err(DbError::Unavailable),
            Some((0, Fault::Broken)) => Err(DbError::Invalid("no such column".to_owned())),
            Some((left, _)) => {
                *left -= 1;
                Ok(())
            }
        }
    }

    /// From now on the key of every change is taken by somebody else at the same moment, or not any more.
    pub(crate) fn rival(&self, is_there: bool) {
        self.rival.store(is_there, Ordering::SeqCst);
    }

    /// The rival takes it.
    async fn taken(&self, stmts: &[Stmt]) -> Result<(), DbError> {
        let takes = |stmt: &&Stmt| stmt.sql.text().starts_with("insert into idempotency_keys");
        match stmts.iter().find(takes) {
            Some(key) if self.rival.load(Ordering::SeqCst) => self.inner.query(key.clone()).await.map(drop),
            _ => Ok(()),
        }
    }

    pub(crate) fn off(&self, off: bool) {
        self.off.store(off, Ordering::SeqCst);
    }

    /// From now on every statement takes so long.
    pub(crate) fn slow(&self, span: Millis) {
        self.slow.store(span.0, Ordering::SeqCst);
    }

    pub(crate) fn hangs(&self, hangs: bool) {
        self.hangs.store(hangs, Ordering::SeqCst);
    }

    /// How often it was asked for anything since the last time.
    pub(crate) fn asked(&self) -> u32 {
        self.asked.swap(0, Ordering::SeqCst)
    }

    async fn ready(&self) -> Result<(), DbError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let slow = Millis(self.slow.load(Ordering::SeqCst));
        if slow > Millis(0) {
            self.clock.sleep(slow).await;
        }
        if self.hangs.load(Ordering::SeqCst) {
            self.clock.sleep(DB_DEADLINE).await;
            return Err(DbError::Unavailable);
        }
        if self.off.load(Ordering::SeqCst) { Err(DbError::Unavailable) } else { self.fault() }
    }
}

impl Db for Switch {
    fn query(&self, stmt: Stmt) -> BoxFuture<'_, Result<Rows, DbError>> {
        Box::pin(async move {
            self.ready().await?;
            self.interpose(&stmt).await;
            self.inner.query(stmt).await
        })
    }

    fn batch(&self, stmts: Vec<Stmt>) -> BoxFuture<'_, Result<Vec<Rows>, DbError>> {
        Box::pin(async move {
            self.ready().await?;
            for stmt in &stmts {
                self.interpose(stmt).await;
            }
            self.taken(&stmts).await?;
            match self.next_finish(&stmts) {
                None => return self.inner.batch(stmts).await,
                Some(Finish::Late) => drop(self.inner.batch(stmts).await),
                Some(Finish::Lost) => {}
            }
            Err(DbError::Unavailable)
        })
    }
}
