import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link, useSearchParams } from "react-router";
import { queries } from "../api/queries";
import { clock, useFormat } from "../format";
import { useTranslation } from "../i18n";
import { useMay } from "../session";
import { useTitle } from "../shell/title";
import { Badge, Card, CopyButton, Empty, Paging } from "../ui";
import { Asked } from "../ui/asked";
import { pageOf } from "./asked";

/** What callers left. */
export function Messages() {
  const { t } = useTranslation();
  useTitle(t("nav.messages"));
  const format = useFormat();
  const seesCalls = useMay("calls:read");
  const [url, setUrl] = useSearchParams();
  const page = pageOf(url);
  const messages = useQuery({ ...queries.messages(page), placeholderData: keepPreviousData });
  return (
    <main className="page" id="main">
      <div className="page-head">
        <h1>{t("nav.messages")}</h1>
      </div>
      <Card flush>
        <Asked query={messages} lines={6} empty={<Empty title={t("messages.none")}>{t("messages.noneText")}</Empty>}>
          {(found) => (
            <>
              <ul className="messages">
                {found.items.map((message) => (
                  <li key={message.id}>
                    <div className="head">
                      <strong>{message.caller_name ?? t("messages.unknown")}</strong>
                      {message.kind === "voicemail" ? <Badge tone="info">{t("messages.voicemail")}</Badge> : null}
                      {message.callback_number == null ? null : (
                        <span className="number tabular">
                          {message.callback_number}
                          <CopyButton text={message.callback_number} />
                        </span>
                      )}
                      <span className="grow" />
                      <span className="muted small">{format.date(message.created_at)}</span>
                    </div>
                    <p className="text">
                      {message.text !== "" ? message.text : message.recording_ms == null ? t("messages.recorded") : t("messages.recording", { length: clock(message.recording_ms) })}
                    </p>
                    {seesCalls ? (
                      <Link className="small" to={`/calls/${message.call_id}`}>
                        {t("messages.call")}
                      </Link>
                    ) : null}
                  </li>
                ))}
              </ul>
              <Paging page={found} onPage={(next) => setUrl(next === 1 ? {} : { page: String(next) })} />
            </>
          )}
        </Asked>
      </Card>
    </main>
  );
}
