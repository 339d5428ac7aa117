use std::str::FromStr;

use crate::{Permission, Permissions, UnknownWord};

/// A role that every tenant has. Roles that a tenant makes are rows (`voicecore_store::roles`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BuiltinRole {
    /// Everything within the tenant. Who set the tenant up is stored as `owner` and means the same.
    TenantAdmin,
    /// Runs the day: calls of all departments, and who is there.
    Manager,
    /// Takes calls: sees those of their own departments.
    Agent,
    /// Sees everything that happens, changes nothing.
    Viewer,
}

/// What a manager may.
const MANAGER: &[Permission] = &[
    Permission::CallsRead,
    Permission::CallsWrite,
    Permission::MessagesRead,
    Permission::MessagesWrite,
    Permission::LiveRead,
    Permission::UsersRead,
    Permission::RolesRead,
    Permission::DepartmentsRead,
    Permission::DepartmentsWrite,
    Permission::DepartmentsAll,
    Permission::AgentsRead,
    Permission::AgentsWrite,
    Permission::QaRead,
    Permission::QaWrite,
    Permission::ConfigRead,
];

/// What an agent may.
const AGENT: &[Permission] = &[
    Permission::CallsRead,
    Permission::CallsWrite,
    Permission::MessagesRead,
    Permission::MessagesWrite,
    Permission::DepartmentsRead,
    Permission::AgentsRead,
];

/// What a viewer may.
const VIEWER: &[Permission] = &[
    Permission::CallsRead,
    Permission::MessagesRead,
    Permission::LiveRead,
    Permission::UsersRead,
    Permission::RolesRead,
    Permission::DepartmentsRead,
    Permission::DepartmentsAll,
    Permission::AgentsRead,
    Permission::QaRead,
];

impl BuiltinRole {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::TenantAdmin, Self::Manager, Self::Agent, Self::Viewer];

    /// As stored and as the API shows it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TenantAdmin => "tenant_admin",
            Self::Manager => "manager",
            Self::Agent => "agent",
            Self::Viewer => "viewer",
        }
    }

    /// What it allows.
    #[must_use]
    pub fn permissions(self) -> Permissions {
        let few = match self {
            Self::TenantAdmin => return Permissions::of_tenant(),
            Self::Manager => MANAGER,
            Self::Agent => AGENT,
            Self::Viewer => VIEWER,
        };
        few.iter().copied().collect()
    }
}

impl FromStr for BuiltinRole {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        if text == "owner" {
            return Ok(Self::TenantAdmin);
        }
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(UnknownWord)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_read_back() {
        for role in BuiltinRole::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        assert_eq!("owner".parse(), Ok(BuiltinRole::TenantAdmin));
        assert!("super_admin".parse::<BuiltinRole>().is_err() && "custom".parse::<BuiltinRole>().is_err());
    }

    #[test]
    fn b27_no_role_of_a_tenant_is_about_the_installation() {
        for role in BuiltinRole::ALL {
            assert!(BuiltinRole::TenantAdmin.permissions().contains_all(&role.permissions()));
            assert!(role.permissions().iter().all(|permission| !permission.is_platform()));
        }
    }

    #[test]
    fn a19_agents_do_not_see_all_departments() {
        for role in BuiltinRole::ALL {
            let sees_all = role.permissions().contains(Permission::DepartmentsAll);
            assert_eq!(sees_all, role != BuiltinRole::Agent);
        }
        assert!(!BuiltinRole::Agent.permissions().contains(Permission::LiveRead), "the feed is of all calls");
    }
}
