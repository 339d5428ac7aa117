//! Seals the entries of audit logs into the chains of their tenants.

use voicecore_store::audit_log;
use voicecore_store::directory::{self, UnsealedAudit};

use super::Swept;
use crate::{ApiError, AppState};

/// Tenants looked at in one run. Those that were sealed are not found again, so that everyone's turn comes.
const MAX_TENANTS: u32 = 200;
/// Tenants read at once.
const PAGE: u32 = 50;
/// Steps for one tenant in one run: some hundred entries.
const MAX_STEPS: u32 = 10;

/// Seals what waits. A tenant that cannot be sealed is counted and left for the next minute.
pub(super) async fn run(app: &AppState, swept: &mut Swept) -> Result<(), ApiError> {
    let mut after = None;
    for _ in 0..MAX_TENANTS / PAGE {
        let found = directory::unsealed_audits(&app.ports.db, after, PAGE).await?;
        let Some(last) = found.last() else { break };
        after = Some(last.scope.tenant());
        for tenant in &found {
            match seal(app, tenant).await {
                Ok(sealed) => swept.sealed += sealed,
                Err(_) => swept.unsealed += 1,
            }
        }
    }
    Ok(())
}

async fn seal(app: &AppState, tenant: &UnsealedAudit) -> Result<u32, ApiError> {
    let sealer = app.sealer(tenant.scope.tenant(), &tenant.wrapped_key)?;
    let mut entries = 0;
    for _ in 0..MAX_STEPS {
        let step = audit_log::seal(&tenant.scope, &sealer, app.now()).await?;
        entries += step.sealed;
        if !step.more {
            break;
        }
    }
    Ok(entries)
}
