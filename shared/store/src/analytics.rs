//! Figures about calls, added up by the database.
//!
//! All of them are about the calls that came in within a period and that the scope sees, so each is a walk along
//! `calls_recent`. The length of a period is bounded by whoever asks.

use voicecore_domain::{CallDirection, CallStatus};
use voicecore_ports::{Rows, Sql, Stmt, Value};
use voicecore_types::{BusinessId, Millis};

use crate::row::{self, Reader};
use crate::{Scope, StoreError};

/// Rows that a division gives at most.
const MAX_GROUPS: u32 = 1_000;

/// Which calls.
#[derive(Debug, Clone, Copy)]
pub struct Period {
    /// The first moment that counts.
    pub since: Millis,
    /// The first moment that does not count any more.
    pub until: Millis,
    /// Of this business only.
    pub business_id: Option<BusinessId>,
}

/// Calls of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// All of them.
    pub calls: u64,
    /// Those that were connected.
    pub answered: u64,
    /// Those that were connected and are over.
    pub ended: u64,
    /// Those that went on to a human being.
    pub transferred: u64,
    /// How long both sides were connected, of those that are over.
    pub duration: Millis,
    /// What they cost.
    pub cost_micros: u64,
}

/// How long callers waited for answers: so long at most, of so many of a hundred (the smallest wait of which that is true).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AnswerLatency {
    /// How many answers there were, in calls that are over.
    pub turns: u64,
    /// Of fifty; `None`: there was no answer.
    pub p50: Option<Millis>,
    /// Of ninety-five, likewise.
    pub p95: Option<Millis>,
}

/// By what the calls of a period are divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Division {
    /// The hours that they came in, counted from 1970 in local time.
    Hours,
    /// The days, likewise.
    Days,
}

/// How a period went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    /// The period.
    pub total: Counts,
    /// The one of the same length before it.
    pub previous: Counts,
    /// How long callers waited for answers in it.
    pub answer_latency: AnswerLatency,
    /// And in the one before it.
    pub previous_answer_latency: AnswerLatency,
    /// Calls on the line now.
    pub active: u64,
    /// By status.
    pub by_status: Vec<(CallStatus, u64)>,
}

/// When calls came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// By day or hour: its number from 1970 in local time.
    pub points: Vec<(u64, Counts)>,
    /// By hour of the week: weekday times 24 and the hour, from Monday.
    pub hours: Vec<(u64, u64)>,
    /// By business, the busiest first.
    pub businesses: Vec<(BusinessId, Counts)>,
    /// By status.
    pub by_status: Vec<(CallStatus, u64)>,
    /// Who rang whom; those without calls are left out.
    pub by_direction: Vec<(CallDirection, Counts)>,
    /// The period of the same length before it.
    pub previous: Counts,
}

/// The figures of [`Counts`], for `concat!`.
macro_rules! figures {
    () => {
        "count(*) as calls, count(answered_at) as answered,
        coalesce(sum(case when answered_at is not null and ended_at is not null then 1 else 0 end), 0) as ended,
        coalesce(sum(case when end_reason = 'transferred' then 1 else 0 end), 0) as transferred,
        cast(coalesce(sum(case when ended_at > answered_at then ended_at - answered_at else 0 end), 0) as bigint) as duration_ms,
        cast(coalesce(sum(cost_micros), 0) as bigint) as cost_micros"
    };
}

