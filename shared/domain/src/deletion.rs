//! The deletion of a tenant: its stages, and what the report says remains elsewhere.

use std::str::FromStr;

use voicecore_types::Millis;

use crate::UnknownWord;

/// Late writers (a job that is being done, a command that an actor has not answered yet) are over after this long. Then
/// everything is looked through once more.
pub const SETTLING: Millis = Millis::from_secs(900);

/// An actor tries to store the end of its call for about a week. A call that was finished longer ago has none.
pub const ACTORS_KEPT: Millis = Millis::from_secs(8 * 86_400);

/// A job that was given up is kept for so many days, for people to look at: by the queue of Workers, and by the adapter of Spin in its
/// table.
const DEAD_JOBS_DAYS: u64 = 14;

/// How far a deletion has come. In this order, each may be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeletionStage {
    /// Keys, people and numbers: nobody comes in any more.
    Access,
    /// Calls: lines, actors, rows.
    Calls,
    /// The hub.
    Hub,
    /// Objects.
    Objects,
    /// All other rows, the tenant's own at the end.
    Rows,
    /// Late writers are waited for, then rows, hub and objects are looked through once more.
    Settling,
    /// Nothing is left but the report.
    Done,
}

impl DeletionStage {
    /// All of them, in order.
    pub const ALL: [Self; 7] =
        [Self::Access, Self::Calls, Self::Hub, Self::Objects, Self::Rows, Self::Settling, Self::Done];

    /// As it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Calls => "calls",
            Self::Hub => "hub",
            Self::Objects => "objects",
            Self::Rows => "rows",
            Self::Settling => "settling",
            Self::Done => "done",
        }
    }

    /// The one after it; itself at the end.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Access => Self::Calls,
            Self::Calls => Self::Hub,
            Self::Hub => Self::Objects,
            Self::Objects => Self::Rows,
            Self::Rows => Self::Settling,
            Self::Settling | Self::Done => Self::Done,
        }
    }
}

impl FromStr for DeletionStage {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == text).ok_or(UnknownWord)
    }
}

/// Something of a tenant that others keep for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remainder {
    /// Where, and what.
    pub what: &'static str,
    /// For how many days after the deletion. `None`: until somebody deletes it there.
    pub days: Option<u64>,
}

/// What remains outside of our reach, on a platform with actors (Workers) or on one without (Spin). The periods are those that the
/// providers document for their usual plans; what an account has agreed upon otherwise holds instead.
pub fn remainders(actors: bool) -> impl Iterator<Item = Remainder> {
    let own = if actors { OF_WORKERS } else { OF_SPIN };
    own.into_iter().chain(OF_PROVIDERS)
}

const OF_WORKERS: [Remainder; 3] = [
    Remainder {
        what: "backups of the database (D1 Time Travel; of PostgreSQL as its operator keeps them); what is sealed in them opens with a key that is in them too, and with MASTER_KEY",
        days: Some(30),
    },
    Remainder {
        what: "jobs that were given up (dead letters of the queue): ids of calls and recordings at the carrier, and e-mail addresses to which a new password could not be mailed",
        days: Some(DEAD_JOBS_DAYS),
    },
    Remainder { what: "logs of the worker: no personal data, ids of requests", days: Some(7) },
];

const OF_SPIN: [Remainder; 3] = [
    Remainder {
        what: "backups of the database, as its operator keeps them; what is sealed in them opens with a key that is in them too, and with MASTER_KEY",
        days: None,
    },
    Remainder {
        what: "jobs that were given up (in the table jobs): ids of calls and recordings at the carrier, and e-mail addresses to which a new password could not be mailed",
        days: Some(DEAD_JOBS_DAYS),
    },
    Remainder {
        what: "logs of the component, as its operator keeps them: no personal data, ids of requests",
        days: None,
    },
];

const OF_PROVIDERS: [Remainder; 2] = [
    Remainder { what: "the model's provider: what it keeps to look for abuse", days: Some(30) },
    Remainder {
        what: "the carrier: records of calls and recordings of voicemails, in the account that took the calls",
        days: None,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_follow_each_other_to_the_end_and_are_read_back() {
        for pair in DeletionStage::ALL.windows(2) {
            assert_eq!(pair[0].next(), pair[1]);
            assert!(pair[0] < pair[1]);
        }
        assert_eq!(DeletionStage::Done.next(), DeletionStage::Done);
        for stage in DeletionStage::ALL {
            assert_eq!(stage.as_str().parse(), Ok(stage));
        }
    }
}
