// Which calls the address of the list asks for.

import type { Schema } from "../api/client";
import type { CallsQuery } from "../api/queries";

export const STATUSES = [
  "queued", "ringing", "in_progress", "completed", "busy", "failed", "no_answer", "canceled",
] as const satisfies readonly Schema["CallStatus"][];

/** A span of days of the reader's time zone, each as `2026-03-01`. */
export type Days = { start: string; end: string };

/** When so many days after this one begin. */
function begin(day: string, later: number): number {
  const [year = 0, month = 1, date = 1] = day.split("-").map(Number);
  return new Date(year, month - 1, date + later).getTime();
}

/** The first moment of the first day, and the first moment after the last. */
export function bounds({ start, end }: Days): { since: number; until: number } {
  return { since: begin(start, 0), until: begin(end, 1) };
}

/** The day in which a moment lies. */
export function dayOf(at: number): string {
  const day = new Date(at);
  const two = (number: number) => String(number).padStart(2, "0");
  return `${String(day.getFullYear()).padStart(4, "0")}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
}

/** Whether it is written like a day, and is one: not the 30th of February. */
function isDay(text: string | null): text is string {
  return text !== null && /^\d{4}-\d{2}-\d{2}$/u.test(text) && dayOf(begin(text, 0)) === text;
}

export const SORTS = ["newest", "oldest", "longest", "shortest"] as const;
/** Parameters of the address that choose calls. */
export const FILTERS = ["q", "status", "direction", "business", "from", "to", "since", "until"] as const;
/** Rows of a page on which what was said is shown with each: it is asked for call by call. */
export const SEARCH_ROWS = 10;

/** What the address says, as the API asks for it. What is not a filter's value is passed over. */
export function asked(url: URLSearchParams): CallsQuery {
  const query: CallsQuery = {};
  const status = STATUSES.find((one) => one === url.get("status"));
  const sort = SORTS.find((one) => one === url.get("sort"));
  const days = daysOf(url);
  const page = Number(url.get("page"));
  if (status !== undefined) query.status = status;
  if (sort !== undefined) query.sort = sort;
  if (days !== null) Object.assign(query, bounds(days));
  if (url.get("business")) query.business_id = url.get("business") ?? "";
  if (url.get("direction") === "inbound") query.direction = "inbound";
  if (url.get("to")) query.to = url.get("to") ?? "";
  if (url.get("from")) query.from = url.get("from") ?? "";
  if (url.get("q")) Object.assign(query, { q: url.get("q"), page_size: SEARCH_ROWS });
  if (Number.isInteger(page) && page > 1) query.page = page;
  return query;
}

export function daysOf(url: URLSearchParams): Days | null {
  const [since, until] = [url.get("since"), url.get("until")];
  return isDay(since) && isDay(until) ? { start: since, end: until } : null;
}
