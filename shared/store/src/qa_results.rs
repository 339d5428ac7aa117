//! What calls came to by the rules of their tenant: one result for each call, the last one.

use voicecore_ports::Stmt;
use voicecore_types::{CallId, Millis};

use crate::audit_log::{self, AuditEntry};
use crate::row::{self, count_arg};
use crate::{Scope, StoreError};

/// A result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QaResult {
    /// The share of the rules that the call keeps, in thousandths. None: there were no rules.
    pub score_permille: Option<u32>,
    /// The version of the rules; 0: those of the product.
    pub rules_version: u64,
    /// When the call was held against them.
    pub evaluated_at: Millis,
    /// A list of `voicecore_domain::qa::Outcome`, as JSON.
    pub outcomes: String,
}

statements! {
    GET = "select score_permille, rules_version, evaluated_at, outcomes from qa_results where call_id = ?1 and tenant_id = ?2";

    PUT = "insert into qa_results (tenant_id, call_id, score_permille, rules_version, evaluated_at, outcomes)
        select c.tenant_id, c.id, cast(?3 as bigint), cast(?4 as bigint), cast(?5 as bigint), ?6
        from calls c where c.id = ?1 and c.tenant_id = ?2
        on conflict (tenant_id, call_id) do update set score_permille = excluded.score_permille,
        rules_version = excluded.rules_version, evaluated_at = excluded.evaluated_at, outcomes = excluded.outcomes";
}

/// What a call came to, if it has been held against any rules.
pub async fn get(scope: &Scope, call: CallId) -> Result<Option<QaResult>, StoreError> {
    let rows = scope.query(Stmt::new(GET, vec![call.to_string().into(), scope.tenant_arg()])).await?;
    row::one(&rows, |r| {
        let permille = r.opt_count("score_permille")?.map(u32::try_from).transpose();
        Ok(QaResult {
            score_permille: permille.map_err(|_| StoreError::OddRow { column: "score_permille" })?,
            rules_version: r.count("rules_version")?,
            evaluated_at: r.moment("evaluated_at")?,
            outcomes: r.text("outcomes")?,
        })
    })
}

/// Stores a result in the place of the one that is there.
pub(crate) fn put(scope: &Scope, call: CallId, result: &QaResult) -> Stmt {
    let args = vec![
        call.to_string().into(),
        scope.tenant_arg(),
        result.score_permille.map(u64::from).map(count_arg).into(),
        count_arg(result.rules_version),
        result.evaluated_at.into(),
        result.outcomes.as_str().into(),
    ];
    Stmt::new(PUT, args)
}

/// The same because somebody asked for it, on the tenant's record.
pub async fn replace(
    scope: &Scope,
    call: CallId,
    result: &QaResult,
    entry: &AuditEntry<'_>,
) -> Result<(), StoreError> {
    let stmts = vec![put(scope, call, result).exactly(1), audit_log::entry(scope, entry)];
    scope.batch(stmts).await?;
    Ok(())
}
