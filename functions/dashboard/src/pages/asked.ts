// What the addresses of pages ask for. Pure: a word that is none is passed over.

import type { Schema } from "../api/client";
import { type AgentsQuery, type MessagesQuery, type NotificationsQuery, queries } from "../api/queries";

export const pageOf = (url: URLSearchParams): number => Math.max(1, Math.floor(Number(url.get("page"))) || 1);

const DAY = 86_400_000;
export const PERIODS = [1, 7, 30, 90] as const;
type Days = (typeof PERIODS)[number];

/** Whole hours, so that what was asked a minute ago need not be asked again. */
export function period(days: Days): { since: number; until: number } {
  const until = Math.ceil(Date.now() / 3_600_000) * 3_600_000;
  return { since: until - days * DAY, until };
}

export const daysOf = (url: URLSearchParams): Days => PERIODS.find((one) => String(one) === url.get("days")) ?? 7;
export const intervalOf = (days: Days) => (days === 1 ? "hour" : "day");
export const volumeOf = (asked: ReturnType<typeof period>, days: Days) =>
  queries.volume({ ...asked, interval: intervalOf(days), utc_offset_minutes: -new Date().getTimezoneOffset() });

/** Calls on the line that are shown at once. */
const MAX_SHOWN = 50;
export const RINGING = { status: "ringing", page_size: MAX_SHOWN } as const;
export const CONNECTED = { status: "in_progress", page_size: MAX_SHOWN } as const;

export const MESSAGE_STATES = ["open", "done"] as const;

export function messagesOf(url: URLSearchParams): MessagesQuery {
  const state = MESSAGE_STATES.find((word) => word === url.get("state"));
  return { ...(state === undefined ? {} : { handled: state === "done" }), page: pageOf(url) };
}

export function notificationsOf(url: URLSearchParams): NotificationsQuery {
  const page = pageOf(url);
  return { ...(url.get("unread") === "true" ? { unread: true } : {}), ...(page > 1 ? { page } : {}) };
}

export const AVAILABILITIES = ["available", "busy", "offline"] as const satisfies readonly Schema["Availability"][];

export function askedAgents(url: URLSearchParams): AgentsQuery {
  const availability = AVAILABILITIES.find((word) => word === url.get("availability"));
  const page = pageOf(url);
  return { ...(availability === undefined ? {} : { availability }), ...(page > 1 ? { page } : {}) };
}

/** The one that the address names, or the first. */
export function chosenOf<One extends { id: string }>(items: readonly One[], url: URLSearchParams): One | undefined {
  return items.find(({ id }) => id === url.get("id")) ?? items[0];
}
