import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type RefObject, useRef, useState } from "react";
import { answer, api, type Schema } from "../../api/client";
import { queries } from "../../api/queries";
import { useTranslation } from "../../i18n";
import { Button, Card, ErrorBar, Failed, Select, Skeleton, TextField } from "../../ui";
import { useSubmit } from "../../ui/submit";
import { KINDS } from "../settings/kinds";
import { Keeping } from "./keeping";
import { useKept, useSaveStep } from "./kept";
import { firstOf, restored } from "./steps";

type Business = Schema["Business"];
type Assistant = Schema["Assistant"];
type StepProps = { draft: Record<string, unknown> | null | undefined; back: (() => void) | null; next: () => void };

/** The business that calls are answered for, and what answers them. */
export function ProfileStep(props: StepProps) {
  const businesses = useQuery(queries.businesses());
  const assistants = useQuery(queries.assistants());
  const failed = businesses.isError ? businesses : assistants.isError ? assistants : null;
  if (failed !== null) {
    return (
      <Card>
        <Failed error={failed.error} retry={() => void failed.refetch()} />
      </Card>
    );
  }
  if (businesses.data === undefined || assistants.data === undefined) {
    return (
      <Card>
        <Skeleton lines={8} />
      </Card>
    );
  }
  const business = firstOf(businesses.data.items);
  const assistant = assistants.data.items.find(({ id }) => id === business?.assistant_id);
  return <ProfileForm {...props} business={business} assistant={assistant} />;
}

type FormProps = StepProps & { business: Business | undefined; assistant: Assistant | undefined };

function ProfileForm({ draft, back, next, business, assistant }: FormProps) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const save = useSaveStep();
  const { keep, drop, keeping } = useKept("business_profile");
  const [entered, setEntered] = useState(() =>
    restored<Entered>(
      {
        name: business?.name ?? "",
        kind: business?.kind ?? "custom",
        fallback: business?.fallback_number ?? "",
        greeting: assistant?.draft.greeting ?? "",
        instructions: assistant?.draft.instructions ?? "",
      },
      draft,
    ),
  );
  const made = useRef<Assistant | null>(null);
  const set = (changed: Partial<typeof entered>) => {
    const now = { ...entered, ...changed };
    setEntered(now);
    keep(now);
  };
  const { submit, busy, error, wrong } = useSubmit(async () => {
    try {
      await store(entered, business, assistant, made);
      drop();
      await save("business_profile", "done");
      next();
    } finally {
      // Also when a part of it failed: the rest is stored.
      await client.invalidateQueries({ queryKey: queries.businesses().queryKey });
      await client.invalidateQueries({ queryKey: ["assistants"] });
    }
  });
  return (
    <form className="stack" onSubmit={submit}>
      <ErrorBar error={error} />
      <Card title={t("settings.business.title")}>
        <div className="form-grid">
          <TextField label={t("profile.name")} isRequired maxLength={200} value={entered.name} onChange={(name) => set({ name })} wrong={wrong.get("name")} />
          <Select
            label={t("settings.business.kind")}
            options={KINDS.map((id) => ({ id, label: t(`kind.${id}`) }))}
            value={entered.kind}
            onChange={(kind) => set({ kind })}
          />
          <TextField
            label={t("settings.business.fallback")}
            type="tel"
            hint={t("settings.business.fallbackHint")}
            value={entered.fallback}
            onChange={(fallback) => set({ fallback })}
            wrong={wrong.get("fallback_number")}
          />
        </div>
      </Card>
      <Card title={t("wizard.assistant")}>
        <div className="stack">
          <TextField
            label={t("settings.assistants.greeting")}
            rows={2}
            maxLength={500}
            hint={t("settings.assistants.greetingHint")}
            value={entered.greeting}
            onChange={(greeting) => set({ greeting })}
            wrong={wrong.get("greeting")}
          />
          <TextField
            label={t("settings.assistants.instructions")}
            rows={8}
            maxLength={8000}
            hint={t("settings.assistants.instructionsHint", { business: "{{business_name}}", assistant: "{{assistant_name}}" })}
            value={entered.instructions}
            onChange={(instructions) => set({ instructions })}
            wrong={wrong.get("instructions")}
          />
        </div>
      </Card>
      <div className="actions">
        <Keeping keeping={keeping} />
        {back === null ? null : <Button onPress={back}>{t("wizard.back")}</Button>}
        <Button type="submit" kind="primary" busy={busy}>
          {t("wizard.saveAndNext")}
        </Button>
      </div>
    </form>
  );
}

type Entered = { name: string; kind: string; fallback: string; greeting: string; instructions: string };

/** The assistant as the last try has left it: if not all of that went well, the next one goes on from there. */
type Made = RefObject<Assistant | null>;

/** The assistant first: a business can only be answered by one that was published. */
async function store(entered: Entered, business: Business | undefined, assistant: Assistant | undefined, made: Made): Promise<void> {
  const some = (text: string) => (text.trim() === "" ? null : text.trim());
  const said = { greeting: some(entered.greeting), instructions: some(entered.instructions) };
  const answers = await published(said, entered.name.trim(), assistant, made);
  const body = {
    name: entered.name.trim(),
    kind: KINDS.find((kind) => kind === entered.kind) ?? "custom",
    fallback_number: some(entered.fallback),
    assistant_id: answers ?? business?.assistant_id ?? null,
    voice_mode: business?.voice_mode ?? null,
    call_length_seconds: business?.call_length_seconds ?? null,
  };
  await answer(
    business === undefined
      ? api.POST("/api/v1/config/business", { body })
      : api.PUT("/api/v1/config/business/{id}", { params: { path: { id: business.id } }, headers: { "if-match": `"${business.version}"` }, body }),
  );
}

type Said = { greeting: string | null; instructions: string | null };

/** The id of the assistant that says this in calls from now on; `null` when there is none and nothing to say. */
async function published(said: Said, name: string, there: Assistant | undefined, made: Made): Promise<string | null> {
  const left = made.current;
  const newer = left !== null && (there === undefined || (left.id === there.id && left.version >= there.version));
  const assistant = newer ? left : there;
  if (assistant === undefined && said.greeting === null && said.instructions === null) return null;
  const saved = await drafted(said, name, assistant);
  made.current = saved;
  if (await isPublished(saved)) return saved.id;
  const done = await answer(
    api.POST("/api/v1/assistants/{id}/publish", { params: { path: { id: saved.id } }, headers: { "if-match": `"${saved.version}"` } }),
  );
  made.current = done;
  return done.id;
}

/** The assistant with this in its draft. */
async function drafted(said: Said, name: string, assistant: Assistant | undefined): Promise<Assistant> {
  if (assistant === undefined) return answer(api.POST("/api/v1/assistants", { body: { name, ...said } }));
  const { id, version, draft } = assistant;
  if ((draft.greeting ?? null) === said.greeting && (draft.instructions ?? null) === said.instructions) return assistant;
  return answer(
    api.PUT("/api/v1/assistants/{id}", { params: { path: { id } }, headers: { "if-match": `"${version}"` }, body: { ...draft, ...said } }),
  );
}

/** Whether calls use all that the draft says. */
async function isPublished({ id, draft, published_version: number }: Assistant): Promise<boolean> {
  if (number == null) return false;
  const { settings } = await answer(api.GET("/api/v1/assistants/{id}/versions/{number}", { params: { path: { id, number } } }));
  // The API writes the fields of both in one order.
  return JSON.stringify(settings) === JSON.stringify(draft);
}
