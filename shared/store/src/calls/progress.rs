use voicecore_domain::{CallStatus, TokenUsage, Transition, limits, pricing};
use voicecore_ports::{DbError, Stmt, Value};
use voicecore_types::{CallId, Millis};

use crate::row::{self, count_arg};
use crate::{Scope, StoreError, notifications};

/// What a reported status did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advance {
    /// The call has entered it.
    Changed,
    /// Nothing: a repetition, a late report, or a second end.
    Unchanged,
    /// The tenant has no such call.
    Unknown,
}

/// What is known of a call when it is over.
#[derive(Debug, Clone)]
pub struct FinishedCall<'a> {
    /// Which call.
    pub call_id: CallId,
    /// When the first media stream connected, if one did.
    pub connected_at: Option<Millis>,
    /// When our part of it was over.
    pub ended_at: Millis,
    /// The carrier goes on with it (transfer, voicemail): the line stays busy until the carrier reports its end.
    pub carrier_continues: bool,
    /// Why it ended, in snake case.
    pub end_reason: &'a str,
    /// Media streams that it took. 0: nobody who held the call speaks, it is only being closed.
    pub attempts: u32,
    /// Sessions with the model that it took.
    pub model_sessions: u32,
    /// Entries of its transcript.
    pub interaction_count: u32,
    /// The model. What it cost is reckoned from this and the usage.
    pub model: &'a str,
    /// What the model's provider bills.
    pub usage: TokenUsage,
    /// The present moment: the day whose budget the cost counts against.
    pub finished_at: Millis,
}

/// Each lost race means that somebody else moved the call on, and there are only three stages to move on to.
const ADVANCE_TRIES: usize = 4;

statements! {
    STATUS = "select status from calls where id = ?1 and tenant_id = ?2";

    /// Changes the call only where it still is what the decision was based on.
    ADVANCE = "update calls set status = ?4, answered_at = coalesce(answered_at, ?5), ended_at = coalesce(ended_at, ?6)
        where id = ?1 and tenant_id = ?2 and status = ?3";

    LOG = "insert into call_events (call_id, status, tenant_id, at) values (?1, ?3, ?2, ?4)";

    /// The columns on the right are those from before. A summary that knows of a connection which the carrier has not
    /// reported moves the call on, too. A call that was only closed (0 attempts) may still get the summary of its actor.
    FINISH = "update calls set finished_at = ?3, end_reason = ?4, answered_at = coalesce(answered_at, ?5),
        status = case when ended_at is not null then status
            when coalesce(answered_at, ?5) is null then case when ?6 = 1 then status else 'failed' end
            when ?6 = 1 then 'in_progress' else 'completed' end,
        ended_at = case when ended_at is not null or ?6 = 1 then ended_at else ?7 end,
        attempts = ?8, model_sessions = ?9, interaction_count = ?10, model = ?11,
        text_in_tokens = ?12, text_cached_tokens = ?13, text_out_tokens = ?14,
        audio_in_tokens = ?15, audio_cached_tokens = ?16, audio_out_tokens = ?17, cost_micros = ?18
        where id = ?1 and tenant_id = ?2 and (finished_at is null or (attempts = 0 and ?8 > 0))";

    /// The status that the summary led to, unless the carrier had reported it before.
    LOG_FINISH = "insert into call_events (call_id, status, tenant_id, at)
        select id, status, tenant_id, coalesce(ended_at, answered_at, started_at) from calls
        where id = ?1 and tenant_id = ?2
        on conflict (call_id, status) do nothing";

    ADD_COST = "insert into usage_daily (tenant_id, day, calls, cost_micros) values (?1, ?2, 0, ?3)
        on conflict (tenant_id, day) do update set cost_micros = usage_daily.cost_micros + excluded.cost_micros";
}

