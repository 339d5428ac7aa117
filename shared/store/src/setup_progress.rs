//! How far a tenant's set-up has come: what is there, and what the wizard keeps between two visits.

use voicecore_domain::{SetupStep, StepState};
use voicecore_ports::Stmt;
use voicecore_types::Millis;

use crate::audit_log::{self, AuditEntry};
use crate::row;
use crate::seal::Sealed;
use crate::{Scope, StoreError};

/// What has been kept of a step.
#[derive(Debug, Clone)]
pub struct SavedStep {
    /// Which one.
    pub step: SetupStep,
    /// Where somebody said that it is.
    pub state: StepState,
    /// What has been entered so far; sealed for `Column::SetupDraft`.
    pub draft: Option<Sealed>,
    /// When.
    pub updated_at: Millis,
}

/// What is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Present {
    /// A business with a number that rings there.
    pub business: bool,
    /// A human being who takes calls.
    pub agents: bool,
    /// A business with a number that calls are transferred to.
    pub human: bool,
    /// When somebody said that set-up is over.
    pub completed_at: Option<Millis>,
}

statements! {
    LIST = "select step, state, draft, updated_at from setup_progress where tenant_id = ?1";

    PRESENT = "select t.setup_completed_at as completed_at,
        case when exists (select 1 from phone_numbers p where p.tenant_id = ?1) then 1 else 0 end as business,
        case when exists (select 1 from agents a where a.tenant_id = ?1) then 1 else 0 end as agents,
        case when exists (select 1 from businesses b where b.tenant_id = ?1 and b.fallback_number is not null) then 1 else 0 end
        as human from tenants t where t.id = ?1";

    PUT = "insert into setup_progress (tenant_id, step, state, draft, updated_at) values (?1, ?2, ?3, ?4, ?5)
        on conflict (tenant_id, step) do update
        set state = excluded.state, draft = excluded.draft, updated_at = excluded.updated_at";

    COMPLETE = "update tenants set setup_completed_at = coalesce(setup_completed_at, ?2) where id = ?1";

    /// What was entered is not needed any more.
    FORGET_DRAFTS = "update setup_progress set draft = null where tenant_id = ?1 and draft is not null";
}

/// What is there, and what has been kept.
pub async fn get(scope: &Scope) -> Result<(Present, Vec<SavedStep>), StoreError> {
    let tenant = || vec![scope.tenant_arg()];
    let read = vec![Stmt::new(PRESENT, tenant()), Stmt::new(LIST, tenant())];
    let Ok([present, kept]) = <[_; 2]>::try_from(scope.batch(read).await?) else {
        return Err(StoreError::OddRow { column: "step" });
    };
    let present = row::one(&present, |r| {
        Ok(Present {
            business: r.count("business")? > 0,
            agents: r.count("agents")? > 0,
            human: r.count("human")? > 0,
            completed_at: r.opt_moment("completed_at")?,
        })
    })?;
    let kept = row::all(&kept, |r| {
        // A step of a newer version is none here.
        let Ok(step) = r.text("step")?.parse() else { return Ok(None) };
        let state = r.opt_text("state")?.and_then(|word| word.parse().ok()).unwrap_or(StepState::Open);
        Ok(Some(SavedStep { step, state, draft: r.sealed("draft")?, updated_at: r.moment("updated_at")? }))
    })?;
    Ok((present.ok_or(StoreError::NotFound("tenant"))?, kept.into_iter().flatten().collect()))
}

/// Keeps what somebody said and entered of a step, in the place of what was kept before, on the tenant's record.
pub async fn put(scope: &Scope, step: &SavedStep, entry: &AuditEntry<'_>) -> Result<(), StoreError> {
    let state = (step.state != StepState::Open).then(|| step.state.as_str());
    let args = vec![
        scope.tenant_arg(),
        step.step.as_str().into(),
        state.into(),
        step.draft.as_ref().into(),
        step.updated_at.into(),
    ];
    scope.batch(vec![Stmt::new(PUT, args), audit_log::entry(scope, entry)]).await?;
    Ok(())
}

/// Set-up is over, on the tenant's record: what was entered meanwhile is forgotten.
pub async fn complete(scope: &Scope, entry: &AuditEntry<'_>) -> Result<(), StoreError> {
    let stmts = vec![
        Stmt::new(COMPLETE, vec![scope.tenant_arg(), entry.at.into()]),
        Stmt::new(FORGET_DRAFTS, vec![scope.tenant_arg()]),
        audit_log::entry(scope, entry),
    ];
    scope.batch(stmts).await?;
    Ok(())
}
