// What the address of the list says, and the fields that change it.

import { parseDate } from "@internationalized/date";
import { Search, SlidersHorizontal, X } from "lucide-react";
import { type FormEvent, useEffect, useState } from "react";
import { Form, ToggleButton } from "react-aria-components";
import { useTranslation } from "react-i18next";
import type { CallsQuery } from "../api/queries";
import { Button, Select, TextField } from "../ui";
import { bounds, DateRange, type Days } from "../ui/date-range";
import { STATUSES, useBusinesses } from "./call-words";

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

function daysOf(url: URLSearchParams): Days | null {
  const [since, until] = [url.get("since"), url.get("until")];
  if (since === null || until === null) return null;
  try {
    return { start: parseDate(since), end: parseDate(until) };
  } catch {
    return null;
  }
}

export type Set = (changed: Record<string, string | null>) => void;

/** What chooses calls, each kept in the address. */
export function Filters({ url, set, filtered }: { url: URLSearchParams; set: Set; filtered: boolean }) {
  const { t } = useTranslation();
  const businesses = useBusinesses();
  const any = { id: "", label: t("calls.any") };
  const [more, setMore] = useState(false);
  return (
    <section className={more ? "filters all" : "filters"} aria-label={t("calls.filters")}>
      <Typed name="q" label={t("calls.words")} placeholder={t("calls.wordsHint")} url={url} set={set} />
      <ToggleButton className="button more" isSelected={more} onChange={setMore}>
        <SlidersHorizontal aria-hidden="true" />
        {t("calls.filters")}
      </ToggleButton>
      <Typed name="from" label={t("calls.from")} placeholder="+12025550143" url={url} set={set} />
      <Typed name="to" label={t("callList.to")} placeholder="+12025550199" url={url} set={set} />
      <Select
        label={t("calls.status")}
        options={[any, ...STATUSES.map((id) => ({ id, label: t(`status.${id}`) }))]}
        value={url.get("status") ?? ""}
        onChange={(status) => set({ status })}
      />
      {businesses.length < 2 ? null : (
        <Select
          label={t("calls.business")}
          options={[any, ...businesses.map(({ id, name }) => ({ id, label: name }))]}
          value={url.get("business") ?? ""}
          onChange={(business) => set({ business })}
        />
      )}
      {url.has("direction") ? (
        <Select
          label={t("callList.direction")}
          options={[any, { id: "inbound", label: t("callList.inbound") }]}
          value={url.get("direction") ?? ""}
          onChange={(direction) => set({ direction })}
        />
      ) : null}
      <DateRange
        label={t("calls.days")}
        value={daysOf(url)}
        onChange={(days) => set({ since: days?.start.toString() ?? null, until: days?.end.toString() ?? null })}
      />
      <Select
        label={t("calls.sort")}
        options={SORTS.map((id) => ({ id, label: t(`sort.${id}`) }))}
        value={url.get("sort") ?? "newest"}
        onChange={(sort) => set({ sort: sort === "newest" ? null : sort })}
      />
      {filtered ? (
        <Button kind="quiet" icon={<X aria-hidden="true" />} onPress={() => set(Object.fromEntries(FILTERS.map((name) => [name, null])))}>
          {t("calls.clear")}
        </Button>
      ) : null}
    </section>
  );
}

/** A filter that is typed, and holds when Enter is pressed. */
function Typed({ name, label, placeholder, url, set }: { name: string; label: string; placeholder: string; url: URLSearchParams; set: Set }) {
  const { t } = useTranslation();
  const current = url.get(name) ?? "";
  const [text, setText] = useState(current);
  useEffect(() => setText(current), [current]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    set({ [name]: text.trim() });
  };
  return (
    <Form onSubmit={submit}>
      <div className="typed">
        <TextField label={label} placeholder={placeholder} value={text} onChange={setText} />
        <Button type="submit" kind="quiet" aria-label={t("calls.search", { label })} icon={<Search aria-hidden="true" />}>
          {null}
        </Button>
      </div>
    </Form>
  );
}
