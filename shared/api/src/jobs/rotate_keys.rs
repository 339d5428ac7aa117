//! Wraps keys by `MASTER_KEY` that are still wrapped by `MASTER_KEY_PREVIOUS`.

use voicecore_store::master_key;

use super::Swept;
use crate::{ApiError, AppState};

/// Steps in one run: a thousand tenants a minute.
const MAX_STEPS: u32 = 20;

/// Does a part of what is left to do, while there is a previous key.
pub(super) async fn run(app: &AppState, swept: &mut Swept) -> Result<(), ApiError> {
    let Some(master) = app.config.keys.master_key.get().ok().filter(|master| master.is_rotating()) else {
        return Ok(());
    };
    let done = master_key::rewrap_lookup(&*app.ports.db, master, app.nonce()).await?;
    swept.rewrapped += done.rewrapped;
    swept.not_rewrapped += done.unreadable;
    let mut after = None;
    for _ in 0..MAX_STEPS {
        let done = master_key::rewrap_tenants(&app.ports.db, master, after, || app.nonce()).await?;
        swept.rewrapped += done.rewrapped;
        swept.not_rewrapped += done.unreadable;
        after = done.next;
        if after.is_none() {
            break;
        }
    }
    Ok(())
}
