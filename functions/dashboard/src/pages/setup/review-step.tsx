import { useQuery, useQueryClient } from "@tanstack/react-query";
import { CheckCircle2, CircleDashed, PlugZap, XCircle } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";
import { answer, api, type Schema } from "../../api/client";
import { queries } from "../../api/queries";
import { useTranslation } from "../../i18n";
import { simulator } from "../../simulator";
import { Button, Card, Confirm, ErrorBar, NoteBar } from "../../ui";
import { explain } from "../../ui/explain";
import { TestSession } from "../settings/test-session";
import { RingCard } from "../simulated-call";
import { useSaveStep } from "./kept";
import { firstOf, passedOver, type Shown, stateOf, stillOpen, STEPS } from "./steps";

type Progress = Schema["SetupProgress"];
type Tested = { what: string; ok: boolean; text: string };

/** Everything at a glance, tried once more; then it is over, and the assistant is tried. */
export function ReviewStep({ progress, back, go }: { progress: Progress; back: (() => void) | null; go: (step: Shown) => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const save = useSaveStep();
  const [busy, setBusy] = useState(false);
  const [asking, setAsking] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const open = stillOpen(progress);
  const done = progress.completed_at != null;
  const complete = async () => {
    for (const step of passedOver(progress)) await save(step, "skipped");
    client.setQueryData(queries.setup().queryKey, await answer(api.POST("/api/v1/setup/complete")));
  };
  const finish = async () => {
    setBusy(true);
    setError(null);
    try {
      await complete();
    } catch (cause) {
      setError(cause);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      {done ? <NoteBar tone="good">{t("wizard.over")}</NoteBar> : null}
      <Card title={t("wizard.summary")}>
        <ul className="checklist">
          {STEPS.filter((step) => step !== "review").map((step) => {
            const state = stateOf(step, progress);
            return (
              <li key={step} className={state === "done" ? "good" : state === "open" ? "bad" : ""}>
                {state === "done" ? <CheckCircle2 aria-hidden="true" /> : <CircleDashed aria-hidden="true" />}
                <div className="grow">
                  <span className="strong">{t(`wizard.step.${step}`)}</span>
                  <p className="muted small">{t(`wizard.state.${state}`)}</p>
                </div>
                <Button kind="quiet" aria-label={`${t("common.edit")}: ${t(`wizard.step.${step}`)}`} onPress={() => go(step)}>
                  {t("common.edit")}
                </Button>
              </li>
            );
          })}
        </ul>
      </Card>
      <Connections />
      <ErrorBar error={error} />
      {done ? null : open.length > 0 ? (
        <NoteBar tone="warn">{t("wizard.stillOpen", { steps: open.map((step) => t(`wizard.step.${step}`)).join(", ") })}</NoteBar>
      ) : null}
      <div className="actions">
        {back === null ? null : <Button onPress={back}>{t("wizard.back")}</Button>}
        {done ? null : (
          <Button kind="primary" busy={busy} isDisabled={open.length > 0} onPress={() => setAsking(true)}>
            {t("wizard.finish")}
          </Button>
        )}
      </div>
      {done ? <TryIt /> : null}
      <Confirm
        title={t("wizard.finishTitle")}
        text={t("wizard.finishText")}
        action={t("wizard.finish")}
        danger={false}
        open={asking}
        onClose={() => setAsking(false)}
        onConfirm={finish}
      />
    </>
  );
}

/** Every account and every number, asked at once. */
function Connections() {
  const { t } = useTranslation();
  const providers = useQuery(queries.providers());
  const numbers = useQuery(queries.phoneNumbers(1));
  const [tested, setTested] = useState<Tested[] | null>(null);
  const [busy, setBusy] = useState(false);
  const run = async () => {
    setBusy(true);
    const attempts = [
      ...(providers.data?.items ?? [])
        .filter(({ source }) => source !== "none")
        .map(({ provider }) => attempt(t(`providers.name.${provider}`), async () => {
          const { state } = await answer(api.POST("/api/v1/config/test-connection", { body: { provider } }));
          return state === "works" ? null : t(`providers.state.${state}`);
        })),
      ...(numbers.data?.items ?? []).map(({ id, phone_number: number }) => attempt(number ?? t("numbers.unreadable"), async () => {
        const { healthy, checks } = await answer(api.POST("/api/v1/phone-numbers/{id}/doctor", { params: { path: { id } } }));
        const first = checks.find(({ ok }) => !ok);
        return healthy || first === undefined ? null : t(`numbers.mend.${first.code}`);
      })),
    ];
    setTested(await Promise.all(attempts));
    setBusy(false);
  };
  const attempt = async (what: string, ask: () => Promise<string | null>): Promise<Tested> => {
    try {
      const wrong = await ask();
      return { what, ok: wrong === null, text: wrong ?? t("wizard.works") };
    } catch (cause) {
      return { what, ok: false, text: explain(t, cause).text };
    }
  };
  const ready = providers.data !== undefined && numbers.data !== undefined;
  const button = (
    <Button busy={busy} isDisabled={!ready} icon={<PlugZap aria-hidden="true" />} onPress={() => void run()}>
      {t("wizard.testAll")}
    </Button>
  );
  return (
    <Card title={t("wizard.connections")} actions={button}>
      <div className="stack" aria-live="polite">
        {numbers.data !== undefined && numbers.data.items.length === 0 ? (
          <NoteBar tone="warn">
            {t("numbers.noneText")} <Link to="/settings/phone-numbers">{t("numbers.title")}</Link>
          </NoteBar>
        ) : null}
        {tested === null ? (
          <p className="muted">{t("wizard.connectionsText")}</p>
        ) : (
          <ul className="checklist">
            {tested.map(({ what, ok, text }) => (
              <li key={what} className={ok ? "good" : "bad"}>
                {ok ? <CheckCircle2 aria-hidden="true" /> : <XCircle aria-hidden="true" />}
                <div>
                  <span className="strong">{what}</span>
                  <p className="muted small">{text}</p>
                </div>
              </li>
            ))}
          </ul>
        )}
      </div>
    </Card>
  );
}

/** The assistant in writing, and where telephones are simulated on the telephone. */
function TryIt() {
  const { t } = useTranslation();
  const businesses = useQuery(queries.businesses());
  const assistant = firstOf(businesses.data?.items ?? [])?.assistant_id;
  const url = simulator();
  return (
    <>
      {assistant == null ? <NoteBar>{t("wizard.noAssistant")}</NoteBar> : <TestSession key={assistant} assistantId={assistant} />}
      {url === null ? null : <RingCard url={url} />}
    </>
  );
}
