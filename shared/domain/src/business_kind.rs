use std::str::FromStr;

use serde::Deserialize;

use crate::UnknownWord;

/// What kind of business it is: for lists and templates. No rule depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BusinessKind {
    /// Helps customers.
    CustomerSupport,
    /// Sells.
    Sales,
    /// Makes appointments.
    Appointments,
    /// Something else.
    #[default]
    Custom,
}

impl BusinessKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::CustomerSupport, Self::Sales, Self::Appointments, Self::Custom];

    /// As stored and as the API shows it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CustomerSupport => "customer_support",
            Self::Sales => "sales",
            Self::Appointments => "appointments",
            Self::Custom => "custom",
        }
    }
}

impl FromStr for BusinessKind {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(UnknownWord)
    }
}
