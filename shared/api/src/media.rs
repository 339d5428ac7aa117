//! Who may open the media socket of a call, and who may speak on it.
//!
//! Two locks, because an open media socket lets strangers spend the owner's OpenAI key (pitfall 33): the upgrade carries
//! Twilio's signature, and the first frame a token of ours for this call and this attempt. Nothing is written to issue a
//! token, so that TwiML is answered at once; the actor refuses a token whose attempt it has seen.

use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use voicecore_store::directory;
use voicecore_types::{CallId, Millis};

use crate::deadline::{CHECK, Deadline};
use crate::error::ApiError;
use crate::providers::{self, TwilioAccount};
use crate::sign::{self, MEDIA_TOKEN};
use crate::{AppState, Config, ConfigMissing};

/// How long a token works. Twilio connects within a second of reading the TwiML; the rest is for retries.
pub const TOKEN_LIFETIME: Millis = Millis::from_secs(120);
/// The longest token, in bytes: Twilio's limit on a `<Parameter>` (name and value together 500 characters).
pub const MAX_TOKEN_BYTES: usize = 400;
/// The name of the `<Parameter>`, and of the entry of `customParameters` in the `start` frame.
pub const TOKEN_PARAMETER: &str = "token";
/// Where media sockets are opened: this, then the id of the call.
pub const MEDIA_PATH: &str = "/media/";

/// The upgrade is refused. As a response: a problem document that doesn't say why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MediaRefusal {
    /// Not `/media/{call_id}`: 404.
    #[error("not the address of a media socket")]
    NotFound,
    /// No valid signature: 403.
    #[error("the upgrade is not signed by Twilio")]
    Signature,
    /// The signature cannot be checked: 503.
    #[error(transparent)]
    Config(#[from] ConfigMissing),
    /// The signature cannot be checked now, because the database does not answer: 503.
    #[error("the database is unavailable")]
    Unavailable,
}

impl IntoResponse for MediaRefusal {
    fn into_response(self) -> Response {
        match self {
            Self::NotFound => ApiError::NotFound,
            Self::Signature => ApiError::SignatureInvalid,
            Self::Config(missing) => missing.into(),
            Self::Unavailable => {
                ApiError::Unavailable { part: "database", cause: Self::Unavailable.to_string() }
            }
        }
        .into_response()
    }
}

/// Checks the upgrade request of a media socket, before anything is woken: `path_and_query` as in the request line,
/// `signature` from the header `X-Twilio-Signature`, by the token of the installation's account or of the own account of the tenant
/// whose call it is.
pub async fn authorize_upgrade(
    app: &AppState,
    path_and_query: &str,
    signature: Option<&str>,
) -> Result<CallId, MediaRefusal> {
    let verifier = app.config.verifier()?;
    let path = path_and_query.split(['?', '#']).next().unwrap_or_default();
    let call_id =
        path.strip_prefix(MEDIA_PATH).and_then(|id| id.parse().ok()).ok_or(MediaRefusal::NotFound)?;
    if verifier.upgrade(path_and_query, signature).is_ok() {
        return Ok(call_id);
    }
    // Strangers without a signature do not make us look anything up.
    let signature = signature.filter(|signature| !signature.is_empty()).ok_or(MediaRefusal::Signature)?;
    let own = Deadline::after(app, CHECK).keep(own_account(app, call_id)).await;
    let own = own.map_err(|_| MediaRefusal::Unavailable)?;
    let own = own.ok_or(MediaRefusal::Signature)?;
    let verifier = app.config.verifier_of(own.token)?;
    verifier.upgrade(path_and_query, Some(signature)).map_err(|_| MediaRefusal::Signature)?;
    Ok(call_id)
}

async fn own_account(app: &AppState, call_id: CallId) -> Result<Option<TwilioAccount>, ApiError> {
    match directory::call(&app.ports.db, call_id).await? {
        Some(call) => providers::twilio(app, &call.scope).await,
        None => Ok(None),
    }
}

/// The token is not good for this call now: close the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not a token, or that of another call.
    #[error("the token is not one of this call")]
    Wrong,
    /// It was, but its time is over.
    #[error("the token has expired")]
    Expired,
    /// Tokens cannot be checked.
    #[error(transparent)]
    Config(#[from] ConfigMissing),
}

/// A token for one stream of one call: `v1.<attempt>.<expiry>.<signature>`.
pub fn issue_token(
    config: &Config,
    call_id: CallId,
    carrier_call_id: &str,
    attempt: u32,
    now: Millis,
) -> Result<String, ConfigMissing> {
    let secret = config.keys.jwt_secret.get()?;
    let expiry = now.plus(TOKEN_LIFETIME).0.to_string();
    let attempt = attempt.to_string();
    let parts = signed_parts(call_id, carrier_call_id, &attempt, &expiry);
    let signature = sign::sign(secret, MEDIA_TOKEN, &parts.each_ref().map(Vec::as_slice));
    Ok(format!("v1.{attempt}.{expiry}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// Checks a token (of Twilio's `CallSid`, for which it was issued) and gives its attempt. Whether that attempt is new is for the actor to know.
pub fn verify_token(
    config: &Config,
    call_id: CallId,
    carrier_call_id: &str,
    token: &str,
    now: Millis,
) -> Result<u32, TokenError> {
    let secret = config.keys.jwt_secret.get()?;
    if token.len() > MAX_TOKEN_BYTES {
        return Err(TokenError::Wrong);
    }
    let mut fields = token.split('.');
    let (Some("v1"), Some(attempt), Some(expiry), Some(signature), None) =
        (fields.next(), fields.next(), fields.next(), fields.next(), fields.next())
    else {
        return Err(TokenError::Wrong);
    };
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| TokenError::Wrong)?;
    let parts = signed_parts(call_id, carrier_call_id, attempt, expiry);
    if !sign::verify(secret, MEDIA_TOKEN, &parts.each_ref().map(Vec::as_slice), &signature) {
        return Err(TokenError::Wrong);
    }
    let expiry = Millis(expiry.parse().map_err(|_| TokenError::Wrong)?);
    if now > expiry {
        return Err(TokenError::Expired);
    }
    attempt.parse().map_err(|_| TokenError::Wrong)
}

fn signed_parts(call_id: CallId, carrier_call_id: &str, attempt: &str, expiry: &str) -> [Vec<u8>; 4] {
    [call_id.to_string(), carrier_call_id.to_owned(), attempt.to_owned(), expiry.to_owned()]
        .map(String::into_bytes)
}
