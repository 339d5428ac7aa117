// The fields that change which calls the address of the list asks for.

import { Calendar, Search, SlidersHorizontal, X } from "lucide-react";
import { type FormEvent, lazy, memo, Suspense, useEffect, useState } from "react";
import { useTranslation } from "../i18n";
import { Button, Select, TextField } from "../ui";
import { daysOf, FILTERS, SORTS, STATUSES } from "./call-query";
import { useBusinesses } from "./call-words";

// The calendar costs more than all the rest of the page: it comes when it is wanted.
const DateRange = lazy(async () => ({ default: (await import("../ui/date-range")).DateRange }));

export type Set = (changed: Record<string, string | null>) => void;

/** What chooses calls, each kept in the address. */
export const Filters = memo(function Filters({ url, set, filtered }: { url: URLSearchParams; set: Set; filtered: boolean }) {
  const { t } = useTranslation();
  const businesses = useBusinesses();
  const any = { id: "", label: t("calls.any") };
  const [more, setMore] = useState(false);
  return (
    <section className={more ? "filters all" : "filters"} aria-label={t("calls.filters")}>
      <Typed name="q" label={t("calls.words")} placeholder={t("calls.wordsHint")} url={url} set={set} />
      <Button className="button more" aria-pressed={more} onPress={() => setMore(!more)} icon={<SlidersHorizontal aria-hidden="true" />}>
        {t("calls.filters")}
      </Button>
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
      <DaysField url={url} set={set} />
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
});

/** Days from and to. */
function DaysField({ url, set }: { url: URLSearchParams; set: Set }) {
  const { t } = useTranslation();
  const [wanted, setWanted] = useState(false);
  const days = daysOf(url);
  const label = t("calls.days");
  const closed = (
    <div className="field">
      <span className="label">{label}</span>
      <Button className="select-button" aria-label={`${label}: ${t("calls.any")}`} onPress={() => setWanted(true)}>
        <span className="value">{t("calls.any")}</span>
        <Calendar aria-hidden="true" />
      </Button>
    </div>
  );
  if (days === null && !wanted) return closed;
  return (
    <Suspense fallback={closed}>
      <DateRange label={label} opened={wanted} value={days} onChange={(now) => set({ since: now?.start ?? null, until: now?.end ?? null })} />
    </Suspense>
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
    <form onSubmit={submit}>
      <div className="typed">
        <TextField label={label} placeholder={placeholder} value={text} onChange={setText} />
        <Button type="submit" kind="quiet" aria-label={t("calls.search", { label })} icon={<Search aria-hidden="true" />}>
          {null}
        </Button>
      </div>
    </form>
  );
}
