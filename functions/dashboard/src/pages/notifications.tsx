import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { CheckCheck } from "lucide-react";
import { useSearchParams } from "react-router";
import { queries } from "../api/queries";
import { useTranslation } from "../i18n";
import { Notifications, readAll, useNotify } from "../shell/notifications";
import { useTitle } from "../shell/title";
import { Button, Card, CheckBox, PageHead, Paging } from "../ui";
import { Asked } from "../ui/asked";
import { notificationsOf } from "./asked";

/** Everything of the last 90 days that concerns oneself. */
export function NotificationsPage() {
  const { t } = useTranslation();
  useTitle(t("notifications.title"));
  const [url, setUrl] = useSearchParams();
  const notify = useNotify();
  const query = notificationsOf(url);
  const found = useQuery({ ...queries.notifications(query), placeholderData: keepPreviousData });
  const to = (page: number) => setUrl({ ...(query.unread ? { unread: "true" } : {}), ...(page > 1 ? { page: String(page) } : {}) });
  return (
    <main className="page narrow" id="main">
      <PageHead title={t("notifications.title")}>
        <CheckBox isSelected={query.unread === true} onChange={(only) => setUrl(only ? { unread: "true" } : {})}>
          {t("notifications.onlyUnread")}
        </CheckBox>
        <Button icon={<CheckCheck aria-hidden="true" />} onPress={() => void notify(readAll)}>
          {t("notifications.readAll")}
        </Button>
      </PageHead>
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
