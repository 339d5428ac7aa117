//! The tenants of the installation, for super admins. What they do to a tenant is on that tenant's record.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use voicecore_api_types as wire;
use voicecore_api_types::{Page, Problem};
use voicecore_domain::BuiltinRole;
use voicecore_domain::credentials::{IMPERSONATION_LIFETIME, INVITATION_LIFETIME};
use voicecore_domain::opening_hours::{OpeningHours, TimeZone};
use voicecore_store::Cursor;
use voicecore_store::assistants::Settings;
use voicecore_store::directory;
use voicecore_store::directory::installation::{self, TenantChange, TenantRow};
use voicecore_store::directory::sessions::{self, NewSession, SessionKind};
use voicecore_store::idempotency::Once;
use voicecore_store::invitations::NewInvitation;
use voicecore_store::phone_numbers::NewPhoneNumber;
use voicecore_store::seal::Column;
use voicecore_store::tenants::{
    self, NewAssistant, NewBusiness, NewDepartment, Owner, Provision, ProvisionError,
};
use voicecore_store::users::RoleRef;
use voicecore_types::{
    AssistantId, AuditEntryId, BusinessId, DepartmentId, E164, InvitationId, PhoneNumberId, SessionId,
    TenantId, UserId,
};

use super::auth::{label, signed_in};
use super::opening_hours::ZONE_RULE;
use super::setup::{DEPARTMENT_NAME, MAX_NAME_CHARS, fresh_key, is_language};
use super::users::send_invitation;
use crate::auth::{
    Access, ConfigRead, ConfigWrite, Operator, TenantsImpersonate, TenantsRead, TenantsWrite, sees_all,
};
use crate::email::HttpEmail;
use crate::extract::{CursorParams, Id, Params, paged};
use crate::fields::Fields;
use crate::idempotency::{admit_founder, answer, answer_once};
use crate::live::watchers::look_again;
use crate::record::Record;
use crate::{ApiError, AppState, qa};

/// The most calls on the line at once.
const MAX_CONCURRENT_CALLS: u64 = 10_000;
/// The most calls in a day.
const MAX_DAILY_CALLS: u64 = 1_000_000;
/// The most that a day's calls may cost: a million dollars.
const MAX_DAILY_COST_MICROS: u64 = 1_000_000_000_000;

