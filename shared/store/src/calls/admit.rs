use voicecore_domain::{CallDirection, CallStatus, limits};
use voicecore_ports::{Rows, Stmt, Value};
use voicecore_types::{BusinessId, CallId, Millis, PhoneNumberId};

use super::{Call, call_columns, map_call};
use crate::row::{self, Reader};
use crate::seal::{LookupHash, Sealed};
use crate::{Scope, StoreError};

/// A call that wants to come in.
#[derive(Debug, Clone)]
pub struct NewCall<'a> {
    /// Our name of it, if it is admitted and new.
    pub call_id: CallId,
    /// The carrier's name of it.
    pub carrier_call_id: &'a str,
    /// Who answers.
    pub business_id: BusinessId,
    /// Which number was rung. It must belong to the business.
    pub phone_number_id: PhoneNumberId,
    /// Who rang whom.
    pub direction: CallDirection,
    /// The carrier's status of it: ringing.
    pub status: CallStatus,
    /// Who rings: sealed for `Column::CallerNumber`, and its hash from `LookupKey::caller`.
    pub caller: Option<(&'a Sealed, &'a LookupHash)>,
    /// When.
    pub started_at: Millis,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// It is on the line.
    Admitted(Call),
    /// The carrier asks again about a call that is known: give the same answer again.
    Repeated(Call),
    /// A limit of the tenant stands against it, or the tenant does not work. Nothing was stored.
    Refused(Refusal),
}

/// What stands against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The tenant does not work, or is being deleted: no call may be stored that the deletion would not find.
    Suspended,
    /// As many calls as allowed are on the line.
    Concurrency,
    /// As many calls as allowed have come in today (UTC).
    DailyCalls,
    /// The money for today (UTC) has been spent.
    DailyCost,
    /// This caller has rung as often as allowed within the last hour.
    HourlyCaller,
}

statements! {
    /// Serialises the admissions of one tenant on PostgreSQL, where two statements could otherwise count the same calls
    /// and both find room. SQLite has one writer anyhow.
    LOCK = "update tenants set max_concurrent_calls = max_concurrent_calls where id = ?1";

    /// The decision: counting and storing are one statement, so no interleaving admits one too many.
    INSERT = "insert into calls (id, tenant_id, business_id, phone_number_id, carrier_call_id, direction, status,
        caller_number, caller_number_hash, started_at, department_id)
        select ?2, t.id, p.business_id, p.id, ?5, ?6, ?7, ?8, ?9, ?10, b.department_id
        from tenants t
        join phone_numbers p on p.tenant_id = t.id and p.id = ?4 and p.business_id = ?3
        join businesses b on b.id = p.business_id and b.tenant_id = t.id
        left join usage_daily u on u.tenant_id = t.id and u.day = ?11
        where t.id = ?1 and t.suspended_at is null
        and (select count(*) from calls c where c.tenant_id = t.id and c.ended_at is null) < t.max_concurrent_calls
        and coalesce(u.calls, 0) < t.max_daily_calls
        and coalesce(u.cost_micros, 0) < t.max_daily_cost_micros
        and (cast(?9 as text) is null or (select count(*) from calls c where c.tenant_id = t.id and c.caller_number_hash = ?9
            and c.started_at > ?12) < t.max_hourly_calls_per_caller)
        on conflict (carrier_call_id) do nothing";

    /// The fresh id is there only if this batch has stored it: so a repetition is neither logged nor counted.
    LOG = "insert into call_events (call_id, status, tenant_id, at)
        select id, status, tenant_id, started_at from calls where id = ?1 and tenant_id = ?2";

    COUNT = "insert into usage_daily (tenant_id, day, calls, cost_micros)
        select c.tenant_id, ?3, 1, 0 from calls c where c.id = ?1 and c.tenant_id = ?2
        on conflict (tenant_id, day) do update set calls = usage_daily.calls + 1";

    READ_BACK = concat!("select ", call_columns!(), " from calls where carrier_call_id = ?1 and tenant_id = ?2");

    /// Why it was refused, as seen by the same transaction.
    REASON = "select t.max_concurrent_calls, t.max_daily_calls, t.max_daily_cost_micros, t.max_hourly_calls_per_caller,
        (select count(*) from calls c where c.tenant_id = t.id and c.ended_at is null) as active_calls,
        (select count(*) from calls c where c.tenant_id = t.id and c.caller_number_hash = ?3
            and c.started_at > ?4) as caller_calls,
        coalesce(u.calls, 0) as daily_calls, coalesce(u.cost_micros, 0) as daily_cost_micros, t.suspended_at
        from tenants t left join usage_daily u on u.tenant_id = t.id and u.day = ?2
        where t.id = ?1";
}

