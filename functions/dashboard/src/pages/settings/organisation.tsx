import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { answer, api, type Schema } from "../../api/client";
import { queries } from "../../api/queries";
import { useFormat } from "../../format";
import { useTranslation } from "../../i18n";
import { useMayEverywhere } from "../../session";
import { useTitle } from "../../shell/title";
import { Card, CopyButton, ErrorBar, PageHead, TextField } from "../../ui";
import { Asked } from "../../ui/asked";
import { SaveActions } from "../../ui/edit";
import { useSubmit } from "../../ui/submit";
import { toast } from "../../ui/toast";

type Tenant = Schema["Tenant"];
/** The most calls of one number that the API lets anybody set. */
const MOST_CALLS = 1_000_000;

/** The organisation itself: what it is called, how it is protected, and how much it may use. */
export function Organisation() {
  const { t } = useTranslation();
  useTitle(t("organisation.title"));
  const organisation = useQuery(queries.organisation());
  return (
    <main className="page narrow" id="main">
      <PageHead title={t("organisation.title")} />
      <Asked query={organisation} lines={6} within="page">
        {(found) => (
          <>
            <Editor key={JSON.stringify(found)} tenant={found} />
            <Limits tenant={found} />
          </>
        )}
      </Asked>
    </main>
  );
}

/** What an organisation decides for itself. */
function Editor({ tenant }: { tenant: Tenant }) {
  const { t } = useTranslation();
  const format = useFormat();
  const client = useQueryClient();
  const may = useMayEverywhere("config:write");
  const [name, setName] = useState(tenant.name);
  const [calls, setCalls] = useState(String(tenant.max_hourly_calls_per_caller));
  const { submit, busy, error, wrong } = useSubmit(async () => {
    // What is no number is refused like one that is out of bounds.
    const body = { name: name.trim(), max_hourly_calls_per_caller: /^\d{1,15}$/u.test(calls.trim()) ? Number(calls) : -1 };
    const saved = await answer(api.PATCH("/api/v1/tenant", { body }));
    toast(t("common.saved"));
    client.setQueryData(queries.organisation().queryKey, saved);
    // Its name stands beside the account's, too.
    await client.invalidateQueries({ queryKey: queries.me().queryKey });
  });
  return (
    <Card title={t("organisation.own")}>
      <form className="stack" onSubmit={submit}>
        <ErrorBar error={error} />
        <div className="form-grid">
          <TextField
            label={t("profile.name")}
            isRequired
            isReadOnly={!may}
            maxLength={200}
            hint={t("organisation.nameHint")}
            value={name}
            onChange={setName}
            wrong={wrong.get("name")}
          />
          <TextField
            label={t("organisation.perCaller")}
            isRequired
            isReadOnly={!may}
            inputMode="numeric"
            hint={t("organisation.perCallerHint", { most: format.number(MOST_CALLS) })}
            value={calls}
            onChange={setCalls}
            wrong={wrong.get("max_hourly_calls_per_caller")}
          />
        </div>
        <SaveActions may={may} busy={busy} />
      </form>
    </Card>
  );
}

/** What whoever runs the installation has decided, to be looked at. */
function Limits({ tenant }: { tenant: Tenant }) {
  const { t } = useTranslation();
  const format = useFormat();
  const facts = [
    [t("organisation.atOnce"), format.number(tenant.max_concurrent_calls)],
    [t("organisation.daily"), format.number(tenant.max_daily_calls)],
    [t("organisation.cost"), format.money(tenant.max_daily_cost_micros)],
    [t("organisation.since"), format.date(tenant.created_at)],
  ] as const;
  return (
    <Card title={t("organisation.limits")}>
      <div className="stack">
        <p className="muted">{t("organisation.limitsText")}</p>
        <dl className="facts wide">
          {facts.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd className="tabular">{value}</dd>
            </div>
          ))}
        </dl>
        <div>
          <span className="muted small">{t("organisation.id")}</span>
          <div className="secret">
            <code>{tenant.id}</code>
            <CopyButton text={tenant.id} />
          </div>
        </div>
      </div>
    </Card>
  );
}
