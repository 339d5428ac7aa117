use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use axum::Router;
use axum::routing::post;
use spin_sdk::variables;
use voicecore_api::{ApiError, AppState, Config};
use voicecore_ports::Ports;

use crate::jobs::{self, Runner};
use crate::ports;

thread_local! {
    static ROUTER: OnceCell<Router> = const { OnceCell::new() };
}

/// The HTTP API over the ports of this platform, made with the first request of an instance. An instance lives for seconds,
/// so a changed variable is soon seen.
///
/// Fails when a variable cannot be read, which is not the same as one that is not set: the next request tries again.
pub(crate) async fn router() -> Result<Router, ApiError> {
    if let Some(router) = ROUTER.with(|cell| cell.get().cloned()) {
        return Ok(router);
    }
    let made = make().await?;
    // Somebody else may have been quicker; what was made is the same.
    Ok(ROUTER.with(|cell| cell.get_or_init(|| made).clone()))
}

async fn make() -> Result<Router, ApiError> {
    let mut values = HashMap::new();
    for name in names() {
        if let Some(value) = variable(&name).await? {
            values.insert(name, value);
        }
    }
    let mut config = Config::from_lookup(&|name| values.get(name).cloned());
    let secret = jobs::secret(values.remove(jobs::SECRET));
    config.platform_misses = secret.as_ref().err().copied();
    let state = AppState::new(all_ports(&values), Arc::new(config));
    let runner = Runner::new(state.clone(), secret);
    Ok(voicecore_api::router(state).route(jobs::PATH, post(jobs::run).with_state(Arc::new(runner))))
}

#[cfg(not(feature = "postgres"))]
fn all_ports(_: &HashMap<String, String>) -> Ports {
    ports::all()
}

#[cfg(feature = "postgres")]
fn all_ports(values: &HashMap<String, String>) -> Ports {
    match values.get(ports::postgres::DATABASE_URL).map(|address| address.trim()) {
        None | Some("") => ports::all(),
        Some(address) => ports::all_with_postgres(address),
    }
}

/// Every name that the configuration asks for, by asking: no list can be forgotten.
fn names() -> BTreeSet<String> {
    let asked = RefCell::new(BTreeSet::new());
    asked.borrow_mut().insert(jobs::SECRET.to_owned());
    #[cfg(feature = "postgres")]
    asked.borrow_mut().insert(ports::postgres::DATABASE_URL.to_owned());
    let _ = Config::from_lookup(&|name| {
        asked.borrow_mut().insert(name.to_owned());
        None
    });
    asked.into_inner()
}

/// Spin's names are lower case. Blank is not set, which `Config` knows.
async fn variable(name: &str) -> Result<Option<String>, ApiError> {
    match variables::get(name.to_lowercase()).await {
        Ok(value) => Ok(Some(value)),
        // Not in the manifest.
        Err(variables::Error::Undefined(_) | variables::Error::InvalidName(_)) => Ok(None),
        Err(error) => {
            // What a provider says may quote its own credentials.
            let kind = if matches!(error, variables::Error::Provider(_)) { "provider" } else { "host" };
            Err(ApiError::Unavailable { part: "variables", cause: format!("the {kind} failed for {name}") })
        }
    }
}
