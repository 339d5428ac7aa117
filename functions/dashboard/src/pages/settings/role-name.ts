import { useTranslation } from "../../i18n";

/** Roles that every organisation has. */
export const BUILT_IN_ROLES = ["tenant_admin", "manager", "agent", "viewer"] as const;

/** What a role is called: built-in ones in the reader's language. */
export function useRoleName(): (role: string, name: string) => string {
  const { t } = useTranslation();
  return (role, name) => {
    const known = BUILT_IN_ROLES.find((word) => word === role);
    return known === undefined ? name : t(`role.${known}`);
  };
}
