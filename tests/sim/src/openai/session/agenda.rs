//! What is to be done, and when.

use std::collections::BTreeMap;

/// Tasks in the order of their time; those of the same millisecond in the order in which they were added.
#[derive(Debug)]
pub(super) struct Agenda<T> {
    tasks: BTreeMap<(u64, u64), T>,
    added: u64,
}

impl<T> Default for Agenda<T> {
    fn default() -> Self {
        Self { tasks: BTreeMap::new(), added: 0 }
    }
}

impl<T> Agenda<T> {
    pub(super) fn add(&mut self, at_ms: u64, task: T) {
        self.tasks.insert((at_ms, self.added), task);
        self.added += 1;
    }

    /// When the next one is due.
    pub(super) fn next_at(&self) -> Option<u64> {
        self.tasks.keys().next().map(|(at, _)| *at)
    }

    /// The next one, if it is due, with its time.
    pub(super) fn pop_due(&mut self, now_ms: u64) -> Option<(u64, T)> {
        let first = self.tasks.first_entry().filter(|entry| entry.key().0 <= now_ms)?;
        let at = first.key().0;
        Some((at, first.remove()))
    }

    /// Takes out what matches, in order.
    pub(super) fn take(&mut self, matches: impl Fn(&T) -> bool) -> Vec<T> {
        let keys: Vec<_> = self.tasks.iter().filter(|(_, task)| matches(task)).map(|(key, _)| *key).collect();
        keys.iter().filter_map(|key| self.tasks.remove(key)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_come_in_order_of_time_then_of_addition() {
        let mut agenda = Agenda::default();
        for (at, name) in [(20, "c"), (10, "a"), (10, "b"), (30, "d")] {
            agenda.add(at, name);
        }
        assert_eq!(agenda.next_at(), Some(10));
        assert_eq!(agenda.take(|name| *name == "d"), ["d"]);
        let due: Vec<_> = std::iter::from_fn(|| agenda.pop_due(19)).collect();
        assert_eq!(due, [(10, "a"), (10, "b")]);
        assert_eq!(agenda.pop_due(20), Some((20, "c")));
        assert_eq!(agenda.next_at(), None);
    }
}
