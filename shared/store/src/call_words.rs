//! Which words were said in which call. A search is a walk along the key of `call_words`, newest first, within one tenant.
//!
//! Why not the engines' own full-text indexes: theirs span tenants, give rows in an order of their own (so that a page of the newest
//! needs all that match), split text in their own ways, and SQLite's would be a file of migrations of its own that breaks D1's export.
//! This one costs about 265 bytes for each different word of a call, on SQLite (table, key and the index by call).

use std::fmt::Write as _;

use voicecore_domain::words::MAX_WORD_CHARS;
use voicecore_ports::Stmt;
use voicecore_types::{CallId, Millis};

use crate::qa_results::{self, QaResult};
use crate::row::count_arg;
use crate::{Scope, StoreError, call_latencies};

statements! {
    FORGET = "delete from call_words where call_id = ?1 and tenant_id = ?2";

    /// The words come as one text, each filled with blanks to 24 characters (`MAX_WORD_CHARS`): one parameter for all.
    INSERT = "insert into call_words (tenant_id, word, at, call_id)
        with recursive n (i) as (select 0 union all select i + 1 from n where i + 1 < ?3)
        select c.tenant_id, rtrim(substr(cast(?4 as text), n.i * 24 + 1, 24)), c.started_at, c.id
        from calls c join n on n.i >= 0 where c.id = ?1 and c.tenant_id = ?2
        on conflict (tenant_id, word, at, call_id) do nothing";
}

/// Stores the words (`voicecore_domain::words`) that were said in a call, how long callers waited for answers (each with the place
/// of its answer in the transcript), and what the call came to by the rules, in the place of what is there.
pub async fn store(
    scope: &Scope,
    call: CallId,
    words: &[String],
    latencies: &[(u32, Millis)],
    result: Option<&QaResult>,
) -> Result<(), StoreError> {
    let mut stmts = vec![Stmt::new(FORGET, vec![call.to_string().into(), scope.tenant_arg()])];
    if !words.is_empty() {
        let mut filled = String::with_capacity(words.len() * MAX_WORD_CHARS);
        for word in words {
            // Writing into text does not fail.
            let _ = write!(filled, "{word:<MAX_WORD_CHARS$}");
        }
        let count = count_arg(words.len() as u64);
        stmts
            .push(Stmt::new(INSERT, vec![call.to_string().into(), scope.tenant_arg(), count, filled.into()]));
    }
    stmts.extend(call_latencies::stmts(scope, call, latencies));
    stmts.extend(result.map(|result| qa_results::put(scope, call, result)));
    scope.batch(stmts).await?;
    Ok(())
}
