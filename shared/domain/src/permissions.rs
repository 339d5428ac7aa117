use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::UnknownWord;

/// Something that a key may allow. Each API route needs one of these, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// See calls and what was said.
    CallsRead,
    /// Act on calls.
    CallsWrite,
    /// See messages that callers left.
    MessagesRead,
    /// Follow running calls.
    LiveRead,
    /// See, export and verify the audit log.
    AuditRead,
    /// See whose accounts at providers are used.
    ProvidersRead,
    /// Set the tenant's own accounts at providers.
    ProvidersWrite,
}

impl Permission {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::CallsRead,
        Self::CallsWrite,
        Self::MessagesRead,
        Self::LiveRead,
        Self::AuditRead,
        Self::ProvidersRead,
        Self::ProvidersWrite,
    ];

    /// As stored with a key and named by the API: `<noun>:<read|write>`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CallsRead => "calls:read",
            Self::CallsWrite => "calls:write",
            Self::MessagesRead => "messages:read",
            Self::LiveRead => "live:read",
            Self::AuditRead => "audit:read",
            Self::ProvidersRead => "providers:read",
            Self::ProvidersWrite => "providers:write",
        }
    }
}

impl FromStr for Permission {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|permission| permission.as_str() == text).ok_or(UnknownWord)
    }
}

/// What a key allows. As text: words with blanks between them, as in an OAuth scope (RFC 6749 §3.3).
///
/// There is no word for "everything": a key never allows more than on the day on which it was made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Permissions(BTreeSet<Permission>);

impl Permissions {
    /// Every permission that there is.
    #[must_use]
    pub fn all() -> Self {
        Permission::ALL.into_iter().collect()
    }

    /// What is stored with a key. A word that this version does not know allows nothing: after a roll-back, keys may hold words
    /// of the version that was taken back.
    #[must_use]
    pub fn from_stored(text: &str) -> Self {
        text.split_ascii_whitespace().filter_map(|word| word.parse().ok()).collect()
    }

    /// Is it among them?
    pub fn contains(&self, permission: Permission) -> bool {
        self.0.contains(&permission)
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(permissions.into_iter().collect())
    }
}

impl fmt::Display for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, permission) in self.0.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { " " })?;
            f.write_str(permission.as_str())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn permissions_are_read_back(words in prop::sample::subsequence(Permission::ALL.to_vec(), 0..=Permission::ALL.len())) {
            let permissions: Permissions = words.iter().copied().collect();
            prop_assert_eq!(&Permissions::from_stored(&permissions.to_string()), &permissions);
            for permission in Permission::ALL {
                prop_assert_eq!(permissions.contains(permission), words.contains(&permission));
            }
        }

        /// Only a whole word allows anything.
        #[test]
        fn text_allows_what_it_says_and_no_more(text in "((calls|messages|live):(read|write)| |[a-z:*,]{1,4}){0,8}") {
            let permissions = Permissions::from_stored(&text);
            for permission in Permission::ALL {
                let said = text.split(' ').any(|word| word == permission.as_str());
                prop_assert_eq!(permissions.contains(permission), said);
            }
        }
    }

    #[test]
    fn words_that_are_not_known_allow_nothing() {
        for text in ["", "*", "calls", "calls:*", "calls:read,calls:write", "CALLS:READ", "moon:write"] {
            assert_eq!(Permissions::from_stored(text), Permissions::default(), "{text}");
        }
        let mixed = Permissions::from_stored("moon:write  live:read\tcalls:read");
        assert_eq!(mixed.to_string(), "calls:read live:read");
    }
}
