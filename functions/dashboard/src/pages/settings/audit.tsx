import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { ShieldCheck } from "lucide-react";
import { useState } from "react";
import { useSearchParams } from "react-router";
import { answer, api } from "../../api/client";
import { queries } from "../../api/queries";
import { useFormat } from "../../format";
import { useTranslation } from "../../i18n";
import { useMay } from "../../session";
import { useTitle } from "../../shell/title";
import { Button, Card, Empty, NoteBar, PageHead, Paging } from "../../ui";
import { Asked } from "../../ui/asked";
import { ListTable } from "../../ui/edit";
import { explain } from "../../ui/explain";
import { pageOf } from "../asked";

/** Where a verification goes on that was too long for one press. */
type Rest = { after: number | undefined; checked: number };
type Verdict = { kind: "whole"; checked: number } | ({ kind: "part" } & Rest) | { kind: "broken"; seq: number } | { kind: "failed"; error: unknown };

/** Steps of a verification that one press takes at most. */
const MAX_STEPS = 500;

/** Walks the chain, step by step, from its beginning or from where it was left. */
async function verify({ after, checked }: Rest): Promise<Verdict> {
  for (let step = 0; step < MAX_STEPS; step += 1) {
    const part = await answer(api.GET("/api/v1/audit/verify", { params: { query: after === undefined ? {} : { after } } }));
    checked += part.checked;
    if (part.broken != null) return { kind: "broken", seq: part.broken.seq };
    if (part.next == null) return { kind: "whole", checked };
    after = part.next;
  }
  return { kind: "part", after, checked };
}

export function Audit() {
  const { t } = useTranslation();
  useTitle(t("settings.audit.title"));
  const format = useFormat();
  const [url, setUrl] = useSearchParams();
  const page = pageOf(url);
  const entries = useQuery({ ...queries.audit({ page }), placeholderData: keepPreviousData });
  const [busy, setBusy] = useState(false);
  const [verdict, setVerdict] = useState<Verdict | null>(null);
  const people = useNames();
  const check = async () => {
    setBusy(true);
    const from = verdict?.kind === "part" ? verdict : { after: undefined, checked: 0 };
    setVerdict(await verify(from).catch((error: unknown): Verdict => ({ kind: "failed", error })));
    setBusy(false);
  };
  return (
    <main className="page" id="main">
      <PageHead title={t("settings.audit.title")}>
        <Button icon={<ShieldCheck aria-hidden="true" />} busy={busy} onPress={() => void check()}>
          {t("settings.audit.verify")}
        </Button>
      </PageHead>
      {verdict === null ? null : verdict.kind === "whole" ? (
        <NoteBar tone="good">{t("settings.audit.whole", { count: verdict.checked })}</NoteBar>
      ) : verdict.kind === "part" ? (
        <NoteBar tone="info">{t("settings.audit.part", { count: verdict.checked })}</NoteBar>
      ) : verdict.kind === "broken" ? (
        <NoteBar tone="bad">{t("settings.audit.broken", { seq: verdict.seq })}</NoteBar>
      ) : (
        <NoteBar tone="bad">{explain(t, verdict.error).text}</NoteBar>
      )}
      <Card flush>
        <Asked query={entries} lines={8} empty={<Empty title={t("settings.audit.none")} />}>
          {(found) => (
            <>
              <ListTable
                label={t("settings.audit.title")}
                heads={[t("settings.audit.action"), t("settings.audit.actor"), t("settings.audit.fields"), t("calls.when")]}
              >
                {found.items.map((entry) => (
                  <tr key={entry.id}>
                    <td>
                      <code>{entry.action}</code>
                    </td>
                    <td>{people.get(entry.actor.id ?? "") ?? entry.actor.kind.replaceAll("_", " ")}</td>
                    <td className="muted wrap">{entry.fields.join(", ")}</td>
                    <td className="muted tight">{format.date(entry.at)}</td>
                  </tr>
                ))}
              </ListTable>
              <Paging page={found} onPage={(next) => setUrl(next === 1 ? {} : { page: String(next) })} />
            </>
          )}
        </Asked>
      </Card>
    </main>
  );
}

/** Names of people by their ids, for whoever may read them: of the hundred who joined last. */
function useNames(): Map<string, string> {
  const may = useMay("users:read");
  const users = useInfiniteQuery({ ...queries.everybody(), enabled: may }).data?.pages.flatMap(({ items }) => items) ?? [];
  return new Map(users.map(({ id, name, email }) => [id, name === "" ? email : name]));
}
