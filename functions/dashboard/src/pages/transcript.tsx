// What was said, as it was said. Callers' words are text and nothing else: React escapes them.

import { Scissors } from "lucide-react";
import { memo } from "react";
import type { Schema } from "../api/client";
import { clock } from "../format";
import { useTranslation } from "../i18n";

type Entry = Schema["Interaction"];

/** `named`: the entry that the address names (`u3`), which is shown as such. */
export function Transcript({ items, words, named = "" }: { items: Entry[]; words: string; named?: string }) {
  return (
    <ol className="transcript">
      {items.map((entry) => (
        <Line key={entry.seq} entry={entry} words={words} named={named === `u${entry.seq}`} />
      ))}
    </ol>
  );
}

const Line = memo(function Line({ entry, words, named }: { entry: Entry; words: string; named: boolean }) {
  const { t } = useTranslation();
  const { seq, speaker, kind, start_ms: start, cut_at_ms: cut, latency_ms: latency } = entry;
  const title = useEntryTitle()(entry);
  const aside = kind !== "speech";
  return (
    <li id={`u${seq}`} className={`line ${aside ? "aside" : speaker}${named ? " named" : ""}`}>
      <a className="time tabular" href={`#u${seq}`} aria-label={t("call.linkTo", { time: clock(start) })}>
        {clock(start)}
      </a>
      <div className="said">
        <p className="who">
          {title}
          {latency == null ? null : <span className="muted small tabular">{t("call.latency", { ms: latency })}</span>}
        </p>
        <p className="text">
          <Marked text={kind === "tool" ? plain(entry.text) : entry.text} words={words} />
          {cut == null ? null : (
            <span className="cut" title={t("call.cutAt", { time: (cut / 1000).toFixed(1) })}>
              <Scissors aria-hidden="true" />
              {t("call.cut")}
            </span>
          )}
        </p>
      </div>
    </li>
  );
});

/** Who speaks, or what happened. */
export function useEntryTitle(): (entry: Entry) => string {
  const { t } = useTranslation();
  return (entry) => {
    if (entry.kind === "tool") return t("call.tool", { name: entry.name });
    if (entry.kind === "dtmf") return t("call.key");
    if (entry.kind === "intervention") return t(`steer.did.${entry.action}`);
    return t(`speaker.${entry.speaker}`);
  };
}

/** The result of a tool: the fields of an object side by side, anything else as it is. */
function plain(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return text;
    return Object.entries(value)
      .map(([name, said]) => `${name.replaceAll("_", " ")}: ${typeof said === "string" ? said : JSON.stringify(said)}`)
      .join(" · ");
  } catch {
    return text;
  }
}

/** The words that were searched for are marked where they stand as whole words, in any case and with any accents. */
export function Marked({ text, words }: { text: string; words: string }) {
  const wanted = new Set(words.split(/[^\p{L}\p{N}]+/u).filter(Boolean).map(folded));
  if (wanted.size === 0) return text;
  return text.split(/([\p{L}\p{N}\p{M}]+)/u).map((part, index) =>
    // Parts come in order and never move.
    wanted.has(folded(part)) ? <mark key={index}>{part}</mark> : part,
  );
}

function folded(word: string): string {
  return word.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}
