import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useSearchParams } from "react-router";
import { answer, api, type Schema } from "../../api/client";
import { queries } from "../../api/queries";
import { useFormat } from "../../format";
import { LANGUAGES, useTranslation } from "../../i18n";
import { useMay } from "../../session";
import { useTitle } from "../../shell/title";
import { Badge, Button, Card, ComboBox, Confirm, Empty, ErrorBar, Failed, Modal, PageHead, Select, Skeleton, TextField } from "../../ui";
import { Asked } from "../../ui/asked";
import { wrongFields } from "../../ui/explain";
import { toast } from "../../ui/toast";
import { chosenOf } from "../asked";
import { TestSession } from "./test-session";
import { VersionDifference } from "./version-difference";

type Assistant = Schema["Assistant"];
type Settings = Schema["AssistantSettings"];

/** What answers: a draft that changes no call, and the versions that were published. */
export function Assistants() {
  const { t } = useTranslation();
  useTitle(t("settings.assistants.title"));
  const assistants = useQuery(queries.assistants());
  const [url, setUrl] = useSearchParams();
  const items = assistants.data?.items ?? [];
  const chosen = chosenOf(items, url);
  return (
    <main className="page narrow" id="main">
      <PageHead title={t("settings.assistants.title")} />
      {assistants.isError ? (
        <Card>
          <Failed error={assistants.error} retry={() => void assistants.refetch()} />
        </Card>
      ) : assistants.data === undefined ? (
        <Card>
          <Skeleton lines={8} />
        </Card>
      ) : chosen === undefined ? (
        <Card>
          <Empty title={t("settings.assistants.none")} />
        </Card>
      ) : (
        <>
          {items.length > 1 ? (
            <ComboBox
              label={t("settings.assistants.title")}
              options={items.map(({ id, draft }) => ({ id, label: draft.name }))}
              value={chosen.id}
              onChange={(id) => setUrl({ id })}
            />
          ) : null}
          <Draft key={`${chosen.id} ${chosen.version}`} assistant={chosen} />
          <TestSession key={`${chosen.id} test`} assistantId={chosen.id} />
          <Versions key={chosen.id} assistant={chosen} />
        </>
      )}
    </main>
  );
}

/** What is entered, and nothing where a field is empty: the installation's own holds there. */
function entered(draft: Settings): Settings {
  const some = (text: string | null | undefined) => (text == null || text.trim() === "" ? null : text);
  return {
    ...draft,
    greeting: some(draft.greeting),
    instructions: some(draft.instructions),
    language: some(draft.language),
    voice: some(draft.voice),
    model: some(draft.model),
  };
}

