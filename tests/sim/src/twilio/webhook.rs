//! Requests to the product, as Twilio makes them: form-encoded, signed, retried as the URL's fragment says.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::account::Account;
use super::overrides::{InvalidOverride, Overrides};
use super::signature::{sign, without_fragment};
use super::twiml::Method;
use crate::whereabouts::HEADERS;

/// Pause before the n-th retry is n times this. Twilio does not say how long it waits (`UNVERIFIED.md`).
const RETRY_PAUSE: Duration = Duration::from_millis(500);
/// Longest answer that is read; TwiML has a lower limit of its own.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// A request to the product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    /// The URL as the product gave it, connection overrides included.
    pub url: String,
    /// GET or POST.
    pub method: Method,
    /// The parameters.
    pub params: Vec<(String, String)>,
}

/// The product's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    /// HTTP status, 2xx.
    pub status: u16,
    /// `Content-Type`, in lower case, without its parameters.
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
}

/// No usable answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum WebhookError {
    /// The URL is not one of the product's.
    #[error("11100: {0} is not a URL of the product")]
    Url(String),
    /// The fragment says something Twilio does not understand.
    #[error("11243: {0}")]
    Override(#[from] InvalidOverride),
    /// No connection.
    #[error("11205: no connection")]
    Connect,
    /// No answer in time.
    #[error("11205: no answer in time")]
    Timeout,
    /// An answer which is not 2xx.
    #[error("11200: HTTP status {0}")]
    Status(u16),
    /// An answer that is too long or breaks off.
    #[error("11200: the answer cannot be read")]
    Body,
}

impl WebhookError {
    /// The network or the product's host is at fault, not what the product said.
    pub(super) fn is_outage(&self) -> bool {
        matches!(self, Self::Connect | Self::Timeout)
    }

    /// Twilio's error code, as it is told to the fallback URL.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Url(_) => "11100",
            Self::Override(_) => "11243",
            Self::Connect | Self::Timeout => "11205",
            Self::Status(_) | Self::Body => "11200",
        }
    }
}

/// Sends a request, again where the overrides say so, and returns the first good answer or the last error.
pub(super) async fn send(account: &Account, request: &Request) -> Result<Answer, WebhookError> {
    let overrides = Overrides::of(&request.url)?;
    let deadline = Instant::now() + overrides.total;
    let mut attempt = 0;
    loop {
        let Ok(outcome) = timeout_at(deadline, once(account, request, &overrides)).await else {
            return Err(WebhookError::Timeout);
        };
        let error = match outcome {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let again = match &error {
            WebhookError::Connect => overrides.policy.connect,
            WebhookError::Timeout => overrides.policy.read,
            WebhookError::Status(status) if (400..500).contains(status) => overrides.policy.client_error,
            WebhookError::Status(_) | WebhookError::Body => overrides.policy.server_error,
            WebhookError::Url(_) | WebhookError::Override(_) => false,
        };
        attempt += 1;
        let pause = RETRY_PAUSE * attempt;
        if !again || attempt > overrides.retries || Instant::now() + pause >= deadline {
            return Err(error);
        }
        sleep(pause).await;
    }
}

async fn once(account: &Account, request: &Request, overrides: &Overrides) -> Result<Answer, WebhookError> {
    let unroutable = || WebhookError::Url(request.url.clone());
    // A GET carries the parameters in its query, so that the URL alone is signed.
    let (url, form) = match request.method {
        Method::Post => (without_fragment(&request.url).to_owned(), request.params.as_slice()),
        Method::Get => (with_query(without_fragment(&request.url), &request.params), [].as_slice()),
    };
    let target = account.route(&url).ok_or_else(unroutable)?;
    // A client for each request: Twilio keeps no connection that a restart of the product would have to break.
    let client = reqwest::Client::builder()
        .connect_timeout(overrides.connect)
        .timeout(overrides.connect + overrides.read)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|_| unroutable())?;
    let builder = match request.method {
        Method::Get => client.get(&target),
        Method::Post => client.post(&target).form(form),
    };
    let builder = builder
        .header("x-twilio-signature", sign(&account.auth_token, &url, form))
        .header("user-agent", "TwilioProxy/1.1")
        .header("accept", "*/*");
    // Networks between say where a request comes from.
    let builder = HEADERS.into_iter().fold(builder, |builder, (name, value)| builder.header(name, value));
    let mut response = builder.send().await.map_err(|error| failure(&error))?;
    let status = response.status().as_u16();
    if !(200..300).contains(&status) {
        return Err(WebhookError::Status(status));
    }
    let header =
        response.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let content_type = header.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| WebhookError::Body)? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_BODY_BYTES {
            return Err(WebhookError::Body);
        }
    }
    Ok(Answer { status, content_type, body })
}

fn with_query(url: &str, params: &[(String, String)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
    format!("{url}{}{query}", if url.contains('?') { '&' } else { '?' })
}

fn failure(error: &reqwest::Error) -> WebhookError {
    if error.is_connect() {
        WebhookError::Connect
    } else if error.is_timeout() {
        WebhookError::Timeout
    } else {
        // The connection broke before an answer came: to Twilio the same as none.
        WebhookError::Connect
    }
}
