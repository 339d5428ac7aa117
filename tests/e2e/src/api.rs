//! The product's API, as a customer uses it.

use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::{Instant, sleep};
use voicecore_sim::scenario::Entry;

use crate::traces;

/// The longest that a finished call may take to show its transcript.
const TRANSCRIPT_LIMIT: Duration = Duration::from_secs(15);
/// Between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// A call, as far as the tests look at it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Call {
    pub(crate) id: String,
    pub(crate) carrier_call_id: String,
    pub(crate) status: String,
    pub(crate) end_reason: Option<String>,
    pub(crate) ended_at: Option<u64>,
}

/// A message, as far as the tests look at it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Message {
    pub(crate) call_id: String,
    pub(crate) kind: String,
    pub(crate) text: String,
    pub(crate) callback_number: Option<String>,
    pub(crate) recording_id: Option<String>,
}

#[derive(Deserialize)]
struct Messages {
    items: Vec<Message>,
}

#[derive(Deserialize)]
struct Calls {
    items: Vec<Call>,
}

#[derive(Deserialize)]
struct Interactions {
    complete: bool,
    items: Vec<Entry>,
}

/// A client that opens a connection for each request: one that has been idle may be closed by workerd at the moment at which it
/// is used again, and a request that must not be repeated by itself is lost then.
pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .pool_max_idle_per_host(0)
        .default_headers(traces::headers())
        .build()
        .unwrap_or_default()
}

/// A customer with an API key.
pub(crate) struct Api {
    base_url: String,
    key: String,
    client: reqwest::Client,
}

impl Api {
    pub(crate) fn new(base_url: String, key: String) -> Self {
        Self { base_url, key, client: client() }
    }

    /// What it shows as its credentials.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// GETs a resource.
    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let request = self.client.get(format!("{}{path}", self.base_url)).bearer_auth(&self.key);
        let response = request.send().await?;
        let status = response.status();
        let body = response.text().await?;
        anyhow::ensure!(status.is_success(), "GET {path}: {status} {body}");
        serde_json::from_str(&body).with_context(|| format!("GET {path}"))
    }

    /// POSTs to a resource without a body; gives the answer whatever its status is.
    pub(crate) async fn post(&self, path: &str) -> anyhow::Result<(u16, Value)> {
        self.ask("POST", path, None).await
    }

    /// Asks for anything; gives the answer whatever its status is. No body is null.
    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<(u16, Value)> {
        let request = self.client.request(method.parse()?, format!("{}{path}", self.base_url));
        let mut request = request.bearer_auth(&self.key);
        if ["PUT", "PATCH"].contains(&method) {
            // Whatever version it is.
            request = request.header("if-match", "*");
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let text = response.text().await?;
        let body = if text.is_empty() { Ok(Value::Null) } else { serde_json::from_str(&text) };
        Ok((status, body.with_context(|| format!("{method} {path}"))?))
    }

    /// The same API for somebody who signs in.
    pub(crate) async fn signed_in(&self, email: &str, password: &str) -> anyhow::Result<Self> {
        let body = serde_json::json!({"email": email, "password": password});
        let (status, answer) = self.ask("POST", "/api/v1/auth/login", Some(&body)).await?;
        let token = answer["access_token"].as_str();
        let token = token.with_context(|| format!("signing in: {status} {answer}"))?;
        Ok(Self::new(self.base_url.clone(), token.to_owned()))
    }

    /// The messages that callers left.
    pub(crate) async fn messages(&self) -> anyhow::Result<Vec<Message>> {
        let messages: Messages = serde_json::from_value(self.get("/api/v1/messages").await?)?;
        Ok(messages.items)
    }

    /// The call with Twilio's name, if the product knows it.
    pub(crate) async fn call(&self, call_sid: &str) -> anyhow::Result<Option<Call>> {
        let calls: Calls = serde_json::from_value(self.get("/api/v1/calls?page_size=100").await?)?;
        Ok(calls.items.into_iter().find(|call| call.carrier_call_id == call_sid))
    }

    /// What is wrong with what a call came to whose greeting was heard to its end, by the rules that a tenant begins with.
    pub(crate) async fn quality_problem(&self, call: &Call) -> Option<String> {
        let path = format!("/api/v1/calls/{}/qa", call.id);
        let deadline = Instant::now() + TRANSCRIPT_LIMIT;
        loop {
            let qa = match self.get(&path).await {
                Ok(qa) => qa,
                Err(error) => return Some(format!("{error:#}")),
            };
            // It is stored a moment after the end of the call.
            if qa["evaluated_at"].is_u64() || Instant::now() >= deadline {
                let good = qa["score"] == 1.0 && qa["rules"][0]["seq"] == 1;
                return (!good).then(|| format!("the call's quality is {qa}"));
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    /// The call and its whole transcript, once both are final.
    pub(crate) async fn finished(&self, call_sid: &str) -> anyhow::Result<(Call, Vec<Entry>)> {
        self.finished_within(call_sid, TRANSCRIPT_LIMIT).await
    }

    /// The same, of a call whose end may take `limit`.
    pub(crate) async fn finished_within(
        &self,
        call_sid: &str,
        limit: Duration,
    ) -> anyhow::Result<(Call, Vec<Entry>)> {
        let deadline = Instant::now() + limit;
        loop {
            let seen = self.call(call_sid).await?;
            if let Some(call) = seen.clone().filter(|call| call.ended_at.is_some()) {
                let path = format!("/api/v1/calls/{}/interactions", call.id);
                let transcript: Interactions = serde_json::from_value(self.get(&path).await?)?;
                // The reason stands in the call's row a moment after the transcript is final: its actor is putting it there.
                if transcript.complete && (call.end_reason.is_some() || Instant::now() >= deadline) {
                    return Ok((call, transcript.items));
                }
            }
            if Instant::now() >= deadline {
                match seen {
                    None => bail!("the product does not know the call"),
                    Some(call) => bail!("no transcript of the call; its status is {}", call.status),
                }
            }
            sleep(LOOK_AGAIN).await;
        }
    }
}
