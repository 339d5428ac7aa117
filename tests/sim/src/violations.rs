//! What the real service would have refused, or what no correct client does.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

/// Violations kept; more only count. A product in a loop must not eat the machine.
const MAX_KEPT: usize = 1_000;

/// One thing done wrong by the product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Who noticed: `openai` or `twilio`.
    pub by: &'static str,
    /// The session or call concerned.
    pub subject: String,
    /// Stable name of the rule, e.g. `unknown_parameter`.
    pub rule: String,
    /// What exactly, for a human.
    pub detail: String,
}

/// A list shared by both simulators. Tests end with "and it is empty".
#[derive(Debug, Clone, Default)]
pub struct Violations(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    list: Vec<Violation>,
    total: usize,
}

impl Violations {
    /// Adds one.
    pub fn record(
        &self,
        by: &'static str,
        subject: impl Into<String>,
        rule: impl Into<String>,
        detail: impl Into<String>,
    ) {
        let mut kept = self.lock();
        kept.total += 1;
        if kept.list.len() < MAX_KEPT {
            kept.list.push(Violation {
                by,
                subject: subject.into(),
                rule: rule.into(),
                detail: detail.into(),
            });
        }
    }

    /// The first thousand, oldest first.
    pub fn all(&self) -> Vec<Violation> {
        self.lock().list.clone()
    }

    /// How many there were, kept or not.
    pub fn total(&self) -> usize {
        self.lock().total
    }

    /// Forgets all.
    pub fn clear(&self) {
        *self.lock() = Kept::default();
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_a_thousand_and_counts_the_rest() {
        let violations = Violations::default();
        (0..1_500).for_each(|n| violations.clone().record("openai", "sess", "rule", n.to_string()));
        assert_eq!((violations.all().len(), violations.total()), (1_000, 1_500));
        violations.clear();
        assert_eq!((violations.all().len(), violations.total()), (0, 0));
    }
}
