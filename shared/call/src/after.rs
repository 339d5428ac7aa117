use serde::{Deserialize, Serialize};

use crate::{EndReason, JournalEntry, Limits};

/// What comes when the media stream has ended: the answer to Twilio's `<Connect action>` request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "next", rename_all = "snake_case")]
pub enum AfterStream {
    /// The call is over: `<Hangup>`.
    Hangup,
    /// A transfer is pending: `<Dial>` the fallback number.
    Transfer,
    /// The stream died: `<Connect><Stream>` again, as this attempt.
    Reconnect {
        /// From 2 to the limit.
        attempt: u32,
    },
    /// The ladder's last rungs: `<Say>` an apology, then `<Dial>` the fallback number or `<Record>` a message.
    Apologise,
}

impl AfterStream {
    /// The answer when no live machine exists (its process died), from the journal alone.
    ///
    /// When the answer is [`AfterStream::Reconnect`], append [`JournalEntry::Offered`] with the same attempt before
    /// answering: a stream that never arrives must use up its attempt too, or the carrier would be sent round for
    /// ever. A live machine does this by itself: see [`crate::Call::after_stream`].
    #[must_use]
    pub fn from_journal(limits: &Limits, journal: &[JournalEntry]) -> Self {
        let mut used = 1;
        let mut leaving = None;
        for entry in journal {
            match entry {
                JournalEntry::Attempt { attempt, .. } | JournalEntry::Offered { attempt, .. } => {
                    used = used.max(*attempt);
                }
                JournalEntry::Leaving { reason } => leaving = Some(*reason),
                _ => {}
            }
        }
        Self::decide(limits, leaving, used)
    }

    /// The rule itself: a call that is leaving goes where it was going, a broken one comes back while attempts are
    /// left.
    pub(crate) fn decide(limits: &Limits, leaving: Option<EndReason>, attempts_used: u32) -> Self {
        match leaving {
            Some(reason) => reason.after_stream(),
            None if attempts_used < limits.attempts => Self::Reconnect { attempt: attempts_used.max(1) + 1 },
            None => Self::Apologise,
        }
    }
}

impl EndReason {
    /// Where the caller goes when the stream of a call that ended for this reason is over. With the reason in the
    /// call's row this answers `<Connect action>` for calls that are finished and whose actor is gone.
    #[must_use]
    pub const fn after_stream(self) -> AfterStream {
        match self {
            Self::Transferred => AfterStream::Transfer,
            Self::ModelUnavailable | Self::StreamLost => AfterStream::Apologise,
            Self::CallerHungUp
            | Self::AssistantEnded
            | Self::OperatorEnded
            | Self::LengthLimit
            | Self::Silence
            | Self::Abandoned => AfterStream::Hangup,
        }
    }
}
