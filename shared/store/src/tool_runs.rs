//! Tools that the model called: each takes effect once, whoever asks for it how often.
//!
//! A run is begun, its work is done, and it is finished in one batch together with the work's statements. The key is
//! (call, the model's id of the tool call). A runner that died between the two leaves a run that was begun: it may be run
//! again, because of any number of runners only one can finish, and the others' statements are rolled back.

use voicecore_ports::{DbError, Stmt, Value};
use voicecore_types::{CallId, Millis};

use crate::{Scope, StoreError, row};

/// Which run.
#[derive(Debug, Clone, Copy)]
pub struct ToolRun<'a> {
    /// In which call.
    pub call_id: CallId,
    /// The model's id of the tool call.
    pub tool_call_id: &'a str,
    /// Which tool.
    pub name: &'a str,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolOutcome {
    /// What the model is told, as JSON text.
    pub output: String,
    /// What the call itself has to do, in the words of the caller of this module.
    pub effect: String,
}

/// How a run stands after [`begin`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// Nobody has run it before.
    Fresh,
    /// Somebody began it: at work, or dead. Run it again, [`finish`] lets one win. A tool whose effect lies outside of the
    /// database must not be run again but answered for.
    Running,
    /// It has been run. Give this answer again.
    Done(ToolOutcome),
}

statements! {
    BEGIN = "insert into tool_runs (call_id, tool_call_id, tenant_id, name, started_at)
        select c.id, ?3, c.tenant_id, ?4, ?5 from calls c where c.id = ?1 and c.tenant_id = ?2
        on conflict (call_id, tool_call_id) do nothing";

    GET = "select output, effect, finished_at from tool_runs
        where call_id = ?1 and tenant_id = ?2 and tool_call_id = ?3";

    FINISH = "update tool_runs set output = ?4, effect = ?5, finished_at = ?6
        where call_id = ?1 and tenant_id = ?2 and tool_call_id = ?3 and finished_at is null";
}

/// Notes that a tool is about to run. [`StoreError::NotFound`] when the call is not the tenant's.
pub async fn begin(scope: &Scope, run: &ToolRun<'_>, now: Millis) -> Result<Begun, StoreError> {
    let [call, tenant, tool_call] = key(scope, run);
    let insert = vec![call.clone(), tenant.clone(), tool_call.clone(), run.name.into(), Value::from(now)];
    let results =
        scope.batch(vec![Stmt::new(BEGIN, insert), Stmt::new(GET, vec![call, tenant, tool_call])]).await?;
    let [inserted, found] = results.as_slice() else {
        return Err(StoreError::NotFound("call"));
    };
    let stored = row::one(found, |r| match r.opt_moment("finished_at")? {
        None => Ok(Begun::Running),
        Some(_) => Ok(Begun::Done(ToolOutcome { output: r.text("output")?, effect: r.text("effect")? })),
    })?;
    let stored = stored.ok_or(StoreError::NotFound("call"))?;
    Ok(if inserted.changed == 1 { Begun::Fresh } else { stored })
}

/// Stores the outcome and runs `effects`, all or nothing. `false`: another runner was first (or the run was never begun),
/// nothing was stored; [`begin`] gives its outcome.
pub async fn finish(
    scope: &Scope,
    run: &ToolRun<'_>,
    outcome: &ToolOutcome,
    effects: Vec<Stmt>,
    now: Millis,
) -> Result<bool, StoreError> {
    let [call, tenant, tool_call] = key(scope, run);
    let args = vec![
        call,
        tenant,
        tool_call,
        outcome.output.as_str().into(),
        outcome.effect.as_str().into(),
        now.into(),
    ];
    let mut stmts = vec![Stmt::new(FINISH, args).exactly(1)];
    stmts.extend(effects);
    match scope.batch(stmts).await {
        Ok(_) => Ok(true),
        Err(DbError::Unexpected { index: 0 }) => Ok(false),
        Err(other) => Err(other.into()),
    }
}

fn key(scope: &Scope, run: &ToolRun<'_>) -> [Value; 3] {
    [run.call_id.to_string().into(), scope.tenant_arg(), run.tool_call_id.into()]
}
