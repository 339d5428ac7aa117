//! Set-up: a one-use link becomes a tenant that can take a call at once.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use voicecore_api_types::{FieldError, Problem, SetupClaim, SetupResult};
use voicecore_domain::greeting::MAX_GREETING_CHARS;
use voicecore_domain::opening_hours::{OpeningHours, TimeZone};
use voicecore_domain::{ApiKey, SetupToken};
use voicecore_store::assistants::Settings;
use voicecore_store::directory;
use voicecore_store::phone_numbers::NewPhoneNumber;
use voicecore_store::seal::{Column, FreshKey};
use voicecore_store::tenants::{
    self, NewAssistant, NewBusiness, NewDepartment, Owner, Provision, ProvisionError,
};
use voicecore_types::{
    ApiKeyId, AssistantId, AuditEntryId, BusinessId, DepartmentId, E164, PhoneNumberId, TenantId, UserId,
};

use super::assistants::wrong_variables;
use super::opening_hours::ZONE_RULE;
use crate::extract::JsonBody;
use crate::fields::{PASSWORD_RULE, is_password};
use crate::live::prompt::MAX_BUSINESS_CHARS;
use crate::webhooks::twilio::{FALLBACK_PATH, STATUS_PATH, VOICE_PATH};
use crate::{ApiError, AppState, convert, password, qa};

/// The most characters of a name.
pub(crate) const MAX_NAME_CHARS: usize = 200;
/// The most characters of the name of a time zone.
pub(crate) const MAX_ZONE_CHARS: usize = 64;
/// What the first department of a tenant is called until somebody renames it.
pub(crate) const DEPARTMENT_NAME: &str = "General";
/// The most characters of a voice's name.
pub(crate) const MAX_VOICE_CHARS: usize = 64;

