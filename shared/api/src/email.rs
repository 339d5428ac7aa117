//! Mails over HTTP: `POST /emails` of Resend's API, which others speak as well. Built on the `Http` port, so that every platform
//! has it.

use serde_json::json;
use voicecore_ports::{BoxFuture, Email, EmailError, EmailMessage, HttpRequest};
use voicecore_ports::{MAX_MAIL_BYTES, MAX_SUBJECT_CHARS};

use crate::{ApiError, AppState};

/// How long the service may take.
const REQUEST_TIMEOUT_MS: u32 = 10_000;

/// The service as it is configured.
pub(crate) struct HttpEmail<'a> {
    app: &'a AppState,
    url: String,
    authorization: String,
    from: &'a str,
}

impl<'a> HttpEmail<'a> {
    /// `config_missing` when there is no service.
    pub(crate) fn new(app: &'a AppState) -> Result<Self, ApiError> {
        let config = &app.config.email;
        Ok(Self {
            app,
            url: format!("{}/emails", config.base_url.get()?),
            authorization: format!("Bearer {}", config.api_key.get()?.expose()),
            from: config.from.get()?,
        })
    }

    fn request(&self, message: &EmailMessage) -> HttpRequest {
        let body = json!({
            "from": self.from,
            "to": [message.to],
            "subject": message.subject,
            "text": message.text,
            "html": message.html,
        });
        let headers = [
            ("authorization", self.authorization.as_str()),
            ("content-type", "application/json"),
            ("idempotency-key", message.idempotency_key.as_str()),
        ];
        HttpRequest {
            method: "POST",
            url: self.url.clone(),
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            body: body.to_string().into_bytes(),
            timeout_ms: REQUEST_TIMEOUT_MS,
        }
    }
}

impl Email for HttpEmail<'_> {
    fn send<'m>(&'m self, message: &'m EmailMessage) -> BoxFuture<'m, Result<(), EmailError>> {
        Box::pin(async move {
            let fits = message.subject.chars().count() <= MAX_SUBJECT_CHARS
                && !message.subject.contains(char::is_control)
                && message.text.len().max(message.html.len()) <= MAX_MAIL_BYTES;
            if !fits {
                return Err(EmailError::Refused(0));
            }
            let sent = self.app.ports.http.send(self.request(message)).await;
            match sent.map_err(|_| EmailError::Unavailable)?.status {
                200..=299 => Ok(()),
                401 | 403 => Err(EmailError::NotAllowed),
                // 409: the same key is being worked on.
                409 | 429 | 500..=599 => Err(EmailError::Unavailable),
                status => Err(EmailError::Refused(status)),
            }
        })
    }
}
