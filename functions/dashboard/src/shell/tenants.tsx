// For those who run the installation: to look into a tenant as its administrator, and back.

import { useQueryClient } from "@tanstack/react-query";
import { Building2 } from "lucide-react";
import { lazy, Suspense, useEffect, useState } from "react";
import { useNavigate } from "react-router";
import { lookedInto, onLookEnd, stopLooking } from "../api/client";
import { useTranslation } from "../i18n";
import { useMay, useMe } from "../session";
import { Button, Modal, Skeleton } from "../ui";
import { explain } from "../ui/explain";
import { toast } from "../ui/toast";

const Tenants = lazy(async () => ({ default: (await import("./tenant-list")).Tenants }));

export function useMayLookInto(): boolean {
  const [see, look] = [useMay("tenants:read"), useMay("tenants:impersonate")];
  return see && look;
}

export function LookInto({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Modal title={t("tenants.title")} open={open} onClose={onClose}>
      <p className="muted">{t("tenants.text")}</p>
      <Suspense fallback={<Skeleton lines={5} />}>
        <Tenants onClose={onClose} />
      </Suspense>
    </Modal>
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
