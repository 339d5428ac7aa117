// The list of calls: which columns it has, and where the words stand that were looked for.

import { useQuery } from "@tanstack/react-query";
import { Columns3 } from "lucide-react";
import { memo, type MouseEvent, type ReactNode, startTransition, useCallback, useEffect, useMemo, useState } from "react";
import { Link, useHref, useNavigate } from "react-router";
import type { Schema } from "../api/client";
import { queries } from "../api/queries";
import { clock, useFormat } from "../format";
import { useTranslation } from "../i18n";
import { useLayout } from "../preferences";
import { Button, MenuButton, TableBox } from "../ui";
import { STATUSES } from "./call-query";
import { reasonIn, StatusSign, useBusinesses } from "./call-words";
import { Marked } from "./transcript";

type Call = Schema["Call"];

/** Fields of a call that may be a column beside the caller, in the order in which they are shown. */
export const COLUMNS = [
  "status", "business_id", "end_reason", "duration_ms", "cost_micros", "interaction_count", "model", "id", "started_at",
] as const;
export type Column = (typeof COLUMNS)[number];
const STANDARD: readonly Column[] = ["status", "business_id", "end_reason", "duration_ms", "cost_micros", "started_at"];
const NUMBERS: readonly Column[] = ["duration_ms", "cost_micros", "interaction_count"];
/** Rows that a window may have room for: these are drawn first, and the others when there is time. */
const FIRST_ROWS = 20;
/** Of a call's entries with the words, this many are shown. */
const FOUND_SHOWN = 2;

/** Those of the names that are columns, in our order; `null` when there are none. */
export function columnsOf(names: unknown): Column[] | null {
  if (!Array.isArray(names)) return null;
  const known = COLUMNS.filter((column) => names.includes(column));
  return known.length === 0 ? null : known;
}

export function useColumnNames(): (column: Column) => string {
  const { t } = useTranslation();
  const names: Record<Column, string> = {
    status: t("calls.status"), business_id: t("calls.business"), end_reason: t("calls.ended"), duration_ms: t("calls.duration"),
    cost_micros: t("calls.cost"), interaction_count: t("callList.entries"), model: t("callList.model"), id: t("callList.id"),
    started_at: t("calls.when"),
  };
  return (column) => names[column];
}

/** The columns of the view, or else those that the user likes, and what chooses others. */
export function useColumns(view: Schema["SavedView"] | undefined): [Column[], (columns: Column[]) => Promise<void>] {
  const [kept, keep] = useLayout("calls.columns");
  const columns = useMemo(() => (view === undefined ? null : columnsOf(view.columns)) ?? columnsOf(kept) ?? [...STANDARD], [view, kept]);
  return [columns, keep];
}

export function ColumnChoice({ columns, choose }: { columns: Column[]; choose: (columns: Column[]) => void }) {
  const { t } = useTranslation();
  const name = useColumnNames();
  const change = (ids: string[]) => {
    const chosen = columnsOf(ids);
    if (chosen !== null) choose(chosen);
  };
  return (
    <MenuButton
      label={t("views.columns")}
      placement="bottom end"
      entries={COLUMNS.map((id) => ({ id, label: name(id) }))}
      chosen={columns}
      onChoose={change}
      button={(opens) => (
        <Button {...opens} icon={<Columns3 aria-hidden="true" />}>
          {t("views.columns")}
        </Button>
      )}
    />
  );
}

type TableProps = { calls: Call[]; columns: Column[]; words: string | undefined };
type Cells = (call: Call, column: Column) => ReactNode;

export const CallTable = memo(function CallTable({ calls, columns, words }: TableProps) {
  const { t } = useTranslation();
  const name = useColumnNames();
  const businesses = useBusinesses();
  const cells = useCells();
  const way = useWay();
  const [all, setAll] = useState(false);
  useEffect(() => startTransition(() => setAll(true)), []);
  const shown = useMemo(() => columns.filter((column) => column !== "business_id" || businesses.length > 1), [columns, businesses.length]);
  return (
    <TableBox label={t("nav.calls")}>
      <thead>
        <tr>
          <th scope="col">{t("calls.from")}</th>
          {shown.map((column) => (
            <th key={column} scope="col" className={NUMBERS.includes(column) ? "number" : ""}>
              {name(column)}
            </th>
          ))}
        </tr>
      </thead>
      {(all ? calls : calls.slice(0, FIRST_ROWS)).map((call) => (
        <Row key={call.id} call={call} shown={shown} words={words} cells={cells} way={way} withheld={t("calls.withheld")} />
      ))}
    </TableBox>
  );
});

