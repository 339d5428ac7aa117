import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { answer, api, type Schema } from "../../api/client";
import { queries } from "../../api/queries";
import { useFormat } from "../../format";
import { useTranslation } from "../../i18n";
import { useMay } from "../../session";
import { Card, ComboBox, ErrorBar, TextField } from "../../ui";
import { Asked } from "../../ui/asked";
import { SaveActions } from "../../ui/edit";
import { useSubmit } from "../../ui/submit";
import { toast } from "../../ui/toast";

const DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] as const;

type Business = Schema["Business"];
type Known = Schema["OpeningHours"] & { version: number };

/** When a business is open. */
export function Hours({ business }: { business: Business }) {
  const { t } = useTranslation();
  const hours = useQuery(queries.hours(business));
  return (
    <Card title={t("settings.hours.title")}>
      <Asked query={hours} lines={7} within="card">
        {(found) => <Editor key={JSON.stringify({ ...found, version: 0 })} business={business} known={found} />}
      </Asked>
    </Card>
  );
}

/** The spans of each day as they are typed: `09:00-12:00, 13:00-17:30`. */
export function byDay(spans: string[]): Record<string, string> {
  const days: Record<string, string> = {};
  for (const span of spans) {
    const [day = "", times = ""] = span.split(" ");
    days[day] = days[day] === undefined ? times : `${days[day]}, ${times}`;
  }
  return days;
}

export function spans(days: Record<string, string>): string[] {
  return DAYS.flatMap((day) => {
    const times = (days[day] ?? "").split(",").map((time) => time.replace(/\s/gu, "").replace("–", "-"));
    return times.filter(Boolean).map((time) => `${day} ${time}`);
  });
}

/** Those that the browser knows, and the one that is chosen: it may be UTC, which is not in that list. */
function zones(chosen: string): { id: string; label: string }[] {
  const known = Intl.supportedValuesOf("timeZone");
  return [...(known.includes(chosen) ? [] : [chosen]), ...known].map((id) => ({ id, label: id.replaceAll("_", " ") }));
}

function Editor({ business, known }: { business: Business; known: Known | null }) {
  const { t } = useTranslation();
  const format = useFormat();
  const client = useQueryClient();
  const may = useMay("config:write");
  const [zone, setZone] = useState(known?.time_zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone);
  const [days, setDays] = useState(byDay(known?.opening_hours ?? []));
  const { submit, busy, error } = useSubmit(async () => {
    const body = { time_zone: zone, opening_hours: spans(days) };
    await answer(
      api.PUT("/api/v1/businesses/{id}/opening-hours", {
        params: { path: { id: business.id } },
        headers: { "if-match": `"${known?.version ?? business.version}"` },
        body,
      }),
    );
    toast(t("common.saved"));
    // The version is the business's, too.
    await client.invalidateQueries({ queryKey: queries.businesses().queryKey });
    await client.invalidateQueries({ queryKey: ["hours", business.id] });
  });
  return (
    <form className="stack" onSubmit={submit}>
      {known === null ? <p className="muted">{t("settings.hours.unknown")}</p> : null}
      <ErrorBar error={error} />
      <ComboBox label={t("settings.hours.zone")} options={zones(zone)} value={zone} onChange={setZone} />
      <div className="form-grid days">
        {DAYS.map((day, index) => (
          <TextField
            key={day}
            label={format.longWeekday(index)}
            placeholder={t("settings.hours.closed")}
            isReadOnly={!may}
            value={days[day] ?? ""}
            onChange={(times) => setDays((now) => ({ ...now, [day]: times }))}
          />
        ))}
      </div>
      <p className="muted small">{t("settings.hours.hint")}</p>
      <SaveActions may={may} busy={busy} />
    </form>
  );
}
