//! What a call's actor needs of the rest of the system, from its first frame to its archived transcript.

mod finish;
mod journal;
mod model;
pub(crate) mod prompt;
mod setup;
pub(crate) mod ticket;
pub(crate) mod tools;
pub(crate) mod transcript;
pub(crate) mod watchers;

pub use finish::{FinishError, archive_journal, finish_call};
pub(crate) use finish::{finish_without_actor, reason_word};
pub use journal::JournalLines;
pub use model::{ModelRequest, model_request};
pub(crate) use setup::call_setup;
pub use setup::{CallSetup, LoadError, TestCallSetup, load_call};
pub use ticket::{LIVE_PATH, LiveAccess, TicketRefusal, authorize_live, open_ticket};
pub use tools::{record_tool, run_tool};
pub use watchers::may_listen;
