//! Who may still listen to a live stream. What opened it (a session, a key) may be revoked, and what it allowed may be taken,
//! while the socket stays open. So the hub asks here, every `voicecore_domain::hub::LOOK_INTERVAL` and whenever it is told that
//! something was changed. What it is told is only when to ask: the rows say what is so.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use voicecore_domain::Permission;
use voicecore_domain::hub::Watcher;
use voicecore_store::StoreError;
use voicecore_store::directory::watchers;
use voicecore_types::{TenantId, UserId, set_of};

use crate::AppState;
use crate::actors::{HubCommand, ask_hub};

/// Hubs that are told of one change. Those of further tenants find out by themselves.
const HUBS_TOLD: u32 = 20;

/// Those of `asked` who may listen to the stream of `tenant` now.
pub async fn may_listen(
    app: &AppState,
    tenant: TenantId,
    asked: &[Watcher],
) -> Result<BTreeSet<Watcher>, StoreError> {
    let principals = watchers::principals(&app.ports.db, asked, app.now()).await?;
    let may = asked.iter().zip(principals).filter(|(_, principal)| {
        principal.as_ref().is_some_and(|principal| {
            principal.scope.tenant() == tenant
                && !principal.suspended
                && principal.permissions.contains(Permission::LiveRead)
                && principal.sees_all()
        })
    });
    Ok(set_of(may.map(|(watcher, _)| *watcher)))
}

/// Rights in this tenant were changed: its hub looks again without delay. It finds out by itself if it cannot be told.
pub(crate) async fn look_again(app: &AppState, tenant: TenantId) {
    let _ = ask_hub(&*app.ports.actors, tenant, &HubCommand::LookAgain).await;
}

/// The same for every tenant in which a user is signed in, at the same time: it takes no longer than one hub that does not answer.
pub(crate) async fn look_again_everywhere(app: &AppState, user: UserId) {
    if !app.ports.actors.available() {
        return;
    }
    let tenants = watchers::tenants_of_sessions(&*app.ports.db, user, HUBS_TOLD).await;
    join_all(tenants.unwrap_or_default().into_iter().map(|tenant| look_again(app, tenant))).await;
}
