use serde::{Deserialize, Serialize};

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
