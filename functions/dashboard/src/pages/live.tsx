import { useQuery } from "@tanstack/react-query";
import { Radio } from "lucide-react";
import { Link } from "react-router";
import type { Schema } from "../api/client";
import { queries } from "../api/queries";
import { clock } from "../format";
import { useTranslation } from "../i18n";
import { useLiveCalls, useLiveStatus } from "../live/hooks";
import { useTitle } from "../shell/title";
import { Badge, Card, Empty, Failed, Skeleton } from "../ui";
import { useNow } from "../ui/now";
import { CONNECTED, RINGING } from "./asked";
import { StatusBadge, useCaller } from "./call-words";
import { LiveNotice } from "./call";

/** Calls that ring are on no stream yet: they are asked for this often. */
const LOOK_MS = 5_000;
/** Lines of the conversation that a card shows. */
const LAST_WORDS = 3;

/** Every call that is on the line, as it goes on. */
export function Live() {
  const { t } = useTranslation();
  useTitle(t("nav.live"));
  useLiveCalls(true);
  const look = { refetchInterval: LOOK_MS };
  const ringing = useQuery({ ...queries.calls(RINGING), ...look });
  const connected = useQuery({ ...queries.calls(CONNECTED), ...look });
  const status = useLiveStatus();
  const failed = ringing.isError && ringing.data === undefined ? ringing : connected.isError && connected.data === undefined ? connected : null;
  const calls = [...(ringing.data?.items ?? []), ...(connected.data?.items ?? [])];
  const loading = ringing.data === undefined || connected.data === undefined;
  return (
    <main className="page" id="main">
      <div className="page-head">
        <h1>{t("nav.live")}</h1>
        {status === "open" ? (
          <Badge tone="good" pulse>
            {t("live.open")}
          </Badge>
        ) : null}
      </div>
      <LiveNotice />
      {failed !== null ? (
        <Card>
          <Failed error={failed.error} retry={() => void failed.refetch()} />
        </Card>
      ) : loading ? (
        <Card>
          <Skeleton lines={6} />
        </Card>
      ) : calls.length === 0 ? (
        <Card>
          <Empty icon={<Radio aria-hidden="true" />} title={t("live.none")}>
            {t("live.noneText")}
          </Empty>
        </Card>
      ) : (
        <ul className="live-cards" aria-label={t("nav.live")}>
          {calls.map((call) => (
            <LiveCard key={call.id} call={call} />
          ))}
        </ul>
      )}
    </main>
  );
}

function LiveCard({ call }: { call: Schema["Call"] }) {
  const { t } = useTranslation();
  const caller = useCaller();
  const now = useNow(true);
  const talking = call.status === "in_progress";
  const said = useQuery({ ...queries.interactions(call.id), enabled: talking });
  const words = (said.data?.items ?? []).filter(({ kind, text }) => kind === "speech" && text !== "").slice(-LAST_WORDS);
  return (
    <li className="card live-card">
      <header>
        <h2 className="tabular">
          <Link to={`/calls/${call.id}`} className="plain">
            {caller(call)}
          </Link>
        </h2>
        <StatusBadge status={call.status} />
        <span className="tabular muted">{clock(now - (call.answered_at ?? call.started_at))}</span>
      </header>
      <div className="body">
        {words.length === 0 ? (
          <p className="muted">{talking ? t("call.nothingYet") : t("live.rings")}</p>
        ) : (
          <ol className="last-words">
            {words.map(({ seq, speaker, text }) => (
              <li key={seq}>
                <span className="who">{t(`speaker.${speaker}`)}</span> {text}
              </li>
            ))}
          </ol>
        )}
      </div>
    </li>
  );
}
