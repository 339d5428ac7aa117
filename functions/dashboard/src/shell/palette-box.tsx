// What the palette shows, and how. Fetched when it is opened for the first time.

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Search } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import * as Aria from "react-aria-components";
import { useNavigate } from "react-router";
import { queries } from "../api/queries";
import { numberIn, useFormat } from "../format";
import { useTranslation } from "../i18n";
import { useBusinesses, useCaller } from "../pages/call-words";
import { settingsPages } from "../pages/settings/pages";
import { useMay, useMe } from "../session";
import { Spoken } from "../ui/over";
import { usePages } from "./frame";

/** Words are looked for when nothing was typed for so long, and when there are so many letters. */
const PAUSE_MS = 250;
const FEWEST_LETTERS = 3;
const FOUND_SHOWN = 5;

export function OpenedPalette({ open, setOpen }: { open: boolean; setOpen: (open: boolean) => void }) {
  return (
    <PaletteBox open={open} setOpen={setOpen}>
      <Commands close={() => setOpen(false)} />
    </PaletteBox>
  );
}

export function PaletteBox({ open, setOpen, children }: { open: boolean; setOpen: (open: boolean) => void; children: ReactNode }) {
  const { t } = useTranslation();
  return (
    <Spoken>
      <Aria.ModalOverlay isOpen={open} onOpenChange={setOpen} isDismissable className="veil top-aligned">
        <Aria.Modal className="dialog palette">
          <Aria.Dialog aria-label={t("palette.title")}>{children}</Aria.Dialog>
        </Aria.Modal>
      </Aria.ModalOverlay>
    </Spoken>
  );
}

type Way = { to: string; label: string; beside?: string };
export type Group = { id: string; name: string; ways: Way[] };

function Commands({ close }: { close: () => void }) {
  const navigate = useNavigate();
  const [text, setText] = useState("");
  const groups = [usePageWays(text), useSetUp(text), useCallWays(text.trim())].filter(({ ways }) => ways.length > 0);
  const go = (to: string) => {
    close();
    void navigate(to);
  };
  return <Ways text={text} setText={setText} groups={groups} go={go} />;
}

/** What was found for what is typed, and what has a name; `go` is told the address of what is chosen. */
export function Ways({ text, setText, groups, go }: { text: string; setText: (text: string) => void; groups: Group[]; go: (to: string) => void }) {
  const { t } = useTranslation();
  return (
    <Aria.Autocomplete inputValue={text} onInputChange={setText}>
      <Aria.SearchField aria-label={t("palette.title")} autoFocus className="palette-field">
        <Search aria-hidden="true" />
        <Aria.Input placeholder={t("palette.placeholder")} />
      </Aria.SearchField>
      <Aria.Menu
        aria-label={t("palette.title")}
        className="options"
        renderEmptyState={() => <div className="nothing">{t("common.noMatch")}</div>}
      >
        {groups.map(({ id, name, ways }) => (
          <Aria.MenuSection key={id} id={id} className="option-group">
            <Aria.Header>{name}</Aria.Header>
            {ways.map(({ to, label, beside }) => (
              <Aria.MenuItem key={to} id={to} textValue={label} className="option" onAction={() => go(to)}>
                <span className="grow clip">{label}</span>
                {beside === undefined ? null : <span className="muted small">{beside}</span>}
              </Aria.MenuItem>
            ))}
          </Aria.MenuSection>
        ))}
      </Aria.Menu>
    </Aria.Autocomplete>
  );
}

function usePageWays(text: string): Group {
  const { t } = useTranslation();
  const me = useMe();
  const { contains } = Aria.useFilter({ sensitivity: "base" });
  const settings = settingsPages.filter(({ permission }) => me.permissions.includes(permission));
  const ways = [
    ...usePages().map(({ to, label }) => ({ to, label })),
    ...settings.map(({ to, label }) => ({ to: `/settings/${to}`, label: `${t("nav.settings")} · ${t(label)}` })),
    { to: "/notifications", label: t("notifications.title") },
    { to: "/profile", label: t("nav.profile") },
  ].filter(({ label }) => contains(label, text));
  return { id: "pages", name: t("found.pages"), ways };
}

/** Businesses and assistants with this name. */
function useSetUp(text: string): Group {
  const { t } = useTranslation();
  const { contains } = Aria.useFilter({ sensitivity: "base" });
  const may = useMay("config:read");
  const businesses = useBusinesses();
  const assistants = useQuery({ ...queries.assistants(), enabled: may && text !== "" }).data?.items ?? [];
  const named = [
    ...businesses.map(({ id, name }) => ({ to: `/settings/business?id=${id}`, label: name, beside: t("settings.business.title") })),
    ...assistants.map(({ id, draft }) => ({ to: `/settings/assistants?id=${id}`, label: draft.name, beside: t("settings.assistants.title") })),
  ];
  return { id: "settings", name: t("found.settings"), ways: text === "" ? [] : named.filter(({ label }) => contains(label, text)).slice(0, FOUND_SHOWN) };
}

/** Calls from this number, or else in which these words were said. */
function useCallWays(words: string): Group {
  const { t } = useTranslation();
  const format = useFormat();
  const caller = useCaller();
  const may = useMay("calls:read");
  const [settled, setSettled] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setSettled(words), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [words]);
  const number = numberIn(settled);
  const query = { ...(number === null ? { q: settled } : { from: number }), page_size: FOUND_SHOWN };
  const enabled = may && settled.length >= FEWEST_LETTERS;
  const found = useQuery({ ...queries.calls(query), enabled, placeholderData: keepPreviousData });
  const ways: Way[] = [];
  if (may && words !== "") {
    const from = numberIn(words);
    ways.push(
      from === null
        ? { to: `/calls?q=${encodeURIComponent(words)}`, label: t("palette.search", { words }) }
        : { to: `/calls?from=${encodeURIComponent(from)}`, label: t("found.from", { number: from }) },
    );
    const search = number === null ? `?q=${encodeURIComponent(settled)}` : "";
    for (const call of enabled ? (found.data?.items ?? []) : []) {
      ways.push({ to: `/calls/${call.id}${search}`, label: caller(call), beside: format.date(call.started_at) });
    }
  }
  return { id: "calls", name: t("found.calls"), ways };
}
