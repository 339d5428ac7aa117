//! Whose account at a provider is used: the tenant's own where it has one, else the installation's.
//!
//! A tenant's secret goes nowhere but to the addresses that the installation has configured.

use serde::{Deserialize, Serialize};
use voicecore_api_types::CredentialSource;
use voicecore_domain::Provider;
use voicecore_store::Scope;
use voicecore_store::providers::{self, StoredCredential};
use voicecore_store::seal::{Sealed, Sealer};
use voicecore_types::Secret;
use voicecore_wire::twilio::sid::AccountSid;

use crate::{ApiError, AppState};

/// The secret of a credential as it is sealed.
#[derive(Serialize, Deserialize)]
struct Credential {
    secret: String,
}

/// An account at Twilio.
#[derive(Debug, Clone)]
pub(crate) struct TwilioAccount {
    pub(crate) sid: AccountSid,
    pub(crate) token: Secret<String>,
}

/// Seals the secret of a credential.
pub(crate) fn seal(
    app: &AppState,
    sealer: &Sealer,
    provider: Provider,
    secret: &str,
) -> Result<Sealed, ApiError> {
    let text = serde_json::to_string(&Credential { secret: secret.to_owned() })
        .map_err(|_| ApiError::Internal("a credential cannot be encoded".to_owned()))?;
    Ok(sealer.seal(providers::column(provider), &text, app.nonce())?)
}

/// Opens the secret of a credential.
pub(crate) fn open(
    sealer: &Sealer,
    provider: Provider,
    credential: &Sealed,
) -> Result<Secret<String>, ApiError> {
    let text = sealer.open(providers::column(provider), credential)?;
    let credential: Credential = serde_json::from_str(&text)
        .map_err(|_| ApiError::Internal("a stored credential cannot be read".to_owned()))?;
    Ok(Secret::new(credential.secret))
}

/// The tenant's own account at Twilio, if it has one.
pub(crate) async fn twilio(app: &AppState, scope: &Scope) -> Result<Option<TwilioAccount>, ApiError> {
    let Some(stored) = providers::get(scope, Provider::Twilio).await? else { return Ok(None) };
    let StoredCredential { credential, account_id, wrapped_key, .. } = stored;
    let sealer = app.sealer(scope.tenant(), &wrapped_key)?;
    let sid = account_id.and_then(|sid| sid.parse().ok());
    let sid = sid.ok_or_else(|| ApiError::Internal("a stored account has no valid AccountSid".to_owned()))?;
    Ok(Some(TwilioAccount { sid, token: open(&sealer, Provider::Twilio, &credential)? }))
}

/// The account at Twilio that calls use, and whose it is.
pub(crate) async fn twilio_in_use(
    app: &AppState,
    scope: &Scope,
) -> Result<(TwilioAccount, CredentialSource), ApiError> {
    match twilio(app, scope).await? {
        Some(own) => Ok((own, CredentialSource::Tenant)),
        None => Ok((installations_twilio(app)?, CredentialSource::Installation)),
    }
}

/// The installation's account at Twilio.
pub(crate) fn installations_twilio(app: &AppState) -> Result<TwilioAccount, ApiError> {
    let twilio = &app.config.twilio;
    Ok(TwilioAccount { sid: twilio.account_sid.get()?.clone(), token: twilio.auth_token.get()?.clone() })
}
