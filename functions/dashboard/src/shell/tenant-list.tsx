import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Building2 } from "lucide-react";
import { useState } from "react";
import * as Aria from "react-aria-components";
import { useNavigate } from "react-router";
import { lookInto } from "../api/client";
import { queries } from "../api/queries";
import { useTranslation } from "../i18n";
import { Badge, Failed, Skeleton } from "../ui";
import { explain } from "../ui/explain";
import { toast } from "../ui/toast";

/** All that can be looked into, by what is typed. Fetched when somebody wants to. */
export function Tenants({ onClose }: { onClose: () => void }) {
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
