import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Download, PhoneOff } from "lucide-react";
import { useCallback, useState } from "react";
import { useSearchParams } from "react-router";
import { type CallsQuery, queries } from "../api/queries";
import { useTranslation } from "../i18n";
import { useLiveCalls } from "../live/hooks";
import { useMe } from "../session";
import { useTitle } from "../shell/title";
import { Button, Card, Empty, PageHead, Paging } from "../ui";
import { Asked } from "../ui/asked";
import { explain } from "../ui/explain";
import { toast } from "../ui/toast";
import { exportCalls } from "./call-export";
import { Filters } from "./call-filters";
import { asked, FILTERS } from "./call-query";
import { CallTable, ColumnChoice, useColumns } from "./call-table";
import { useSaveColumns, useView, Views } from "./call-views";
import { useBusinesses } from "./call-words";

/** Calls, as the address says which. */
export function Calls() {
  const { t } = useTranslation();
  useTitle(t("nav.calls"));
  const me = useMe();
  const [url, setUrl] = useSearchParams();
  const query = asked(url);
  useLiveCalls(true);
  const calls = useQuery({ ...queries.calls(query), placeholderData: keepPreviousData });
  const view = useView(url);
  const [columns, keep] = useColumns(view);
  const saveColumns = useSaveColumns();
  const set = useCallback(
    (changed: Record<string, string | null>) => {
      // Of the address as it is now: two filters may be set before the page has been drawn again.
      const next = new URLSearchParams(location.search);
      if (!("page" in changed)) next.delete("page");
      for (const [name, value] of Object.entries(changed)) {
        if (value === null || value === "") next.delete(name);
        else next.set(name, value);
      }
      setUrl(next);
    },
    [setUrl],
  );
  const filtered = FILTERS.some((name) => url.has(name));
  const ofOthers = view !== undefined && view.user_id !== me.user_id;
  return (
    <main className="page" id="main">
      <PageHead title={t("nav.calls")}>
        <div className="actions">
          {ofOthers ? null : (
            <ColumnChoice columns={columns} choose={(chosen) => void (view === undefined ? keep(chosen) : saveColumns(view, chosen))} />
          )}
          <Export query={query} />
        </div>
      </PageHead>
      <Views url={url} columns={columns} filtered={filtered} />
      <Filters url={url} set={set} filtered={filtered} />
      <Card flush>
        <Asked
          query={calls}
          lines={8}
          empty={
            <Empty icon={<PhoneOff aria-hidden="true" />} title={filtered ? t("calls.noneFound") : t("calls.none")}>
              {filtered ? t("calls.noneFoundText") : t("calls.noneText")}
            </Empty>
          }
        >
          {(found) => (
            <>
              <CallTable calls={found.items} columns={columns} words={query.q} />
              <Paging page={found} onPage={(page) => set({ page: page === 1 ? null : String(page) })} />
            </>
          )}
        </Asked>
      </Card>
    </main>
  );
}

function Export({ query }: { query: CallsQuery }) {
  const { t } = useTranslation();
  const businesses = useBusinesses();
  const [busy, setBusy] = useState(false);
  const take = async () => {
    setBusy(true);
    try {
      const { count, more } = await exportCalls(query, (id) => businesses.find((one) => one.id === id)?.name ?? id);
      toast(t(more ? "views.exportedFirst" : "views.exported", { count }));
    } catch (error) {
      toast(explain(t, error).text, "bad");
    }
    setBusy(false);
  };
  return (
    <Button busy={busy} icon={<Download aria-hidden="true" />} onPress={() => void take()}>
      {t("views.export")}
    </Button>
  );
}
