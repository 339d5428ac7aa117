//! Calls that are held turn by turn: their state between two questions of the carrier.
//!
//! Every change names the step that it follows, so that of any number of processes that answer the same question one moves
//! the call on; the others read what that one has stored.

use voicecore_domain::{TokenUsage, pricing};
use voicecore_ports::{Stmt, Value};
use voicecore_types::{CallId, Millis};

use crate::calls::{add_cost, log_end};
use crate::row::{self, count_arg};
use crate::seal::{Sealed, WrappedKey};
use crate::{Scope, StoreError, notifications};

/// A dialogue as it is stored.
#[derive(Debug, Clone)]
pub struct StoredDialogue {
    /// What was configured when it began; sealed for `Column::DialogueSetup`.
    pub setup: Sealed,
    /// What has happened since; sealed for `Column::DialogueState`.
    pub state: Sealed,
    /// How often it was changed.
    pub step: u64,
    /// Until when somebody is at work on it.
    pub busy_until: Option<Millis>,
    /// Its summary has been stored.
    pub finished: bool,
    /// The tenant's data key.
    pub wrapped_key: WrappedKey,
}

/// A change.
#[derive(Debug, Clone)]
pub struct Change<'a> {
    /// Which call.
    pub call_id: CallId,
    /// The step that it follows.
    pub step: u64,
    /// The state from now on; sealed for `Column::DialogueState`.
    pub state: &'a Sealed,
    /// Until when whoever makes this change is at work.
    pub busy_until: Option<Millis>,
    /// The present moment.
    pub now: Millis,
}

/// What a turn-based call came to.
#[derive(Debug, Clone)]
pub struct FinishedDialogue<'a> {
    /// The last change, which makes nobody busy.
    pub change: Change<'a>,
    /// When the caller first heard something.
    pub connected_at: Millis,
    /// When our part of it was over.
    pub ended_at: Millis,
    /// The carrier goes on with it (transfer, voicemail): the line stays busy until the carrier reports its end.
    pub carrier_continues: bool,
    /// Why it ended, in snake case.
    pub end_reason: &'a str,
    /// Entries of its transcript.
    pub interaction_count: u32,
    /// The model.
    pub model: &'a str,
    /// What the model's provider bills.
    pub usage: TokenUsage,
}

/// What the media streams of a call used that was taken over.
#[derive(Debug, Clone)]
pub struct StreamUsage<'a> {
    /// Which call.
    pub call_id: CallId,
    /// Media streams.
    pub attempts: u32,
    /// Sessions with the model.
    pub model_sessions: u32,
    /// The model.
    pub model: &'a str,
    /// What the model's provider bills.
    pub usage: TokenUsage,
    /// The present moment.
    pub now: Millis,
}

statements! {
    /// The streams of a call that has its summary have been counted with that.
    BEGIN = "insert into dialogues (call_id, tenant_id, setup, state, step, streams_counted, updated_at)
        select c.id, c.tenant_id, ?3, ?4, 1, case when c.finished_at is null then 0 else 1 end, ?5
        from calls c where c.id = ?1 and c.tenant_id = ?2
        on conflict (call_id) do nothing";

    GET = "select d.setup, d.state, d.step, d.busy_until, d.finished_at, k.wrapped_key
        from dialogues d join tenant_keys k on k.tenant_id = d.tenant_id
        where d.call_id = ?1 and d.tenant_id = ?2";

    CHANGE = "update dialogues set state = ?4, step = step + 1, busy_until = ?5, updated_at = ?6
        where call_id = ?1 and tenant_id = ?2 and step = ?3 and finished_at is null";

    FINISH = "update dialogues set state = ?4, step = step + 1, busy_until = null, updated_at = ?5, finished_at = ?5
        where call_id = ?1 and tenant_id = ?2 and step = ?3 and finished_at is null";

    /// What the streams of the call have used is there already, or comes later (`ADD_USAGE`): all of it is added up. The
    /// summary of the streams, should there be one, was that of a call that broke off: this one takes its place.
    FINISH_CALL = "update calls set finished_at = ?3, end_reason = ?4, answered_at = coalesce(answered_at, ?5),
        status = case when ended_at is not null then status when ?6 = 1 then 'in_progress' else 'completed' end,
        ended_at = case when ended_at is not null or ?6 = 1 then ended_at else ?7 end,
        interaction_count = ?8, model = ?9, text_in_tokens = text_in_tokens + ?10,
        text_cached_tokens = text_cached_tokens + ?11, text_out_tokens = text_out_tokens + ?12,
        cost_micros = cost_micros + ?13
        where id = ?1 and tenant_id = ?2";

    COUNT_STREAMS_ONCE = "update dialogues set streams_counted = 1
        where call_id = ?1 and tenant_id = ?2 and streams_counted = 0";

    ADD_USAGE = "update calls set attempts = attempts + ?3, model_sessions = model_sessions + ?4,
        text_in_tokens = text_in_tokens + ?5, text_cached_tokens = text_cached_tokens + ?6,
        text_out_tokens = text_out_tokens + ?7, audio_in_tokens = audio_in_tokens + ?8,
        audio_cached_tokens = audio_cached_tokens + ?9, audio_out_tokens = audio_out_tokens + ?10,
        cost_micros = cost_micros + ?11
        where id = ?1 and tenant_id = ?2";

    EXISTS = "select step from dialogues where call_id = ?1 and tenant_id = ?2";
}

