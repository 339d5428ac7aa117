//! Counters of rate limits in the database: exact under any interleaving, one statement each. For platforms without counters of
//! their own. Belongs to no tenant: a key names an id of ours, and a row lives for a minute.

use voicecore_ports::{Db, DbError, Stmt};
use voicecore_types::{Millis, Quota, RateVerdict};

use crate::StoreError;
use crate::row::{self, count_arg};

/// Rows deleted by one run of [`forget`].
const FORGOTTEN_AT_ONCE: u32 = 1_000;

statements! {
    /// Changes nothing when the quota is used up; the arithmetic is that of `Quota::take`.
    TAKE = "insert into rate_limits (limit_key, full_at) values (?1, cast(?2 as bigint) + ?3)
        on conflict (limit_key) do update
        set full_at = case when rate_limits.full_at > ?2 then rate_limits.full_at else ?2 end + ?3
        where case when rate_limits.full_at > ?2 then rate_limits.full_at else ?2 end + ?3 <= ?4";

    STATE = "select full_at from rate_limits where limit_key = ?1";

    FORGET = "delete from rate_limits where limit_key in (
        select limit_key from rate_limits where full_at < ?1 limit ?2)";
}

/// Takes one of `quota` at `now`.
pub async fn take(db: &dyn Db, key: &str, quota: Quota, now: Millis) -> Result<RateVerdict, StoreError> {
    let latest = now.plus(quota.interval().max(quota.per));
    let take = vec![key.into(), now.into(), count_arg(quota.interval().0), latest.into()];
    let results = db.batch(vec![Stmt::new(TAKE, take), Stmt::new(STATE, vec![key.into()])]).await?;
    let [taken, state] = results.as_slice() else { return Err(DbError::Unavailable.into()) };
    if taken.changed > 0 {
        return Ok(RateVerdict::Allowed);
    }
    let full_at = row::one(state, |r| r.moment("full_at"))?.unwrap_or(now);
    Ok(quota.take(full_at, now).0)
}

/// Deletes counters that say nothing any more, a limited number.
pub async fn forget(db: &dyn Db, now: Millis) -> Result<(), StoreError> {
    db.query(Stmt::new(FORGET, vec![now.into(), FORGOTTEN_AT_ONCE.into()])).await?;
    Ok(())
}
