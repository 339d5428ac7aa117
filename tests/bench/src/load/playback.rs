//! What the carrier plays: the truth that a claim of heard milliseconds is held against.

use std::collections::{HashMap, VecDeque};

use super::tag::Tag;

enum Queued {
    Block(Option<Tag>),
    Mark(String),
}

/// The carrier's buffer. Plays one block of 20 ms each tick and echoes a mark when all before it has played, or at
/// once for all that is pending when the buffer is cleared.
#[derive(Default)]
pub(crate) struct Playback {
    queue: VecDeque<Queued>,
    heard_ms: HashMap<u16, u64>,
}

impl Playback {
    pub(crate) fn push(&mut self, tags: Vec<Option<Tag>>) {
        self.queue.extend(tags.into_iter().map(Queued::Block));
    }

    /// Queues a mark; the marks to echo now.
    pub(crate) fn mark(&mut self, name: String) -> Vec<String> {
        self.queue.push_back(Queued::Mark(name));
        self.due_marks()
    }

    /// Plays 20 ms; the marks to echo now.
    pub(crate) fn tick(&mut self) -> Vec<String> {
        if let Some(Queued::Block(Some(tag))) = self.queue.pop_front() {
            *self.heard_ms.entry(tag.item).or_default() += super::tag::BLOCK_MS;
        }
        self.due_marks()
    }

    /// Empties the buffer; every pending mark.
    pub(crate) fn clear(&mut self) -> Vec<String> {
        self.queue
            .drain(..)
            .filter_map(|queued| match queued {
                Queued::Mark(name) => Some(name),
                Queued::Block(_) => None,
            })
            .collect()
    }

    /// Milliseconds of `item` that were played.
    pub(crate) fn heard(&self, item: u16) -> u64 {
        self.heard_ms.get(&item).copied().unwrap_or(0)
    }

    /// Nothing is waiting to be played.
    pub(crate) fn idle(&self) -> bool {
        self.queue.is_empty()
    }

    fn due_marks(&mut self) -> Vec<String> {
        let mut due = vec![];
        while let Some(Queued::Mark(_)) = self.queue.front() {
            if let Some(Queued::Mark(name)) = self.queue.pop_front() {
                due.push(name);
            }
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::Playback;
    use crate::load::tag::Tag;

    #[test]
    fn marks_wait_for_their_audio_and_clear_releases_them() {
        let mut playback = Playback::default();
        let tag = Some(Tag { call: 0, item: 3, block: 0 });
        playback.push(vec![tag, tag]);
        assert!(playback.mark("a".into()).is_empty());
        assert!(playback.tick().is_empty());
        assert_eq!(playback.tick(), ["a"]);
        assert_eq!(playback.heard(3), 40);
        playback.push(vec![tag]);
        assert!(playback.mark("b".into()).is_empty());
        assert_eq!(playback.clear(), ["b"]);
        assert!(playback.idle());
        assert_eq!(playback.heard(3), 40);
    }
}
