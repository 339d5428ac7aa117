//! Test calls: somebody tries an assistant in writing. The conversation is held by what holds calls turn by turn (`turn_based`), in
//! production, too; what makes it no call is that it is stored elsewhere, and that tools store nothing (`live::tools`).

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use voicecore_api_types as wire;
use voicecore_api_types::{Problem, TestCallState};
use voicecore_call::Speaker;
use voicecore_store::directory::Principal;
use voicecore_store::idempotency::settle;
use voicecore_store::{assistants, audit_log, test_calls as store};
use voicecore_turn_based::Heard;
use voicecore_types::{AssistantId, BusinessId, CallId};

use crate::auth::{Access, ConfigRead, ConfigWrite, sees_all};
use crate::extract::{Id, Ids};
use crate::fields::Fields;
use crate::idempotency::{answer, answer_unkept};
use crate::live::reason_word;
use crate::record::Record;
use crate::turn_based::{Answer, Held};
use crate::{ApiError, AppState, Cause, convert};

/// The most that a tester says in one test call.
const MAX_MESSAGES: usize = 100;
const MAX_TEXT_CHARS: usize = 1_000;
const MAX_DIGITS: usize = 20;
/// A message is text, and understood as it was written.
const CONFIDENCE: f32 = 1.0;

/// Begins a conversation in writing with an assistant, its draft or a version: it is greeted like a caller. Nobody is dialled, no message
/// is taken and nothing is mailed; no list or figure of calls counts it. What the model costs counts against the tenant's day. A tenant
/// has at most 5 at once and 200 within a day, each at most 30 minutes and 100 messages long.
#[utoipa::path(post, path = "/api/v1/assistants/{id}/test-calls", tag = "assistants", security(("api_key" = ["config:write"])),
    params(("id" = String, Path, format = "uuid")), request_body = wire::StartTestCall,
    responses(
        (status = 201, description = "The test call.", body = wire::TestCall),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn start_test_call(
    access: Access<ConfigWrite>,
    State(app): State<AppState>,
    Id(assistant_id): Id<AssistantId>,
    mut fields: Fields,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    sees_all(principal)?;
    let version = fields.optional_count("version", 1, assistants::MAX_VERSIONS.into());
    let business: Option<BusinessId> = fields.optional("business_id", "must be the id of a business");
    fields.done()?;
    let scope = &principal.scope;
    let draft = assistants::get(scope, assistant_id).await?.ok_or(ApiError::NotFound)?.draft;
    let settings = match version {
        None => draft,
        Some(number) => {
            let found = assistants::version(scope, assistant_id, number).await?;
            found.ok_or_else(|| ApiError::invalid("version", "was never published"))?.1
        }
    };
    let now = app.now();
    let id = CallId::new(now, &app.random());
    let row = store::setup(scope, (id, now), (assistant_id, settings), business).await?;
    let row = row.ok_or_else(|| ApiError::invalid("business_id", "must be the id of a business"))?;
    let held = Held::new_test(&app, scope, row, (assistant_id, version))?;
    let response = answer(principal, StatusCode::CREATED, &show(&app, &held)?, None)?;
    let record = Record::of(&app, principal.actor, "test_call.create", Some(id.to_string()));
    if held.begin_test(&app, &record.entry()).await? {
        return Ok(response);
    }
    Err(ApiError::Conflict(
        "As many as a tenant may have go on, or were begun within a day, or the money for today is spent.",
    ))
}

/// Where a test call stands.
#[utoipa::path(get, path = "/api/v1/assistants/{id}/test-calls/{call_id}", tag = "assistants",
    security(("api_key" = ["config:read"])),
    params(("id" = String, Path, format = "uuid"), ("call_id" = String, Path, format = "uuid")),
    responses(
        (status = 200, description = "The test call.", body = wire::TestCall),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn get_test_call(
    access: Access<ConfigRead>,
    State(app): State<AppState>,
    Ids(assistant, id): Ids<AssistantId, CallId>,
) -> Result<Response, ApiError> {
    sees_all(&access.principal)?;
    let held = find(&app, &access.principal, assistant, id).await?;
    answer_unkept(StatusCode::OK, &show(&app, &held)?, None)
}

/// Says something in a test call, and waits for what the assistant says to it, as long as a call would: a model that fails or is late is
/// asked three times, which may take half a minute. What answers an earlier step than the present one is not taken.
#[utoipa::path(post, path = "/api/v1/assistants/{id}/test-calls/{call_id}/messages", tag = "assistants",
    security(("api_key" = ["config:write"])),
    params(("id" = String, Path, format = "uuid"), ("call_id" = String, Path, format = "uuid")),
    request_body = wire::TestMessage,
    responses(
        (status = 200, description = "The test call as it stands now.", body = wire::TestCall),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn say_in_test_call(
    access: Access<ConfigWrite>,
    State(app): State<AppState>,
    Ids(assistant, id): Ids<AssistantId, CallId>,
    mut fields: Fields,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    sees_all(principal)?;
    let step = fields.count("step", 1, u64::from(u32::MAX));
    let text = fields.optional_text("text", MAX_TEXT_CHARS);
    let digits = fields.optional_line("digits", MAX_DIGITS);
    let keys = |text: &str| text.chars().all(|c| c.is_ascii_digit() || matches!(c, '*' | '#'));
    fields.demand("digits", "may hold digits, * and # only", digits.as_deref().is_none_or(keys));
    let both = text.is_some() && digits.is_some();
    fields.demand("digits", "must not come together with text", !both);
    fields.done()?;
    let mut held = find(&app, principal, assistant, id).await?;
    let said = held.interactions().iter().filter(|entry| entry.speaker == Speaker::Caller).count();
    if said >= MAX_MESSAGES {
        return Err(ApiError::Conflict("As much has been said as may be in a test call."));
    }
    let heard = Heard { speech: text.as_deref(), confidence: Some(CONFIDENCE), digits: digits.as_deref() };
    if held.takes(step) {
        note(&app, principal, id, "test_call.message").await?;
    }
    let cause = held.say(&app, step, &heard).await?;
    let mut response = done(&app, principal, &held).await?;
    if let Some(cause) = cause {
        response.extensions_mut().insert(Cause(cause.to_string()));
    }
    Ok(response)
}

/// Ends a test call. To end one that is over changes nothing.
#[utoipa::path(post, path = "/api/v1/assistants/{id}/test-calls/{call_id}/end", tag = "assistants",
    security(("api_key" = ["config:write"])),
    params(("id" = String, Path, format = "uuid"), ("call_id" = String, Path, format = "uuid")),
    responses(
        (status = 200, description = "The test call, which is over.", body = wire::TestCall),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn end_test_call(
    access: Access<ConfigWrite>,
    State(app): State<AppState>,
    Ids(assistant, id): Ids<AssistantId, CallId>,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    sees_all(principal)?;
    let mut held = find(&app, principal, assistant, id).await?;
    if !held.is_finished() {
        note(&app, principal, id, "test_call.end").await?;
    }
    held.end_test(&app).await?;
    done(&app, principal, &held).await
}

async fn find(
    app: &AppState,
    principal: &Principal,
    assistant: AssistantId,
    id: CallId,
) -> Result<Held, ApiError> {
    let held = Held::load_test(app, &principal.scope, id).await?;
    let held = held.filter(|held| held.tried().is_some_and(|tried| tried.assistant_id == assistant));
    held.ok_or(ApiError::NotFound)
}

/// Puts on the record what is about to be done: that it was tried is known, whatever comes of it.
async fn note(
    app: &AppState,
    principal: &Principal,
    id: CallId,
    action: &'static str,
) -> Result<(), ApiError> {
    let record = Record::of(app, principal.actor, action, Some(id.to_string()));
    Ok(audit_log::record(&principal.scope, &record.entry()).await?)
}

/// Shows what came of it. What was said lies encrypted, so this answer is not kept.
async fn done(app: &AppState, principal: &Principal, held: &Held) -> Result<Response, ApiError> {
    settle(&principal.scope).await?;
    answer_unkept(StatusCode::OK, &show(app, held)?, None)
}

fn show(app: &AppState, held: &Held) -> Result<wire::TestCall, ApiError> {
    let (state, reason) = match held.answer(app.now()) {
        Answer::Listen(_) => (TestCallState::Listening, None),
        Answer::Over(reason) => (TestCallState::Over, Some(reason_word(reason))),
        Answer::Filler { .. } | Answer::Busy | Answer::LastWords(_) => (TestCallState::Thinking, None),
    };
    let tried = held.tried().ok_or_else(|| ApiError::Internal("a call is no test call".to_owned()))?;
    Ok(wire::TestCall {
        id: held.config().call_id,
        version: tried.version,
        step: held.step,
        state,
        end_reason: reason,
        interactions: held.interactions().into_iter().map(convert::interaction).collect(),
        expires_at: tried.expires_at,
    })
}
