use serde::{Deserialize, Serialize};
use voicecore_types::Millis;

use crate::{EndReason, Interaction, ToolCall, Usage};

/// What must survive the death of the actor. Appended in order; a lost tail (unconfirmed writes) costs the last words,
/// never the call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum JournalEntry {
    /// A media stream was admitted.
    Attempt {
        /// 1 for the first.
        attempt: u32,
        /// When.
        at: Millis,
    },
    /// `<Connect action>` was answered with another stream, as this attempt; it may never arrive.
    Offered {
        /// From 2.
        attempt: u32,
        /// When.
        at: Millis,
    },
    /// A session with the model is being opened.
    ModelSession {
        /// 1 for the first of the call.
        number: u32,
    },
    /// A tool is about to be run. Its result comes as [`JournalEntry::Interaction`]; a call that is resumed before it
    /// came asks for the run again with the same id, which the adapter's unique key makes one run.
    Tool(ToolCall),
    /// An utterance or tool run, new or changed: the last one with a `seq` counts.
    Interaction(Interaction),
    /// Running total.
    Usage(Usage),
    /// The call leaves the stream for this reason as soon as the last words are heard.
    Leaving {
        /// Why.
        reason: EndReason,
    },
}

impl JournalEntry {
    /// With this entry in the journal, `older` tells nothing any more: it is the same utterance before it grew, or the total
    /// before it rose.
    #[must_use]
    pub fn supersedes(&self, older: &Self) -> bool {
        match (self, older) {
            (Self::Interaction(new), Self::Interaction(old)) => new.seq == old.seq,
            (Self::Usage(_), Self::Usage(_)) => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{InteractionKind, Speaker};

    fn said(seq: u32, text: &str) -> JournalEntry {
        JournalEntry::Interaction(Interaction {
            seq,
            speaker: Speaker::Assistant,
            kind: InteractionKind::Speech,
            text: text.to_owned(),
            start_ms: 0,
            end_ms: 0,
            cut_at_ms: None,
            estimated: false,
            latency_ms: None,
        })
    }

    #[test]
    fn only_what_tells_the_same_again_is_superseded() {
        let usage = JournalEntry::Usage(Usage::default());
        let attempt = JournalEntry::Attempt { attempt: 1, at: Millis(5) };
        assert!(said(3, "Hello, this").supersedes(&said(3, "Hello")));
        assert!(usage.supersedes(&usage));
        for (new, old) in [
            (&said(4, "Hello"), &said(3, "Hello")),
            (&usage, &said(3, "Hello")),
            (&said(3, "Hello"), &usage),
            (&attempt, &attempt),
        ] {
            assert!(!new.supersedes(old));
        }
    }
}
