//! Whether a provider takes the account that calls would use: it is really asked.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use voicecore_api_types::{
    ConnectionState, ConnectionTest, CredentialSource, Problem, Provider as WireProvider, TestConnection,
};
use voicecore_domain::Provider;
use voicecore_ports::HttpRequest;
use voicecore_store::audit_log;
use voicecore_store::directory::Principal;
use voicecore_store::idempotency::settle;
use voicecore_store::providers as store;
use voicecore_types::Secret;
use voicecore_wire::twilio::rest::Api;

use crate::auth::{Access, ConfigWrite};
use crate::extract::JsonBody;
use crate::idempotency::answer;
use crate::record::Record;
use crate::{ApiError, AppState, carrier, providers};

/// How long a provider is waited for.
const PATIENCE_MS: u32 = 10_000;

/// Asks a provider whether it knows the account that calls would use: the tenant's own, or else the installation's. Costs nothing there.
#[utoipa::path(post, path = "/api/v1/config/test-connection", tag = "config", security(("api_key" = ["config:write"])),
    request_body = TestConnection,
    responses(
        (status = 200, description = "It was tried.", body = ConnectionTest),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn test_connection(
    access: Access<ConfigWrite>,
    State(app): State<AppState>,
    JsonBody(body): JsonBody<TestConnection>,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    let provider = match body.provider {
        WireProvider::OpenAi => Provider::OpenAi,
        WireProvider::Chat => Provider::Chat,
        WireProvider::Twilio => Provider::Twilio,
    };
    let (request, source) = match provider {
        Provider::Twilio => twilio(&app, principal).await?,
        Provider::OpenAi | Provider::Chat => model(&app, principal, provider).await?,
    };
    let record = Record::of(&app, principal.actor, "provider.test", Some(provider.as_str().to_owned()));
    audit_log::record(&principal.scope, &record.entry()).await?;
    let began = app.now();
    // The answer itself is of no interest.
    let status = app.ports.http.send(request).await.ok().map(|response| response.status);
    let state = match status {
        None => ConnectionState::Unreachable,
        Some(200..=299) => ConnectionState::Works,
        Some(401 | 403) => ConnectionState::Refused,
        Some(_) => ConnectionState::Unexpected,
    };
    let took_ms = app.now().since(began).0;
    let tested = ConnectionTest { provider: body.provider, source, state, status, took_ms };
    let response = answer(principal, StatusCode::OK, &tested, None)?;
    settle(&principal.scope).await?;
    Ok(response)
}

/// The account itself.
async fn twilio(app: &AppState, principal: &Principal) -> Result<(HttpRequest, CredentialSource), ApiError> {
    let (account, source) = providers::twilio_in_use(app, &principal.scope).await?;
    let asked = Api::new(app.config.twilio.base_url.get()?, &account.sid, &account.token).fetch_account();
    Ok((carrier::request(asked, PATIENCE_MS), source))
}

/// The list of models, which every provider with OpenAI's interface has.
async fn model(
    app: &AppState,
    principal: &Principal,
    provider: Provider,
) -> Result<(HttpRequest, CredentialSource), ApiError> {
    let own = match own_key(app, principal, provider).await? {
        None if provider == Provider::Chat && app.config.chat.is_openais => {
            own_key(app, principal, Provider::OpenAi).await?
        }
        own => own,
    };
    let (base, installations) = match provider {
        Provider::Chat => (&app.config.chat.base_url, &app.config.chat.api_key),
        Provider::OpenAi | Provider::Twilio => (&app.config.openai.base_url, &app.config.openai.api_key),
    };
    let (key, source) = match own {
        Some(key) => (key, CredentialSource::Tenant),
        None => (installations.get()?.clone(), CredentialSource::Installation),
    };
    let request = HttpRequest {
        method: "GET",
        url: format!("{}/models", base.get()?),
        headers: vec![("Authorization".to_owned(), format!("Bearer {}", key.expose()))],
        body: vec![],
        timeout_ms: PATIENCE_MS,
    };
    Ok((request, source))
}

async fn own_key(
    app: &AppState,
    principal: &Principal,
    provider: Provider,
) -> Result<Option<Secret<String>>, ApiError> {
    let Some(stored) = store::get(&principal.scope, provider).await? else { return Ok(None) };
    let sealer = app.sealer(principal.scope.tenant(), &stored.wrapped_key)?;
    Ok(Some(providers::open(&sealer, provider, &stored.credential)?))
}
