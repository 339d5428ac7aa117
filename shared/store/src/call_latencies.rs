//! How long callers waited for the answers of a call. `analytics` makes figures of them.

use std::fmt::Write as _;

use voicecore_ports::Stmt;
use voicecore_types::{CallId, Millis};

use crate::Scope;
use crate::row::count_arg;

/// What fits into ten digits.
const MAX_LATENCY: Millis = Millis(9_999_999_999);

statements! {
    FORGET = "delete from call_latencies where tenant_id = ?2 and call_id = ?1";

    /// Places and milliseconds come as one text, ten digits each: one parameter for all.
    INSERT = "insert into call_latencies (tenant_id, call_id, seq, latency_ms)
        with recursive n (i) as (select 0 union all select i + 1 from n where i + 1 < ?3)
        select c.tenant_id, c.id, cast(substr(cast(?4 as text), n.i * 20 + 1, 10) as bigint),
        cast(substr(cast(?4 as text), n.i * 20 + 11, 10) as bigint)
        from calls c join n on n.i >= 0 where c.id = ?1 and c.tenant_id = ?2
        on conflict (tenant_id, call_id, seq) do nothing";
}

/// The statements that store latencies, each with the place of its answer in the transcript, in the place of those that are there.
pub(crate) fn stmts(scope: &Scope, call: CallId, latencies: &[(u32, Millis)]) -> Vec<Stmt> {
    let mut stmts = vec![Stmt::new(FORGET, vec![call.to_string().into(), scope.tenant_arg()])];
    if !latencies.is_empty() {
        let mut digits = String::with_capacity(latencies.len() * 20);
        for (seq, latency) in latencies {
            // Writing into text does not fail.
            let _ = write!(digits, "{seq:010}{:010}", latency.min(&MAX_LATENCY).0);
        }
        let count = count_arg(latencies.len() as u64);
        let args = vec![call.to_string().into(), scope.tenant_arg(), count, digits.into()];
        stmts.push(Stmt::new(INSERT, args));
    }
    stmts
}
