// The bell: what has happened that one should know.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Bell as BellIcon, CheckCheck, KeyRound, MessageSquare, PhoneForwarded, PhoneOff, UserRoundCheck, Voicemail, X } from "lucide-react";
import { Link } from "react-router";
import { answer, api, type Schema } from "../api/client";
import { queries } from "../api/queries";
import { useFormat } from "../format";
import { useTranslation } from "../i18n";
import { useMe } from "../session";
import { Button, Empty, Failed, IconButton, PopButton, Skeleton } from "../ui";
import { explain } from "../ui/explain";
import { toast } from "../ui/toast";

type Notification = Schema["Notification"];

/** The newest, of which the bell shows so many. */
const SHOWN = 8;
/** A number above it is written as such: `9+`. */
const MOST_ON_BELL = 9;

const ICONS = {
  call_escalated: PhoneForwarded, call_failed: PhoneOff, message_received: MessageSquare, voicemail_received: Voicemail,
  invitation_accepted: UserRoundCheck, api_key_expiring: KeyRound,
} as const;

/** Whether this version of the dashboard has words and a sign for it: the API's may be the newer one. */
const isKnown = (kind: string): kind is keyof typeof ICONS => Object.hasOwn(ICONS, kind);

/** Where it is to be seen what a notification is about. */
export function whereTo({ kind, subject_id: subject }: Pick<Notification, "kind" | "subject_id">): string {
  switch (kind) {
    case "call_escalated":
    case "call_failed":
      return `/calls/${encodeURIComponent(subject)}`;
    case "message_received":
    case "voicemail_received":
      return "/messages";
    case "invitation_accepted":
      return "/settings/users";
    case "api_key_expiring":
      return "/settings/api-keys";
    default:
      return "/notifications";
  }
}

/** Tells the API something about notifications, and reads them again. */
export function useNotify(): (change: () => Promise<unknown>) => Promise<void> {
  const { t } = useTranslation();
  const client = useQueryClient();
  return async (change) => {
    try {
      await change();
    } catch (error) {
      toast(explain(t, error).text, "bad");
    }
    await client.invalidateQueries({ queryKey: ["notifications"] });
  };
}

export const readAll = () => answer(api.PATCH("/api/v1/notifications/read-all"));

export function Bell() {
  const { t } = useTranslation();
  const me = useMe();
  const works = me.tenant_id != null;
  const count = useQuery({ ...queries.unread(), enabled: works }).data?.unread ?? 0;
  if (!works) return null;
  const name = t("notifications.bell", { count });
  return (
    <PopButton
      label={t("notifications.title")}
      className="bell"
      button={(opens) => (
        <IconButton {...opens} name={name} className="button quiet icon bell">
          <BellIcon aria-hidden="true" />
          {count === 0 ? null : <span className="count" aria-hidden="true" data-count={count > MOST_ON_BELL ? `${MOST_ON_BELL}+` : count} />}
        </IconButton>
      )}
    >
      {(close) => <Newest close={close} />}
    </PopButton>
  );
}

function Newest({ close }: { close: () => void }) {
  const { t } = useTranslation();
  const notify = useNotify();
  const newest = useQuery({ ...queries.notifications({ page_size: SHOWN }), staleTime: 0 });
  return (
    <>
      <header>
        <h2>{t("notifications.title")}</h2>
        <Button kind="quiet" icon={<CheckCheck aria-hidden="true" />} onPress={() => void notify(readAll)}>
          {t("notifications.readAll")}
        </Button>
      </header>
      {newest.isError ? (
        <Failed error={newest.error} retry={() => void newest.refetch()} />
      ) : newest.data === undefined ? (
        <Skeleton />
      ) : (
        <Notifications items={newest.data.items} onOpen={close} />
      )}
      <footer>
        <Link to="/notifications" onClick={close}>
          {t("notifications.all")}
        </Link>
      </footer>
    </>
  );
}

/** Each leads to what it is about, and is read by that. */
export function Notifications({ items, onOpen }: { items: Notification[]; onOpen?: () => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  const notify = useNotify();
  const read = (id: string) => answer(api.PATCH("/api/v1/notifications/{id}/read", { params: { path: { id } } }));
  const dismiss = (id: string) => answer(api.DELETE("/api/v1/notifications/{id}", { params: { path: { id } } }));
  if (items.length === 0) return <Empty icon={<BellIcon aria-hidden="true" />} title={t("notifications.none")}>{t("notifications.noneText")}</Empty>;
  return (
    <ul className="notifications">
      {items.map((one) => {
        const known = isKnown(one.kind);
        const Icon = known ? ICONS[one.kind] : BellIcon;
        const unread = one.read_at == null;
        const open = () => {
          if (unread) void notify(() => read(one.id));
          onOpen?.();
        };
        return (
          <li key={one.id} className={unread ? "unread" : ""}>
            <Icon aria-hidden="true" />
            <Link to={whereTo(one)} onClick={open}>
              <span>{known ? t(`notifications.kind.${one.kind}`) : t("notifications.other")}</span>
              <span className="muted small">
                {format.date(one.created_at)}
                {unread ? <span className="visually-hidden"> · {t("notifications.unread")}</span> : null}
              </span>
            </Link>
            <IconButton name={t("notifications.dismiss")} onPress={() => void notify(() => dismiss(one.id))}>
              <X aria-hidden="true" />
            </IconButton>
          </li>
        );
      })}
    </ul>
  );
}
