// For those who run the installation: to look into a tenant as its administrator, and back.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Building2 } from "lucide-react";
import { useEffect, useState } from "react";
import * as Aria from "react-aria-components";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { lookedInto, lookInto, onLookEnd, stopLooking } from "../api/client";
import { queries } from "../api/queries";
import { useMay, useMe } from "../session";
import { Badge, Button, Failed, Modal, Skeleton } from "../ui";
import { explain } from "../ui/explain";
import { toast } from "../ui/toast";

export function useMayLookInto(): boolean {
  const [see, look] = [useMay("tenants:read"), useMay("tenants:impersonate")];
  return see && look;
}

export function LookInto({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Modal title={t("tenants.title")} open={open} onClose={onClose}>
      <p className="muted">{t("tenants.text")}</p>
      <Tenants onClose={onClose} />
    </Modal>
  );
}

function Tenants({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const client = useQueryClient();
  const { contains } = Aria.useFilter({ sensitivity: "base" });
  const tenants = useQuery(queries.tenants(1));
  const [busy, setBusy] = useState(false);
  const look = async (id: string, name: string) => {
    if (busy) return;
    setBusy(true);
    try {
      await lookInto(id, name);
      onClose();
      await navigate("/");
      await client.resetQueries();
    } catch (error) {
      toast(explain(t, error).text, "bad");
    }
    setBusy(false);
  };
  if (tenants.isError) return <Failed error={tenants.error} retry={() => void tenants.refetch()} />;
  if (tenants.data === undefined) return <Skeleton lines={5} />;
  return (
    <Aria.Autocomplete filter={contains}>
      <Aria.SearchField className="field" autoFocus>
        <Aria.Label className="label">{t("tenants.find")}</Aria.Label>
        <Aria.Input className="input" />
      </Aria.SearchField>
      <Aria.Menu
        aria-label={t("tenants.title")}
        className="options framed"
        items={tenants.data.items}
        renderEmptyState={() => <div className="nothing">{t("tenants.none")}</div>}
      >
        {({ id, name, suspended_at: suspended }) => (
          <Aria.MenuItem id={id} textValue={name} className="option" onAction={() => void look(id, name)}>
            <Building2 aria-hidden="true" />
            <span className="grow">{name}</span>
            {suspended == null ? null : <Badge tone="warn">{t("tenants.suspended")}</Badge>}
          </Aria.MenuItem>
        )}
      </Aria.Menu>
    </Aria.Autocomplete>
  );
}

/** Says all the time that one is in somebody else's place. */
export function LookingBanner() {
  const { t } = useTranslation();
  const me = useMe();
  const navigate = useNavigate();
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  // As long as the banner is there it says whose place it is, also on the way back.
  const [tenant] = useState(lookedInto);
  useEffect(
    () =>
      onLookEnd(() => {
        toast(t("tenants.ended"), "bad");
        void navigate("/");
        void client.resetQueries();
      }),
    [t, navigate, client],
  );
  if (!me.impersonating) return null;
  const stop = async () => {
    setBusy(true);
    try {
      await stopLooking();
    } catch (error) {
      toast(explain(t, error).text, "bad");
    }
    await navigate("/");
    await client.resetQueries();
    setBusy(false);
  };
  return (
    <div className="banner warn looking" role="status">
      <Building2 aria-hidden="true" />
      <span className="grow">{t("tenants.banner", { tenant: tenant ?? "" })}</span>
      <Button busy={busy} onPress={() => void stop()}>
        {t("tenants.stop")}
      </Button>
    </div>
  );
}
