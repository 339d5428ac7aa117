use serde::{Deserialize, Serialize};

use crate::{EndReason, Limits};

/// What comes when the media stream has ended: the answer to Twilio's `<Connect action>` request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AfterStream {
    /// The call is over: `<Hangup>`.
    Hangup,
    /// The call is over, and no model was there to say goodbye: `<Say>` it, then `<Hangup>`.
    Goodbye,
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
    /// A broken call comes back while attempts are left.
    pub(crate) fn broken(limits: &Limits, attempts_used: u32) -> Self {
        if attempts_used < limits.attempts {
            Self::Reconnect { attempt: attempts_used.max(1) + 1 }
        } else {
            Self::Apologise
        }
    }
}

impl EndReason {
    /// Where the caller goes when the stream of a call that ended for this reason is over. With the reason in the
    /// call's row this answers `<Connect action>` for calls that are finished and whose actor is gone. `farewell_owed` as
    /// in [`crate::CallSummary`].
    #[must_use]
    pub const fn after_stream(self, farewell_owed: bool) -> AfterStream {
        match self {
            Self::Transferred => AfterStream::Transfer,
            Self::ModelUnavailable | Self::StreamLost => AfterStream::Apologise,
            Self::AssistantEnded | Self::OperatorEnded | Self::LengthLimit | Self::Silence
                if farewell_owed =>
            {
                AfterStream::Goodbye
            }
            Self::CallerHungUp
            | Self::AssistantEnded
            | Self::OperatorEnded
            | Self::LengthLimit
            | Self::Silence
            | Self::Abandoned => AfterStream::Hangup,
        }
    }
}
