//! A tenant of the product, made as its owner would: by a set-up link.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use voicecore_domain::credentials::SetupToken;

use crate::host::Host;

/// Year 2100 in milliseconds: the set-up link of a test does not expire.
const FAR_FUTURE: i64 = 4_102_444_800_000;
/// Whoever sets it up.
pub(crate) const EMAIL: &str = "owner@example.com";

/// A set-up link's token in a database that has been migrated.
pub(crate) async fn setup_token(host: &Host) -> Result<SetupToken> {
    ensure!(host.client().get(host.url("/ready")).send().await?.status().is_success(), "{}", host.log());
    let (token, insert, _) = setup_row();
    let row = rusqlite::params![token.hash(), EMAIL, FAR_FUTURE];
    host.database()?.execute(insert, row)?;
    Ok(token)
}

/// A set-up link's token, and the statement that makes it known, with its arguments.
pub(crate) fn setup_row() -> (SetupToken, &'static str, Vec<voicecore_ports::Value>) {
    let token = SetupToken::new(&[8; 32]);
    let insert =
        "insert into setup_tokens (token_hash, email, created_at, expires_at) values (?1, ?2, 0, ?3)";
    let row = vec![token.hash().into(), EMAIL.into(), FAR_FUTURE.into()];
    (token, insert, row)
}

/// Makes a tenant with this number, and a human being at the other. Returns its API key.
pub(crate) async fn claim(host: &Host, number: &str, fallback: &str) -> Result<String> {
    let claim = json!({
        "token": setup_token(host).await?.expose(),
        "tenant_name": "Spin",
        "business_name": "Harbour House",
        "phone_number": number,
        "fallback_number": fallback,
    });
    let claimed = host.client().post(host.url("/api/v1/setup/claim")).json(&claim).send().await?;
    let made: Value = claimed.json().await?;
    Ok(made["api_key"].as_str().with_context(|| format!("the claim shows no api_key: {made}"))?.to_owned())
}
