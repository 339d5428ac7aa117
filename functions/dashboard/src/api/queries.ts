// What pages ask of the API, under keys that say what has to be asked again after a change.

import type { infiniteQueryOptions as InfiniteOptions, queryOptions as Options } from "@tanstack/react-query";
import type { paths } from "./schema";
import { answer, api } from "./client";
import { readPreferences } from "./own";

// As the library has them, which knows by their types what is behind a key: this file is read before the library is.
const queryOptions = ((options: unknown) => options) as typeof Options;
const infiniteQueryOptions = ((options: unknown) => options) as typeof InfiniteOptions;

export type CallsQuery = NonNullable<paths["/api/v1/calls"]["get"]["parameters"]["query"]>;
export type AuditQuery = NonNullable<paths["/api/v1/audit"]["get"]["parameters"]["query"]>;
export type AgentsQuery = NonNullable<paths["/api/v1/agents"]["get"]["parameters"]["query"]>;
export type MessagesQuery = NonNullable<paths["/api/v1/messages"]["get"]["parameters"]["query"]>;
export type NotificationsQuery = NonNullable<paths["/api/v1/notifications"]["get"]["parameters"]["query"]>;
/** The stream is open on the pages of calls only (src/live/hooks.ts), and tells of these only: how many are unread is asked this often. */
const UNREAD_EVERY_MS = 60_000;
/** Where one is chosen, this many hundreds of users are looked through. */
const MOST_USER_PAGES = 20;
type Period = { since: number; until: number; business_id?: string };

