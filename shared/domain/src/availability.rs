use std::str::FromStr;

use voicecore_types::Millis;

use crate::UnknownWord;

/// Whether an agent takes calls now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Availability {
    /// They do.
    Available,
    /// They are there, but do something else.
    Busy,
    /// They are not there.
    Offline,
}

impl Availability {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Available, Self::Busy, Self::Offline];

    /// As stored and as the API shows it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Busy => "busy",
            Self::Offline => "offline",
        }
    }

    /// What it is at `now`, if it was to last until `until`: whoever was available has gone, whoever was busy or away is back.
    #[must_use]
    pub fn at(self, until: Option<Millis>, now: Millis) -> Self {
        match (self, until) {
            (state, Some(until)) if now < until => state,
            (Self::Available, Some(_)) => Self::Offline,
            (Self::Busy | Self::Offline, Some(_)) => Self::Available,
            (state, None) => state,
        }
    }
}

impl FromStr for Availability {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or(UnknownWord)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_to_last_until_a_moment_is_over_then() {
        let until = Some(Millis(10));
        for (state, after) in [
            (Availability::Available, Availability::Offline),
            (Availability::Busy, Availability::Available),
            (Availability::Offline, Availability::Available),
        ] {
            assert_eq!((state.at(until, Millis(9)), state.at(until, Millis(10))), (state, after));
            assert_eq!(state.at(None, Millis(u64::MAX)), state);
            assert_eq!(state.as_str().parse::<Availability>().ok(), Some(state));
        }
    }
}
