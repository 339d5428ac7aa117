import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { CheckCheck } from "lucide-react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import type { Ahead } from "../api/ahead";
import { queries, type NotificationsQuery } from "../api/queries";
import { Notifications, readAll, useNotify } from "../shell/notifications";
import { useTitle } from "../shell/title";
import { Button, Card, CheckBox, Paging } from "../ui";
import { Asked } from "../ui/asked";

function asked(url: URLSearchParams): NotificationsQuery {
  const number = Number(url.get("page"));
  const query: NotificationsQuery = {};
  if (url.get("unread") === "true") query.unread = true;
  if (Number.isInteger(number) && number > 1) query.page = number;
  return query;
}

export const ahead: Ahead = (client, url) => {
  void client.prefetchQuery(queries.notifications(asked(url)));
};

/** Everything of the last 90 days that concerns oneself. */
export function NotificationsPage() {
  const { t } = useTranslation();
  useTitle(t("notifications.title"));
  const [url, setUrl] = useSearchParams();
  const notify = useNotify();
  const query = asked(url);
  const found = useQuery({ ...queries.notifications(query), placeholderData: keepPreviousData });
  const to = (page: number) => setUrl({ ...(query.unread ? { unread: "true" } : {}), ...(page > 1 ? { page: String(page) } : {}) });
  return (
    <main className="page narrow" id="main">
      <div className="page-head">
        <h1>{t("notifications.title")}</h1>
        <span className="grow" />
        <CheckBox isSelected={query.unread === true} onChange={(only) => setUrl(only ? { unread: "true" } : {})}>
          {t("notifications.onlyUnread")}
        </CheckBox>
        <Button icon={<CheckCheck aria-hidden="true" />} onPress={() => void notify(readAll)}>
          {t("notifications.readAll")}
        </Button>
      </div>
      <Card flush>
        <Asked query={found} lines={6}>
          {(page) => (
            <>
              <Notifications items={page.items} />
              <Paging page={page} onPage={to} />
            </>
          )}
        </Asked>
      </Card>
    </main>
  );
}
