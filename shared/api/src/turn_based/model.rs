//! The model that reads and writes: any provider that speaks OpenAI's chat completions.

use voicecore_domain::Provider;
use voicecore_ports::{HttpError, HttpRequest};
use voicecore_store::seal::Sealed;
use voicecore_types::{Millis, Secret};
use voicecore_wire::openai::chat::{CHAT_PATH, ChatAnswer, ChatError, read_chat};

use super::Held;
use crate::live::CallSetup;
use crate::{ApiError, AppState, providers};

/// The model has given no answer.
pub(super) struct Trouble {
    /// It never will.
    pub(super) fatal: bool,
    /// For the log.
    pub(super) cause: ApiError,
}

impl Trouble {
    /// There was no time left to ask.
    pub(super) fn late() -> Self {
        Self::passing("no time was left to ask")
    }

    fn passing(cause: &(impl ToString + ?Sized)) -> Self {
        Self { fatal: false, cause: ApiError::Unavailable { part: "model", cause: cause.to_string() } }
    }
}

/// Whether the model that reads and writes is to be had, and of another account than the one that speaks.
pub(super) fn is_elsewhere(app: &AppState, setup: &CallSetup) -> bool {
    let chat = &app.config.chat;
    let own = setup.chat_credential.is_some();
    chat.base_url.get().is_ok() && (own || !chat.is_openais && chat.api_key.get().is_ok())
}

/// The key of the tenant's own account, if the call was set up with one.
fn own_key(app: &AppState, held: &Held) -> Option<Result<Secret<String>, ApiError>> {
    let setup = &held.setup;
    let (provider, sealed) = match (&setup.chat_credential, &setup.openai_credential) {
        (Some(sealed), _) => (Provider::Chat, sealed),
        (None, Some(sealed)) if app.config.chat.is_openais => (Provider::OpenAi, sealed),
        _ => return None,
    };
    Some(providers::open(&held.sealer, provider, &Sealed::from_stored(sealed.clone())))
}

/// Asks for the next message, and waits at most `patience`.
pub(super) async fn ask(app: &AppState, held: &Held, patience: Millis) -> Result<ChatAnswer, Trouble> {
    let chat = &app.config.chat;
    let missing = |missing: crate::ConfigMissing| Trouble { fatal: true, cause: missing.into() };
    let base = chat.base_url.get().map_err(missing)?;
    let key = match own_key(app, held) {
        None => chat.api_key.get().map_err(missing)?.clone(),
        Some(Ok(key)) => key,
        Some(Err(cause)) => return Err(Trouble { fatal: true, cause }),
    };
    let config = held.config();
    let body = serde_json::to_vec(&held.dialogue.request(config, &config.session.model))
        .map_err(|_| Trouble::passing("the request cannot be encoded"))?;
    let request = HttpRequest {
        method: "POST",
        url: format!("{base}{CHAT_PATH}"),
        headers: vec![
            ("Authorization".to_owned(), format!("Bearer {}", key.expose())),
            ("Content-Type".to_owned(), "application/json".to_owned()),
        ],
        body,
        timeout_ms: u32::try_from(patience.0).unwrap_or(u32::MAX),
    };
    let response = app.ports.http.send(request).await.map_err(|error: HttpError| Trouble::passing(&error))?;
    read_chat(response.status, &response.body).map_err(|error| {
        let fatal = matches!(error, ChatError::Fatal { .. });
        Trouble { fatal, ..Trouble::passing(&error) }
    })
}
