use std::str::FromStr;

use crate::UnknownWord;

/// How a message was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageKind {
    /// The assistant wrote it down.
    Message,
    /// The caller spoke it onto a recording.
    Voicemail,
}

impl MessageKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Message, Self::Voicemail];

    /// As stored and as the API shows it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Voicemail => "voicemail",
        }
    }
}

impl FromStr for MessageKind {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(UnknownWord)
    }
}