/// Lets a call in, or says what stands against it. Idempotent by the carrier's name of the call: a repeated
/// webhook gets the call that is there, even when the limits have been reached since.
///
/// The cost of running calls is not known yet, so a daily cap can be overrun by what the calls on the line still cost:
/// at most `max_concurrent_calls` times one call of full length. What transcription costs is not counted (`pricing`).
///
/// [`StoreError::NotFound`] when the number is not the business's or the business not the tenant's.
pub async fn admit(scope: &Scope, call: &NewCall<'_>) -> Result<Admission, StoreError> {
    let results = scope.batch(admit_batch(scope, call)).await?;
    let [_, inserted, _, _, found, reason] = results.as_slice() else {
        return Err(StoreError::NotFound("phone number"));
    };
    match row::one(found, |r| map_call(&r))? {
        Some(call) if inserted.changed == 1 => Ok(Admission::Admitted(call)),
        Some(call) => Ok(Admission::Repeated(call)),
        None => refusal(reason)?.map(Admission::Refused).ok_or(StoreError::NotFound("phone number")),
    }
}

fn admit_batch(scope: &Scope, call: &NewCall<'_>) -> Vec<Stmt> {
    let tenant = || scope.tenant_arg();
    let id = || Value::from(call.call_id.to_string());
    let day = || row::count_arg(limits::day(call.started_at));
    let caller = || Value::from(call.caller.map(|(_, hash)| hash));
    let an_hour_ago = call.started_at.since(limits::CALLER_WINDOW);
    let insert = vec![
        tenant(),
        id(),
        call.business_id.to_string().into(),
        call.phone_number_id.to_string().into(),
        call.carrier_call_id.into(),
        call.direction.as_str().into(),
        call.status.as_str().into(),
        call.caller.map(|(sealed, _)| sealed).into(),
        caller(),
        call.started_at.into(),
        day(),
        an_hour_ago.into(),
    ];
    vec![
        lock(scope),
        Stmt::new(INSERT, insert),
        Stmt::new(LOG, vec![id(), tenant()]),
        Stmt::new(COUNT, vec![id(), tenant(), day()]),
        Stmt::new(READ_BACK, vec![call.carrier_call_id.into(), tenant()]),
        Stmt::new(REASON, vec![tenant(), day(), caller(), an_hour_ago.into()]),
    ]
}

/// Until the end of the batch no other call of the tenant is counted.
pub(crate) fn lock(scope: &Scope) -> Stmt {
    Stmt::new(LOCK, vec![scope.tenant_arg()])
}

fn refusal(reason: &Rows) -> Result<Option<Refusal>, StoreError> {
    let reached =
        |r: &Reader<'_>, used, limit| -> Result<bool, StoreError> { Ok(r.count(used)? >= r.count(limit)?) };
    let refusal = row::one(reason, |r| {
        Ok(if r.opt_moment("suspended_at")?.is_some() {
            Some(Refusal::Suspended)
        } else if reached(&r, "active_calls", "max_concurrent_calls")? {
            Some(Refusal::Concurrency)
        } else if reached(&r, "daily_calls", "max_daily_calls")? {
            Some(Refusal::DailyCalls)
        } else if reached(&r, "daily_cost_micros", "max_daily_cost_micros")? {
            Some(Refusal::DailyCost)
        } else if reached(&r, "caller_calls", "max_hourly_calls_per_caller")? {
            Some(Refusal::HourlyCaller)
        } else {
            None
        })
    })?;
    Ok(refusal.flatten())
}
