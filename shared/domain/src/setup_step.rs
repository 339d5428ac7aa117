use std::str::FromStr;

use crate::UnknownWord;

/// A step of a tenant's set-up, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SetupStep {
    /// Accounts at the model's provider and the carrier.
    ApiCredentials,
    /// What the telephone is answered for, and at which number.
    BusinessProfile,
    /// What the assistant knows.
    Knowledge,
    /// Human beings who take calls.
    Agents,
    /// How calls are judged.
    Qa,
    /// When a human being is brought in.
    EscalationRules,
    /// A last look at everything.
    Review,
}

impl SetupStep {
    /// All of them, in their order.
    pub const ALL: [Self; 7] = [
        Self::ApiCredentials,
        Self::BusinessProfile,
        Self::Knowledge,
        Self::Agents,
        Self::Qa,
        Self::EscalationRules,
        Self::Review,
    ];

    /// As stored and as the API shows it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ApiCredentials => "api_credentials",
            Self::BusinessProfile => "business_profile",
            Self::Knowledge => "knowledge",
            Self::Agents => "agents",
            Self::Qa => "qa",
            Self::EscalationRules => "escalation_rules",
            Self::Review => "review",
        }
    }

    /// Without it no call is answered: nobody can skip it, or say that it is done.
    pub const fn is_needed(self) -> bool {
        matches!(self, Self::ApiCredentials | Self::BusinessProfile)
    }
}

impl FromStr for SetupStep {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|step| step.as_str() == text).ok_or(UnknownWord)
    }
}

/// Where a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepState {
    /// Nothing says that it is done.
    Open,
    /// It is done.
    Done,
    /// Somebody said that it is not wanted.
    Skipped,
}

impl StepState {
    /// As stored and as the API shows it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Done => "done",
            Self::Skipped => "skipped",
        }
    }

    /// Where `step` is, by what is there (`None`: nothing tells) and what somebody said. What is there is what counts: a step is done
    /// when it is, and one that is needed is open until it is. Of the others somebody's word is taken.
    #[must_use]
    pub fn of(step: SetupStep, there: Option<bool>, said: Self) -> Self {
        match there {
            Some(true) => Self::Done,
            Some(false) | None if step.is_needed() => Self::Open,
            // What can be looked at is not done because somebody said so.
            Some(false) if said == Self::Done => Self::Open,
            Some(false) | None => said,
        }
    }
}

impl FromStr for StepState {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        [Self::Open, Self::Done, Self::Skipped]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or(UnknownWord)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_counts_more_than_what_was_said() {
        use StepState::{Done, Open, Skipped};
        for (step, there, said, state) in [
            (SetupStep::ApiCredentials, Some(true), Open, Done),
            (SetupStep::ApiCredentials, Some(false), Done, Open),
            (SetupStep::BusinessProfile, Some(false), Skipped, Open),
            (SetupStep::Agents, Some(true), Skipped, Done),
            (SetupStep::Agents, Some(false), Done, Open),
            (SetupStep::Agents, Some(false), Skipped, Skipped),
            (SetupStep::Knowledge, None, Done, Done),
            (SetupStep::Qa, None, Open, Open),
        ] {
            assert_eq!(StepState::of(step, there, said), state, "{step:?} {there:?} {said:?}");
        }
    }
}
