// Keys that lead somewhere. Single keys do nothing while somebody types.

import { useEffect, useRef } from "react";
import { useTranslation } from "../i18n";
import { useNavigate } from "react-router";
import { useLayout } from "../preferences";
import { Button, Modal } from "../ui";
import { usePages } from "./frame";

/** The second key has to come within this time after `g`. */
const CHORD_MS = 1_500;

const LETTERS: Record<string, string> = { "/": "o", "/live": "l", "/calls": "c", "/messages": "m", "/settings": "s" };

/** Whether keys go into something that takes text, or has keys of its own. */
export function takesKeys(element: Element | null): boolean {
  return element?.closest("input, textarea, select, [contenteditable], [role=dialog], [role=alertdialog], [role=menu], [role=listbox]") != null;
}

/** Whether single keys do anything. Whoever speaks to their computer, or hits keys by accident, turns them off (WCAG 2.2, 2.1.4). */
export function useSingleKeys(): [boolean, (on: boolean) => Promise<void>] {
  const [off, keep] = useLayout("keys.off");
  return [off !== true, (on) => keep(!on)];
}

export function Shortcuts({ open, setOpen }: { open: boolean; setOpen: (open: boolean) => void }) {
  const { t } = useTranslation();
  const pages = usePages();
  const navigate = useNavigate();
  const began = useRef(0);
  const ways = pages.flatMap(({ to, label }) => (LETTERS[to] === undefined ? [] : [{ to, label, letter: LETTERS[to] }]));
  const known = useRef(ways);
  known.current = ways;
  const [single] = useSingleKeys();
  useEffect(() => {
    if (!single) return;
    const key = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || takesKeys(document.activeElement)) return;
      const way = known.current.find(({ letter }) => letter === event.key);
      if (way !== undefined && Date.now() - began.current < CHORD_MS) {
        began.current = 0;
        event.preventDefault();
        void navigate(way.to);
      } else if (event.key === "g") began.current = Date.now();
      else if (event.key === "?") {
        event.preventDefault();
        setOpen(true);
      } else if (event.key === "/") {
        event.preventDefault();
        document.querySelector<HTMLInputElement>("main .typed input, main .find input")?.focus();
      }
    };
    window.addEventListener("keydown", key);
    return () => window.removeEventListener("keydown", key);
  }, [navigate, setOpen, single]);
  const go = ways.map(({ letter, label }): [string[], string] => [["G", letter.toUpperCase()], t("shortcuts.go", { page: label })]);
  const rows: [string[], string][] = [
    [["Ctrl/⌘", "K"], t("shortcuts.palette")],
    [["Esc"], t("shortcuts.close")],
    ...(single ? [[["/"], t("shortcuts.find")] as [string[], string], ...go, [["?"], t("shortcuts.help")] as [string[], string]] : []),
  ];
  return (
    <Modal title={t("shortcuts.title")} open={open} onClose={() => setOpen(false)}>
      <dl className="shortcuts">
        {rows.map(([keys, what]) => (
          <div key={what}>
            <dt>{what}</dt>
            <dd>
              {keys.map((one, index) => (
                <span key={one}>
                  {index === 0 || keys[0] !== "G" ? null : <span className="muted small">{t("shortcuts.then")}</span>}
                  <kbd>{one}</kbd>
                </span>
              ))}
            </dd>
          </div>
        ))}
      </dl>
      {single ? null : <p className="muted">{t("shortcuts.off")}</p>}
      <div className="actions">
        <Button onPress={() => setOpen(false)}>{t("common.close")}</Button>
      </div>
    </Modal>
  );
}
