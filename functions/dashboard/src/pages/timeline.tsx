// A call at a glance: who spoke when, what happened, and how long each answer took.

import { useQuery } from "@tanstack/react-query";
import type { Schema } from "../api/client";
import { queries } from "../api/queries";
import { clock, useFormat } from "../format";
import { useTranslation } from "../i18n";
import { Card } from "../ui";
import { useReason } from "./call-words";
import { useEntryTitle } from "./transcript";

type Entry = Schema["Interaction"];
type Call = Schema["Call"];

/** Something that happened: `entry` where the transcript has it. */
type Moment = { at: number; what: "rang" | "answered" | "ended" | "cut" | "entry"; entry?: Entry };

/** What happened besides speech, in order. Entries count from when the call was answered. */
export function moments(call: Call, items: readonly Entry[]): Moment[] {
  const zero = call.answered_at ?? call.started_at;
  const all: Moment[] = [{ at: call.started_at, what: "rang" }];
  if (call.answered_at != null) all.push({ at: call.answered_at, what: "answered" });
  for (const entry of items) {
    if (entry.kind !== "speech") all.push({ at: zero + entry.start_ms, what: "entry", entry });
    else if (entry.cut_at_ms != null) all.push({ at: zero + entry.start_ms + entry.cut_at_ms, what: "cut", entry });
  }
  if (call.ended_at != null) all.push({ at: call.ended_at, what: "ended" });
  return all.sort((a, b) => a.at - b.at);
}

export function Timeline({ call }: { call: Call }) {
  const { t } = useTranslation();
  const format = useFormat();
  const reason = useReason();
  const title = useEntryTitle();
  const items = useQuery(queries.interactions(call.id)).data?.items ?? [];
  const words = ({ what, entry }: Moment): string => {
    if (what === "entry" && entry !== undefined) return entry.kind === "notice" ? entry.text : title(entry);
    if (what === "ended" && call.end_reason != null) return `${t("timeline.ended")} · ${reason(call.end_reason)}`;
    return t(what === "entry" ? "timeline.cut" : `timeline.${what}`);
  };
  return (
    <Card title={t("timeline.title")}>
      <Lanes call={call} items={items} />
      <ol className="timeline">
        {moments(call, items).map((moment, index) => (
          <li key={`${moment.what}${moment.entry?.seq ?? ""}${index}`} className={moment.entry?.kind === "intervention" ? "stepped-in" : moment.what}>
            <time className="tabular muted small" dateTime={new Date(moment.at).toISOString()}>
              {format.time(moment.at)}
            </time>
            {moment.entry === undefined ? <span>{words(moment)}</span> : <a href={`#u${moment.entry.seq}`}>{words(moment)}</a>}
          </li>
        ))}
      </ol>
    </Card>
  );
}

/** Two lanes of speech. A picture: the transcript says the same in words. */
function Lanes({ call, items }: { call: Call; items: readonly Entry[] }) {
  const { t } = useTranslation();
  const speech = items.filter(({ kind }) => kind === "speech");
  if (speech.length === 0) return null;
  const whole = Math.max(1, call.duration_ms ?? 0, ...speech.map(({ end_ms: end }) => end));
  const share = (ms: number) => `${(100 * Math.min(Math.max(ms, 0), whole)) / whole}%`;
  return (
    <div className="lanes" aria-hidden="true">
      {(["caller", "assistant"] as const).map((speaker) => (
        <div key={speaker} className="lane-row">
          <span className="muted small">{t(`speaker.${speaker}`)}</span>
          <div className={`lane ${speaker}`}>
            {speech
              .filter((entry) => entry.speaker === speaker)
              .map(({ seq, start_ms: start, end_ms: end, cut_at_ms: cut }) => (
                <span key={seq} className={cut == null ? "" : "was-cut"} style={{ left: share(start), width: share(end - start) }} />
              ))}
          </div>
        </div>
      ))}
      <div className="lane-ends muted small tabular">
        <span>0:00</span>
        <span>{clock(whole)}</span>
      </div>
    </div>
  );
}

/** The one in the middle of the sorted ones; the lower of two. */
export function median(values: readonly number[]): number | null {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? null;
}

/** How long the caller waited for each answer. */
export function Latencies({ callId }: { callId: string }) {
  const { t } = useTranslation();
  const format = useFormat();
  const items = useQuery(queries.interactions(callId)).data?.items ?? [];
  const turns = items.flatMap(({ seq, start_ms: start, latency_ms: ms }) => (ms == null ? [] : [{ seq, start, ms }]));
  const middle = median(turns.map(({ ms }) => ms));
  if (middle === null) return null;
  const most = Math.max(...turns.map(({ ms }) => ms));
  return (
    <Card title={t("latencies.title")}>
      <dl className="pair">
        <div>
          <dt>{t("latencies.median")}</dt>
          <dd>{t("call.latency", { ms: format.number(middle) })}</dd>
        </div>
        <div>
          <dt>{t("latencies.slowest")}</dt>
          <dd>{t("call.latency", { ms: format.number(most) })}</dd>
        </div>
      </dl>
      <ol className="turns">
        {turns.map(({ seq, start, ms }) => {
          const label = t("latencies.turn", { time: clock(start), ms: format.number(ms) });
          return (
            <li key={seq}>
              <a href={`#u${seq}`} aria-label={label} title={label}>
                <span style={{ height: `${Math.max(4, (100 * ms) / Math.max(1, most))}%` }} />
              </a>
            </li>
          );
        })}
      </ol>
    </Card>
  );
}