statements! {
    TOTAL = concat!("select ", figures!(), " from calls where tenant_id = ? and started_at >= ? and started_at < ?");

    ACTIVE = "select count(*) as calls from calls where tenant_id = ? and ended_at is null";

    /// What is grouped by is no column, so that no index by status is walked: that would be every call there ever was.
    BY_STATUS = "select status || '' as status, count(*) as calls from calls
        where tenant_id = ? and started_at >= ? and started_at < ?";

    BY_DIRECTION = concat!("select direction || '' as way, ", figures!(), " from calls
        where tenant_id = ? and started_at >= ? and started_at < ?");

    BY_BUSINESS = concat!("select business_id, ", figures!(), " from calls
        where tenant_id = ? and started_at >= ? and started_at < ?");

    /// Divisors are written out: a number that comes as an argument may be a fraction to some engines.
    BY_DAY = concat!("select (started_at + cast(? as bigint)) / 86400000 as part, ", figures!(), " from calls
        where tenant_id = ? and started_at >= ? and started_at < ?");

    BY_HOUR = concat!("select (started_at + cast(? as bigint)) / 3600000 as part, ", figures!(), " from calls
        where tenant_id = ? and started_at >= ? and started_at < ?");

    /// Waits of the same length are counted first, so that no more rows are put in order than there are different waits.
    BY_LATENCY = "select cast(coalesce(max(turns), 0) as bigint) as turns, min(case when upto * 100 >= turns * 50 then latency_ms end) as p50,
        min(case when upto * 100 >= turns * 95 then latency_ms end) as p95
        from (select l.latency_ms, sum(count(*)) over (order by l.latency_ms) as upto, sum(count(*)) over () as turns
        from calls join call_latencies l on l.tenant_id = calls.tenant_id and l.call_id = calls.id
        where calls.tenant_id = ? and started_at >= ? and started_at < ?";

    /// 1970 began on a Thursday, 72 hours after a Monday.
    BY_WEEK_HOUR = "select ((started_at + cast(? as bigint)) / 3600000 + 72) % 168 as part, count(*) as calls from calls
        where tenant_id = ? and started_at >= ? and started_at < ?";
}

/// How a period went, and the one before it.
pub async fn overview(scope: &Scope, period: &Period) -> Result<Overview, StoreError> {
    let results = scope.batch(overview_stmts(scope, period)).await?;
    let [total, previous, active, by_status, latency, previous_latency] = results.as_slice() else {
        return Err(StoreError::OddRow { column: "calls" });
    };
    Ok(Overview {
        total: row::one(total, |r| counts(&r))?.unwrap_or_default(),
        previous: row::one(previous, |r| counts(&r))?.unwrap_or_default(),
        answer_latency: row::one(latency, |r| waits(&r))?.unwrap_or_default(),
        previous_answer_latency: row::one(previous_latency, |r| waits(&r))?.unwrap_or_default(),
        active: row::one(active, |r| r.count("calls"))?.unwrap_or(0),
        by_status: statuses(by_status)?,
    })
}

/// When the calls of a period came in, in a local time that is so many milliseconds ahead of UTC.
pub async fn volume(
    scope: &Scope,
    period: &Period,
    division: Division,
    ahead: i64,
) -> Result<Volume, StoreError> {
    let results = scope.batch(volume_stmts(scope, period, division, ahead)).await?;
    let [points, hours, businesses, by_status, by_direction, previous] = results.as_slice() else {
        return Err(StoreError::OddRow { column: "calls" });
    };
    Ok(Volume {
        points: row::all(points, |r| Ok((r.count("part")?, counts(&r)?)))?,
        hours: row::all(hours, |r| Ok((r.count("part")?, r.count("calls")?)))?,
        businesses: row::all(businesses, |r| Ok((r.parsed("business_id")?, counts(&r)?)))?,
        by_status: statuses(by_status)?,
        by_direction: row::all(by_direction, |r| Ok((r.parsed("way")?, counts(&r)?)))?,
        previous: row::one(previous, |r| counts(&r))?.unwrap_or_default(),
    })
}

impl Period {
    /// The one of the same length before it.
    fn before(&self) -> Self {
        let length = self.until.since(self.since);
        Self { since: Millis(self.since.0.saturating_sub(length.0)), until: self.since, ..*self }
    }
}

pub(crate) fn overview_stmts(scope: &Scope, period: &Period) -> Vec<Stmt> {
    let mut active = Stmt::of(Sql::new(ACTIVE), vec![scope.tenant_arg()]);
    restrict(scope, period, &mut active);
    vec![
        about(scope, TOTAL, None, period, ""),
        about(scope, TOTAL, None, &period.before(), ""),
        active,
        about(scope, BY_STATUS, None, period, "group by status || ''"),
        latency(scope, period),
        latency(scope, &period.before()),
    ]
}

fn latency(scope: &Scope, period: &Period) -> Stmt {
    let mut stmt = about(scope, BY_LATENCY, None, period, "");
    stmt.sql.push("group by l.latency_ms) as waits");
    stmt
}

pub(crate) fn volume_stmts(scope: &Scope, period: &Period, division: Division, ahead: i64) -> Vec<Stmt> {
    let points = match division {
        Division::Days => BY_DAY,
        Division::Hours => BY_HOUR,
    };
    let ahead = Some(Value::from(ahead));
    vec![
        about(scope, points, ahead.clone(), period, "group by part order by part"),
        about(scope, BY_WEEK_HOUR, ahead, period, "group by part order by part"),
        about(scope, BY_BUSINESS, None, period, "group by business_id order by calls desc, business_id"),
        about(scope, BY_STATUS, None, period, "group by status || ''"),
        about(scope, BY_DIRECTION, None, period, "group by direction || '' order by way"),
        about(scope, TOTAL, None, &period.before(), ""),
    ]
}

/// A statement about a period: its own argument first, if it has one.
fn about(scope: &Scope, sql: &'static str, own: Option<Value>, period: &Period, group: &'static str) -> Stmt {
    let mut args: Vec<Value> = own.into_iter().collect();
    args.extend([scope.tenant_arg(), period.since.into(), period.until.into()]);
    let mut stmt = Stmt::of(Sql::new(sql), args);
    restrict(scope, period, &mut stmt);
    if !group.is_empty() {
        stmt.sql.push(group);
        stmt.sql.push("limit ?");
        stmt.args.push(MAX_GROUPS.into());
    }
    stmt
}

fn restrict(scope: &Scope, period: &Period, stmt: &mut Stmt) {
    if let Some(business) = period.business_id {
        stmt.sql.push("and business_id = ?");
        stmt.args.push(business.to_string().into());
    }
    scope.in_sight(stmt);
}

fn counts(r: &Reader<'_>) -> Result<Counts, StoreError> {
    Ok(Counts {
        calls: r.count("calls")?,
        answered: r.count("answered")?,
        ended: r.count("ended")?,
        transferred: r.count("transferred")?,
        duration: r.moment("duration_ms")?,
        cost_micros: r.count("cost_micros")?,
    })
}

fn waits(r: &Reader<'_>) -> Result<AnswerLatency, StoreError> {
    Ok(AnswerLatency { turns: r.count("turns")?, p50: r.opt_moment("p50")?, p95: r.opt_moment("p95")? })
}

/// In the order of their stages.
fn statuses(rows: &Rows) -> Result<Vec<(CallStatus, u64)>, StoreError> {
    let found = row::all(rows, |r| Ok((r.parsed::<CallStatus>("status")?, r.count("calls")?)))?;
    let in_order = CallStatus::ALL.into_iter().filter_map(|status| found.iter().find(|(s, _)| *s == status));
    Ok(in_order.copied().collect())
}
