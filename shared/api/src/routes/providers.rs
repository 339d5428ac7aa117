//! The tenant's own accounts at its providers. A secret that was stored is never shown again.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use voicecore_api_types::{
    CredentialSource, FieldError, Problem, Provider as WireProvider, ProviderCredential, ProviderStatus,
    Providers,
};
use voicecore_domain::Provider;
use voicecore_ports::Stmt;
use voicecore_store::audit_log;
use voicecore_store::directory::Principal;
use voicecore_store::providers::{self as store, NewCredential, StoredCredential};
use voicecore_wire::twilio::sid::AccountSid;

use super::roles::OUTRUN;
use crate::auth::{Access, ConfigRead, ConfigWrite, sees_all};
use crate::extract::{Id, JsonBody};
use crate::idempotency::{answer_unkept, nothing_to_say};
use crate::record::Record;
use crate::{ApiError, AppState, etag, providers};

/// The fewest characters of a secret: of fewer, the last four would give too much away.
const MIN_SECRET_CHARS: usize = 16;
/// The most characters of a secret.
const MAX_SECRET_CHARS: usize = 512;
/// Characters of a secret that are shown.
const SHOWN_CHARS: usize = 4;

/// Whose accounts are used.
#[utoipa::path(get, path = "/api/v1/config/providers", tag = "config", security(("api_key" = ["config:read"])),
    responses(
        (status = 200, description = "One entry for each provider.", body = Providers),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn list_providers(
    access: Access<ConfigRead>,
    State(app): State<AppState>,
) -> Result<Json<Providers>, ApiError> {
    let stored = store::list(&access.principal.scope).await?;
    let items = Provider::ALL.into_iter().map(|provider| {
        let own = stored.iter().find(|stored| stored.provider == provider);
        show(&app, &access.principal, provider, own)
    });
    Ok(Json(Providers { items: items.collect::<Result<_, _>>()? }))
}

/// Sets the tenant's own account at a provider. Calls that begin from now on use it; those that run go on as they began.
/// `If-Match` has to name the version that it is meant for, once there is one.
#[utoipa::path(put, path = "/api/v1/config/providers/{provider}", tag = "config",
    security(("api_key" = ["config:write"])),
    params(("provider" = WireProvider, Path),
        ("If-Match" = Option<String>, Header, description = "The `version` of what was read, as an `ETag`; of the first account there is none. Needed.")), request_body = ProviderCredential,
    responses(
        (status = 200, description = "It is stored.", body = ProviderStatus),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn put_provider(
    access: Access<ConfigWrite>,
    State(app): State<AppState>,
    Id(provider): Id<Provider>,
    headers: HeaderMap,
    JsonBody(body): JsonBody<ProviderCredential>,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    sees_all(principal)?;
    let wanted = Wanted::check(provider, &body)?;
    let before = store::get(&principal.scope, provider).await?.map_or(0, |stored| stored.version);
    if before > 0 {
        etag::demand(&headers, before)?;
    } else {
        etag::check(&headers, before)?;
    }
    let sealer = app.sealer(principal.scope.tenant(), &principal.wrapped_key)?;
    let credential = providers::seal(&app, &sealer, provider, wanted.secret)?;
    let account_id = wanted.account.as_ref().map(AccountSid::as_str);
    let new = NewCredential { provider, credential: &credential, account_id, now: app.now() };
    let fields: &[&str] =
        if provider == Provider::Twilio { &["account_sid", "auth_token"] } else { &["api_key"] };
    let audit = audit(&app, principal, "provider.set", provider, fields);
    if !store::set(&principal.scope, &new, before, audit).await? {
        return Err(etag::outrun(&headers, OUTRUN));
    }
    let stored = StoredCredential {
        provider,
        account_id: account_id.map(str::to_owned),
        updated_at: new.now,
        version: before + 1,
        wrapped_key: principal.wrapped_key.clone(),
        credential,
    };
    let shown = show(&app, principal, provider, Some(&stored))?;
    answer_unkept(StatusCode::OK, &shown, shown.version)
}

/// Forgets the tenant's own account at a provider: the installation's is used from now on.
#[utoipa::path(delete, path = "/api/v1/config/providers/{provider}", tag = "config",
    security(("api_key" = ["config:write"])),
    params(("provider" = WireProvider, Path),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of what was read.")),
    responses(
        (status = 204, description = "It is forgotten."),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn delete_provider(
    access: Access<ConfigWrite>,
    State(app): State<AppState>,
    Id(provider): Id<Provider>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    sees_all(principal)?;
    let before = store::get(&principal.scope, provider).await?.ok_or(ApiError::NotFound)?.version;
    etag::check(&headers, before)?;
    let audit = audit(&app, principal, "provider.delete", provider, &[]);
    let response = nothing_to_say(principal);
    if store::delete(&principal.scope, provider, before, audit).await? {
        return Ok(response);
    }
    Err(etag::outrun(&headers, OUTRUN))
}

fn audit(
    app: &AppState,
    principal: &Principal,
    action: &'static str,
    provider: Provider,
    fields: &[&'static str],
) -> Stmt {
    let record = Record::of(app, principal.actor, action, Some(provider.as_str().to_owned()));
    audit_log::entry_of_fields(&principal.scope, &record.entry(), fields)
}

/// Whose account is used. One that does not open is shown without its end: it is there, and can be set anew.
fn show(
    app: &AppState,
    principal: &Principal,
    provider: Provider,
    own: Option<&StoredCredential>,
) -> Result<ProviderStatus, ApiError> {
    let sealer = app.sealer(principal.scope.tenant(), &principal.wrapped_key)?;
    let secret = own.and_then(|own| providers::open(&sealer, provider, &own.credential).ok());
    let ends_with = secret.map(|secret| {
        let shown = secret.expose().chars().rev().take(SHOWN_CHARS).collect::<Vec<_>>();
        shown.into_iter().rev().collect()
    });
    Ok(ProviderStatus {
        provider: match provider {
            Provider::OpenAi => WireProvider::OpenAi,
            Provider::Chat => WireProvider::Chat,
            Provider::Twilio => WireProvider::Twilio,
        },
        source: match own {
            Some(_) => CredentialSource::Tenant,
            None if installation_has(app, provider) => CredentialSource::Installation,
            None => CredentialSource::None,
        },
        ends_with,
        account_sid: own.and_then(|own| own.account_id.clone()),
        updated_at: own.map(|own| own.updated_at.0),
        version: own.map(|own| own.version),
    })
}

fn installation_has(app: &AppState, provider: Provider) -> bool {
    let config = &app.config;
    match provider {
        Provider::OpenAi => config.openai.api_key.get().is_ok(),
        Provider::Chat => config.chat.api_key.get().is_ok(),
        Provider::Twilio => config.twilio.account_sid.get().is_ok() && config.twilio.auth_token.get().is_ok(),
    }
}

/// A credential that is acceptable.
struct Wanted<'a> {
    secret: &'a str,
    account: Option<AccountSid>,
}

impl<'a> Wanted<'a> {
    fn check(provider: Provider, body: &'a ProviderCredential) -> Result<Self, ApiError> {
        let mut errors = Vec::new();
        let mut refuse = |field: &str, message: String| {
            errors.push(FieldError { field: field.to_owned(), message });
        };
        let (name, secret) = match provider {
            Provider::OpenAi | Provider::Chat => ("api_key", body.api_key.as_deref()),
            Provider::Twilio => ("auth_token", body.auth_token.as_deref()),
        };
        let secret = secret.unwrap_or_default();
        let visible = secret.bytes().all(|byte| byte.is_ascii_graphic());
        if !(MIN_SECRET_CHARS..=MAX_SECRET_CHARS).contains(&secret.len()) || !visible {
            let range = format!("{MIN_SECRET_CHARS} to {MAX_SECRET_CHARS}");
            refuse(name, format!("must be {range} visible ASCII characters"));
        }
        let account = body.account_sid.as_deref().and_then(|sid| sid.parse().ok());
        if provider == Provider::Twilio && account.is_none() {
            refuse("account_sid", "must be AC and 32 hexadecimal digits".to_owned());
        }
        let unwanted = match provider {
            Provider::Twilio => [("api_key", body.api_key.is_some()), ("", false)],
            _ => [("account_sid", body.account_sid.is_some()), ("auth_token", body.auth_token.is_some())],
        };
        for (field, _) in unwanted.iter().filter(|(_, given)| *given) {
            refuse(field, "is not of this provider".to_owned());
        }
        if errors.is_empty() { Ok(Self { secret, account }) } else { Err(ApiError::Invalid(errors)) }
    }
}
