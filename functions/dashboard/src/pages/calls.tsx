import { parseDate } from "@internationalized/date";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { PhoneOff, Search, X } from "lucide-react";
import { type FormEvent, useEffect, useState } from "react";
import { Form } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "react-router";
import type { Schema } from "../api/client";
import { type CallsQuery, queries } from "../api/queries";
import { clock, useFormat } from "../format";
import { useLiveCalls } from "../live/hooks";
import { useMay } from "../session";
import { useTitle } from "../shell/title";
import { Button, Card, Empty, Failed, Paging, Select, Skeleton, TableBox, TextField } from "../ui";
import { bounds, DateRange, type Days } from "../ui/date-range";
import { StatusBadge, STATUSES, useCaller, useReason } from "./call-words";

const SORTS = ["newest", "oldest", "longest", "shortest"] as const;
const FILTERS = ["q", "status", "business", "from", "since", "until"] as const;

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
  if (url.get("from")) query.from = url.get("from") ?? "";
  if (url.get("q")) query.q = url.get("q") ?? "";
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

export function Calls() {
  const { t } = useTranslation();
  useTitle(t("nav.calls"));
  const [url, setUrl] = useSearchParams();
  const query = asked(url);
  useLiveCalls(useMay("live:read"));
  const calls = useQuery({ ...queries.calls(query), placeholderData: keepPreviousData });
  const set = (changed: Record<string, string | null>) => {
    // Of the address as it is now: two filters may be set before the page has been drawn again.
    const next = new URLSearchParams(location.search);
    if (!("page" in changed)) next.delete("page");
    for (const [name, value] of Object.entries(changed)) {
      if (value === null || value === "") next.delete(name);
      else next.set(name, value);
    }
    setUrl(next);
  };
  const filtered = FILTERS.some((name) => url.has(name));
  return (
    <main className="page" id="main">
      <div className="page-head">
        <h1>{t("nav.calls")}</h1>
      </div>
      <Filters url={url} set={set} filtered={filtered} />
      <Card flush>
        {calls.isError ? (
          <Failed error={calls.error} retry={() => void calls.refetch()} />
        ) : calls.data === undefined ? (
          <div className="body">
            <Skeleton lines={8} />
          </div>
        ) : calls.data.items.length === 0 ? (
          <Empty icon={<PhoneOff aria-hidden="true" />} title={filtered ? t("calls.noneFound") : t("calls.none")}>
            {filtered ? t("calls.noneFoundText") : t("calls.noneText")}
          </Empty>
        ) : (
          <>
            <CallTable calls={calls.data.items} words={query.q} />
            <Paging page={calls.data} onPage={(page) => set({ page: page === 1 ? null : String(page) })} />
          </>
        )}
      </Card>
    </main>
  );
}

type Set = (changed: Record<string, string | null>) => void;

function Filters({ url, set, filtered }: { url: URLSearchParams; set: Set; filtered: boolean }) {
  const { t } = useTranslation();
  const businesses = useBusinesses();
  const any = { id: "", label: t("calls.any") };
  return (
    <section className="filters" aria-label={t("calls.filters")}>
      <Typed name="q" label={t("calls.words")} placeholder={t("calls.wordsHint")} url={url} set={set} />
      <Typed name="from" label={t("calls.from")} placeholder="+12025550143" url={url} set={set} />
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

/** Businesses, for whoever may read them. */
export function useBusinesses(): Schema["Business"][] {
  const may = useMay("config:read");
  return useQuery({ ...queries.businesses(), enabled: may }).data?.items ?? [];
}

function CallTable({ calls, words }: { calls: Schema["Call"][]; words: string | undefined }) {
  const { t } = useTranslation();
  const format = useFormat();
  const caller = useCaller();
  const reason = useReason();
  const businesses = new Map(useBusinesses().map(({ id, name }) => [id, name]));
  const query = words === undefined ? "" : `?q=${encodeURIComponent(words)}`;
  return (
    <TableBox label={t("nav.calls")}>
      <thead>
        <tr>
          <th scope="col">{t("calls.from")}</th>
          <th scope="col">{t("calls.status")}</th>
          {businesses.size > 1 ? <th scope="col">{t("calls.business")}</th> : null}
          <th scope="col">{t("calls.ended")}</th>
          <th scope="col" className="number">
            {t("calls.duration")}
          </th>
          <th scope="col" className="number">
            {t("calls.cost")}
          </th>
          <th scope="col">{t("calls.when")}</th>
        </tr>
      </thead>
      <tbody>
        {calls.map((call) => (
          <tr key={call.id}>
            <td className="tabular">
              <Link to={`/calls/${call.id}${query}`} className="row-link">
                {caller(call)}
              </Link>
            </td>
            <td>
              <StatusBadge status={call.status} />
            </td>
            {businesses.size > 1 ? <td>{businesses.get(call.business_id) ?? ""}</td> : null}
            <td className="muted">{call.end_reason == null ? "" : reason(call.end_reason)}</td>
            <td className="number">{call.duration_ms == null ? "" : clock(call.duration_ms)}</td>
            <td className="number muted">{call.cost_micros == null ? "" : format.money(call.cost_micros)}</td>
            <td className="muted tight">{format.date(call.started_at)}</td>
          </tr>
        ))}
      </tbody>
    </TableBox>
  );
}
