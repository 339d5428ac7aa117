//! The lines of a running call's journal, as they lie in its actor's storage.

use serde::{Deserialize, Serialize};
use voicecore_call::JournalEntry;
use voicecore_store::seal::{Column, Sealed, Sealer, WrappedKey};

use super::CallSetup;
use crate::AppState;

/// Writes and reads the lines of one call's journal.
///
/// What a caller told a tool may be a telephone number, so tool calls are sealed with the tenant's key. They are few; the
/// rest of a journal is what the transcript will hold, written several times a second and stored as plain text anyway.
pub struct JournalLines {
    app: AppState,
    sealer: Option<Sealer>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Line<T> {
    Sealed { sealed: String },
    Plain(T),
}

impl JournalLines {
    /// Of this call. Without the tenant's key (`MASTER_KEY` was changed while the call ran) tool calls are not written, and
    /// those that were cannot be read: after a restart the call goes on without them.
    #[must_use]
    pub fn new(app: &AppState, setup: &CallSetup) -> Self {
        let wrapped = setup.wrapped_key.clone().map(WrappedKey::from_stored);
        let sealer = wrapped.and_then(|wrapped| app.sealer(setup.tenant_id, &wrapped).ok());
        Self { app: app.clone(), sealer }
    }

    /// The line of an entry, without its end. `None`: it must not be written.
    #[must_use]
    pub fn write(&self, entry: &JournalEntry) -> Option<String> {
        if !matches!(entry, JournalEntry::Tool(_)) {
            return serde_json::to_string(entry).ok();
        }
        let text = serde_json::to_string(entry).ok()?;
        let sealed = self.sealer.as_ref()?.seal(Column::Journal, &text, self.app.nonce()).ok()?;
        serde_json::to_string(&Line::<()>::Sealed { sealed: sealed.as_stored().to_owned() }).ok()
    }

    /// The entry of a line. `None`: another version wrote it, or it cannot be opened.
    #[must_use]
    pub fn read(&self, line: &str) -> Option<JournalEntry> {
        match serde_json::from_str(line).ok()? {
            Line::Plain(entry) => Some(entry),
            Line::Sealed { sealed } => {
                let text = self.sealer.as_ref()?.open(Column::Journal, &Sealed::from_stored(sealed)).ok()?;
                serde_json::from_str(&text).ok()
            }
        }
    }
}
