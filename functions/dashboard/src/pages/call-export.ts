// The calls of a list as a file for a spreadsheet (CSV, RFC 4180).

import { answer, api, saveAs, type Schema } from "../api/client";
import type { CallsQuery } from "../api/queries";

/** A file has at most this many calls: ten requests. */
export const MOST_EXPORTED = 1_000;
const PAGE = 100;

const FIELDS = [
  "id", "from", "status", "business_id", "started_at", "answered_at", "ended_at", "duration_ms", "end_reason", "model", "cost_micros",
  "interaction_count", "attempts", "carrier_call_id",
] as const satisfies readonly (keyof Schema["Call"])[];
const MOMENTS: readonly string[] = ["started_at", "answered_at", "ended_at"];
/** A spreadsheet computes what begins like this; a telephone number alone may begin with a plus sign. */
const FORMULA = /^[=+\-@\t\r]/u;
const NUMBER = /^\+\d{1,15}$/u;

export function csv(calls: readonly Schema["Call"][], business: (id: string) => string): string {
  const rows = calls.map((call) => FIELDS.map((field) => cell(field === "business_id" ? business(call.business_id) : shown(field, call[field]))));
  const heads = FIELDS.map((field) => (field === "business_id" ? "business" : field));
  return [heads, ...rows].map((row) => `${row.join(",")}\r\n`).join("");
}

function shown(field: string, value: string | number | null | undefined): string {
  if (value == null) return "";
  return MOMENTS.includes(field) ? new Date(value).toISOString() : String(value);
}

function cell(text: string): string {
  const safe = FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text;
  return /[",\r\n]/u.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Hands over what the filters find, up to the limit. Returns how many calls that were, and whether there are more. */
export async function exportCalls(query: CallsQuery, business: (id: string) => string): Promise<{ count: number; more: boolean }> {
  const { page: _, ...filters } = query;
  const calls: Schema["Call"][] = [];
  let cursor: string | undefined;
  let more = true;
  // By the place of the last call, so that one that comes in meanwhile moves none from one page to the next.
  while (more && calls.length < MOST_EXPORTED) {
    const next = cursor === undefined ? {} : { cursor };
    const found = await answer(api.GET("/api/v1/calls", { params: { query: { ...filters, ...next, page_size: PAGE } } }));
    calls.push(...found.items);
    cursor = found.next_cursor ?? undefined;
    // A list that ends with a full page has a place after it, too, where nothing is.
    more = cursor !== undefined && found.items.length > 0 && (found.total_capped || calls.length < found.total);
  }
  saveAs(new Blob(["\uFEFF", csv(calls, business)], { type: "text/csv;charset=utf-8" }), "calls.csv");
  return { count: calls.length, more };
}
