//! The conformance suite of the HTTP API against the worker.

use std::time::Duration;

use serde_json::json;
use voicecore_conformance::http_api::{Answer, Ask, Site, suite};
use voicecore_conformance::report;
use voicecore_domain::credentials::SetupToken;

use crate::cases::Outcome;
use crate::system::{ACCOUNT_SID, AUTH_TOKEN, FAR_FUTURE, PUBLIC_URL, System};

/// Runs it.
pub(crate) async fn run(system: &System) -> anyhow::Result<Outcome> {
    let token = SetupToken::new(&[8; 32]);
    let insert =
        "insert into setup_tokens (token_hash, email, created_at, expires_at) values (?1, ?2, ?3, ?4)";
    let row = [json!(token.hash()), json!("second@example.com"), json!(0), json!(FAR_FUTURE)];
    system.sql(insert, &row).await?;
    let base_url = system.workerd.url();
    // Connections are used again, as clients do, but not when workerd may be about to close them (after 5 s).
    let client = reqwest::Client::builder().pool_idle_timeout(Duration::from_secs(2)).build()?;
    let site = Site {
        send: &|ask| Box::pin(send(&client, &base_url, ask)),
        public_url: PUBLIC_URL,
        account_sid: ACCOUNT_SID,
        auth_token: AUTH_TOKEN,
        setup_token: token.expose(),
        setup_email: "second@example.com",
        number: "+12025550150",
    };
    // A broken promise is a panic: whoever plays the case makes a problem of it.
    let cases = suite(&site).await;
    report::passed("HTTP API", system.database.engine().backend());
    Ok(Outcome { note: format!("{cases} cases"), problems: vec![] })
}

async fn send(client: &reqwest::Client, base_url: &str, ask: Ask) -> Result<Answer, String> {
    let method = ask.method.parse().map_err(|_| "no method".to_owned())?;
    let mut request = client.request(method, format!("{base_url}{}", ask.path)).body(ask.body);
    for (name, value) in ask.headers {
        request = request.header(name, value);
    }
    let response = request.send().await.map_err(shown)?;
    let header = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
        (name.to_string(), value.to_str().unwrap_or_default().to_owned())
    };
    Ok(Answer {
        status: response.status().as_u16(),
        headers: response.headers().iter().map(header).collect(),
        body: response.bytes().await.map_err(shown)?.into(),
    })
}

/// An error with everything that caused it.
fn shown(error: reqwest::Error) -> String {
    format!("{:#}", anyhow::Error::from(error))
}
