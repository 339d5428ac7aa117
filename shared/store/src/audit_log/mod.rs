//! Who did what. Entries go into the batch of the change they speak of; [`seal`] then makes them a chain ([`verify`]).

mod chain;
mod list;

#[cfg(test)]
pub(crate) use chain::STATEMENTS as CHAIN_STATEMENTS;
pub use chain::{Broken, ChainHead, Flaw, MAX_VERIFIED, SEALED_AT_ONCE, Sealing, Verified, seal, verify};
pub use list::{AuditFilter, AuditRow, MAX_EXPORTED, export, list};
#[cfg(test)]
pub(crate) use list::{STATEMENTS as LIST_STATEMENTS, list_stmts};

use voicecore_ports::Stmt;
use voicecore_types::{AuditEntryId, Millis};

use crate::{Scope, StoreError};

/// One entry: ids and fields, never values.
#[derive(Debug, Clone)]
pub struct AuditEntry<'a> {
    /// Its id.
    pub id: AuditEntryId,
    /// When.
    pub at: Millis,
    /// What kind of actor: `setup`, `api_key`, `operator`, …
    pub actor_kind: &'static str,
    /// Which one.
    pub actor_id: Option<&'a str>,
    /// `<noun>.<verb>`.
    pub action: &'static str,
    /// What it was done to.
    pub subject_id: Option<&'a str>,
}

statements! {
    INSERT = "insert into audit_log (id, tenant_id, at, actor_kind, actor_id, action, subject_id, fields)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
}

/// The statement that writes an entry.
pub fn entry(scope: &Scope, entry: &AuditEntry<'_>) -> Stmt {
    entry_of_fields(scope, entry, &[])
}

/// The same, of a change that touched these fields. Their names only.
pub fn entry_of_fields(scope: &Scope, entry: &AuditEntry<'_>, fields: &[&'static str]) -> Stmt {
    let args = vec![
        entry.id.to_string().into(),
        scope.tenant_arg(),
        entry.at.into(),
        entry.actor_kind.into(),
        entry.actor_id.into(),
        entry.action.into(),
        entry.subject_id.into(),
        (!fields.is_empty()).then(|| fields.join(" ")).into(),
    ];
    // Of this tenant, in whosever batch it is written.
    scope.reaching(Stmt::new(INSERT, args)).exactly(1)
}

/// Whether the statement writes an entry: what it stands beside in a batch is a change on the record.
pub(crate) fn is_entry(stmt: &Stmt) -> bool {
    stmt.sql.text() == INSERT
}

/// Stores an entry by itself: for what is done outside of the database.
pub async fn record(scope: &Scope, audited: &AuditEntry<'_>) -> Result<(), StoreError> {
    scope.query(entry(scope, audited)).await?;
    Ok(())
}
