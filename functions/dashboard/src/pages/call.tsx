import { useQuery } from "@tanstack/react-query";
import { ArrowLeft } from "lucide-react";
import { useEffect, useRef } from "react";
import { Link, useLocation, useParams, useSearchParams } from "react-router";
import type { Schema } from "../api/client";
import { queries } from "../api/queries";
import { clock, useFormat } from "../format";
import { useTranslation } from "../i18n";
import { useLiveCalls, useLiveStatus } from "../live/hooks";
import { useMay } from "../session";
import { useTitle } from "../shell/title";
import { Card, Empty, Failed, NoteBar, Skeleton, TextField } from "../ui";
import { useNow } from "../ui/now";
import { Actions, Composer } from "./call-actions";
import { isRunning, StatusBadge, useBusinesses, useCaller, useReason } from "./call-words";
import { Quality } from "./call-quality";
import { Notes } from "./notes";
import { Latencies, Timeline } from "./timeline";
import { Transcript } from "./transcript";

/** One call: what is said while it is said, and everything about it afterwards. */
export function CallPage() {
  const { id = "" } = useParams();
  const { t } = useTranslation();
  const caller = useCaller();
  const call = useQuery(queries.call(id));
  const title = call.data === undefined ? t("nav.calls") : t("call.title", { caller: caller(call.data) });
  useTitle(title);
  return (
    <main className="page" id="main">
      <p className="small">
        <Link to="/calls" className="back">
          <ArrowLeft aria-hidden="true" />
          {t("nav.calls")}
        </Link>
      </p>
      {call.isError ? (
        <Card>
          <h1 className="visually-hidden">{title}</h1>
          <Failed error={call.error} retry={() => void call.refetch()} />
        </Card>
      ) : call.data === undefined ? (
        <Card>
          <Skeleton lines={10} />
        </Card>
      ) : (
        <Loaded call={call.data} title={title} />
      )}
    </main>
  );
}

function Loaded({ call, title }: { call: Schema["Call"]; title: string }) {
  const running = isRunning(call.status);
  useLiveCalls(running, call.id);
  return (
    <>
      <div className="page-head">
        <h1 className="tabular">{title}</h1>
        <StatusBadge status={call.status} />
        <span className="grow" />
        <Actions call={call} />
      </div>
      <div className="call-columns">
        <Said call={call} running={running} />
        <div className="stack">
          <Facts call={call} />
          <Timeline call={call} />
          <Latencies callId={call.id} />
          {running ? null : <Quality callId={call.id} />}
          <Notes callId={call.id} />
        </div>
      </div>
    </>
  );
}

function Said({ call, running }: { call: Schema["Call"]; running: boolean }) {
  const { t } = useTranslation();
  const [url, setUrl] = useSearchParams();
  const { hash } = useLocation();
  const interactions = useQuery(queries.interactions(call.id));
  const words = url.get("q") ?? "";
  const end = useRef<HTMLDivElement>(null);
  const items = interactions.data?.items ?? [];
  const count = items.length;

  // To the entry that the address names, once it is there.
  useEffect(() => {
    if (count > 0 && hash !== "") document.getElementById(hash.slice(1))?.scrollIntoView({ block: "center" });
  }, [hash, count > 0]);
  // What is said appears below: whoever reads the end goes on reading the end.
  useEffect(() => {
    if (running && isNear(end.current)) end.current?.scrollIntoView({ block: "nearest" });
  }, [running, count]);

  return (
    <Card
      title={t("call.transcript")}
      actions={
        <div className="find">
          <TextField
            aria-label={t("call.find")}
            label={t("call.find")}
            placeholder={t("call.find")}
            value={words}
            onChange={(q) => setUrl(q === "" ? {} : { q }, { replace: true, preventScrollReset: true })}
          />
        </div>
      }
    >
      {running ? <LiveNotice /> : null}
      {interactions.isError ? (
        <Failed error={interactions.error} retry={() => void interactions.refetch()} />
      ) : interactions.data === undefined ? (
        <Skeleton lines={8} />
      ) : count === 0 ? (
        <Empty title={running ? t("call.nothingYet") : t("call.nothing")} />
      ) : (
        <div role="log" aria-label={t("call.transcript")} aria-live={running ? "polite" : "off"}>
          <Transcript items={items} words={words} named={hash.slice(1)} />
        </div>
      )}
      <div ref={end} />
      <Composer call={call} />
    </Card>
  );
}

const NEAR_PX = 240;

function isNear(element: HTMLElement | null): boolean {
  return element !== null && element.getBoundingClientRect().top < window.innerHeight + NEAR_PX;
}

/** Says so when what is shown may be late; where it always is, nothing is wrong. */
export function LiveNotice() {
  const { t } = useTranslation();
  const status = useLiveStatus();
  const may = useMay("live:read");
  if (!may || status === "open" || status === "connecting") return null;
  return <NoteBar tone={status === "unsupported" ? "info" : "warn"}>{t(`live.${status}`)}</NoteBar>;
}

function Facts({ call }: { call: Schema["Call"] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const reason = useReason();
  const running = isRunning(call.status);
  const now = useNow(running);
  const business = useBusinesses().find(({ id }) => id === call.business_id)?.name;
  const since = call.answered_at ?? null;
  const lasted = call.duration_ms ?? (running && since !== null ? now - since : null);
  const facts: [string, string | null][] = [
    [t("calls.when"), format.date(call.started_at)],
    [t("calls.duration"), lasted === null ? null : clock(lasted)],
    [t("calls.business"), business ?? null],
    [t("calls.ended"), call.end_reason == null ? null : reason(call.end_reason)],
    [t("call.model"), call.model ?? null],
    [t("calls.cost"), call.cost_micros == null ? null : format.money(call.cost_micros)],
    [t("call.streams"), call.attempts > 1 ? format.number(call.attempts) : null],
    [t("call.carrierId"), call.carrier_call_id],
  ];
  return (
    <Card title={t("call.facts")}>
      <dl className="facts">
        {facts.map(([name, value]) =>
          value === null ? null : (
            <div key={name}>
              <dt>{name}</dt>
              <dd className="tabular">{value}</dd>
            </div>
          ),
        )}
      </dl>
    </Card>
  );
}
