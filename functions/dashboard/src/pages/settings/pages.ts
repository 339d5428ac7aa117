import type { Permission } from "../../session";

/** The pages of the settings and who may see them. */
export const settingsPages = [
  { to: "organisation", label: "organisation.title", permission: "config:read" },
  { to: "business", label: "settings.business.title", permission: "config:read" },
  { to: "assistants", label: "settings.assistants.title", permission: "config:read" },
  { to: "phone-numbers", label: "numbers.title", permission: "config:read" },
  { to: "providers", label: "providers.title", permission: "config:read" },
  { to: "quality", label: "qa.rules", permission: "qa:read" },
  { to: "agents", label: "agents.title", permission: "agents:read" },
  { to: "departments", label: "departments.title", permission: "departments:read" },
  { to: "users", label: "settings.users.title", permission: "users:read" },
  { to: "roles", label: "roles.title", permission: "roles:read" },
  { to: "api-keys", label: "settings.apiKeys.title", permission: "api_keys:read" },
  { to: "audit", label: "settings.audit.title", permission: "audit:read" },
] as const satisfies readonly { to: string; label: string; permission: Permission }[];
