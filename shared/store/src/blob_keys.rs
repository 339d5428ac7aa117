//! Where a call's documents lie in the blob store. Keys begin with the tenant: deleting it is deleting a prefix.

use voicecore_types::{CallId, TenantId};

/// What every key of a tenant begins with.
pub fn prefix(tenant: TenantId) -> String {
    format!("t/{tenant}/")
}

/// The finished transcript: one JSON document, as plain text (it is searched).
pub fn transcript(tenant: TenantId, call: CallId) -> String {
    format!("t/{tenant}/calls/{call}/transcript.json")
}

/// The archived journal, sealed under [`Column::Journal`](crate::seal::Column::Journal).
pub fn journal(tenant: TenantId, call: CallId) -> String {
    format!("t/{tenant}/calls/{call}/journal.sealed")
}
