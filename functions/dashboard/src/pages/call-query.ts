// Which calls the address of the list asks for.

import { type CalendarDate, getLocalTimeZone, parseDate } from "@internationalized/date";
import type { CallsQuery } from "../api/queries";
import { STATUSES } from "./call-words";

/** A span of days. */
export type Days = { start: CalendarDate; end: CalendarDate };

/** The first moment of the first day, and the first moment after the last. */
export function bounds({ start, end }: Days): { since: number; until: number } {
  const zone = getLocalTimeZone();
  return { since: start.toDate(zone).getTime(), until: end.add({ days: 1 }).toDate(zone).getTime() };
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
  if (since === null || until === null) return null;
  try {
    return { start: parseDate(since), end: parseDate(until) };
  } catch {
    return null;
  }
}
