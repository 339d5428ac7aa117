import { useQuery } from "@tanstack/react-query";
import { PhoneCall } from "lucide-react";
import { type ReactNode, useMemo } from "react";
import { Link, useSearchParams } from "react-router";
import type { Schema } from "../api/client";
import { queries } from "../api/queries";
import { clock, useFormat } from "../format";
import { useTranslation } from "../i18n";
import { useTitle } from "../shell/title";
import { Card, Empty, Failed, Select, Skeleton } from "../ui";
import { daysOf, intervalOf, period, PERIODS, volumeOf } from "./asked";
import { StatusBadge } from "./call-words";
import { HeatMap, Volume } from "./charts";

export function Overview() {
  const { t } = useTranslation();
  useTitle(t("nav.overview"));
  const [query, setQuery] = useSearchParams();
  const days = daysOf(query);
  const asked = useMemo(() => period(days), [days]);
  const overview = useQuery(queries.overview(asked));
  const interval = intervalOf(days);
  const volume = useQuery(volumeOf(asked, days));
  return (
    <main className="page" id="main">
      <div className="page-head">
        <h1>{t("nav.overview")}</h1>
        <div className="period">
          <Select
            label={t("overview.period")}
            options={PERIODS.map((count) => ({ id: String(count), label: t("overview.days", { count }) }))}
            value={String(days)}
            onChange={(id) => setQuery({ days: id }, { replace: true })}
          />
        </div>
      </div>
      {overview.isError ? (
        <Card>
          <Failed error={overview.error} retry={() => void overview.refetch()} />
        </Card>
      ) : overview.data === undefined ? (
        <Card>
          <Skeleton lines={3} />
        </Card>
      ) : (
        <Figures overview={overview.data} />
      )}
      {volume.isError ? (
        <Card>
          <Failed error={volume.error} retry={() => void volume.refetch()} />
        </Card>
      ) : volume.data === undefined ? (
        <Card title={t("overview.volume")}>
          <Skeleton lines={6} />
        </Card>
      ) : volume.data.points.length === 0 ? (
        <Card>
          <Empty icon={<PhoneCall aria-hidden="true" />} title={t("overview.none")}>
            {t("overview.noneText")}
          </Empty>
        </Card>
      ) : (
        <Charts volume={volume.data} interval={interval} />
      )}
    </main>
  );
}

function Figures({ overview }: { overview: Schema["Overview"] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { total, previous } = overview;
  const share = total.calls === 0 ? null : total.answered / total.calls;
  return (
    <section aria-label={t("overview.figures")}>
      <dl className="figures">
        <Figure label={t("overview.calls")} value={format.number(total.calls)} change={change(total.calls, previous.calls)} />
        <Figure
          label={t("overview.active")}
          value={
            <Link to="/live" className="plain">
              {format.number(overview.active_calls)}
            </Link>
          }
        />
        <Figure label={t("overview.answered")} value={share === null ? "–" : format.percent(share)} />
        <Figure
          label={t("overview.duration")}
          value={overview.average_duration_ms == null ? "–" : clock(overview.average_duration_ms)}
        />
        <Figure label={t("overview.transferred")} value={overview.escalation_rate == null ? "–" : format.percent(overview.escalation_rate)} />
        <Figure label={t("overview.cost")} value={format.money(total.cost_micros)} change={change(total.cost_micros, previous.cost_micros)} />
        <AnswerLatency overview={overview} />
      </dl>
    </section>
  );
}

function AnswerLatency({ overview }: { overview: Schema["Overview"] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { p50_ms: middle, p95_ms: most } = overview.answer_latency;
  const label = t("overview.latency");
  if (middle == null || most == null) return <Figure wide label={label} value="–" detail={t("overview.noAnswers")} />;
  return (
    <Figure
      wide
      label={label}
      value={t("call.latency", { ms: format.number(middle) })}
      change={change(middle, overview.previous_answer_latency.p50_ms ?? 0)}
      detail={`${t("latencies.median")} · ${t("overview.latency95", { ms: format.number(most) })}`}
    />
  );
}

/** By how much it has grown; `null`: there is nothing to compare with. */
function change(now: number, before: number): number | null {
  return before === 0 ? null : (now - before) / before;
}

type FigureProps = { label: string; value: ReactNode; change?: number | null; detail?: string; wide?: boolean };

function Figure({ label, value, change: by = null, detail, wide = false }: FigureProps) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <div className={wide ? "figure wide" : "figure"}>
      <dt>{label}</dt>
      <dd>
        <span className="value">{value}</span>
        {detail === undefined ? null : <span className="muted small tabular">{detail}</span>}
        {by === null ? null : (
          <span className="muted small">
            {by >= 0 ? "+" : "−"}
            {format.percent(Math.abs(by))} {t("overview.before")}
          </span>
        )}
      </dd>
    </div>
  );
}

function Charts({ volume, interval }: { volume: Schema["CallVolume"]; interval: "day" | "hour" }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <>
      <Card title={t("overview.volume")}>
        <Volume volume={volume} interval={interval} />
      </Card>
      <div className="columns">
        <Card title={t("overview.hours")}>
          <HeatMap hours={volume.hours} />
        </Card>
        <Card title={t("overview.outcomes")}>
          <ul className="outcomes">
            {volume.by_status.map(({ status, calls }) => (
              <li key={status}>
                <Link to={`/calls?status=${status}`} className="plain">
                  <StatusBadge status={status} />
                </Link>
                <span className="tabular">{format.number(calls)}</span>
              </li>
            ))}
          </ul>
        </Card>
      </div>
    </>
  );
}
