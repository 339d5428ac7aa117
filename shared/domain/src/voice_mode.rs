use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::call_status::UnknownWord;

/// How the calls of a business are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VoiceMode {
    /// Over a media stream, with a model that hears and speaks: the caller can interrupt, and is answered within a second.
    #[default]
    Streaming,
    /// By the carrier's own recogniser and voice, turn by turn, with a model that reads and writes. Slower and cheaper.
    TurnBased,
}

impl VoiceMode {
    /// As stored and as the API shows it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Streaming => "streaming",
            Self::TurnBased => "turn_based",
        }
    }
}

impl FromStr for VoiceMode {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        [Self::Streaming, Self::TurnBased].into_iter().find(|mode| mode.as_str() == text).ok_or(UnknownWord)
    }
}
