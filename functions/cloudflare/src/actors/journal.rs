use std::cell::{Cell, RefCell};

use voicecore_api::live::JournalLines;
use voicecore_call::JournalEntry;
use voicecore_types::Millis;

use super::storage::{Records, StorageError, Unconfirmed};

/// Entries wait this long for others to be written with them. With the writes unconfirmed anyway, this and the disk are
/// what a dying actor can lose.
const BATCH: Millis = Millis(200);
/// A batch of this size is written at once. A stored value may hold 2 MB.
const MAX_BATCH_BYTES: usize = 64 * 1024;
/// Batches of one call. At one each [`BATCH`] this is more than the longest call can write; beyond it nothing is journaled.
const MAX_BATCHES: u32 = 50_000;
/// Keys of the batches: this and six digits, so that their order is the order of writing.
const PREFIX: &str = "journal/";

/// The journal of a running call: what is needed to go on with it after its actor died.
///
/// It holds [`Unconfirmed`] storage only: audio never waits for it.
pub(crate) struct Journal {
    storage: Unconfirmed,
    lines: JournalLines,
    pending: RefCell<String>,
    flush_at: Cell<Option<Millis>>,
    next_batch: Cell<u32>,
}

impl Journal {
    /// A journal that goes on after `batches` stored ones.
    pub(crate) fn new(storage: Unconfirmed, lines: JournalLines, batches: u32) -> Self {
        Self {
            storage,
            lines,
            pending: RefCell::default(),
            flush_at: Cell::new(None),
            next_batch: Cell::new(batches),
        }
    }

    /// Appends an entry. It is written with the batch of the moment.
    pub(crate) fn append(&self, now: Millis, entry: &JournalEntry) {
        let Some(line) = self.lines.write(entry) else { return };
        let mut pending = self.pending.borrow_mut();
        pending.push_str(&line);
        pending.push('\n');
        let full = pending.len() >= MAX_BATCH_BYTES;
        drop(pending);
        if full || is_turning_point(entry) {
            self.flush();
        } else if self.flush_at.get().is_none() {
            self.flush_at.set(Some(now.plus(BATCH)));
        }
    }

    /// When [`Journal::flush`] is wanted.
    pub(crate) fn flush_at(&self) -> Option<Millis> {
        self.flush_at.get()
    }

    /// Writes what waits.
    pub(crate) fn flush(&self) {
        self.flush_at.set(None);
        let batch = self.pending.take();
        let number = self.next_batch.get();
        if !batch.is_empty() && number < MAX_BATCHES {
            self.next_batch.set(number + 1);
            self.storage.put(&format!("{PREFIX}{number:06}"), &batch);
        }
    }
}

/// Entries that decide what happens after a death: they are written at once.
fn is_turning_point(entry: &JournalEntry) -> bool {
    !matches!(entry, JournalEntry::Interaction(_) | JournalEntry::Usage(_))
}

/// A journal as it is stored.
#[derive(Default)]
pub(crate) struct StoredJournal {
    /// How many batches there are.
    pub(crate) batches: u32,
    /// All of it, a line of JSON for each entry.
    pub(crate) text: String,
}

impl StoredJournal {
    /// Reads what is stored.
    pub(crate) async fn read(records: &Records) -> Result<Self, StorageError> {
        let texts = records.texts(PREFIX, MAX_BATCHES as usize).await?;
        Ok(Self { batches: u32::try_from(texts.len()).unwrap_or(MAX_BATCHES), text: texts.concat() })
    }
    /// The entries that can be read, in order. One of another version that this one does not know is passed over.
    pub(crate) fn entries(&self, lines: &JournalLines) -> Vec<JournalEntry> {
        self.text.lines().filter_map(|line| lines.read(line)).collect()
    }
}
