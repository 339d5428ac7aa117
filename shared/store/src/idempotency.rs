//! Requests that a client has named, so that it may send them again: each is carried out once, and answered alike.
//!
//! The row goes into the batch of the change ([`Scope::once`]), the first that is on the tenant's record; where the change is not
//! the database's, it is stored afterwards ([`settle`]). So a request that failed
//! leaves nothing and may be tried again with its key, and of two that run at once one finds that it has lost.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};

use voicecore_ports::{Db, Reach, Rows, Stmt};
use voicecore_types::Millis;

use crate::directory::across_tenants;
use crate::row::{self, count_arg};
use crate::{Scope, StoreError};

/// How long a key is remembered.
pub const KEPT: Millis = Millis::from_secs(24 * 60 * 60);
/// Rows deleted by one run of [`forget`].
const FORGOTTEN_AT_ONCE: u32 = 1_000;

const RUNNING: u8 = 0;
const DONE: u8 = 1;
const LOST: u8 = 2;

/// A request that is to be carried out once.
#[derive(Debug)]
pub struct Once {
    key_hash: String,
    body_hash: String,
    now: Millis,
    answer: Mutex<Option<Answer>>,
    state: AtomicU8,
}

/// What a request is answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body; empty: there is none.
    pub body: String,
    /// The version of what it shows.
    pub version: Option<u64>,
}

/// A request that has been carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// Which request it was.
    pub body_hash: String,
    /// What it was answered with, unless that was not to be kept.
    pub answer: Option<Answer>,
}

statements! {
    FIND = "select body_hash, status, body, version from idempotency_keys
        where key_hash = ?1 and tenant_id = ?2 and expires_at > ?3";

    /// Of whoever makes a tenant: the key lies with the one that was made, which they cannot name.
    FIND_FOUNDED = "select body_hash, status, body, version from idempotency_keys where key_hash = ?1 and expires_at > ?2";

    /// One that has expired may be taken again, whether it has been deleted yet or not.
    CLAIM = "insert into idempotency_keys (key_hash, tenant_id, body_hash, status, body, version, expires_at)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
        on conflict (key_hash) do update set tenant_id = excluded.tenant_id, body_hash = excluded.body_hash, status = excluded.status, body = excluded.body,
        version = excluded.version, expires_at = excluded.expires_at
        where idempotency_keys.expires_at <= ?8";

    FORGET = "delete from idempotency_keys where key_hash in (
        select key_hash from idempotency_keys where expires_at <= ?1 limit ?2)";
}

impl Once {
    /// `key_hash` names the tenant, who asks, the route and the client's key; `body_hash` the request.
    pub fn new(key_hash: String, body_hash: String, now: Millis) -> Self {
        Self { key_hash, body_hash, now, answer: Mutex::default(), state: AtomicU8::new(RUNNING) }
    }

    /// What the request will be answered with, if its change is stored. Without this, the answer is not kept.
    pub fn answers(&self, answer: Answer) {
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
    }

    /// Names it where the change is not the database's: the same for the same request, another for any other.
    pub fn name(&self) -> String {
        format!("{}-{}", self.key_hash, self.body_hash)
    }

    /// Somebody else has carried it out meanwhile.
    pub fn is_lost(&self) -> bool {
        self.state.load(Ordering::Relaxed) == LOST
    }

    pub(crate) fn is_done(&self) -> bool {
        self.state.load(Ordering::Relaxed) == DONE
    }

    pub(crate) fn done(&self) {
        self.state.store(DONE, Ordering::Relaxed);
    }

    pub(crate) fn lost(&self) {
        self.state.store(LOST, Ordering::Relaxed);
    }
}

/// Whether the request has been carried out.
pub async fn find(scope: &Scope, once: &Once) -> Result<Option<Carried>, StoreError> {
    let args = vec![once.key_hash.as_str().into(), scope.tenant_arg(), once.now.into()];
    carried(&scope.query(Stmt::new(FIND, args)).await?)
}

/// Whether the request has been carried out that makes a tenant.
pub async fn find_founded(db: &dyn Db, once: &Once) -> Result<Option<Carried>, StoreError> {
    let args = vec![once.key_hash.as_str().into(), once.now.into()];
    carried(&db.query(across_tenants(FIND_FOUNDED, args)).await?)
}

fn carried(rows: &Rows) -> Result<Option<Carried>, StoreError> {
    row::one(rows, |r| {
        let answer = match r.opt_count("status")? {
            None => None,
            Some(status) => Some(Answer {
                status: u16::try_from(status).map_err(|_| StoreError::OddRow { column: "status" })?,
                body: r.text("body")?,
                version: r.opt_count("version")?,
            }),
        };
        Ok(Carried { body_hash: r.text("body_hash")?, answer })
    })
}

/// The statement that takes the key.
pub(crate) fn claim(scope: &Scope, once: &Once) -> Stmt {
    let answer = once.answer.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let args = vec![
        once.key_hash.as_str().into(),
        scope.tenant_arg(),
        once.body_hash.as_str().into(),
        answer.as_ref().map(|answer| i64::from(answer.status)).into(),
        answer.as_ref().map(|answer| answer.body.as_str()).into(),
        answer.as_ref().and_then(|answer| answer.version).map(count_arg).into(),
        once.now.plus(KEPT).into(),
        once.now.into(),
    ];
    Stmt::new(CLAIM, args).exactly(1)
}

/// The same for the tenant that the request makes. The key may lie with one that another made, more than a day ago.
pub(crate) fn claim_founded(scope: &Scope, once: &Once) -> Stmt {
    claim(scope, once).reaching(Reach::EveryTenant)
}

/// Takes the key of a request that has changed something outside of the database, when it has: one that failed may be sent again.
/// If another request with this key was faster, [`Once::is_lost`] says so afterwards.
pub async fn settle(scope: &Scope) -> Result<(), StoreError> {
    let Some(once) = scope.request().filter(|once| !once.is_done()) else { return Ok(()) };
    if scope.batch_once(vec![claim(scope, once)]).await? {
        once.done();
    } else {
        once.lost();
    }
    Ok(())
}

/// Deletes keys that mean nothing any more, a limited number.
pub async fn forget(db: &dyn Db, now: Millis) -> Result<(), StoreError> {
    db.query(across_tenants(FORGET, vec![now.into(), FORGOTTEN_AT_ONCE.into()])).await?;
    Ok(())
}
