//! A request of which Twilio's signature was checked. The only way to a webhook's parameters.
//!
//! The key is the auth token of the account that owns the number: the installation's, or a tenant's own. A tenant's token vouches
//! for that tenant alone: whatever of ours the request names must be the tenant's, or one tenant could report the end of another's
//! calls.
//!
//! Such a token lies in the database. Where that does not answer, nothing can be checked, and still somebody may be on the line: what
//! they hear then (`unchecked`) is said to anybody who asks like this, holds nothing of anybody's, and stores nothing.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse as _, Response};
use voicecore_domain::{Announcement, Language};
use voicecore_store::directory;
use voicecore_types::{CallId, E164, Millis};
use voicecore_wire::twilio::signature::{Body, SIGNATURE_HEADER, Verifier};
use voicecore_wire::twilio::webhook::Form;

use super::{STATUS_PATH, STREAM_STATUS_PATH, Twiml, VOICE_PATH, documents};
use crate::deadline::{CHECK, Deadline};
use crate::extract::body_error;
use crate::providers::{self, TwilioAccount};
use crate::{ApiError, AppState};

/// Names the caller's language in an address, so that it is known even while the database is away.
pub(super) const LANGUAGE: &str = "language";

/// The parameters of a signed request.
pub(super) struct Signed {
    /// Of the body. Read it through the types of `voicecore_wire::twilio::webhook`, which are the allow-list.
    pub(super) form: Form,
    /// When it came in, before anything was looked up.
    pub(super) received_at: Millis,
    query: Vec<(String, String)>,
}

/// How often a caller is asked to wait while the database doesn't answer.
const MAX_RETRIES: u32 = 2;

impl FromRequest<AppState> for Signed {
    type Rejection = Response;

    async fn from_request(request: Request, app: &AppState) -> Result<Self, Response> {
        Self::read(request, app).await.map_err(|error| match error {
            Refused::Wrong(error) => error.into_response(),
            Refused::Unchecked(answer) => answer.into_response(),
        })
    }
}

/// Why nothing is done for a request.
enum Refused {
    Wrong(ApiError),
    /// Its signature may be good, and cannot be checked: this is answered.
    Unchecked(Box<Twiml>),
}

impl<E: Into<ApiError>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self::Wrong(error.into())
    }
}

impl Signed {
    async fn read(request: Request, app: &AppState) -> Result<Self, Refused> {
        let received_at = app.now();
        let verifier = app.config.verifier()?;
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str()).to_owned();
        let signature =
            request.headers().get(SIGNATURE_HEADER).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let body = Bytes::from_request(request, app).await.map_err(|e| body_error(&e))?;
        let form = Form::parse(&body)?;
        let query = target.split_once('?').map_or("", |(_, query)| query);
        let query = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let signed = Self { form, received_at, query };
        let genuine = |verifier: &Verifier| {
            verifier.webhook(&target, Body::Form(&signed.form), signature.as_deref()).is_ok()
        };
        if !genuine(&verifier) {
            let account = signed.form.parsed("AccountSid").ok_or(ApiError::SignatureInvalid)?;
            // Strangers without a signature do not make us look anything up.
            if signature.is_none() || app.config.twilio.account_sid.get() == Ok(&account) {
                return Err(ApiError::SignatureInvalid.into());
            }
            let own = Deadline::after(app, CHECK).keep(signed.own_account(app)).await;
            let own = own.map_err(|cause| signed.unchecked(app, path_only(&target), cause))?;
            let own = own.filter(|own| own.sid == account).ok_or(ApiError::SignatureInvalid)?;
            if !genuine(&app.config.verifier_of(own.token)?) {
                return Err(ApiError::SignatureInvalid.into());
            }
        }
        Ok(signed)
    }

    /// What whoever asks hears when it cannot be found out whether they may: to wait when they ring, that nothing can be done when a
    /// call was on its way. Nobody listens to reports of a status, which are refused.
    fn unchecked(&self, app: &AppState, path: &str, cause: ApiError) -> Refused {
        if [STATUS_PATH, STREAM_STATUS_PATH].contains(&path) {
            return Refused::Wrong(cause);
        }
        let document = match app.config.public_url.get() {
            Ok(origin) if path == VOICE_PATH && self.may_wait() => {
                documents::try_again(origin, self.retry() + 1)
            }
            _ => documents::say_and_hang_up(Announcement::OutOfOrder, self.language()),
        };
        Refused::Unchecked(Box::new(Twiml::because(document, cause)))
    }

    /// The account of the tenant to whom everything of ours belongs that the request names: the number, the call by our name of
    /// it, the call by the carrier's. `None`: they are of several tenants, or of none, or it has no account of its own.
    async fn own_account(&self, app: &AppState) -> Result<Option<TwilioAccount>, ApiError> {
        let db = &app.ports.db;
        let mut scopes = Vec::new();
        if let (Some(to), Some(lookup)) = (self.form.parsed::<E164>("To"), app.lookup_key().await?) {
            let dialled = directory::dialled_number(db, &lookup.dialled(&to)).await?;
            scopes.extend(dialled.map(|dialled| dialled.scope));
        }
        if let Some(call) = self.call() {
            scopes.extend(directory::call(db, call).await?.map(|call| call.scope));
        }
        if let Some(sid) = self.form.get("CallSid") {
            scopes.extend(directory::call_by_carrier_id(db, sid).await?.map(|call| call.scope));
        }
        let Some((scope, others)) = scopes.split_first() else { return Ok(None) };
        if others.iter().any(|other| other.tenant() != scope.tenant()) {
            return Ok(None);
        }
        providers::twilio(app, scope).await
    }

    /// The call that the address names, as we wrote it.
    pub(super) fn call(&self) -> Option<CallId> {
        self.parameter("call")?.parse().ok()
    }

    /// The attempt that the address names; the first if it names none.
    pub(super) fn attempt(&self) -> u32 {
        self.parameter("attempt").and_then(|attempt| attempt.parse().ok()).unwrap_or(1)
    }

    /// The language of the caller, as far as we knew it when we wrote the address.
    pub(super) fn language(&self) -> Language {
        Language::for_code(self.parameter(LANGUAGE))
    }

    /// The caller was not asked to wait too often.
    pub(super) fn may_wait(&self) -> bool {
        self.retry() < MAX_RETRIES
    }

    /// How often this request was asked for again.
    pub(super) fn retry(&self) -> u32 {
        self.parameter("retry").and_then(|retry| retry.parse().ok()).unwrap_or(0)
    }

    /// The step that the address follows, of a call that is held turn by turn; 0, which is none, if it names none.
    pub(super) fn step(&self) -> u64 {
        self.parameter("step").and_then(|step| step.parse().ok()).unwrap_or(0)
    }

    /// How often in a row the caller was asked to wait.
    pub(super) fn waits(&self) -> u32 {
        self.parameter("wait").and_then(|wait| wait.parse().ok()).unwrap_or(0)
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

fn path_only(target: &str) -> &str {
    target.split('?').next().unwrap_or_default()
}
