//! How a socket to the model is opened.

use voicecore_call::OpenModel;
use voicecore_domain::Provider;
use voicecore_store::seal::{Sealed, WrappedKey};
use voicecore_types::Secret;

use super::CallSetup;
use crate::{ApiError, AppState, providers};

/// A WebSocket upgrade request to the model's provider. No `OpenAI-Beta` header: that one asks for the protocol of before
/// general availability.
#[derive(Debug, Clone)]
pub struct ModelRequest {
    /// Absolute `http(s)` address: a socket is opened on Workers by a `fetch` with `Upgrade: websocket`.
    pub url: String,
    /// Value of the `Authorization` header.
    pub authorization: Secret<String>,
}

/// The request for what the call machine asks to open, with the account that the call was set up with: the tenant's own, or else
/// the installation's. Without the key of the tenant's own account nobody else's is used.
pub fn model_request(app: &AppState, setup: &CallSetup, open: &OpenModel) -> Result<ModelRequest, ApiError> {
    let openai = &app.config.openai;
    let base = openai.base_url.get()?;
    let key = match &setup.openai_credential {
        Some(credential) => {
            let wrapped = setup.wrapped_key.clone().map(WrappedKey::from_stored);
            let wrapped = wrapped.ok_or_else(|| ApiError::Internal("a call without its key".to_owned()))?;
            let sealer = app.sealer(setup.tenant_id, &wrapped)?;
            &providers::open(&sealer, Provider::OpenAi, &Sealed::from_stored(credential.clone()))?
        }
        None => openai.api_key.get()?,
    };
    Ok(ModelRequest {
        url: format!("{base}{}", open.path),
        authorization: Secret::new(format!("Bearer {}", key.expose())),
    })
}