/// Stores a dialogue that begins, as step 1. `false`: there is one for this call already (or no such call), and nothing
/// was stored.
pub async fn begin(
    scope: &Scope,
    call: CallId,
    setup: &Sealed,
    state: &Sealed,
    now: Millis,
) -> Result<bool, StoreError> {
    let [id, tenant] = key(scope, call);
    let args = vec![id, tenant, setup.into(), state.into(), now.into()];
    Ok(scope.query(Stmt::new(BEGIN, args)).await?.changed == 1)
}

/// The dialogue of a call, if it has one.
pub async fn get(scope: &Scope, call: CallId) -> Result<Option<StoredDialogue>, StoreError> {
    read(scope, GET, call).await
}

/// What `statement` finds under [`key`]; its columns are those of `GET`.
pub(crate) async fn read(
    scope: &Scope,
    statement: &'static str,
    id: CallId,
) -> Result<Option<StoredDialogue>, StoreError> {
    let rows = scope.query(Stmt::new(statement, key(scope, id).into())).await?;
    row::one(&rows, |r| {
        Ok(StoredDialogue {
            setup: r.sealed("setup")?.ok_or(StoreError::OddRow { column: "setup" })?,
            state: r.sealed("state")?.ok_or(StoreError::OddRow { column: "state" })?,
            step: r.count("step")?,
            busy_until: r.opt_moment("busy_until")?,
            finished: r.opt_moment("finished_at")?.is_some(),
            wrapped_key: r.wrapped_key("wrapped_key")?,
        })
    })
}

/// Whether the call has, or had, a dialogue.
pub async fn exists(scope: &Scope, call: CallId) -> Result<bool, StoreError> {
    Ok(!scope.query(Stmt::new(EXISTS, key(scope, call).into())).await?.rows.is_empty())
}

/// Moves a dialogue on. `false`: somebody else has, since (or it is finished), and nothing was stored.
pub async fn change(scope: &Scope, change: &Change<'_>) -> Result<bool, StoreError> {
    let [id, tenant] = key(scope, change.call_id);
    let args = vec![
        id,
        tenant,
        count_arg(change.step),
        change.state.into(),
        change.busy_until.into(),
        change.now.into(),
    ];
    Ok(scope.query(Stmt::new(CHANGE, args)).await?.changed == 1)
}

/// Stores what a call came to, and what it cost against its tenant's day, once. `false`: somebody else has moved the
/// dialogue on since, and nothing was stored.
pub async fn finish(scope: &Scope, call: &FinishedDialogue<'_>) -> Result<bool, StoreError> {
    scope.batch_once(finish_batch(scope, call)).await
}

fn finish_batch(scope: &Scope, call: &FinishedDialogue<'_>) -> Vec<Stmt> {
    let Change { call_id, step, state, now, .. } = call.change;
    let [id, tenant] = key(scope, call_id);
    let spent = pricing::cost_micros(call.model, &call.usage);
    let dialogue = vec![id.clone(), tenant.clone(), count_arg(step), state.into(), now.into()];
    let update = vec![
        id,
        tenant,
        now.into(),
        call.end_reason.into(),
        call.connected_at.into(),
        call.carrier_continues.into(),
        call.ended_at.into(),
        call.interaction_count.into(),
        call.model.into(),
        count_arg(call.usage.text_in),
        count_arg(call.usage.text_cached),
        count_arg(call.usage.text_out),
        count_arg(spent),
    ];
    vec![
        Stmt::new(FINISH, dialogue).exactly(1),
        Stmt::new(FINISH_CALL, update).exactly(1),
        log_end(scope, call_id),
        notifications::of_call(scope, call_id, now),
        add_cost(scope, now, spent),
    ]
}

/// Adds what the media streams of a call used that has been taken over, once. `false`: that was done before.
pub async fn count_streams(scope: &Scope, used: &StreamUsage<'_>) -> Result<bool, StoreError> {
    let [id, tenant] = key(scope, used.call_id);
    let batch = vec![Stmt::new(COUNT_STREAMS_ONCE, vec![id, tenant]).exactly(1)];
    scope.batch_once([batch, add_usage(scope, used)].concat()).await
}

/// Adds what answers have used that no state of the dialogue knows of, because somebody else was quicker: the money is spent.
pub async fn pay(
    scope: &Scope,
    call_id: CallId,
    model: &str,
    usage: TokenUsage,
    now: Millis,
) -> Result<(), StoreError> {
    let used = StreamUsage { call_id, attempts: 0, model_sessions: 0, model, usage, now };
    scope.batch(add_usage(scope, &used)).await?;
    Ok(())
}

/// To the call, and to its tenant's day.
fn add_usage(scope: &Scope, used: &StreamUsage<'_>) -> Vec<Stmt> {
    let [id, tenant] = key(scope, used.call_id);
    let spent = pricing::cost_micros(used.model, &used.usage);
    let update = vec![
        id,
        tenant,
        used.attempts.into(),
        used.model_sessions.into(),
        count_arg(used.usage.text_in),
        count_arg(used.usage.text_cached),
        count_arg(used.usage.text_out),
        count_arg(used.usage.audio_in),
        count_arg(used.usage.audio_cached),
        count_arg(used.usage.audio_out),
        count_arg(spent),
    ];
    vec![Stmt::new(ADD_USAGE, update).exactly(1), add_cost(scope, used.now, spent)]
}

pub(crate) fn key(scope: &Scope, call: CallId) -> [Value; 2] {
    [call.to_string().into(), scope.tenant_arg()]
}
