import { useQuery, useQueryClient } from "@tanstack/react-query";
import { PlugZap } from "lucide-react";
import { useState } from "react";
import { answer, api, type Schema } from "../../api/client";
import { queries } from "../../api/queries";
import { useFormat } from "../../format";
import { useTranslation } from "../../i18n";
import { useMay } from "../../session";
import { useTitle } from "../../shell/title";
import { Badge, Button, Card, Confirm, Failed, NoteBar, PageHead, Skeleton, TextField } from "../../ui";
import { EditForm, EditModal, useEditing } from "../../ui/edit";
import { explain } from "../../ui/explain";
import { useSubmit } from "../../ui/submit";
import { toast } from "../../ui/toast";

type Status = Schema["ProviderStatus"];
type Test = Schema["ConnectionTest"];

/** Whose accounts at the carrier and at the models' provider are used. */
export function ProviderAccounts() {
  const { t } = useTranslation();
  useTitle(t("providers.title"));
  return (
    <main className="page narrow" id="main">
      <PageHead title={t("providers.title")} />
      <p className="muted">{t("providers.text")}</p>
      <ProviderCards />
    </main>
  );
}

/** One card for each provider; also a step of the setup wizard. */
export function ProviderCards() {
  const providers = useQuery(queries.providers());
  if (providers.isError) {
    return (
      <Card>
        <Failed error={providers.error} retry={() => void providers.refetch()} />
      </Card>
    );
  }
  if (providers.data === undefined) {
    return (
      <Card>
        <Skeleton lines={6} />
      </Card>
    );
  }
  return providers.data.items.map((status) => <ProviderCard key={status.provider} status={status} />);
}

function ProviderCard({ status }: { status: Status }) {
  const { t } = useTranslation();
  const format = useFormat();
  const client = useQueryClient();
  const may = useMay("config:write");
  const [test, setTest] = useState<Test | null>(null);
  const [testing, setTesting] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const editing = useEditing();
  const [removing, setRemoving] = useState(false);
  const { provider, source } = status;
  const name = t(`providers.name.${provider}`);
  const changed = async () => {
    setTest(null);
    setError(null);
    await client.invalidateQueries({ queryKey: ["providers"] });
    await client.invalidateQueries({ queryKey: ["setup"] });
  };
  const tryIt = async () => {
    setTesting(true);
    setTest(null);
    setError(null);
    try {
      setTest(await answer(api.POST("/api/v1/config/test-connection", { body: { provider } })));
    } catch (cause) {
      setError(cause);
    } finally {
      setTesting(false);
    }
  };
  const remove = async () => {
    await answer(api.DELETE("/api/v1/config/providers/{provider}", { params: { path: { provider } } }));
    await changed();
  };
  const actions = may ? (
    <span className="actions">
      <Button busy={testing} icon={<PlugZap aria-hidden="true" />} onPress={() => void tryIt()}>
        {t("providers.test")}
      </Button>
      <Button onPress={editing.add}>{t(source === "tenant" ? "providers.replace" : "providers.own")}</Button>
      {source === "tenant" ? (
        <Button kind="quiet" onPress={() => setRemoving(true)}>
          {t("numbers.remove")}
        </Button>
      ) : null}
    </span>
  ) : null;
  return (
    <Card title={name} actions={actions}>
      <div className="stack">
        <p className="muted">{t(`providers.about.${provider}`)}</p>
        <dl className="facts">
          <div>
            <dt>{t("providers.account")}</dt>
            <dd>
              <Badge tone={source === "none" ? "warn" : source === "tenant" ? "accent" : "neutral"}>{t(`providers.source.${source}`)}</Badge>
            </dd>
          </div>
          {status.account_sid == null ? null : (
            <div>
              <dt>Account SID</dt>
              <dd>
                <code>{status.account_sid}</code>
              </dd>
            </div>
          )}
          {status.ends_with == null ? null : (
            <div>
              <dt>{t("providers.secret")}</dt>
              <dd>
                <code>…{status.ends_with}</code>
                {status.updated_at == null ? null : <span className="muted small"> · {format.date(status.updated_at)}</span>}
              </dd>
            </div>
          )}
        </dl>
        <Outcome test={test} error={error} />
      </div>
      <EditModal editing={editing} add={name}>
        {() => <CredentialForm status={status} changed={changed} close={editing.close} />}
      </EditModal>
      <Confirm
        title={t("agents.removeTitle", { name })}
        text={t("providers.removeText")}
        action={t("numbers.remove")}
        open={removing}
        onClose={() => setRemoving(false)}
        onConfirm={remove}
      />
    </Card>
  );
}

/** What came of a test, and what to do about it. */
function Outcome({ test, error }: { test: Test | null; error: unknown }) {
  const { t } = useTranslation();
  if (error !== null) return <NoteBar tone="bad">{explain(t, error).text}</NoteBar>;
  if (test === null) return null;
  if (test.state === "works") return <NoteBar tone="good">{t("providers.works", { ms: test.took_ms })}</NoteBar>;
  const status = test.status == null ? "" : ` (HTTP ${test.status})`;
  const whose = test.source === "tenant" ? "mendOwn" : "mendInstallation";
  return (
    <NoteBar tone="bad">
      <p className="strong">
        {t(`providers.state.${test.state}`)}
        {status}
      </p>
      <p>{t(test.state === "refused" ? `providers.${whose}` : `providers.mend.${test.state}`)}</p>
    </NoteBar>
  );
}

function CredentialForm({ status, changed, close }: { status: Status; changed: () => Promise<void>; close: () => void }) {
  const { t } = useTranslation();
  const twilio = status.provider === "twilio";
  const [sid, setSid] = useState(status.account_sid ?? "");
  const [secret, setSecret] = useState("");
  const form = useSubmit(async () => {
    const body = twilio ? { account_sid: sid.trim(), auth_token: secret.trim() } : { api_key: secret.trim() };
    // Of the first account there is no version.
    const headers = status.version == null ? {} : { "if-match": `"${status.version}"` };
    await answer(api.PUT("/api/v1/config/providers/{provider}", { params: { path: { provider: status.provider } }, headers, body }));
    await changed();
    toast(t("providers.saved"));
    close();
  });
  return (
    <EditForm form={form} close={close}>
      <p className="muted">{t(`providers.where.${status.provider}`)}</p>
      {twilio ? (
        <TextField label="Account SID" autoComplete="off" isRequired autoFocus value={sid} onChange={setSid} wrong={form.wrong.get("account_sid")} />
      ) : null}
      <TextField
        label={t(twilio ? "providers.token" : "providers.key")}
        type="password"
        autoComplete="off"
        isRequired
        autoFocus={!twilio}
        hint={t("providers.never")}
        value={secret}
        onChange={setSecret}
        wrong={form.wrong.get(twilio ? "auth_token" : "api_key")}
      />
    </EditForm>
  );
}
