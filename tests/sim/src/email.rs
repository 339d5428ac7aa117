//! Plays an e-mail service: `POST /emails` as Resend documents it (resend.com/docs/api-reference/emails/send-email), strict
//! about what it takes. What was sent is kept and shown: as JSON at `GET /sim/emails`, to people at `GET /`.

use std::collections::{BTreeMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Serialize;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::mailbox;

/// Mails kept; the oldest go first.
const MAX_KEPT: usize = 200;
/// Idempotency keys remembered.
const MAX_KEYS: usize = 1_000;
/// The most recipients of one mail.
const MAX_RECIPIENTS: usize = 50;
/// The longest idempotency key.
const MAX_KEY_CHARS: usize = 256;
/// Fields that the service documents.
const FIELDS: [&str; 13] = [
    "from",
    "to",
    "subject",
    "bcc",
    "cc",
    "scheduled_at",
    "reply_to",
    "html",
    "text",
    "headers",
    "topic_id",
    "attachments",
    "tags",
];

/// A mail that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sent {
    /// The service's name of it.
    pub id: String,
    /// Who sends.
    pub from: String,
    /// Who gets it.
    pub to: Vec<String>,
    /// What it is about.
    pub subject: String,
    /// As plain text.
    pub text: String,
    /// As HTML.
    pub html: String,
}

#[derive(Default)]
struct Kept {
    mails: VecDeque<Sent>,
    /// Idempotency key → body and id.
    keys: BTreeMap<String, (Vec<u8>, String)>,
    count: u64,
}

struct Inner {
    api_key: String,
    show: bool,
    kept: Mutex<Kept>,
}

impl Inner {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running service; it stops when it is dropped.
pub struct EmailSim {
    inner: Arc<Inner>,
    address: SocketAddr,
    server: JoinHandle<()>,
}

impl EmailSim {
    /// Starts on 127.0.0.1 (port 0: any). With `show`, each mail is printed as a line.
    pub async fn start(port: u16, api_key: &str, show: bool) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .await
            .with_context(|| format!("port {port} for the e-mail simulator"))?;
        let address = listener.local_addr()?;
        let inner = Arc::new(Inner { api_key: api_key.to_owned(), show, kept: Mutex::default() });
        let router = Router::new()
            .route("/emails", post(send))
            .route("/sim/emails", get(list))
            .route("/", get(page))
            .with_state(inner.clone());
        // Ends only with its task.
        let server = tokio::spawn(async move { drop(axum::serve(listener, router).await) });
        Ok(Self { inner, address, server })
    }

    /// Value for `EMAIL_BASE_URL`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What was sent, the oldest first.
    pub fn sent(&self) -> Vec<Sent> {
        self.inner.kept().mails.iter().cloned().collect()
    }
}

impl Drop for EmailSim {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// The newest first.
fn newest(inner: &Inner) -> Vec<Sent> {
    inner.kept().mails.iter().rev().cloned().collect()
}

async fn list(State(inner): State<Arc<Inner>>) -> Json<Value> {
    Json(json!({"items": newest(&inner)}))
}

async fn page(State(inner): State<Arc<Inner>>) -> Response {
    mailbox::page(&newest(&inner))
}

/// As the service words its errors.
fn refusal(status: StatusCode, name: &str, message: impl Into<String>) -> Response {
    let message: String = message.into();
    (status, Json(json!({"statusCode": status.as_u16(), "name": name, "message": message}))).into_response()
}

async fn send(State(inner): State<Arc<Inner>>, headers: HeaderMap, body: Bytes) -> Response {
    let header = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    match header(header::AUTHORIZATION).map(|value| value.strip_prefix("Bearer ")) {
        None => return refusal(StatusCode::UNAUTHORIZED, "missing_api_key", "Missing API key"),
        Some(Some(key)) if key == inner.api_key => {}
        Some(_) => return refusal(StatusCode::FORBIDDEN, "invalid_api_key", "API key is invalid"),
    }
    if !header(header::CONTENT_TYPE).is_some_and(|value| value.starts_with("application/json")) {
        return refusal(StatusCode::UNPROCESSABLE_ENTITY, "missing_required_field", "The body must be JSON.");
    }
    let key = headers.get("idempotency-key").and_then(|value| value.to_str().ok());
    if key.is_some_and(|key| key.is_empty() || key.chars().count() > MAX_KEY_CHARS) {
        let message = "The idempotency key must have 1 to 256 characters.";
        return refusal(StatusCode::BAD_REQUEST, "invalid_idempotency_key", message);
    }
    let mail = match read(&body) {
        Ok(mail) => mail,
        Err((name, message)) => return refusal(StatusCode::UNPROCESSABLE_ENTITY, name, message),
    };
    keep(&inner, key, &body, mail)
}

fn keep(inner: &Inner, key: Option<&str>, body: &[u8], mut mail: Sent) -> Response {
    let mut kept = inner.kept();
    if let Some((known, id)) = key.and_then(|key| kept.keys.get(key)) {
        if known == body {
            return Json(json!({"id": id})).into_response();
        }
        let message = "Same idempotency key used with a different request payload.";
        return refusal(StatusCode::CONFLICT, "invalid_idempotent_request", message);
    }
    kept.count += 1;
    mail.id = format!("00000000-0000-4000-8000-{:012}", kept.count);
    if let Some(key) = key.filter(|_| kept.keys.len() < MAX_KEYS) {
        kept.keys.insert(key.to_owned(), (body.to_vec(), mail.id.clone()));
    }
    if inner.show {
        let link = mail.text.lines().find(|line| line.starts_with("http")).unwrap_or_default();
        println!("mail to {}: {} {link}", mail.to.join(", "), mail.subject);
    }
    let answer = Json(json!({"id": mail.id})).into_response();
    if kept.mails.len() >= MAX_KEPT {
        kept.mails.pop_front();
    }
    kept.mails.push_back(mail);
    answer
}

type Wrong = (&'static str, String);

fn read(body: &[u8]) -> Result<Sent, Wrong> {
    let Ok(Value::Object(fields)) = serde_json::from_slice(body) else {
        return Err(("validation_error", "The body is not a JSON object.".to_owned()));
    };
    if let Some(unknown) = fields.keys().find(|name| !FIELDS.contains(&name.as_str())) {
        return Err(("validation_error", format!("Unknown field `{unknown}`.")));
    }
    let from = text(&fields, "from")?.ok_or_else(|| missing("from"))?;
    let to = match fields.get("to") {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(many)) => {
            many.iter().map(|one| one.as_str().map(str::to_owned)).collect::<Option<_>>().unwrap_or_default()
        }
        _ => return Err(missing("to")),
    };
    if to.is_empty() || to.len() > MAX_RECIPIENTS {
        return Err(("validation_error", "`to` takes 1 to 50 addresses.".to_owned()));
    }
    if let Some(bad) = [&from].into_iter().chain(&to).find(|address| !is_address(address)) {
        let message = format!(
            "Invalid address `{bad}`. It needs to follow the `email@example.com` or `Name <email@example.com>` format."
        );
        return Err(("validation_error", message));
    }
    let subject = text(&fields, "subject")?.ok_or_else(|| missing("subject"))?;
    let html = text(&fields, "html")?.unwrap_or_default();
    let text = text(&fields, "text")?.unwrap_or_default();
    if html.is_empty() && text.is_empty() {
        return Err(("missing_required_field", "Missing `html` or `text` field.".to_owned()));
    }
    Ok(Sent { id: String::new(), from, to, subject, text, html })
}

fn missing(field: &str) -> Wrong {
    ("missing_required_field", format!("Missing `{field}` field."))
}

fn text(fields: &Map<String, Value>, name: &str) -> Result<Option<String>, Wrong> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(("validation_error", format!("`{name}` must be a string."))),
    }
}

