//! The rules that the calls of a tenant are held against. Their JSON is that of `voicecore_domain::qa::Rule`.

use voicecore_ports::Stmt;
use voicecore_types::Millis;

use crate::audit_log::{self, AuditEntry};
use crate::row::{self, count_arg};
use crate::{Scope, StoreError};

/// All rules of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRules {
    /// A list of rules, as JSON.
    pub rules: String,
    /// Grows by one with every change; never 0, which is the version of what a tenant without rules of its own has.
    pub version: u64,
    /// When they were changed last.
    pub updated_at: Millis,
}

statements! {
    GET = "select rules, version, updated_at from qa_rules where tenant_id = ?1";

    INSERT = "insert into qa_rules (tenant_id, rules, version, updated_at) values (?1, ?2, 1, ?3)";

    SAVE = "insert into qa_rules (tenant_id, rules, version, updated_at)
        select t.id, ?2, 1, cast(?3 as bigint) from tenants t where t.id = ?1
        on conflict (tenant_id) do update
        set rules = excluded.rules, version = qa_rules.version + 1, updated_at = excluded.updated_at
        where qa_rules.version = ?4";
}

/// The rules of the tenant. `None`: it has none of its own, but those of the product.
pub async fn get(scope: &Scope) -> Result<Option<StoredRules>, StoreError> {
    let rows = scope.query(Stmt::new(GET, vec![scope.tenant_arg()])).await?;
    row::one(&rows, |r| {
        Ok(StoredRules {
            rules: r.text("rules")?,
            version: r.count("version")?,
            updated_at: r.moment("updated_at")?,
        })
    })
}

/// Those that a new tenant begins with.
pub(crate) fn insert(scope: &Scope, rules: &str, now: Millis) -> Stmt {
    Stmt::new(INSERT, vec![scope.tenant_arg(), rules.into(), now.into()]).exactly(1)
}

/// Puts rules in the place of those of this version, on the tenant's record. `false`: it is another one by now.
pub async fn save(
    scope: &Scope,
    rules: &str,
    version: u64,
    entry: &AuditEntry<'_>,
) -> Result<bool, StoreError> {
    let args = vec![scope.tenant_arg(), rules.into(), entry.at.into(), count_arg(version)];
    scope.batch_once(vec![Stmt::new(SAVE, args).exactly(1), audit_log::entry(scope, entry)]).await
}
