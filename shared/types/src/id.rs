use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Millis;

/// The text is not an identifier (a UUID in its hyphenated form).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier: a UUID in hyphenated form is expected")]
pub struct IdError;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A UUIDv7: ordered by `now`, unique by ten random bytes.
            #[must_use]
            pub const fn new(now: Millis, random: &[u8; 10]) -> Self {
                Self(uuid::Builder::from_unix_timestamp_millis(now.0, random).into_uuid())
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                // Only the hyphenated form: one identifier has one spelling, in URLs, rows and object names.
                if text.len() != 36 { return Err(IdError); }
                Uuid::try_parse(text).map(Self).map_err(|_| IdError)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.hyphenated().fmt(f) }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "{}({})", stringify!($name), self.0) }
        }
    )*};
}

ids! {
    /// A customer of VoiceCore: everything that is stored belongs to one.
    TenantId,
    /// A configured line of business of a tenant.
    BusinessId,
    /// A telephone number that a tenant owns (not the number itself).
    PhoneNumberId,
    /// One telephone call. Also names its actor.
    CallId,
    /// A person who signs in.
    UserId,
    /// A message that a caller left.
    MessageId,
    /// An API key (not the key itself).
    ApiKeyId,
    /// An entry of the audit log.
    AuditEntryId,
    /// Somebody who is signed in on one device.
    SessionId,
    /// A role that a tenant has made.
    RoleId,
    /// A part of a tenant: people, businesses, calls.
    DepartmentId,
    /// An invitation to work for a tenant.
    InvitationId,
    /// What somebody wrote down about a call.
    NoteId,
    /// A human being who takes calls.
    AgentId,
    /// A way to look at a list that somebody has kept.
    SavedViewId,
    /// Something that somebody is told.
    NotificationId,
    /// An AI persona that answers calls.
    AssistantId,
}

#[cfg(test)]
mod tests {
    use super::CallId;
    use crate::Millis;

    #[test]
    fn ids_are_ordered_by_time_and_have_one_spelling() {
        let early = CallId::new(Millis(1_000), &[0xff; 10]);
        let late = CallId::new(Millis(2_000), &[0; 10]);
        assert!(early < late && early.to_string() < late.to_string());
        assert_eq!(early.to_string().parse(), Ok(early));
        assert!(early.to_string().replace('-', "").parse::<CallId>().is_err());
    }
}