function Draft({ assistant }: { assistant: Assistant }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const may = useMay("config:write");
  const [draft, setDraft] = useState(assistant.draft);
  const [busy, setBusy] = useState<"save" | "publish" | null>(null);
  const [error, setError] = useState<unknown>(null);
  const wrong = wrongFields(t, error);
  const set = (changed: Partial<Settings>) => setDraft((now) => ({ ...now, ...changed }));
  const save = (version: number) =>
    answer(
      api.PUT("/api/v1/assistants/{id}", {
        params: { path: { id: assistant.id } },
        headers: { "if-match": `"${version}"` },
        body: entered(draft),
      }),
    );
  const carryOut = async (what: "save" | "publish") => {
    setBusy(what);
    setError(null);
    try {
      const saved = await save(assistant.version);
      if (what === "publish") {
        await answer(
          api.POST("/api/v1/assistants/{id}/publish", {
            params: { path: { id: assistant.id } },
            headers: { "if-match": `"${saved.version}"` },
          }),
        );
      }
      toast(t(what === "publish" ? "settings.assistants.published" : "settings.assistants.saved"));
    } catch (cause) {
      setError(cause);
    } finally {
      setBusy(null);
      await client.invalidateQueries({ queryKey: ["assistants"] });
    }
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void carryOut("save");
  };
  const languages = [{ id: "", label: t("settings.assistants.standard") }, ...LANGUAGES];
  return (
    <Card title={t("settings.assistants.draft")}>
      <form className="stack" onSubmit={submit}>
        <ErrorBar error={error} />
        <div className="form-grid">
          <TextField label={t("profile.name")} isRequired isReadOnly={!may} value={draft.name} onChange={(name) => set({ name })} wrong={wrong.get("name")} />
          <Select
            label={t("profile.language")}
            isDisabled={!may}
            options={languages}
            value={draft.language ?? ""}
            onChange={(language) => set({ language })}
            wrong={wrong.get("language")}
          />
          <TextField
            label={t("settings.assistants.voice")}
            isReadOnly={!may}
            placeholder={t("settings.assistants.standard")}
            value={draft.voice ?? ""}
            onChange={(voice) => set({ voice })}
            wrong={wrong.get("voice")}
          />
          <TextField
            label={t("settings.assistants.model")}
            isReadOnly={!may}
            placeholder={t("settings.assistants.standard")}
            value={draft.model ?? ""}
            onChange={(model) => set({ model })}
            wrong={wrong.get("model")}
          />
        </div>
        <TextField
          label={t("settings.assistants.greeting")}
          rows={2}
          maxLength={500}
          isReadOnly={!may}
          hint={t("settings.assistants.greetingHint")}
          value={draft.greeting ?? ""}
          onChange={(greeting) => set({ greeting })}
          wrong={wrong.get("greeting")}
        />
        <TextField
          label={t("settings.assistants.instructions")}
          rows={10}
          maxLength={8000}
          isReadOnly={!may}
          hint={t("settings.assistants.instructionsHint", { business: "{{business_name}}", assistant: "{{assistant_name}}" })}
          value={draft.instructions ?? ""}
          onChange={(instructions) => set({ instructions })}
          wrong={wrong.get("instructions")}
        />
        {may ? (
          <div className="actions">
            <Button type="submit" busy={busy === "save"}>
              {t("settings.assistants.save")}
            </Button>
            <Button kind="primary" busy={busy === "publish"} onPress={() => void carryOut("publish")}>
              {t("settings.assistants.publish")}
            </Button>
          </div>
        ) : null}
      </form>
    </Card>
  );
}

function Versions({ assistant }: { assistant: Assistant }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const versions = useQuery(queries.assistantVersions(assistant.id));
  const [restored, setRestored] = useState<number | null>(null);
  const [compared, setCompared] = useState<number | null>(null);
  const restore = async () => {
    if (restored === null) return;
    await answer(
      api.POST("/api/v1/assistants/{id}/versions/{number}/restore", {
        params: { path: { id: assistant.id, number: restored } },
        headers: { "if-match": `"${assistant.version}"` },
      }),
    );
    toast(t("settings.assistants.restored"));
    await client.invalidateQueries({ queryKey: ["assistants"] });
  };
  return (
    <Card title={t("settings.assistants.versions")}>
      <Asked query={versions} lines={2} within="card" empty={<p className="muted">{t("settings.assistants.neverPublished")}</p>}>
        {({ items }) => (
          <ul className="rows">
            {items.map((version) => (
              <One key={version.number} version={version} assistant={assistant} compare={() => setCompared(version.number)} restore={() => setRestored(version.number)} />
            ))}
          </ul>
        )}
      </Asked>
      <Modal title={t("versionDifference.title", { number: compared })} open={compared !== null} onClose={() => setCompared(null)}>
        {compared === null ? null : <VersionDifference assistantId={assistant.id} number={compared} />}
        <div className="actions">
          <Button onPress={() => setCompared(null)}>{t("common.close")}</Button>
        </div>
      </Modal>
      <Confirm
        title={t("settings.assistants.restoreTitle", { number: restored })}
        text={t("settings.assistants.restoreText")}
        action={t("settings.assistants.restore")}
        open={restored !== null}
        onClose={() => setRestored(null)}
        onConfirm={restore}
      />
    </Card>
  );
}

function One({ version, assistant, compare, restore }: { version: Schema["AssistantPublication"]; assistant: Assistant; compare: () => void; restore: () => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  const may = useMay("config:write");
  const published = version.number === assistant.published_version;
  return (
    <li>
      <span className="clip">{t("settings.assistants.version", { number: version.number })}</span>
      <span className="muted small">{format.date(version.published_at)}</span>
      {published ? <Badge tone="good">{t("settings.assistants.inUse")}</Badge> : null}
      <Button kind="quiet" onPress={compare}>
        {t("versionDifference.open")}
      </Button>
      {may && !published ? (
        <Button kind="quiet" onPress={restore}>
          {t("settings.assistants.restore")}
        </Button>
      ) : null}
    </li>
  );
}
