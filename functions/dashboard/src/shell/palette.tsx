import { Search } from "lucide-react";
import { useEffect, useState } from "react";
import * as Aria from "react-aria-components";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { useMay, useMe } from "../session";
import { settingsPages } from "../pages/settings/pages";
import { usePages } from "./frame";

/** Ctrl or ⌘ and K: to any page, or to the calls in which something was said. */
export function Palette() {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  useEffect(() => {
    const key = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        setOpen((now) => !now);
      }
    };
    window.addEventListener("keydown", key);
    return () => window.removeEventListener("keydown", key);
  }, []);
  return (
    <Aria.ModalOverlay isOpen={open} onOpenChange={setOpen} isDismissable className="veil top-aligned">
      <Aria.Modal className="dialog palette">
        <Aria.Dialog aria-label={t("palette.title")}>
          <Commands close={() => setOpen(false)} />
        </Aria.Dialog>
      </Aria.Modal>
    </Aria.ModalOverlay>
  );
}

function Commands({ close }: { close: () => void }) {
  const { t } = useTranslation();
  const me = useMe();
  const navigate = useNavigate();
  const search = useMay("calls:read");
  const [text, setText] = useState("");
  const { contains } = Aria.useFilter({ sensitivity: "base" });
  const settings = settingsPages.filter(({ permission }) => me.permissions.includes(permission));
  const pages = [
    ...usePages().map(({ to, label }) => ({ to, label })),
    ...settings.map(({ to, label }) => ({ to: `/settings/${to}`, label: `${t("nav.settings")} · ${t(label)}` })),
    { to: "/profile", label: t("nav.profile") },
  ].filter(({ label }) => contains(label, text));
  const words = text.trim();
  if (search && words !== "") {
    pages.push({ to: `/calls?q=${encodeURIComponent(words)}`, label: t("palette.search", { words }) });
  }
  const go = (to: string) => {
    close();
    void navigate(to);
  };
  return (
    <Aria.Autocomplete inputValue={text} onInputChange={setText}>
      <Aria.SearchField aria-label={t("palette.title")} autoFocus className="palette-field">
        <Search aria-hidden="true" />
        <Aria.Input placeholder={t("palette.placeholder")} />
      </Aria.SearchField>
      <Aria.Menu
        aria-label={t("palette.title")}
        className="options"
        items={pages.map((page) => ({ ...page, id: page.to }))}
        renderEmptyState={() => <div className="nothing">{t("common.noMatch")}</div>}
      >
        {({ to, label }) => (
          <Aria.MenuItem id={to} textValue={label} className="option" onAction={() => go(to)}>
            {label}
          </Aria.MenuItem>
        )}
      </Aria.Menu>
    </Aria.Autocomplete>
  );
}
