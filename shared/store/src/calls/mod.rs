//! Telephone calls: admission, lists, status, end.

mod admit;
mod list;
mod progress;

pub(crate) use admit::lock;
pub use admit::{Admission, NewCall, Refusal, admit};
pub use list::{CallFilter, CallSort, get, list};
pub use progress::{Advance, FinishedCall, advance, finish};
pub(crate) use progress::{add_cost, log_end};
use voicecore_domain::{CallDirection, CallStatus, TokenUsage};
use voicecore_types::{BusinessId, CallId, Millis};

use crate::StoreError;
use crate::row::Reader;
use crate::seal::Sealed;

#[cfg(test)]
pub(crate) use self::{
    admit::STATEMENTS as ADMIT_STATEMENTS, list::STATEMENTS as LIST_STATEMENTS, list::list_stmts,
    progress::STATEMENTS as PROGRESS_STATEMENTS,
};

/// A call as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Our name of it.
    pub id: CallId,
    /// Who answers.
    pub business_id: BusinessId,
    /// The carrier's name of it.
    pub carrier_call_id: String,
    /// Who rang whom.
    pub direction: CallDirection,
    /// Where it is in its life.
    pub status: CallStatus,
    /// Who rings; sealed for `Column::CallerNumber`. `None` for an anonymous caller.
    pub caller_number: Option<Sealed>,
    /// When it came in.
    pub started_at: Millis,
    /// When it was connected.
    pub answered_at: Option<Millis>,
    /// When the line was free again.
    pub ended_at: Option<Millis>,
    /// When its summary was stored: from then on the transcript is a document in the blob store.
    pub finished_at: Option<Millis>,
    /// Why it ended.
    pub end_reason: Option<String>,
    /// Media streams that it took.
    pub attempts: u32,
    /// Sessions with the model that it took.
    pub model_sessions: u32,
    /// Entries of its transcript.
    pub interaction_count: u32,
    /// The model.
    pub model: Option<String>,
    /// What the model's provider bills.
    pub usage: TokenUsage,
    /// And what that costs, in micro-dollars.
    pub cost_micros: u64,
}

impl Call {
    /// How long the two sides were connected; `None` while they are, zero if they never were.
    pub fn duration(&self) -> Option<Millis> {
        let ended = self.ended_at?;
        Some(self.answered_at.map_or(Millis::ZERO, |answered| ended.since(answered)))
    }
}

/// The columns of a [`Call`], for `concat!`.
macro_rules! call_columns {
    () => {
        "id, business_id, carrier_call_id, direction, status, caller_number, started_at, answered_at, ended_at,
        finished_at, end_reason, attempts, model_sessions, interaction_count, model, text_in_tokens,
        text_cached_tokens, text_out_tokens, audio_in_tokens, audio_cached_tokens, audio_out_tokens, cost_micros"
    };
}
use call_columns;

fn map_call(r: &Reader<'_>) -> Result<Call, StoreError> {
    Ok(Call {
        id: r.parsed("id")?,
        business_id: r.parsed("business_id")?,
        carrier_call_id: r.text("carrier_call_id")?,
        direction: r.parsed("direction")?,
        status: r.parsed("status")?,
        caller_number: r.sealed("caller_number")?,
        started_at: r.moment("started_at")?,
        answered_at: r.opt_moment("answered_at")?,
        ended_at: r.opt_moment("ended_at")?,
        finished_at: r.opt_moment("finished_at")?,
        end_reason: r.opt_text("end_reason")?,
        attempts: r.small("attempts")?,
        model_sessions: r.small("model_sessions")?,
        interaction_count: r.small("interaction_count")?,
        model: r.opt_text("model")?,
        usage: TokenUsage {
            text_in: r.count("text_in_tokens")?,
            text_cached: r.count("text_cached_tokens")?,
            text_out: r.count("text_out_tokens")?,
            audio_in: r.count("audio_in_tokens")?,
            audio_cached: r.count("audio_cached_tokens")?,
            audio_out: r.count("audio_out_tokens")?,
        },
        cost_micros: r.count("cost_micros")?,
    })
}