type Way = (to: string) => { href: string; onClick: (event: MouseEvent) => void };

/** A link for each of many rows: React Router's own works out its address in each, which takes as long as all the rest of a row. */
function useWay(): Way {
  const navigate = useNavigate();
  const base = useHref("/").replace(/\/$/u, "");
  return useCallback(
    (to) => ({
      href: `${base}${to}`,
      onClick: (event) => {
        if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        void navigate(to);
      },
    }),
    [navigate, base],
  );
}

type RowProps = { call: Call; shown: Column[]; words: string | undefined; cells: Cells; way: Way; withheld: string };

/** Drawn again only when something of it has changed: a page has fifty. */
const Row = memo(function Row({ call, shown, words, cells, way, withheld }: RowProps) {
  const query = words === undefined ? "" : `?q=${encodeURIComponent(words)}`;
  return (
    <tbody>
      <tr>
        <td className="tabular">
          <a {...way(`/calls/${call.id}${query}`)} className="row-link">
            {call.from ?? withheld}
          </a>
        </td>
        {shown.map((column) => (
          <td key={column} className={NUMBERS.includes(column) ? "number muted" : column === "status" ? "" : "muted"}>
            {cells(call, column)}
          </td>
        ))}
      </tr>
      {words === undefined ? null : <Found call={call} words={words} span={shown.length + 1} />}
    </tbody>
  );
});

function useCells(): Cells {
  const { t } = useTranslation();
  const format = useFormat();
  const businesses = useBusinesses();
  return useMemo(() => {
    const named = new Map(businesses.map(({ id, name }) => [id, name]));
    // Each is translated once, not in every row.
    const statuses = Object.fromEntries(STATUSES.map((status) => [status, t(`status.${status}`)]));
    const reasons = new Map<string, string>();
    const reason = (word: string) => {
      if (!reasons.has(word)) reasons.set(word, reasonIn(t, word));
      return reasons.get(word);
    };
    return (call, column) => {
      switch (column) {
        case "status":
          return <StatusSign status={call.status} label={statuses[call.status] ?? call.status} />;
        case "business_id":
          return named.get(call.business_id) ?? "";
        case "end_reason":
          return call.end_reason == null ? "" : reason(call.end_reason);
        case "duration_ms":
          return call.duration_ms == null ? "" : clock(call.duration_ms);
        case "cost_micros":
          return call.cost_micros == null ? "" : format.money(call.cost_micros);
        case "started_at":
          return format.date(call.started_at);
        case "interaction_count":
          return format.number(call.interaction_count);
        case "model":
          return call.model ?? "";
        case "id":
          return <code>{call.id}</code>;
      }
    };
  }, [t, format, businesses]);
}

/** Where the words were said. Each word may stand in another entry: those that have any of them are looked for one word at a time. */
function Found({ call, words, span }: { call: Call; words: string; span: number }) {
  const { t } = useTranslation();
  const first = words.trim().split(/\s+/u)[0] ?? "";
  const together = useQuery(queries.said(call.id, words, FOUND_SHOWN));
  const none = together.data?.items.length === 0 && first !== words.trim();
  const alone = useQuery({ ...queries.said(call.id, first, FOUND_SHOWN), enabled: none });
  const items = (none ? alone.data : together.data)?.items ?? [];
  if (items.length === 0) return null;
  return (
    <tr className="found">
      <td colSpan={span}>
        <ul aria-label={t("callList.found")}>
          {items.map(({ seq, speaker, start_ms: start, text }) => (
            <li key={seq}>
              <Link to={`/calls/${call.id}?q=${encodeURIComponent(words)}#u${seq}`} className="tabular">
                {clock(start)}
              </Link>
              <span className="who">{t(`speaker.${speaker}`)}</span>
              <span className="clip">
                <Marked text={text} words={words} />
              </span>
            </li>
          ))}
        </ul>
      </td>
    </tr>
  );
}
