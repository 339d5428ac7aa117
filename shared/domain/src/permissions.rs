use std::fmt;
use std::str::FromStr;

use crate::UnknownWord;

macro_rules! permissions {
    ($count:literal: $($(#[$doc:meta])* $name:ident = $word:literal),+ $(,)?) => {
        /// Something that a role or a key may allow. Each API route needs one of these, or says why it needs none.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Permission {
            $($(#[$doc])* $name,)+
        }

        impl Permission {
            /// All of them.
            pub const ALL: [Self; $count] = [$(Self::$name),+];

            /// Its place in the table, as a bit.
            const fn bit(self) -> u64 {
                1 << self as u8
            }

            /// As stored with a role or a key and named by the API: `<noun>:<verb>`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)+
                }
            }
        }
    };
}

// The table of permissions. Who has which: `roles`.
permissions! { 24:
    /// See calls and what was said.
    CallsRead = "calls:read",
    /// Act on calls.
    CallsWrite = "calls:write",
    /// See messages that callers left.
    MessagesRead = "messages:read",
    /// Deal with them: say whose task they are and that they are done.
    MessagesWrite = "messages:write",
    /// Follow running calls.
    LiveRead = "live:read",
    /// See who works for the tenant, and who is invited.
    UsersRead = "users:read",
    /// Invite, change and remove them.
    UsersWrite = "users:write",
    /// See roles and what they allow.
    RolesRead = "roles:read",
    /// Make, change and delete roles.
    RolesWrite = "roles:write",
    /// See departments.
    DepartmentsRead = "departments:read",
    /// Make, move, rename and delete departments, and say who belongs to them.
    DepartmentsWrite = "departments:write",
    /// See what belongs to any department or to none. Without it a user sees their own departments and what is below them.
    DepartmentsAll = "departments:all",
    /// See the human beings who take calls.
    AgentsRead = "agents:read",
    /// Add, change and remove them, and say whether they take calls now.
    AgentsWrite = "agents:write",
    /// See the rules that calls are held against, and what calls came to by them.
    QaRead = "qa:read",
    /// Change the rules, and hold a call against them again.
    QaWrite = "qa:write",
    /// See API keys (never the keys themselves).
    ApiKeysRead = "api_keys:read",
    /// Make, rotate and revoke API keys.
    ApiKeysWrite = "api_keys:write",
    /// See and export the audit log.
    AuditRead = "audit:read",
    /// See how the tenant is configured.
    ConfigRead = "config:read",
    /// Change it.
    ConfigWrite = "config:write",
    /// See the tenants of the installation, and its users across them.
    TenantsRead = "tenants:read",
    /// Make, change, suspend and delete tenants; deactivate users everywhere.
    TenantsWrite = "tenants:write",
    /// Act within a tenant as its administrator, on the record.
    TenantsImpersonate = "tenants:impersonate",
}

impl Permission {
    /// It is about the installation, not about one tenant: no role of a tenant and no API key can hold it.
    pub const fn is_platform(self) -> bool {
        matches!(self, Self::TenantsRead | Self::TenantsWrite | Self::TenantsImpersonate)
    }
}

impl FromStr for Permission {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|permission| permission.as_str() == text).ok_or(UnknownWord)
    }
}

/// What a role or a key allows. As text: words with blanks between them, as in an OAuth scope (RFC 6749 §3.3).
///
/// There is no word for "everything": a key never allows more than on the day on which it was made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Permissions(u64);

/// Each permission has a bit.
const _: () = assert!(Permission::ALL.len() <= u64::BITS as usize);

impl Permissions {
    /// Everything that can be allowed within a tenant.
    #[must_use]
    pub fn of_tenant() -> Self {
        Permission::ALL.into_iter().filter(|permission| !permission.is_platform()).collect()
    }

    /// Everything that is about the installation.
    #[must_use]
    pub fn of_platform() -> Self {
        Permission::ALL.into_iter().filter(|permission| permission.is_platform()).collect()
    }

    /// What is stored with a key. A word that this version does not know allows nothing: after a roll-back, keys may hold words
    /// of the version that was taken back.
    #[must_use]
    pub fn from_stored(text: &str) -> Self {
        text.split_ascii_whitespace().filter_map(|word| word.parse().ok()).collect()
    }

    /// The same without what is about the installation: what a role of a tenant or a key can allow, whatever is stored.
    #[must_use]
    pub fn within_tenant(self) -> Self {
        self.iter().filter(|permission| !permission.is_platform()).collect()
    }

    /// All of `other` are among them: whoever has these may give those.
    pub fn contains_all(&self, other: &Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// Each, in the order of the table.
    pub fn iter(&self) -> impl Iterator<Item = Permission> + '_ {
        Permission::ALL.into_iter().filter(|permission| self.contains(*permission))
    }

    /// Nothing is allowed.
    pub fn is_empty(&self) -> bool {
        self.0 == 0
    }

    /// Is it among them?
    pub fn contains(&self, permission: Permission) -> bool {
        self.0 & permission.bit() != 0
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(permissions.into_iter().fold(0, |bits, permission| bits | permission.bit()))
    }
}

impl fmt::Display for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, permission) in self.iter().enumerate() {
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
    fn what_is_about_the_installation_is_in_no_tenant() {
        let tenant = Permissions::of_tenant();
        let platform = Permissions::of_platform();
        for permission in Permission::ALL {
            assert_ne!(tenant.contains(permission), platform.contains(permission));
        }
        let stored = Permissions::from_stored("tenants:write calls:read");
        assert_eq!(stored.within_tenant().to_string(), "calls:read");
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