export const queries = {
  me: () => queryOptions({ queryKey: ["me"], queryFn: () => answer(api.GET("/api/v1/me")), staleTime: 60_000 }),
  preferences: () => queryOptions({ queryKey: ["preferences"], queryFn: readPreferences, staleTime: Infinity }),
  sessions: () => queryOptions({ queryKey: ["sessions"], queryFn: () => answer(api.GET("/api/v1/sessions")) }),
  calls: (query: CallsQuery) =>
    queryOptions({
      queryKey: ["calls", "list", query],
      queryFn: () => answer(api.GET("/api/v1/calls", { params: { query } })),
    }),
  call: (id: string) =>
    queryOptions({
      queryKey: ["calls", "one", id],
      queryFn: () => answer(api.GET("/api/v1/calls/{id}", { params: { path: { id } } })),
    }),
  interactions: (id: string) =>
    queryOptions({
      queryKey: ["calls", "interactions", id],
      queryFn: () => answer(api.GET("/api/v1/calls/{id}/interactions", { params: { path: { id } } })),
    }),
  /** Entries in which all of these words are. */
  said: (id: string, q: string, limit: number) =>
    queryOptions({
      queryKey: ["calls", "said", id, q, limit],
      queryFn: () => answer(api.GET("/api/v1/calls/{id}/interactions", { params: { path: { id }, query: { q, limit } } })),
      // What was said in a call that is over stays as it is.
      staleTime: Infinity,
    }),
  notifications: (query: NotificationsQuery) =>
    queryOptions({
      queryKey: ["notifications", "list", query],
      queryFn: () => answer(api.GET("/api/v1/notifications", { params: { query } })),
    }),
  unread: () =>
    queryOptions({
      queryKey: ["notifications", "unread"],
      queryFn: () => answer(api.GET("/api/v1/notifications/unread-count")),
      refetchInterval: UNREAD_EVERY_MS,
    }),
  tenants: (page: number) =>
    queryOptions({
      queryKey: ["tenants", page],
      queryFn: () => answer(api.GET("/api/v1/tenants", { params: { query: { page, page_size: 100 } } })),
    }),
  views: () =>
    queryOptions({
      queryKey: ["saved-views"],
      queryFn: () => answer(api.GET("/api/v1/saved-views", { params: { query: { page_size: 100 } } })),
    }),
  notes: (id: string) =>
    queryOptions({
      queryKey: ["calls", "notes", id],
      queryFn: () => answer(api.GET("/api/v1/calls/{id}/notes", { params: { path: { id }, query: { page_size: 100 } } })),
    }),
  qa: (id: string) =>
    queryOptions({
      queryKey: ["calls", "qa", id],
      queryFn: () => answer(api.GET("/api/v1/calls/{id}/qa", { params: { path: { id } } })),
    }),
  qaRules: () => queryOptions({ queryKey: ["qa-rules"], queryFn: () => answer(api.GET("/api/v1/config/qa")) }),
  overview: (query: Period) =>
    queryOptions({
      queryKey: ["analytics", "overview", query],
      queryFn: () => answer(api.GET("/api/v1/analytics/overview", { params: { query } })),
    }),
  volume: (query: Period & { interval: "day" | "hour"; utc_offset_minutes: number }) =>
    queryOptions({
      queryKey: ["analytics", "volume", query],
      queryFn: () => answer(api.GET("/api/v1/analytics/call-volume", { params: { query } })),
    }),
  messages: (query: MessagesQuery) =>
    queryOptions({
      queryKey: ["messages", query],
      queryFn: () => answer(api.GET("/api/v1/messages", { params: { query } })),
    }),
  businesses: () =>
    queryOptions({
      queryKey: ["businesses"],
      queryFn: () => answer(api.GET("/api/v1/config/business", { params: { query: { page_size: 100 } } })),
    }),
  assistants: () =>
    queryOptions({
      queryKey: ["assistants"],
      queryFn: () => answer(api.GET("/api/v1/assistants", { params: { query: { page_size: 100 } } })),
    }),
  assistantVersions: (id: string) =>
    queryOptions({
      queryKey: ["assistants", "versions", id],
      queryFn: () => answer(api.GET("/api/v1/assistants/{id}/versions", { params: { path: { id }, query: { page_size: 20 } } })),
    }),
  /** A version never changes. */
  assistantVersion: (id: string, number: number) =>
    queryOptions({
      queryKey: ["assistants", "versions", id, number],
      queryFn: () => answer(api.GET("/api/v1/assistants/{id}/versions/{number}", { params: { path: { id, number } } })),
      staleTime: Infinity,
    }),
  /** With the version of the business that says them; `null` as long as nobody has said any, which the business knows. */
  hours: ({ id, has_opening_hours: known }: { id: string; has_opening_hours: boolean }) =>
    queryOptions({
      queryKey: ["hours", id, known],
      queryFn: async () => {
        if (!known) return null;
        const asked = await api.GET("/api/v1/businesses/{id}/opening-hours", { params: { path: { id } } });
        if (asked.response.status === 404) return null;
        const hours = await answer(Promise.resolve(asked));
        return { ...hours, version: Number(/\d+/u.exec(asked.response.headers.get("etag") ?? "")?.[0] ?? 0) };
      },
    }),
  organisation: () => queryOptions({ queryKey: ["organisation"], queryFn: () => answer(api.GET("/api/v1/tenant")) }),
  departments: () =>
    queryOptions({ queryKey: ["departments"], queryFn: () => answer(api.GET("/api/v1/departments")) }),
  users: (page: number) =>
    queryOptions({
      queryKey: ["users", page],
      queryFn: () => answer(api.GET("/api/v1/users", { params: { query: { page } } })),
    }),
  /** One user; also whom no page that was loaded has. */
  user: (id: string) =>
    queryOptions({ queryKey: ["users", "one", id], queryFn: () => answer(api.GET("/api/v1/users/{id}", { params: { path: { id } } })) }),
  /** All users, a hundred at a time: the API finds none by name. */
  everybody: () =>
    infiniteQueryOptions({
      queryKey: ["users", "all"],
      queryFn: ({ pageParam: page }) => answer(api.GET("/api/v1/users", { params: { query: { page, page_size: 100 } } })),
      initialPageParam: 1,
      getNextPageParam: ({ page, page_size: size, total }) => (page < MOST_USER_PAGES && page * size < total ? page + 1 : undefined),
    }),
  invitations: () =>
    queryOptions({
      queryKey: ["invitations"],
      queryFn: () => answer(api.GET("/api/v1/users/invitations", { params: { query: { page_size: 100 } } })),
    }),
  roles: () => queryOptions({ queryKey: ["roles"], queryFn: () => answer(api.GET("/api/v1/roles")) }),
  phoneNumbers: (page: number) =>
    queryOptions({
      queryKey: ["phone-numbers", page],
      queryFn: () => answer(api.GET("/api/v1/phone-numbers", { params: { query: { page, page_size: 50 } } })),
    }),
  agents: (query: AgentsQuery) =>
    queryOptions({
      queryKey: ["agents", "list", query],
      queryFn: () => answer(api.GET("/api/v1/agents", { params: { query } })),
    }),
  providers: () => queryOptions({ queryKey: ["providers"], queryFn: () => answer(api.GET("/api/v1/config/providers")) }),
  setup: () => queryOptions({ queryKey: ["setup"], queryFn: () => answer(api.GET("/api/v1/setup/progress")) }),
  apiKeys: (page: number) =>
    queryOptions({
      queryKey: ["api-keys", page],
      queryFn: () => answer(api.GET("/api/v1/api-keys", { params: { query: { page } } })),
    }),
  audit: (query: AuditQuery) =>
    queryOptions({
      queryKey: ["audit", query],
      queryFn: () => answer(api.GET("/api/v1/audit", { params: { query } })),
    }),
};
