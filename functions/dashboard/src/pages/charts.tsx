// Two charts that are HTML: they are read by screen readers as the tables that they are, take no library, and follow the theme.

import type { Schema } from "../api/client";
import { useFormat } from "../format";
import { useTranslation } from "../i18n";

type Bar = { at: number; calls: number; answered: number };

/** Every day or hour of the period: the API leaves out those without calls. */
export function bars({ since, until, points, utc_offset_minutes: offset }: Schema["CallVolume"], interval: "day" | "hour"): Bar[] {
  const step = interval === "day" ? 86_400_000 : 3_600_000;
  const shift = offset * 60_000;
  const known = new Map(points.map((point) => [point.at, point]));
  const all: Bar[] = [];
  for (let at = Math.floor((since + shift) / step) * step - shift; at < until; at += step) {
    const point = known.get(at);
    all.push({ at, calls: point?.calls ?? 0, answered: point?.answered ?? 0 });
  }
  return all;
}

export function Volume({ volume, interval }: { volume: Schema["CallVolume"]; interval: "day" | "hour" }) {
  const { t } = useTranslation();
  const format = useFormat();
  const all = bars(volume, interval);
  const most = Math.max(1, ...all.map(({ calls }) => calls));
  const name = (at: number) => (interval === "day" ? format.day(at) : format.hour(new Date(at).getHours()));
  const every = Math.ceil(all.length / 8);
  return (
    <figure className="volume">
      <div className="bars" aria-hidden="true">
        {all.map(({ at, calls, answered }) => (
          <div key={at} className="slot" title={`${name(at)}: ${t("overview.callCount", { count: calls })}`}>
            <div className="bar" style={{ height: `${(100 * calls) / most}%` }}>
              <div className="part" style={{ height: calls === 0 ? 0 : `${(100 * answered) / calls}%` }} />
            </div>
          </div>
        ))}
      </div>
      <div className="axis" aria-hidden="true">
        {all.map(({ at }, index) => (
          <span key={at}>{index % every === 0 ? <span>{name(at)}</span> : null}</span>
        ))}
      </div>
      <figcaption className="legend small muted">
        <span className="key answered">{t("overview.keyAnswered")}</span>
        <span className="key">{t("overview.keyOther")}</span>
      </figcaption>
      <table className="visually-hidden">
        <caption>{t("overview.volume")}</caption>
        <tbody>
          {all
            .filter(({ calls }) => calls > 0)
            .map(({ at, calls }) => (
              <tr key={at}>
                <th scope="row">{name(at)}</th>
                <td>{t("overview.callCount", { count: calls })}</td>
              </tr>
            ))}
        </tbody>
      </table>
    </figure>
  );
}

const LEVELS = 4;

export function HeatMap({ hours }: { hours: Schema["HourVolume"][] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const known = new Map(hours.map(({ weekday, hour, calls }) => [weekday * 24 + hour, calls]));
  const most = Math.max(1, ...hours.map(({ calls }) => calls));
  const level = (calls: number) => (calls === 0 ? 0 : Math.ceil((LEVELS * calls) / most));
  return (
    <div className="heat" role="group" aria-label={t("overview.hours")} tabIndex={0}>
      <table>
        <thead>
          <tr>
            <td />
            {Array.from({ length: 24 }, (_, hour) => (
              <th key={hour} scope="col">
                {hour % 6 === 0 ? format.hour(hour) : <span className="visually-hidden">{format.hour(hour)}</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {Array.from({ length: 7 }, (_, day) => (
            <tr key={day}>
              <th scope="row">{format.weekday(day)}</th>
              {Array.from({ length: 24 }, (_, hour) => {
                const calls = known.get(day * 24 + hour) ?? 0;
                return (
                  <td key={hour} className={`level-${level(calls)}`} title={t("overview.callCount", { count: calls })}>
                    <span className="visually-hidden">{calls}</span>
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
