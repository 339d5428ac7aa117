use std::cell::{Cell, RefCell};

use voicecore_api::live::JournalLines;
use voicecore_call::JournalEntry;
use voicecore_types::Millis;

use super::storage::{Records, StorageError, Unconfirmed};

/// Entries wait this long for others to be written with them. With the writes unconfirmed anyway, this (or
/// [`GROWTH`]) and the disk are what a dying actor can lose.
const BATCH: Millis = Millis(200);
/// An utterance that is written already and only grows waits this long: most of what is written while somebody speaks. The model's words
/// run ahead of its voice by more.
const GROWTH: Millis = Millis(600);
/// A value of this size is full; what does not fit goes into the next one. A stored value may hold 2 MB.
const MAX_VALUE_BYTES: usize = 64 * 1024;
/// Entries that wait at most. Speech is two or three in [`BATCH`]: an utterance that grows is one entry.
const MAX_WAITING: usize = 64;
/// Batches of one call. At one each [`BATCH`] this is more than the longest call can write; beyond it nothing is journaled.
const MAX_BATCHES: u32 = 50_000;
/// Keys of the batches: this and six digits, so that their order is the order of writing.
const PREFIX: &str = "journal/";

/// The journal of a running call: what is needed to go on with it after its actor died.
///
/// It holds [`Unconfirmed`] storage only: audio never waits for it. Entries wait as they are and become text when they are
/// written: an utterance grows forty times a second while its answer arrives, and all of it would be formatted each time.
pub(crate) struct Journal {
    storage: Unconfirmed,
    lines: JournalLines,
    waiting: RefCell<Vec<JournalEntry>>,
    flush_at: Cell<Option<Millis>>,
    next_batch: Cell<u32>,
    /// The newest utterance of which something is written.
    begun: Cell<u32>,
}

impl Journal {
    /// A journal that goes on after `batches` stored ones.
    pub(crate) fn new(storage: Unconfirmed, lines: JournalLines, batches: u32) -> Self {
        Self {
            storage,
            lines,
            waiting: RefCell::default(),
            flush_at: Cell::new(None),
            next_batch: Cell::new(batches),
            begun: Cell::new(0),
        }
    }

    /// Appends an entry, in the place of a waiting one that it makes worthless. It is written with the batch of the moment.
    pub(crate) fn append(&self, now: Millis, entry: JournalEntry) {
        let at_once = is_turning_point(&entry);
        let wait = if self.only_grows(&entry) { GROWTH } else { BATCH };
        let mut waiting = self.waiting.borrow_mut();
        match waiting.iter_mut().find(|older| entry.supersedes(older)) {
            Some(older) => *older = entry,
            None => waiting.push(entry),
        }
        let full = waiting.len() >= MAX_WAITING;
        drop(waiting);
        if at_once || full {
            self.flush();
        } else {
            let due = now.plus(wait);
            self.flush_at.set(Some(self.flush_at.get().map_or(due, |at| at.min(due))));
        }
    }

    fn only_grows(&self, entry: &JournalEntry) -> bool {
        matches!(entry, JournalEntry::Interaction(said) if said.seq == self.begun.get() && said.cut_at_ms.is_none())
    }

    /// When [`Journal::flush`] is wanted.
    pub(crate) fn flush_at(&self) -> Option<Millis> {
        self.flush_at.get()
    }

    /// Writes what waits.
    pub(crate) fn flush(&self) {
        self.flush_at.set(None);
        let mut value = String::new();
        let waiting = self.waiting.take();
        let newest = waiting.iter().filter_map(|entry| match entry {
            JournalEntry::Interaction(said) => Some(said.seq),
            _ => None,
        });
        self.begun.set(newest.chain([self.begun.get()]).max().unwrap_or_default());
        for line in waiting.iter().filter_map(|entry| self.lines.write(entry)) {
            if !value.is_empty() && value.len() + line.len() >= MAX_VALUE_BYTES {
                self.put(&std::mem::take(&mut value));
            }
            value.push_str(&line);
            value.push('\n');
        }
        if !value.is_empty() {
            self.put(&value);
        }
    }

    fn put(&self, value: &str) {
        let number = self.next_batch.get();
        if number < MAX_BATCHES {
            self.next_batch.set(number + 1);
            self.storage.put(&format!("{PREFIX}{number:06}"), value);
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