fn is_address(text: &str) -> bool {
    let address = match text.split_once('<') {
        Some((_, rest)) => rest.strip_suffix('>').unwrap_or_default(),
        None => text,
    };
    let (name, domain) = address.rsplit_once('@').unwrap_or_default();
    !name.is_empty()
        && domain.contains('.')
        && !address.contains(|c: char| c.is_whitespace() || c.is_control() || "<>,;".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn post(
        sim: &EmailSim,
        key: Option<&str>,
        idempotency: Option<&str>,
        body: &Value,
    ) -> (u16, Value) {
        let mut request = reqwest::Client::new().post(format!("{}/emails", sim.base_url())).json(body);
        if let Some(key) = key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        if let Some(idempotency) = idempotency {
            request = request.header("idempotency-key", idempotency);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    #[tokio::test]
    async fn a_mail_is_taken_once_for_each_key_and_shown() {
        let sim = EmailSim::start(0, "re_1", false).await.unwrap();
        let mail = json!({"from": "V <v@example.com>", "to": ["a@example.com"], "subject": "S", "text": "T"});
        let (status, first) = post(&sim, Some("re_1"), Some("k"), &mail).await;
        assert_eq!((status, post(&sim, Some("re_1"), Some("k"), &mail).await.1), (200, first));
        assert_eq!(sim.sent().len(), 1);
        let mut other = mail;
        other["subject"] = json!("Other");
        assert_eq!(post(&sim, Some("re_1"), Some("k"), &other).await.0, 409);
        let shown = reqwest::get(format!("{}/sim/emails", sim.base_url())).await.unwrap();
        let shown: Value = shown.json().await.unwrap();
        assert_eq!(shown["items"][0]["to"], json!(["a@example.com"]));
        let page = reqwest::get(sim.base_url()).await.unwrap();
        assert!(
            page.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'")
        );
        assert!(page.text().await.unwrap().contains("a@example.com"));
    }

    #[tokio::test]
    async fn what_the_service_refuses_is_refused() {
        let sim = EmailSim::start(0, "re_1", false).await.unwrap();
        let mail =
            || json!({"from": "v@example.com", "to": ["a@example.com"], "subject": "S", "html": "<p>"});
        assert_eq!(post(&sim, None, None, &mail()).await.0, 401);
        assert_eq!(post(&sim, Some("re_2"), None, &mail()).await.0, 403);
        for (field, value) in [
            ("from", json!("nobody")),
            ("from", Value::Null),
            ("to", json!([])),
            ("to", json!(["a@example.com, b@example.com"])),
            ("to", json!(5)),
            ("subject", Value::Null),
            ("html", json!("")),
            ("body", json!("x")),
        ] {
            let mut wrong = mail();
            wrong[field] = value.clone();
            assert_eq!(post(&sim, Some("re_1"), None, &wrong).await.0, 422, "{field} {value}");
        }
        assert!(sim.sent().is_empty());
    }
}
