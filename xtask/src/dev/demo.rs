//! The demo tenant: data that exists only here, never in a migration.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::state::{hex, random};
use crate::http;

pub(super) const EMAIL: &str = "demo@voicecore.example";
/// Numbers reserved for fiction (NANP 555-01xx).
pub(super) const PHONE_NUMBER: &str = "+12025550143";
pub(super) const FALLBACK_NUMBER: &str = "+12025550199";

/// As `POST /api/v1/setup/claim` made it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Demo {
    pub(crate) tenant_id: String,
    pub(crate) api_key: String,
    pub(crate) email: String,
    /// With which the owner signs in. Not there in folders of earlier versions.
    #[serde(default)]
    pub(crate) password: String,
    pub(crate) phone_number: String,
    pub(crate) fallback_number: String,
}

/// Provisions the demo tenant the way a deployed system's first tenant is.
pub(super) fn claim(base_url: &str, token: &str) -> Result<Demo> {
    let password = hex(&random::<8>()?);
    let answer = http::post_json(
        &format!("{base_url}/api/v1/setup/claim"),
        &json!({
            "token": token,
            "password": password,
            "tenant_name": "Demo",
            "business_name": "Ada's Kitchen",
            "phone_number": PHONE_NUMBER,
            "fallback_number": FALLBACK_NUMBER,
            "language": "en",
        }),
    )
    .context("provisioning the demo tenant")?;
    let text = |name: &str| -> Result<String> {
        Ok(answer[name].as_str().with_context(|| format!("the claim's answer lacks {name}"))?.to_owned())
    };
    Ok(Demo {
        tenant_id: text("tenant_id")?,
        api_key: text("api_key")?,
        email: EMAIL.to_owned(),
        password,
        phone_number: PHONE_NUMBER.to_owned(),
        fallback_number: FALLBACK_NUMBER.to_owned(),
    })
}
