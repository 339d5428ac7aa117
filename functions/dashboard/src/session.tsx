// Who is signed in, what they may do and what they prefer.

import { useQuery } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useEffect } from "react";
import type { Schema } from "./api/client";
import { queries } from "./api/queries";
import { isLanguage, speak } from "./i18n";

export type Permission =
  | "calls:read" | "calls:write" | "messages:read" | "messages:write" | "live:read" | "users:read" | "users:write" | "roles:read" | "roles:write"
  | "departments:read" | "departments:write" | "departments:all" | "agents:read" | "agents:write" | "qa:read" | "qa:write" | "api_keys:read" | "api_keys:write" | "audit:read" | "config:read" | "config:write" | "tenants:read" | "tenants:impersonate";

const Session = createContext<Schema["Me"] | null>(null);

export function useMe(): Schema["Me"] {
  const me = useContext(Session);
  if (me === null) throw new Error("outside of a session");
  return me;
}

export function useMay(permission: Permission): boolean {
  return useMe().permissions.includes(permission);
}

/** The same for what concerns the whole organisation: nobody changes it who sees but their own departments. */
export function useMayEverywhere(permission: Permission): boolean {
  const everywhere = useMay("departments:all");
  return useMay(permission) && everywhere;
}

export type Theme = Schema["Theme"];

/** Paints in this theme from now on, and on this device from the first moment on. */
export function paint(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem("voicecore.theme", theme);
  } catch {
    // It is kept with the preferences as well.
  }
}

export function SessionProvider({ me, children }: { me: Schema["Me"]; children: ReactNode }) {
  const { data: preferences } = useQuery(queries.preferences());
  useEffect(() => {
    if (preferences === undefined) return;
    if (preferences.theme !== null && preferences.theme !== undefined) paint(preferences.theme);
    if (isLanguage(preferences.language)) void speak(preferences.language).catch(() => undefined);
  }, [preferences]);
  return <Session.Provider value={me}>{children}</Session.Provider>;
}