/// Redeems a one-use set-up link. All or nothing: after an error the link still works. The exception is a 503: the database may
/// have stored everything after we stopped waiting for it. Try again; if the link is refused then, the tenant exists, and its
/// operator makes it another key (`cargo xtask admin key`).
#[utoipa::path(post, path = "/api/v1/setup/claim", tag = "setup", security(()), request_body = SetupClaim,
    responses(
        (status = 201, description = "What was set up.", body = SetupResult),
        (status = 403, description = "The token is unknown, used or expired.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The telephone number is set up already.", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn claim_setup(
    State(app): State<AppState>,
    JsonBody(body): JsonBody<SetupClaim>,
) -> Result<(StatusCode, Json<SetupResult>), ApiError> {
    Ok((StatusCode::CREATED, Json(claim(&app, body).await?)))
}

/// Does what a claim asks for.
pub(crate) async fn claim(app: &AppState, claim: SetupClaim) -> Result<SetupResult, ApiError> {
    let origin = app.config.public_url.get()?;
    let master = app.config.keys.master_key.get()?;
    let wanted = Wanted::check(&claim)?;
    let db = &app.ports.db;
    let now = app.now();
    // Strangers learn nothing and write nothing: the token is checked before anything is stored.
    directory::setup_token(&**db, &wanted.token, now).await?.ok_or(ApiError::SetupTokenInvalid)?;

    let tenant_id = TenantId::new(now, &app.random());
    let wrapped_key = master.new_tenant_key(tenant_id, &fresh_key(app))?;
    let sealer = master.open_tenant(tenant_id, &wrapped_key)?;
    let lookup = directory::ensure_lookup_key(&**db, master, &fresh_key(app), now).await?;
    let number = sealer.seal(Column::PhoneNumber, wanted.phone_number.expose(), app.nonce())?;
    let fallback = wanted.fallback_number.as_ref();
    let fallback =
        fallback.map(|n| sealer.seal(Column::FallbackNumber, n.expose(), app.nonce())).transpose()?;
    let api_key = ApiKey::new(&app.random());
    let password = wanted.password.map(|password| password::hash(password, &app.random())).transpose()?;
    let hours = wanted.time_zone.map(OpeningHours::usual);
    let business_id = BusinessId::new(now, &app.random());
    let settings = wanted.assistant();
    let qa_rules = qa::first_rules(wanted.language);
    let provision = Provision {
        owner: Owner::Token {
            token: &wanted.token,
            user_id: UserId::new(now, &app.random()),
            password_hash: password.as_deref(),
            api_key_id: ApiKeyId::new(now, &app.random()),
            api_key: &api_key,
        },
        now,
        tenant_id,
        tenant_name: wanted.tenant_name,
        wrapped_key: &wrapped_key,
        department: NewDepartment { id: DepartmentId::new(now, &app.random()), name: DEPARTMENT_NAME },
        assistant: NewAssistant { id: AssistantId::new(now, &app.random()), settings: &settings },
        business: NewBusiness {
            id: business_id,
            name: wanted.business_name,
            voice_mode: claim.voice_mode.map(convert::voice_mode),
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
    tenants::provision(db, &provision).await.map_err(refused)?;
    Ok(SetupResult {
        tenant_id,
        business_id,
        api_key: api_key.expose().to_owned(),
        voice_webhook_url: format!("{origin}{VOICE_PATH}"),
        status_callback_url: format!("{origin}{STATUS_PATH}"),
        fallback_url: format!("{origin}{FALLBACK_PATH}"),
    })
}

fn refused(error: ProvisionError) -> ApiError {
    match error {
        ProvisionError::TokenInvalid => ApiError::SetupTokenInvalid,
        ProvisionError::NumberTaken => ApiError::Conflict("This telephone number is set up already."),
        ProvisionError::Store(error) => error.into(),
    }
}

pub(crate) fn fresh_key(app: &AppState) -> FreshKey {
    FreshKey { key: app.random(), nonce: app.random() }
}

/// A claim whose values are acceptable.
struct Wanted<'a> {
    token: SetupToken,
    tenant_name: &'a str,
    business_name: &'a str,
    phone_number: E164,
    fallback_number: Option<E164>,
    language: Option<&'a str>,
    voice: Option<&'a str>,
    instructions: Option<&'a str>,
    greeting: Option<&'a str>,
    password: Option<&'a str>,
    time_zone: Option<TimeZone>,
}

impl<'a> Wanted<'a> {
    /// The first assistant, which has the name of the business until somebody gives it one.
    fn assistant(&self) -> Settings {
        Settings {
            name: self.business_name.to_owned(),
            greeting: self.greeting.map(str::to_owned),
            instructions: self.instructions.map(str::to_owned),
            language: self.language.map(str::to_owned),
            voice: self.voice.map(str::to_owned),
            ..Settings::default()
        }
    }

    /// Every value that is not acceptable is named. A malformed token is no more valid than an unknown one.
    fn check(claim: &'a SetupClaim) -> Result<Self, ApiError> {
        let token = claim.token.trim().parse().map_err(|_| ApiError::SetupTokenInvalid)?;
        let mut errors = Errors(vec![]);
        let language = errors.optional("language", claim.language.as_deref(), 2);
        errors.demand("language", "must be two small letters (ISO 639-1)", language.is_none_or(is_language));
        let voice = errors.optional("voice", claim.voice.as_deref(), MAX_VOICE_CHARS);
        errors.demand("voice", "may hold letters, digits, - and _ only", voice.is_none_or(is_word));
        let tenant_name = errors.name("tenant_name", &claim.tenant_name);
        let business_name = errors.name("business_name", &claim.business_name);
        let instructions = errors.optional("instructions", claim.instructions.as_deref(), MAX_BUSINESS_CHARS);
        let greeting = errors.optional("greeting", claim.greeting.as_deref(), MAX_GREETING_CHARS);
        for (field, text) in [("instructions", instructions), ("greeting", greeting)] {
            let rule = text.and_then(wrong_variables);
            errors.demand(field, rule.as_deref().unwrap_or_default(), rule.is_none());
        }
        let password = claim.password.as_deref();
        errors.demand("password", PASSWORD_RULE, password.is_none_or(is_password));
        let phone_number = errors.number("phone_number", Some(&claim.phone_number));
        let zone = errors.optional("time_zone", claim.time_zone.as_deref(), MAX_ZONE_CHARS);
        let time_zone = zone.and_then(TimeZone::of_name);
        errors.demand("time_zone", ZONE_RULE, zone.is_none() || time_zone.is_some());
        let fallback_number = errors.number("fallback_number", claim.fallback_number.as_deref());
        let same = phone_number.is_some() && phone_number == fallback_number;
        errors.demand("fallback_number", "must not be the number itself", !same);
        errors.demand("phone_number", "is missing", !claim.phone_number.trim().is_empty());
        match phone_number {
            Some(phone_number) if errors.0.is_empty() => Ok(Self {
                token,
                tenant_name,
                business_name,
                phone_number,
                fallback_number,
                language,
                voice,
                instructions,
                greeting,
                password,
                time_zone,
            }),
            _ => Err(ApiError::Invalid(errors.0)),
        }
    }
}

struct Errors(Vec<FieldError>);

impl Errors {
    /// Complains of a field, once: what was found first is what is wrong with it.
    fn demand(&mut self, field: &str, message: &str, met: bool) {
        if !met && self.0.iter().all(|error| error.field != field) {
            self.0.push(FieldError { field: field.to_owned(), message: message.to_owned() });
        }
    }

    fn name<'a>(&mut self, field: &str, value: &'a str) -> &'a str {
        let value = value.trim();
        let message = format!("must have 1 to {MAX_NAME_CHARS} characters, none of them a control character");
        let length = value.chars().count();
        self.demand(
            field,
            &message,
            (1..=MAX_NAME_CHARS).contains(&length) && !value.contains(crate::fields::hides),
        );
        value
    }

    /// Blank is absent.
    fn optional<'a>(&mut self, field: &str, value: Option<&'a str>, max_chars: usize) -> Option<&'a str> {
        let value = value.map(str::trim).filter(|value| !value.is_empty())?;
        self.demand(
            field,
            &format!("must have at most {max_chars} characters"),
            value.chars().count() <= max_chars,
        );
        Some(value)
    }

    fn number(&mut self, field: &str, value: Option<&str>) -> Option<E164> {
        let value = value.map(str::trim).filter(|value| !value.is_empty())?;
        let number = value.parse().ok();
        self.demand(field, "must be a number in E.164 form, such as +15005550006", number.is_some());
        number
    }
}

pub(crate) fn is_language(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|b| b.is_ascii_lowercase())
}

fn is_word(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}
