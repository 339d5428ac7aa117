//! Conversations in which somebody tries an assistant: their state between two messages, as `dialogues` has that of calls. Every change
//! names the step that it follows, and adds what it has cost to the tenant's day.

use voicecore_domain::{CallStatus, limits};
use voicecore_ports::{Db, Stmt};
use voicecore_types::{AssistantId, BusinessId, CallId, Millis};

use crate::assistants::Settings;
use crate::audit_log::{self, AuditEntry};
use crate::businesses::CallSetupRow;
use crate::calls::{add_cost, lock};
use crate::dialogues::{self, Change, StoredDialogue, key};
use crate::directory::across_tenants;
use crate::row::{self, count_arg};
use crate::seal::Sealed;
use crate::{Scope, StoreError, opening_hours};

/// The most that go on at once, for one tenant.
const MAX_AT_ONCE: u32 = 5;
/// The most that are kept of one tenant, those that are over among them.
const MAX_KEPT: u32 = 200;
/// The longest that a test call goes on.
pub const LIFETIME: Millis = Millis::from_secs(30 * 60);
/// So long after that it is forgotten.
const KEPT: Millis = Millis::from_secs(24 * 60 * 60);
/// Forgotten by one run of the job.
const FORGOTTEN_AT_ONCE: u32 = 200;

statements! {
    /// A business of the tenant: this one, or the one that the assistant answers for, or the first.
    SETUP = "select b.id as business_id, b.name as business_name, b.fallback_number, b.call_length_ms, b.time_zone, b.opening_hours,
        k.wrapped_key, o.credential as openai_credential, c.credential as chat_credential
        from businesses b
        join tenant_keys k on k.tenant_id = b.tenant_id
        left join provider_credentials o on o.tenant_id = b.tenant_id and o.provider = 'openai'
        left join provider_credentials c on c.tenant_id = b.tenant_id and c.provider = 'chat'
        where b.tenant_id = ?1 and (cast(?2 as text) is null or b.id = ?2)
        order by case when b.assistant_id = ?3 then 0 else 1 end, b.created_at, b.id limit 1";

    /// Counting and storing are one statement, as with calls.
    INSERT = "insert into test_calls (id, tenant_id, setup, state, step, expires_at)
        select ?1, t.id, ?3, ?4, 1, cast(?5 as bigint)
        from tenants t left join usage_daily u on u.tenant_id = t.id and u.day = ?6
        where t.id = ?2 and coalesce(u.cost_micros, 0) < t.max_daily_cost_micros
        and (select count(*) from test_calls o where o.tenant_id = ?2 and o.finished_at is null and o.expires_at > ?7) < ?8
        and (select count(*) from test_calls o where o.tenant_id = ?2) < ?9";

    GET = "select d.setup, d.state, d.step, d.busy_until, d.finished_at, k.wrapped_key
        from test_calls d join tenant_keys k on k.tenant_id = d.tenant_id
        where d.id = ?1 and d.tenant_id = ?2";

    CHANGE = "update test_calls set state = ?4, step = step + 1, busy_until = ?5, finished_at = ?6
        where id = ?1 and tenant_id = ?2 and step = ?3 and finished_at is null";

    FORGET = "delete from test_calls where id in (select id from test_calls where expires_at <= ?1 limit ?2)";
}

/// What a test call of `settings` gets that begins now, as a call would. `None`: there is no such business (or none at all).
pub async fn setup(
    scope: &Scope,
    (call_id, now): (CallId, Millis),
    (assistant, settings): (AssistantId, Settings),
    business: Option<BusinessId>,
) -> Result<Option<CallSetupRow>, StoreError> {
    let args =
        vec![scope.tenant_arg(), business.map(|id| id.to_string()).into(), assistant.to_string().into()];
    let rows = scope.query(Stmt::new(SETUP, args)).await?;
    row::one(&rows, |r| {
        Ok(CallSetupRow {
            call_id,
            carrier_call_id: String::new(),
            status: CallStatus::InProgress,
            started_at: now,
            caller_number: None,
            dialled_number: None,
            business_id: r.parsed("business_id")?,
            business_name: r.text("business_name")?,
            assistant: settings.clone(),
            fallback_number: r.sealed("fallback_number")?,
            opening_hours: opening_hours::map(&r)?,
            call_length: r.moment("call_length_ms")?,
            wrapped_key: r.wrapped_key("wrapped_key")?,
            openai_credential: r.sealed("openai_credential")?,
            chat_credential: r.sealed("chat_credential")?,
        })
    })
}

/// Stores a test call that begins, as step 1, on the tenant's record; setup and state are sealed as those of a dialogue. `false`: 5 go
/// on, or 200 are kept, or the money for today has been spent.
pub async fn begin(
    scope: &Scope,
    id: CallId,
    (setup, state): (&Sealed, &Sealed),
    (now, expires_at): (Millis, Millis),
    entry: &AuditEntry<'_>,
) -> Result<bool, StoreError> {
    let mut args = key(scope, id).to_vec();
    args.extend([
        setup.into(),
        state.into(),
        expires_at.into(),
        count_arg(limits::day(now)),
        now.into(),
        MAX_AT_ONCE.into(),
        MAX_KEPT.into(),
    ]);
    let insert = Stmt::new(INSERT, args).exactly(1);
    scope.batch_once(vec![lock(scope), insert, audit_log::entry(scope, entry)]).await
}

/// A test call.
pub async fn get(scope: &Scope, id: CallId) -> Result<Option<StoredDialogue>, StoreError> {
    dialogues::read(scope, GET, id).await
}

/// Moves a test call on, and adds what that has `cost` (micro-dollars) to the tenant's day. `false`: somebody else has moved it on since
/// (or it is finished), and nothing was stored.
pub async fn change(
    scope: &Scope,
    change: &Change<'_>,
    cost: u64,
    finished: bool,
) -> Result<bool, StoreError> {
    let mut args = key(scope, change.call_id).to_vec();
    args.extend([
        count_arg(change.step),
        change.state.into(),
        change.busy_until.into(),
        finished.then_some(change.now).into(),
    ]);
    let moved = Stmt::new(CHANGE, args).exactly(1);
    scope.batch_once(vec![moved, add_cost(scope, change.now, cost)]).await
}

/// Adds what a test call has cost whose change was not stored.
pub async fn charge(scope: &Scope, at: Millis, cost: u64) -> Result<(), StoreError> {
    scope.batch_once(vec![add_cost(scope, at, cost)]).await.map(drop)
}

/// Forgets test calls that have expired a day ago, a limited number. For the job.
pub async fn forget(db: &dyn Db, now: Millis) -> Result<(), StoreError> {
    let before = Millis(now.0.saturating_sub(KEPT.0));
    db.query(across_tenants(FORGET, vec![before.into(), FORGOTTEN_AT_ONCE.into()])).await?;
    Ok(())
}
