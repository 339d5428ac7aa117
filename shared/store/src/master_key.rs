//! Rotation of `MASTER_KEY`: the keys that it wraps are wrapped anew, not a single row of data is touched.
//!
//! Works without a tenant, like `directory`: it goes through the keys of all of them, and opens none for anybody else. Every
//! step may be repeated, and two may run at once: a key is replaced only where it still is what was read.

use std::sync::Arc;

use voicecore_ports::{Db, Stmt};
use voicecore_types::TenantId;

use crate::directory::across_tenants;
use crate::row;
use crate::seal::{MasterKey, NONCE_BYTES};
use crate::{StoreError, directory};

/// Keys wrapped anew in one step.
pub const REWRAPPED_AT_ONCE: u32 = 50;

/// What one step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rewrapped {
    /// Keys that are wrapped by the new `MASTER_KEY` now.
    pub rewrapped: u32,
    /// Keys that neither the new nor the previous one opens.
    pub unreadable: u32,
    /// Where the next step goes on. `None`: there are no more.
    pub next: Option<TenantId>,
}

statements! {
    /// Walks all tenants' keys, one small row each, and only while keys rotate.
    STALE = "select tenant_id, wrapped_key from tenant_keys
        where tenant_id > ?1 and substr(wrapped_key, 4, 8) <> ?2 order by tenant_id limit ?3";

    SWAP = "update tenant_keys set wrapped_key = ?3 where tenant_id = ?1 and wrapped_key = ?2";

    SWAP_LOOKUP = "update platform_keys set wrapped_key = ?2 where name = 'lookup' and wrapped_key = ?1";
}

/// Wraps the platform's look-up key by the current `MASTER_KEY`, if it is not yet.
pub async fn rewrap_lookup(
    db: &dyn Db,
    master: &MasterKey,
    nonce: [u8; NONCE_BYTES],
) -> Result<Rewrapped, StoreError> {
    let mut done = Rewrapped::default();
    let Some(wrapped) = directory::wrapped_lookup_key(db).await? else { return Ok(done) };
    match master.rewrap_lookup(&wrapped, nonce) {
        Ok(None) => {}
        Ok(Some(new)) => {
            let swap = Stmt::new(SWAP_LOOKUP, vec![(&wrapped).into(), (&new).into()]);
            done.rewrapped += u32::from(db.query(swap).await?.changed == 1);
        }
        Err(_) => done.unreadable += 1,
    }
    Ok(done)
}

/// Wraps the data keys of tenants behind `after` by the current `MASTER_KEY`, those that are not yet, at most
/// [`REWRAPPED_AT_ONCE`]. A key that cannot be opened is counted and left as it is.
pub async fn rewrap_tenants(
    db: &Arc<dyn Db>,
    master: &MasterKey,
    after: Option<TenantId>,
    nonce: impl Fn() -> [u8; NONCE_BYTES],
) -> Result<Rewrapped, StoreError> {
    let from = after.map(|tenant| tenant.to_string()).unwrap_or_default();
    let stale = vec![from.into(), master.id().into(), REWRAPPED_AT_ONCE.into()];
    let rows = db.query(across_tenants(STALE, stale)).await?;
    let stale = row::all(&rows, |r| Ok((r.parsed::<TenantId>("tenant_id")?, r.wrapped_key("wrapped_key")?)))?;
    let mut done = Rewrapped::default();
    for (tenant, wrapped) in &stale {
        match master.rewrap_tenant(*tenant, wrapped, nonce()) {
            Ok(None) => {}
            Ok(Some(new)) => {
                let swap = vec![tenant.to_string().into(), wrapped.into(), (&new).into()];
                done.rewrapped += u32::from(db.query(across_tenants(SWAP, swap)).await?.changed == 1);
            }
            Err(_) => done.unreadable += 1,
        }
    }
    let full = u32::try_from(stale.len()).is_ok_and(|found| found == REWRAPPED_AT_ONCE);
    done.next = stale.last().map(|(tenant, _)| *tenant).filter(|_| full);
    Ok(done)
}
