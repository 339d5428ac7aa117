use std::str::FromStr;

use crate::UnknownWord;

/// Somebody whose service a tenant may pay for with an account of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Provider {
    /// The model that hears and speaks.
    OpenAi,
    /// The model that reads and writes, of turn-based calls.
    Chat,
    /// The telephone.
    Twilio,
}

impl Provider {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::OpenAi, Self::Chat, Self::Twilio];

    /// As stored and named by the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Chat => "chat",
            Self::Twilio => "twilio",
        }
    }
}

impl FromStr for Provider {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|provider| provider.as_str() == text).ok_or(UnknownWord)
    }
}

#[cfg(test)]
mod tests {
    use super::Provider;

    #[test]
    fn words_are_read_back() {
        for provider in Provider::ALL {
            assert_eq!(provider.as_str().parse(), Ok(provider));
        }
        assert!("OpenAI".parse::<Provider>().is_err());
    }
}
