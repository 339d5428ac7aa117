//! The seven steps of a tenant's set-up, for a wizard: which are done, by what is there, and what was entered between two visits.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value};
use voicecore_api_types as wire;
use voicecore_api_types::Problem;
use voicecore_domain::{Provider, SetupStep, StepState};
use voicecore_store::directory::Principal;
use voicecore_store::seal::{Column, Sealer};
use voicecore_store::setup_progress::{self as store, Present, SavedStep};
use voicecore_store::{Scope, providers};
use voicecore_types::Millis;

use crate::auth::{Access, ConfigRead, ConfigWrite, sees_all};
use crate::fields::Fields;
use crate::idempotency::{answer, answer_unkept};
use crate::record::Record;
use crate::{ApiError, AppState};

/// Bytes of a draft as JSON.
const MAX_DRAFT_BYTES: usize = 16_384;

/// How far set-up has come.
#[utoipa::path(get, path = "/api/v1/setup/progress", tag = "setup", security(("api_key" = ["config:read"])),
    responses(
        (status = 200, description = "All steps.", body = wire::SetupProgress),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn get_progress(
    access: Access<ConfigRead>,
    State(app): State<AppState>,
) -> Result<Json<wire::SetupProgress>, ApiError> {
    sees_all(&access.principal)?;
    Ok(Json(read(&app, &access.principal).await?))
}

/// Keeps where a step is and what was entered. The last write stays.
#[utoipa::path(put, path = "/api/v1/setup/progress", tag = "setup", security(("api_key" = ["config:write"])),
    request_body = wire::SaveSetupStep,
    responses(
        (status = 200, description = "All steps as they are now.", body = wire::SetupProgress),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn put_progress(
    access: Access<ConfigWrite>,
    State(app): State<AppState>,
    mut fields: Fields,
) -> Result<Response, ApiError> {
    let step: Option<SetupStep> = fields.parsed("step", "is not one of the values that are known");
    let state: Option<StepState> = fields.parsed("state", "is not one of the values that are known");
    let skips_needed = step.is_some_and(SetupStep::is_needed) && state == Some(StepState::Skipped);
    fields.demand("state", "must not be skipped: without this step no call is answered", !skips_needed);
    let draft = fields.optional_object("draft", MAX_DRAFT_BYTES);
    fields.done()?;
    let principal = &access.principal;
    sees_all(principal)?;
    let (Some(step), Some(state)) = (step, state) else { return Err(ApiError::NotFound) };
    let sealer = app.sealer(principal.scope.tenant(), &principal.wrapped_key)?;
    let text = draft.map(|draft| Value::Object(draft).to_string());
    let draft = text.map(|text| sealer.seal(Column::SetupDraft, &text, app.nonce())).transpose()?;
    let saved = SavedStep { step, state, draft, updated_at: app.now() };
    let record = Record::of(&app, principal.actor, "setup.progress", Some(step.as_str().to_owned()));
    store::put(&principal.scope, &saved, &record.entry()).await?;
    answer_unkept(StatusCode::OK, &read(&app, principal).await?, None)
}

/// Set-up is over: what is needed is done, and everything else is done or skipped; the review is this. Drafts are forgotten. To say it
/// again changes nothing.
#[utoipa::path(post, path = "/api/v1/setup/complete", tag = "setup", security(("api_key" = ["config:write"])),
    responses(
        (status = 200, description = "All steps.", body = wire::SetupProgress),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn complete_setup(
    access: Access<ConfigWrite>,
    State(app): State<AppState>,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    sees_all(principal)?;
    let mut progress = read(&app, principal).await?;
    if !progress.completable {
        return Err(ApiError::Conflict("Steps are open: `GET /api/v1/setup/progress` names them."));
    }
    progress.completed_at = progress.completed_at.or(Some(app.now()));
    for step in &mut progress.steps {
        step.draft = None;
        if step.step == wire::SetupStep::Review {
            step.state = wire::StepState::Done;
        }
    }
    let record = Record::of(&app, principal.actor, "setup.complete", None);
    let response = answer(principal, StatusCode::OK, &progress, None)?;
    store::complete(&principal.scope, &record.entry()).await?;
    Ok(response)
}

async fn read(app: &AppState, principal: &Principal) -> Result<wire::SetupProgress, ApiError> {
    let scope = &principal.scope;
    let (present, kept) = store::get(scope).await?;
    let credentials = has_credentials(app, scope).await?;
    let sealer = app.sealer(scope.tenant(), &principal.wrapped_key)?;
    let steps: Vec<_> = SetupStep::ALL
        .into_iter()
        .map(|step| {
            let kept = kept.iter().find(|kept| kept.step == step);
            let said = kept.map_or(StepState::Open, |kept| kept.state);
            let state = StepState::of(step, there(step, &present, credentials), said);
            shown(&sealer, step, state, kept)
        })
        .collect();
    let is_open = |step: &wire::SetupStepProgress| step.state == wire::StepState::Open;
    let completable = !steps.iter().any(|step| is_open(step) && step.step != wire::SetupStep::Review);
    Ok(wire::SetupProgress { steps, completable, completed_at: present.completed_at })
}

/// Whether what a step asks for is there; `None` where nothing can tell.
fn there(step: SetupStep, present: &Present, credentials: bool) -> Option<bool> {
    match step {
        SetupStep::ApiCredentials => Some(credentials),
        SetupStep::BusinessProfile => Some(present.business),
        SetupStep::Agents => Some(present.agents),
        // A number that calls are transferred to is the one rule that there is.
        SetupStep::EscalationRules => Some(present.human),
        SetupStep::Review => Some(present.completed_at.is_some()),
        SetupStep::Knowledge | SetupStep::Qa => None,
    }
}

/// There is an account at the carrier and at the model's provider: the tenant's own or the installation's.
async fn has_credentials(app: &AppState, scope: &Scope) -> Result<bool, ApiError> {
    let config = &app.config;
    let twilio = config.twilio.account_sid.get().is_ok() && config.twilio.auth_token.get().is_ok();
    let openai = config.openai.api_key.get().is_ok();
    for (installations, provider) in [(twilio, Provider::Twilio), (openai, Provider::OpenAi)] {
        if !installations && providers::get(scope, provider).await?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn shown(
    sealer: &Sealer,
    step: SetupStep,
    state: StepState,
    kept: Option<&SavedStep>,
) -> wire::SetupStepProgress {
    // A draft that does not open is gone: it was only a draft.
    let draft = kept.and_then(|kept| kept.draft.as_ref());
    let draft = draft.and_then(|sealed| sealer.open(Column::SetupDraft, sealed).ok());
    let draft: Option<Map<String, Value>> = draft.and_then(|text| serde_json::from_str(&text).ok());
    let saved_at: Option<Millis> = kept.map(|kept| kept.updated_at);
    wire::SetupStepProgress {
        step: shown_step(step),
        state: shown_state(state),
        needed: step.is_needed(),
        draft,
        saved_at,
    }
}

const fn shown_step(step: SetupStep) -> wire::SetupStep {
    match step {
        SetupStep::ApiCredentials => wire::SetupStep::ApiCredentials,
        SetupStep::BusinessProfile => wire::SetupStep::BusinessProfile,
        SetupStep::Knowledge => wire::SetupStep::Knowledge,
        SetupStep::Agents => wire::SetupStep::Agents,
        SetupStep::Qa => wire::SetupStep::Qa,
        SetupStep::EscalationRules => wire::SetupStep::EscalationRules,
        SetupStep::Review => wire::SetupStep::Review,
    }
}

const fn shown_state(state: StepState) -> wire::StepState {
    match state {
        StepState::Open => wire::StepState::Open,
        StepState::Done => wire::StepState::Done,
        StepState::Skipped => wire::StepState::Skipped,
    }
}