/// Tenants, the newest first.
#[utoipa::path(get, path = "/api/v1/tenants", tag = "tenants", security(("session" = ["tenants:read"])), params(CursorParams),
    responses(
        (status = 200, description = "One page.", body = Page<wire::Tenant>),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn list_tenants(
    _operator: Operator<TenantsRead>,
    State(app): State<AppState>,
    Params(query): Params<CursorParams>,
) -> Result<Json<Page<wire::Tenant>>, ApiError> {
    let (page, after) = query.window()?;
    let rows = installation::list(&*app.ports.db, after.as_ref(), page).await?;
    Ok(Json(paged(rows, |row| Cursor { key: row.created_at, id: row.id.to_string() }, show)))
}

/// One tenant.
#[utoipa::path(get, path = "/api/v1/tenants/{id}", tag = "tenants", security(("session" = ["tenants:read"])),
    params(("id" = String, Path, format = "uuid")),
    responses(
        (status = 200, description = "The tenant.", body = wire::Tenant),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn get_tenant(
    _operator: Operator<TenantsRead>,
    State(app): State<AppState>,
    Id(id): Id<TenantId>,
) -> Result<Json<wire::Tenant>, ApiError> {
    find(&app, id).await.map(Json)
}

/// Makes a tenant that can take a call at once, and invites its owner by mail. All or nothing.
#[utoipa::path(post, path = "/api/v1/tenants", tag = "tenants", security(("session" = ["tenants:write"])),
    request_body = wire::CreateTenant,
    responses(
        (status = 201, description = "What was made.", body = wire::CreatedTenant),
        (status = 409, description = "The telephone number is set up already.", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn create_tenant(
    operator: Operator<TenantsWrite>,
    State(app): State<AppState>,
    fields: Fields,
) -> Result<Response, ApiError> {
    let by = operator.session.user_id;
    let once = admit_founder(operator.named.as_ref(), &app, by).await?;
    let wanted = Wanted::read(fields)?;
    HttpEmail::new(&app)?;
    provision(&app, by, &wanted, once.as_deref()).await
}

/// A tenant whose values are acceptable.
struct Wanted {
    name: String,
    owner_email: String,
    owner_name: String,
    business_name: String,
    phone_number: E164,
    fallback_number: Option<E164>,
    language: Option<String>,
    time_zone: Option<TimeZone>,
}

impl Wanted {
    fn read(mut fields: Fields) -> Result<Self, ApiError> {
        let name = fields.line("name", MAX_NAME_CHARS);
        let owner_email = fields.email("owner_email");
        let owner_name = fields.optional_line("owner_name", MAX_NAME_CHARS).unwrap_or_default();
        let business_name = fields.optional_line("business_name", MAX_NAME_CHARS);
        let number = fields.parsed("phone_number", "must be a number in E.164 form, such as +15005550006");
        let fallback_number = fields.optional_number("fallback_number");
        let same = number.is_some() && number == fallback_number;
        fields.demand("fallback_number", "must not be the number itself", !same);
        let time_zone = fields.optional("time_zone", ZONE_RULE);
        let language = fields.optional_line("language", 2);
        let known = language.as_deref().is_none_or(is_language);
        fields.demand("language", "must be two small letters (ISO 639-1)", known);
        fields.done()?;
        let phone_number = number.ok_or(ApiError::NotFound)?;
        let business_name = business_name.unwrap_or_else(|| name.clone());
        Ok(Self {
            name,
            owner_email,
            owner_name,
            business_name,
            phone_number,
            fallback_number,
            language,
            time_zone,
        })
    }
}

async fn provision(
    app: &AppState,
    by: UserId,
    wanted: &Wanted,
    once: Option<&Once>,
) -> Result<Response, ApiError> {
    let master = app.config.keys.master_key.get()?;
    let db = &app.ports.db;
    let now = app.now();
    let tenant_id = TenantId::new(now, &app.random());
    let wrapped_key = master.new_tenant_key(tenant_id, &fresh_key(app))?;
    let sealer = master.open_tenant(tenant_id, &wrapped_key)?;
    let lookup = directory::ensure_lookup_key(&**db, master, &fresh_key(app), now).await?;
    let number = sealer.seal(Column::PhoneNumber, wanted.phone_number.expose(), app.nonce())?;
    let fallback = wanted.fallback_number.as_ref();
    let fallback =
        fallback.map(|n| sealer.seal(Column::FallbackNumber, n.expose(), app.nonce())).transpose()?;
    let business_id = BusinessId::new(now, &app.random());
    let hours = wanted.time_zone.map(OpeningHours::usual);
    let department_id = DepartmentId::new(now, &app.random());
    let invitation = NewInvitation {
        id: InvitationId::new(now, &app.random()),
        email: &wanted.owner_email,
        name: &wanted.owner_name,
        role: RoleRef::Builtin(BuiltinRole::TenantAdmin),
        departments: &[],
        created_at: now,
        expires_at: now.plus(INVITATION_LIFETIME),
    };
    let invitation_id = invitation.id;
    let settings = Settings {
        name: wanted.business_name.clone(),
        language: wanted.language.clone(),
        ..Settings::default()
    };
    let qa_rules = qa::first_rules(wanted.language.as_deref());
    let provision = Provision {
        owner: Owner::Invited { by, invitation, once },
        now,
        tenant_id,
        tenant_name: &wanted.name,
        wrapped_key: &wrapped_key,
        department: NewDepartment { id: department_id, name: DEPARTMENT_NAME },
        assistant: NewAssistant { id: AssistantId::new(now, &app.random()), settings: &settings },
        business: NewBusiness {
            id: business_id,
            name: &wanted.business_name,
            voice_mode: None,
            fallback_number: fallback.as_ref(),
            opening_hours: hours.as_ref(),
        },
        phone_number: NewPhoneNumber {
            id: PhoneNumberId::new(now, &app.random()),
            number: &number,
            number_hash: &lookup.dialled(&wanted.phone_number),
        },
        qa_rules: &qa_rules,
        audit_entry_id: AuditEntryId::new(now, &app.random()),
    };
    let made = wire::CreatedTenant { tenant_id, business_id, department_id, invitation_id };
    let response = answer_once(once, StatusCode::CREATED, &made, None)?;
    let scope = tenants::provision(db, &provision).await.map_err(|error| match error {
        ProvisionError::NumberTaken => ApiError::Conflict("This telephone number is set up already."),
        ProvisionError::TokenInvalid if once.is_some_and(Once::is_lost) => ApiError::RequestInProgress,
        ProvisionError::TokenInvalid => ApiError::Internal("a tenant was not stored whole".to_owned()),
        ProvisionError::Store(error) => error.into(),
    })?;
    send_invitation(app, &scope, invitation_id).await;
    Ok(response)
}

/// Changes a tenant's name and limits.
#[utoipa::path(patch, path = "/api/v1/tenants/{id}", tag = "tenants", security(("session" = ["tenants:write"])),
    params(("id" = String, Path, format = "uuid")), request_body = wire::UpdateTenant,
    responses(
        (status = 200, description = "The tenant as it is now.", body = wire::Tenant),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn update_tenant(
    operator: Operator<TenantsWrite>,
    State(app): State<AppState>,
    Id(id): Id<TenantId>,
    mut fields: Fields,
) -> Result<Json<wire::Tenant>, ApiError> {
    let name = fields.optional_line("name", MAX_NAME_CHARS);
    let change = TenantChange {
        name: name.as_deref(),
        max_concurrent_calls: fields.optional_count("max_concurrent_calls", 0, MAX_CONCURRENT_CALLS),
        max_daily_calls: fields.optional_count("max_daily_calls", 0, MAX_DAILY_CALLS),
        max_hourly_calls_per_caller: fields.optional_count("max_hourly_calls_per_caller", 0, MAX_DAILY_CALLS),
        max_daily_cost_micros: fields.optional_count("max_daily_cost_micros", 0, MAX_DAILY_COST_MICROS),
    };
    fields.done()?;
    let record = Record::of_super_admin(&app, operator.session.user_id, "tenant.update");
    done(installation::update(&app.ports.db, id, &change, &record.entry()).await?)?;
    find(&app, id).await.map(Json)
}

/// One's own tenant, with what it may use.
#[utoipa::path(get, path = "/api/v1/tenant", tag = "config", security(("api_key" = ["config:read"])),
    responses(
        (status = 200, description = "The tenant.", body = wire::Tenant),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn get_own_tenant(
    access: Access<ConfigRead>,
    State(app): State<AppState>,
) -> Result<Json<wire::Tenant>, ApiError> {
    find(&app, access.principal.scope.tenant()).await.map(Json)
}

/// Changes the name of one's own tenant, and how often one number may ring it. Its other limits are those of whoever runs the
/// installation.
#[utoipa::path(patch, path = "/api/v1/tenant", tag = "config", security(("api_key" = ["config:write"])),
    request_body = wire::UpdateOwnTenant,
    responses(
        (status = 200, description = "The tenant as it is now.", body = wire::Tenant),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn update_own_tenant(
    access: Access<ConfigWrite>,
    State(app): State<AppState>,
    mut fields: Fields,
) -> Result<Response, ApiError> {
    let name = fields.optional_line("name", MAX_NAME_CHARS);
    let calls = fields.optional_count("max_hourly_calls_per_caller", 0, MAX_DAILY_CALLS);
    fields.done()?;
    let principal = &access.principal;
    sees_all(principal)?;
    let id = principal.scope.tenant();
    let mut tenant = find(&app, id).await?;
    tenant.max_hourly_calls_per_caller = calls.unwrap_or(tenant.max_hourly_calls_per_caller);
    tenant.name = name.clone().unwrap_or(tenant.name);
    let change =
        TenantChange { name: name.as_deref(), max_hourly_calls_per_caller: calls, ..Default::default() };
    let record = Record::of(&app, principal.actor, "tenant.update", Some(id.to_string()));
    let response = answer(principal, StatusCode::OK, &tenant, None)?;
    done(installation::update_own(&principal.scope, &change, &record.entry()).await?)?;
    Ok(response)
}

/// From now on callers are told that the call cannot be taken, and every credential of the tenant is refused. Calls that run
/// go on. To suspend what is suspended changes nothing.
#[utoipa::path(post, path = "/api/v1/tenants/{id}/suspend", tag = "tenants", security(("session" = ["tenants:write"])),
    params(("id" = String, Path, format = "uuid")),
    responses(
        (status = 204, description = "It does not work now."),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn suspend_tenant(
    operator: Operator<TenantsWrite>,
    State(app): State<AppState>,
    Id(id): Id<TenantId>,
) -> Result<StatusCode, ApiError> {
    let record = Record::of_super_admin(&app, operator.session.user_id, "tenant.suspend");
    let suspended = done(installation::suspend(&app.ports.db, id, true, &record.entry()).await?)?;
    look_again(&app, id).await;
    Ok(suspended)
}

/// The tenant works again, unless it is being deleted.
#[utoipa::path(post, path = "/api/v1/tenants/{id}/resume", tag = "tenants", security(("session" = ["tenants:write"])),
    params(("id" = String, Path, format = "uuid")),
    responses(
        (status = 204, description = "It works."),
        (status = 409, description = "The tenant is being deleted.", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn resume_tenant(
    operator: Operator<TenantsWrite>,
    State(app): State<AppState>,
    Id(id): Id<TenantId>,
) -> Result<StatusCode, ApiError> {
    let record = Record::of_super_admin(&app, operator.session.user_id, "tenant.resume");
    stays(&app, id, installation::suspend(&app.ports.db, id, false, &record.entry()).await?).await
}

/// Looks into a tenant as its administrator, for an hour. It is on the tenant's record, and so is everything that is done. Nobody
/// looks into a tenant that is being deleted.
#[utoipa::path(post, path = "/api/v1/tenants/{id}/impersonate", tag = "tenants",
    security(("session" = ["tenants:impersonate"])), params(("id" = String, Path, format = "uuid")),
    responses(
        (status = 201, description = "An access token for the tenant; there is no cookie.", body = wire::SignedIn),
        (status = 409, description = "The tenant is being deleted.", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn impersonate(
    operator: Operator<TenantsImpersonate>,
    State(app): State<AppState>,
    Id(id): Id<TenantId>,
    headers: HeaderMap,
) -> Result<(StatusCode, Json<wire::SignedIn>), ApiError> {
    let now = app.now();
    let session = NewSession {
        id: SessionId::new(now, &app.random()),
        user_id: operator.session.user_id,
        tenant_id: Some(id),
        kind: SessionKind::Impersonation,
        refresh: None,
        label: &label(&headers),
        now,
        expires_at: now.plus(IMPERSONATION_LIFETIME),
    };
    let record = Record::of_super_admin(&app, operator.session.user_id, "tenant.impersonate");
    let began =
        installation::look_into(&app.ports.db, id, sessions::begin(&session), &record.entry()).await?;
    stays(&app, id, began).await?;
    // As long as the session: there is no cookie for another token, and each request looks whether the session has been ended.
    Ok((StatusCode::CREATED, Json(signed_in(&app, session.id, IMPERSONATION_LIFETIME)?)))
}

async fn find(app: &AppState, id: TenantId) -> Result<wire::Tenant, ApiError> {
    installation::get(&*app.ports.db, id).await?.map(show).ok_or(ApiError::NotFound)
}

fn done(done: bool) -> Result<StatusCode, ApiError> {
    if done { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::NotFound) }
}

/// The same where a tenant that is being deleted is refused.
async fn stays(app: &AppState, id: TenantId, done: bool) -> Result<StatusCode, ApiError> {
    if done {
        return Ok(StatusCode::NO_CONTENT);
    }
    find(app, id).await?;
    Err(ApiError::Conflict("This tenant is being deleted."))
}

fn show(row: TenantRow) -> wire::Tenant {
    wire::Tenant {
        id: row.id,
        name: row.name,
        max_concurrent_calls: row.max_concurrent_calls,
        max_daily_calls: row.max_daily_calls,
        max_hourly_calls_per_caller: row.max_hourly_calls_per_caller,
        max_daily_cost_micros: row.max_daily_cost_micros,
        created_at: row.created_at,
        suspended_at: row.suspended_at,
    }
}
