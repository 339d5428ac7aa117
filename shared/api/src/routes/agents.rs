//! Agents: human beings who take calls. Whom a call is transferred to is still the business's one number: nothing here is dialled.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;
use voicecore_api_types as wire;
use voicecore_api_types::{Page, Problem};
use voicecore_domain::{Availability, Permission};
use voicecore_store::agents::{self as store, Agent, MAX_DEPARTMENTS, Stored};
use voicecore_store::directory::{Actor, Principal};
use voicecore_store::seal::{Column, Sealer};
use voicecore_store::{business_config, users};
use voicecore_types::{AgentId, DepartmentId, E164, Millis, Page as StoredPage, UserId};

use super::setup::{MAX_NAME_CHARS, is_language};
use crate::auth::{Access, AgentsRead, AgentsWrite, sees_all};
use crate::extract::{Id, Params, page_request};
use crate::fields::Fields;
use crate::idempotency::{answer, answer_unkept, nothing_to_say};
use crate::record::Record;
use crate::{ApiError, AppState, etag};

const MAX_SKILLS: usize = 20;
const MAX_LANGUAGES: usize = 20;
const MAX_EXTENSION_DIGITS: usize = 10;
const MAX_CONCURRENT_CALLS: u64 = 20;
/// The longest that an availability may be said to last.
const MAX_UNTIL: Millis = Millis::from_secs(366 * 86_400);
/// How far back calls of an agent are counted.
const USAGE_SPAN: Millis = Millis::from_secs(30 * 86_400);
const USER_RULE: &str = "must be a user of this tenant, who is no other agent";
const DEPARTMENT_RULE: &str = "must be departments of this tenant";

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListAgents {
    /// Only agents whose availability is this now.
    availability: Option<wire::Availability>,
    /// Only agents of this department, by themselves.
    #[param(value_type = Option<String>, format = "uuid")]
    department_id: Option<DepartmentId>,
    /// Only agents with this skill.
    skill: Option<String>,
    /// Only agents who speak this language (ISO 639-1).
    language: Option<String>,
    /// From 1.
    #[param(minimum = 1, maximum = 10_000)]
    page: Option<u32>,
    /// From 1 to 100; 50 when absent.
    #[param(minimum = 1, maximum = 100)]
    page_size: Option<u32>,
}

