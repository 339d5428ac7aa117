// The part of the dashboard that each page is in, by its address. A part is fetched when its page is opened; the one of the address that
// the dashboard is opened at, before everything else (src/main.ts).

export const parts = {
  "/": () => import("./overview"),
  "/live": () => import("./live"),
  "/calls": () => import("./calls"),
  "/calls/:id": () => import("./call"),
  "/messages": () => import("./messages"),
  "/notifications": () => import("./notifications"),
  "/profile": () => import("./profile"),
  "/setup": () => import("./setup/setup"),
  "/simulated-call": () => import("./simulated-call"),
  "/invitation": () => import("./token-forms"),
  "/reset-password": () => import("./token-forms"),
  "/gallery": () => import("./gallery"),
  "/settings": () => import("./settings/layout"),
  "/settings/organisation": () => import("./settings/organisation"),
  "/settings/business": () => import("./settings/business"),
  "/settings/assistants": () => import("./settings/assistants"),
  "/settings/phone-numbers": () => import("./settings/numbers"),
  "/settings/providers": () => import("./settings/providers"),
  "/settings/quality": () => import("./settings/quality"),
  "/settings/agents": () => import("./settings/agents"),
  "/settings/departments": () => import("./settings/departments"),
  "/settings/users": () => import("./settings/users"),
  "/settings/roles": () => import("./settings/roles"),
  "/settings/api-keys": () => import("./settings/api-keys"),
  "/settings/audit": () => import("./settings/audit"),
};

export type Address = keyof typeof parts;

/** Pages for whoever is not signed in. */
const OUTSIDE = ["/sign-in", "/forgot-password", "/invitation", "/reset-password", "/gallery"];

/** The page's own address: what follows `/app`. */
export function pageOf(path: string): string {
  return path.replace(/^\/app(?=\/|$)/u, "").replace(/\/+$/u, "") || "/";
}

export function isOutside(page: string): boolean {
  return OUTSIDE.includes(page);
}

/** The parts that a page needs: a page of the settings stands within their frame. */
export function partsOf(page: string): Address[] {
  const wanted = /^\/calls\/[^/]+$/u.test(page) ? "/calls/:id" : page;
  const within = page.startsWith("/settings/") ? "/settings" : null;
  return (Object.keys(parts) as Address[]).filter((address) => address === wanted || address === within);
}