/// Takes note of a status that the carrier or the call's actor reports. The rule is [`CallStatus::after`]; each change is
/// stored together with its entry in `call_events`, so the log has each exactly once, in order (property A11).
pub async fn advance(
    scope: &Scope,
    call: CallId,
    reported: CallStatus,
    at: Millis,
) -> Result<Advance, StoreError> {
    for _ in 0..ADVANCE_TRIES {
        let rows = scope.query(Stmt::new(STATUS, vec![call.to_string().into(), scope.tenant_arg()])).await?;
        let Some(current) = row::one(&rows, |r| r.parsed::<CallStatus>("status"))? else {
            return Ok(Advance::Unknown);
        };
        let Transition::To(next) = current.after(reported) else {
            return Ok(Advance::Unchanged);
        };
        match scope.batch(advance_batch(scope, call, current, next, at)).await {
            Ok(_) => return Ok(Advance::Changed),
            Err(DbError::Unexpected { .. } | DbError::Constraint) => {}
            Err(other) => return Err(other.into()),
        }
    }
    Err(DbError::Unavailable.into())
}

fn advance_batch(
    scope: &Scope,
    call: CallId,
    current: CallStatus,
    next: CallStatus,
    at: Millis,
) -> Vec<Stmt> {
    let id = || Value::from(call.to_string());
    let answered = (next == CallStatus::InProgress).then_some(at);
    let ended = next.is_end().then_some(at);
    let update = vec![
        id(),
        scope.tenant_arg(),
        current.as_str().into(),
        next.as_str().into(),
        answered.into(),
        ended.into(),
    ];
    vec![
        Stmt::new(ADVANCE, update).exactly(1),
        Stmt::new(LOG, vec![id(), scope.tenant_arg(), next.as_str().into(), at.into()]).exactly(1),
    ]
}

/// Stores what a call came to, and what it cost against its tenant's day. Happens once: `false` when it was finished
/// before (or is not the tenant's), and then nothing changes. Whether the summary or the carrier's report of the end
/// comes first makes no difference.
///
/// A call whose actor could not be found is closed without a summary (`attempts` is 0, nothing was used). Should the actor
/// speak up after all, its summary takes that one's place, once: its usage is paid for and its reason stands. The status
/// stays what it was, because the first end is the last word.
pub async fn finish(scope: &Scope, call: &FinishedCall<'_>) -> Result<bool, StoreError> {
    scope.batch_once(finish_batch(scope, call)).await
}

fn finish_batch(scope: &Scope, call: &FinishedCall<'_>) -> Vec<Stmt> {
    let id = || Value::from(call.call_id.to_string());
    let spent = pricing::cost_micros(call.model, &call.usage);
    let update = vec![
        id(),
        scope.tenant_arg(),
        call.finished_at.into(),
        call.end_reason.into(),
        call.connected_at.into(),
        call.carrier_continues.into(),
        call.ended_at.into(),
        call.attempts.into(),
        call.model_sessions.into(),
        call.interaction_count.into(),
        call.model.into(),
        count_arg(call.usage.text_in),
        count_arg(call.usage.text_cached),
        count_arg(call.usage.text_out),
        count_arg(call.usage.audio_in),
        count_arg(call.usage.audio_cached),
        count_arg(call.usage.audio_out),
        count_arg(spent),
    ];
    vec![
        Stmt::new(FINISH, update).exactly(1),
        log_end(scope, call.call_id),
        notifications::of_call(scope, call.call_id, call.finished_at),
        add_cost(scope, call.finished_at, spent),
    ]
}

/// Notes the status that a finished call has in its log.
pub(crate) fn log_end(scope: &Scope, call: CallId) -> Stmt {
    Stmt::new(LOG_FINISH, vec![call.to_string().into(), scope.tenant_arg()])
}

/// Adds what a call cost to its tenant's day.
pub(crate) fn add_cost(scope: &Scope, at: Millis, cost_micros: u64) -> Stmt {
    let args = vec![scope.tenant_arg(), count_arg(limits::day(at)), count_arg(cost_micros)];
    Stmt::new(ADD_COST, args).exactly(1)
}