/// Agents, by name: those of one's departments and oneself, or all.
#[utoipa::path(get, path = "/api/v1/agents", tag = "agents", security(("api_key" = ["agents:read"])), params(ListAgents),
    responses(
        (status = 200, description = "One page.", body = Page<wire::Agent>),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn list_agents(
    access: Access<AgentsRead>,
    State(app): State<AppState>,
    Params(query): Params<ListAgents>,
) -> Result<Json<Page<wire::Agent>>, ApiError> {
    let page = page_request(query.page, query.page_size)?;
    let principal = &access.principal;
    let now = app.now();
    let mut agents = store::list(&principal.scope).await?;
    agents.retain(|agent| {
        query.availability.is_none_or(|wanted| availability(agent, now) == wanted)
            && query.department_id.is_none_or(|department| agent.departments.contains(&department))
            && query.skill.as_ref().is_none_or(|skill| agent.skills.contains(skill))
            && query.language.as_ref().is_none_or(|language| agent.languages.contains(language))
    });
    let sealer = app.sealer(principal.scope.tenant(), &principal.wrapped_key)?;
    Ok(Json(Page::from_rows(StoredPage::of_all(agents, page), |agent| show(&sealer, &agent, now))))
}

/// One agent. `ETag` is the version.
#[utoipa::path(get, path = "/api/v1/agents/{id}", tag = "agents", security(("api_key" = ["agents:read"])),
    params(("id" = String, Path, format = "uuid")),
    responses(
        (status = 200, description = "The agent.", body = wire::Agent),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn get_agent(
    access: Access<AgentsRead>,
    State(app): State<AppState>,
    Id(id): Id<AgentId>,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    let agent = store::get(&principal.scope, id).await?.ok_or(ApiError::NotFound)?;
    let sealer = app.sealer(principal.scope.tenant(), &principal.wrapped_key)?;
    answer_unkept(StatusCode::OK, &show(&sealer, &agent, app.now()), Some(agent.version))
}

/// Adds an agent, who is offline until somebody says otherwise.
#[utoipa::path(post, path = "/api/v1/agents", tag = "agents", security(("api_key" = ["agents:write"])),
    request_body = wire::SaveAgent,
    responses(
        (status = 201, description = "The agent.", body = wire::Agent),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn create_agent(
    access: Access<AgentsWrite>,
    State(app): State<AppState>,
    fields: Fields,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    sees_all(principal)?;
    let wanted = Wanted::of(fields)?;
    wanted.refuse_strangers(&app, principal).await?;
    let sealer = app.sealer(principal.scope.tenant(), &principal.wrapped_key)?;
    let now = app.now();
    let id = AgentId::new(now, &app.random());
    let empty = Agent {
        id,
        user_id: None,
        name: String::new(),
        email: None,
        extension: None,
        phone_number: None,
        skills: vec![],
        languages: vec![],
        max_concurrent_calls: 1,
        availability: Availability::Offline,
        availability_until: None,
        availability_changed_at: now,
        departments: vec![],
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let agent = wanted.applied(&app, &sealer, &empty)?;
    let record = Record::of(&app, principal.actor, "agent.create", Some(id.to_string()));
    let response = told(principal, StatusCode::CREATED, &show(&sealer, &agent, now))?;
    match store::create(&principal.scope, &agent, &record.entry()).await? {
        Stored::Missed => Err(ApiError::Conflict("There are as many as a tenant may have.")),
        other => stored(other).map(|()| response),
    }
}

/// Changes an agent. `If-Match` has to name the version that it is meant for.
#[utoipa::path(put, path = "/api/v1/agents/{id}", tag = "agents", security(("api_key" = ["agents:write"])),
    params(("id" = String, Path, format = "uuid"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of what was read. Needed.")),
    request_body = wire::SaveAgent,
    responses(
        (status = 200, description = "The agent as they are now.", body = wire::Agent),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn update_agent(
    access: Access<AgentsWrite>,
    State(app): State<AppState>,
    Id(id): Id<AgentId>,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    sees_all(principal)?;
    let wanted = Wanted::of(fields)?;
    let before = store::get(&principal.scope, id).await?.ok_or(ApiError::NotFound)?;
    etag::demand(&headers, before.version)?;
    wanted.refuse_strangers(&app, principal).await?;
    let sealer = app.sealer(principal.scope.tenant(), &principal.wrapped_key)?;
    let now = app.now();
    let changed = wanted.changed(&sealer, &before);
    let agent = Agent { version: before.version + 1, updated_at: now, ..before };
    let agent = wanted.applied(&app, &sealer, &agent)?;
    let record = Record::of(&app, principal.actor, "agent.update", Some(id.to_string()));
    let response = told(principal, StatusCode::OK, &show(&sealer, &agent, now))?;
    match store::update(&principal.scope, &agent, &record.entry(), &changed).await? {
        Stored::Missed => Err(ApiError::PreconditionFailed),
        other => stored(other).map(|()| response),
    }
}

/// Removes an agent. With `If-Match`, only if they still are that version.
#[utoipa::path(delete, path = "/api/v1/agents/{id}", tag = "agents", security(("api_key" = ["agents:write"])),
    params(("id" = String, Path, format = "uuid"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of what was read.")),
    responses(
        (status = 204, description = "They are gone."),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn delete_agent(
    access: Access<AgentsWrite>,
    State(app): State<AppState>,
    Id(id): Id<AgentId>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    sees_all(principal)?;
    let agent = store::get(&principal.scope, id).await?.ok_or(ApiError::NotFound)?;
    etag::check(&headers, agent.version)?;
    let record = Record::of(&app, principal.actor, "agent.delete", Some(id.to_string()));
    let response = nothing_to_say(principal);
    if store::delete(&principal.scope, &agent, &record.entry()).await? {
        return Ok(response);
    }
    Err(ApiError::PreconditionFailed)
}

/// Says whether an agent takes calls, from now on: one's own, or with the permission `agents:write` anybody's.
#[utoipa::path(patch, path = "/api/v1/agents/{id}/availability", tag = "agents",
    security(("api_key" = ["agents:read"])), params(("id" = String, Path, format = "uuid")),
    request_body = wire::SetAvailability,
    responses(
        (status = 200, description = "The agent as they are now.", body = wire::Agent),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn set_availability(
    access: Access<AgentsRead>,
    State(app): State<AppState>,
    Id(id): Id<AgentId>,
    mut fields: Fields,
) -> Result<Response, ApiError> {
    let now = app.now();
    let state = fields.parsed("availability", "must be available, busy or offline");
    let until = fields.optional_count("until", now.0 + 1, now.plus(MAX_UNTIL).0).map(Millis);
    fields.done()?;
    let principal = &access.principal;
    let mut agent = store::get(&principal.scope, id).await?.ok_or(ApiError::NotFound)?;
    let own = matches!(principal.actor, Actor::User { user_id, .. } if agent.user_id == Some(user_id));
    if !own && !principal.permissions.contains(Permission::AgentsWrite) {
        return Err(ApiError::Forbidden(Permission::AgentsWrite));
    }
    agent.availability = state.unwrap_or(Availability::Offline);
    agent.availability_until = until;
    agent.availability_changed_at = now;
    let sealer = app.sealer(principal.scope.tenant(), &principal.wrapped_key)?;
    let record = Record::of(&app, principal.actor, "agent.availability", Some(id.to_string()));
    let response = told(principal, StatusCode::OK, &show(&sealer, &agent, now))?;
    let scope = &principal.scope;
    if store::set_availability(scope, id, agent.availability, until, &record.entry()).await? {
        return Ok(response);
    }
    Err(ApiError::NotFound)
}

/// Which businesses transfer their calls to an agent's number, and how many calls that were. Calls that an agent takes by
/// themselves are not known here.
#[utoipa::path(get, path = "/api/v1/agents/{id}/usage", tag = "agents", security(("api_key" = ["agents:read"])),
    params(("id" = String, Path, format = "uuid")),
    responses(
        (status = 200, description = "What there is.", body = wire::AgentUsage),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn agent_usage(
    access: Access<AgentsRead>,
    State(app): State<AppState>,
    Id(id): Id<AgentId>,
) -> Result<Json<wire::AgentUsage>, ApiError> {
    let principal = &access.principal;
    let scope = &principal.scope;
    let agent = store::get(scope, id).await?.ok_or(ApiError::NotFound)?;
    let since = Millis(app.now().0.saturating_sub(USAGE_SPAN.0));
    let mut usage = wire::AgentUsage {
        businesses: vec![],
        since,
        transferred_calls: 0,
        transferred_calls_capped: false,
        last_transferred_at: None,
    };
    let sealer = app.sealer(scope.tenant(), &principal.wrapped_key)?;
    let Some(number) = opened(&sealer, &agent) else { return Ok(Json(usage)) };
    for business in business_config::list(scope).await? {
        let fallback = business.fallback_number.as_ref();
        let fallback = fallback.and_then(|sealed| sealer.open(Column::FallbackNumber, sealed).ok());
        if fallback.as_deref() != Some(number.as_str()) {
            continue;
        }
        let cap = StoredPage::<()>::TOTAL_CAP;
        let transfers = store::transfers(scope, business.id, since).await?;
        usage.businesses.push(business.id);
        usage.transferred_calls += transfers.calls.min(cap);
        usage.transferred_calls_capped |= transfers.calls > cap;
        usage.last_transferred_at = usage.last_transferred_at.max(transfers.last_at);
    }
    Ok(Json(usage))
}

/// A body whose values are acceptable.
struct Wanted {
    name: String,
    user_id: Option<UserId>,
    email: Option<String>,
    extension: Option<String>,
    phone_number: Option<E164>,
    skills: Vec<String>,
    languages: Vec<String>,
    departments: Vec<DepartmentId>,
    max_concurrent_calls: u32,
}

impl Wanted {
    fn of(mut fields: Fields) -> Result<Self, ApiError> {
        let name = fields.line("name", MAX_NAME_CHARS);
        let user_id = fields.optional("user_id", USER_RULE);
        let email = fields.optional_email("email");
        let extension = fields.optional_line("extension", MAX_EXTENSION_DIGITS);
        let digits = extension.as_ref().is_none_or(|text| text.bytes().all(|b| b.is_ascii_digit()));
        fields.demand("extension", "must be 1 to 10 digits", digits);
        let phone_number = fields.optional_number("phone_number");
        let skills = fields.tags("skills", MAX_SKILLS);
        let languages: BTreeSet<String> =
            fields.optional_list("languages", MAX_LANGUAGES).unwrap_or_default();
        let known = languages.iter().all(|language| is_language(language));
        fields.demand("languages", "must be two small letters each (ISO 639-1)", known);
        let departments: Option<BTreeSet<DepartmentId>> =
            fields.optional_list("departments", MAX_DEPARTMENTS);
        let calls = fields.optional_count("max_concurrent_calls", 1, MAX_CONCURRENT_CALLS).unwrap_or(1);
        fields.done()?;
        Ok(Self {
            name,
            user_id,
            email,
            extension,
            phone_number,
            skills,
            languages: languages.into_iter().collect(),
            departments: departments.unwrap_or_default().into_iter().collect(),
            max_concurrent_calls: u32::try_from(calls).unwrap_or(1),
        })
    }

    /// A user has to be the tenant's, and a number not one that rings here.
    async fn refuse_strangers(&self, app: &AppState, principal: &Principal) -> Result<(), ApiError> {
        if let Some(user) = self.user_id
            && users::get(&principal.scope, user).await?.is_none()
        {
            return Err(ApiError::invalid("user_id", USER_RULE));
        }
        app.refuse_own_number(&principal.scope, "phone_number", self.phone_number.as_ref()).await
    }

    /// Names of what is to be another value than it was.
    fn changed(&self, sealer: &Sealer, before: &Agent) -> Vec<&'static str> {
        let number = opened(sealer, before);
        let fields = [
            ("name", self.name == before.name),
            ("user_id", self.user_id == before.user_id),
            ("email", self.email == before.email),
            ("extension", self.extension == before.extension),
            ("phone_number", self.phone_number.as_ref().map(E164::expose) == number.as_deref()),
            ("skills", self.skills == before.skills),
            ("languages", self.languages == before.languages),
            ("departments", self.departments == before.departments),
            ("max_concurrent_calls", self.max_concurrent_calls == before.max_concurrent_calls),
        ];
        fields.into_iter().filter(|(_, same)| !same).map(|(name, _)| name).collect()
    }

    fn applied(self, app: &AppState, sealer: &Sealer, to: &Agent) -> Result<Agent, ApiError> {
        let number = self.phone_number.as_ref();
        let number = number.map(|n| sealer.seal(Column::AgentNumber, n.expose(), app.nonce())).transpose()?;
        Ok(Agent {
            name: self.name,
            user_id: self.user_id,
            email: self.email,
            extension: self.extension,
            phone_number: number,
            skills: self.skills,
            languages: self.languages,
            departments: self.departments,
            max_concurrent_calls: self.max_concurrent_calls,
            ..to.clone()
        })
    }
}

fn stored(outcome: Stored) -> Result<(), ApiError> {
    match outcome {
        Stored::Done => Ok(()),
        Stored::Missed => Err(ApiError::PreconditionFailed),
        Stored::UserRefused => Err(ApiError::invalid("user_id", USER_RULE)),
        Stored::NoSuchDepartment => Err(ApiError::invalid("departments", DEPARTMENT_RULE)),
    }
}

/// The answer of a change. Telephone numbers lie encrypted, so one that shows one is not kept for repetitions.
fn told(principal: &Principal, status: StatusCode, agent: &wire::Agent) -> Result<Response, ApiError> {
    if agent.phone_number.is_some() {
        return answer_unkept(status, agent, Some(agent.version));
    }
    answer(principal, status, agent, Some(agent.version))
}

/// A number that does not open is left out.
fn opened(sealer: &Sealer, agent: &Agent) -> Option<String> {
    agent.phone_number.as_ref().and_then(|sealed| sealer.open(Column::AgentNumber, sealed).ok())
}

fn availability(agent: &Agent, now: Millis) -> wire::Availability {
    match agent.availability.at(agent.availability_until, now) {
        Availability::Available => wire::Availability::Available,
        Availability::Busy => wire::Availability::Busy,
        Availability::Offline => wire::Availability::Offline,
    }
}

fn show(sealer: &Sealer, agent: &Agent, now: Millis) -> wire::Agent {
    wire::Agent {
        id: agent.id,
        user_id: agent.user_id,
        name: agent.name.clone(),
        email: agent.email.clone(),
        extension: agent.extension.clone(),
        phone_number: opened(sealer, agent),
        skills: agent.skills.clone(),
        languages: agent.languages.clone(),
        max_concurrent_calls: agent.max_concurrent_calls,
        departments: agent.departments.clone(),
        availability: availability(agent, now),
        // What is over says nothing of what is.
        availability_until: agent.availability_until.filter(|until| now < *until),
        availability_changed_at: agent.availability_changed_at,
        version: agent.version,
        created_at: agent.created_at,
        updated_at: agent.updated_at,
    }
}
