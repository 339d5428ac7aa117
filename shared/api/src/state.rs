use std::sync::{Arc, OnceLock};

use voicecore_ports::Ports;
use voicecore_store::seal::{LookupKey, NONCE_BYTES, Sealer, WrappedKey};
use voicecore_store::{Scope, business_config, directory};
use voicecore_types::{E164, Millis, TenantId};

use crate::{ApiError, Config};

/// What every handler works with. Cheap to clone; keep one for each isolate or process.
#[derive(Clone)]
pub struct AppState {
    /// The outside world.
    pub ports: Ports,
    /// How it is configured.
    pub config: Arc<Config>,
    /// The platform's look-up key never changes once it exists (see `voicecore-store`), so it is read once.
    lookup_key: Arc<OnceLock<LookupKey>>,
}

impl AppState {
    /// Joins ports and configuration.
    pub fn new(ports: Ports, config: Arc<Config>) -> Self {
        Self { ports, config, lookup_key: Arc::default() }
    }

    pub(crate) fn now(&self) -> Millis {
        self.ports.clock.now()
    }

    /// Fresh random bytes.
    pub(crate) fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.ports.rng.fill(&mut bytes);
        bytes
    }

    /// A nonce for one sealed value.
    pub(crate) fn nonce(&self) -> [u8; NONCE_BYTES] {
        self.random()
    }

    /// What makes phone numbers findable; `None` as long as nothing was ever set up.
    pub(crate) async fn lookup_key(&self) -> Result<Option<LookupKey>, ApiError> {
        if let Some(key) = self.lookup_key.get() {
            return Ok(Some(key.clone()));
        }
        let key = directory::lookup_key(&*self.ports.db, self.config.keys.master_key.get()?).await?;
        if let Some(key) = &key {
            // Somebody else may have been quicker; the value is the same.
            let _ = self.lookup_key.set(key.clone());
        }
        Ok(key)
    }

    /// A call that went on to a number of the tenant's own would come back.
    pub(crate) async fn refuse_own_number(
        &self,
        scope: &Scope,
        field: &str,
        number: Option<&E164>,
    ) -> Result<(), ApiError> {
        let Some(number) = number else { return Ok(()) };
        let lookup = self.lookup_key().await?;
        let lookup = lookup.ok_or_else(|| ApiError::Internal("no look-up key".to_owned()))?;
        if business_config::is_own_number(scope, &lookup.dialled(number)).await? {
            return Err(ApiError::invalid(field, "must not be a number that rings here"));
        }
        Ok(())
    }

    /// Opens the data key of a tenant.
    pub(crate) fn sealer(&self, tenant: TenantId, wrapped: &WrappedKey) -> Result<Sealer, ApiError> {
        Ok(self.config.keys.master_key.get()?.open_tenant(tenant, wrapped)?)
    }
}
