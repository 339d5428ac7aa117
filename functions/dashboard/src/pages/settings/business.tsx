import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useState } from "react";
import { useSearchParams } from "react-router";
import { answer, api, type Schema } from "../../api/client";
import { queries } from "../../api/queries";
import { useTranslation } from "../../i18n";
import { useMay } from "../../session";
import { useTitle } from "../../shell/title";
import { Button, Card, ComboBox, Confirm, Empty, ErrorBar, Failed, PageHead, Select, Skeleton, TextField } from "../../ui";
import { EditForm, EditModal, SaveActions, useEditing } from "../../ui/edit";
import { useSubmit } from "../../ui/submit";
import { toast } from "../../ui/toast";
import { chosenOf } from "../asked";
import { Hours } from "./hours";
import { KINDS } from "./kinds";
import { flat, tree } from "./tree";

type Business = Schema["Business"];
const MODES = ["streaming", "turn_based"] as const;

/** How the calls of each business are answered. */
export function Businesses() {
  const { t } = useTranslation();
  useTitle(t("settings.business.title"));
  const businesses = useQuery(queries.businesses());
  const [url, setUrl] = useSearchParams();
  const may = useMay("config:write");
  const adding = useEditing();
  const items = businesses.data?.items ?? [];
  const chosen = chosenOf(items, url);
  return (
    <main className="page narrow" id="main">
      <PageHead title={t("settings.business.title")}>
        {may && businesses.data !== undefined ? (
          <Button icon={<Plus aria-hidden="true" />} onPress={adding.add}>
            {t("settings.business.add")}
          </Button>
        ) : null}
      </PageHead>
      <EditModal editing={adding} add={t("settings.business.add")}>
        {() => (
          <NewBusiness
            close={adding.close}
            made={(id) => {
              adding.close();
              setUrl({ id });
            }}
          />
        )}
      </EditModal>
      {businesses.isError ? (
        <Card>
          <Failed error={businesses.error} retry={() => void businesses.refetch()} />
        </Card>
      ) : businesses.data === undefined ? (
        <Card>
          <Skeleton lines={8} />
        </Card>
      ) : chosen === undefined ? (
        <Card>
          <Empty title={t("settings.business.none")} />
        </Card>
      ) : (
        <>
          {items.length > 1 ? (
            <ComboBox
              label={t("calls.business")}
              options={items.map(({ id, name }) => ({ id, label: name }))}
              value={chosen.id}
              onChange={(id) => setUrl({ id })}
            />
          ) : null}
          <Profile key={shown(chosen)} business={chosen} gone={() => setUrl({})} />
          <Hours key={chosen.id} business={chosen} />
        </>
      )}
    </main>
  );
}

/** What is edited begins anew when it is something else, and not when only the opening hours have changed. */
const shown = (business: Business) => JSON.stringify({ ...business, version: 0, updated_at: 0 });

/** Empty is nothing. */
const some = (text: string | null | undefined) => (text == null || text.trim() === "" ? null : text);

function NewBusiness({ close, made }: { close: () => void; made: (id: string) => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [kind, setKind] = useState<Business["kind"]>("customer_support");
  const form = useSubmit(async () => {
    const { id } = await answer(api.POST("/api/v1/config/business", { body: { name, kind } }));
    await client.invalidateQueries({ queryKey: queries.businesses().queryKey });
    toast(t("settings.business.made"));
    made(id);
  });
  return (
    <EditForm form={form} action={t("settings.business.add")} close={close}>
      <TextField label={t("profile.name")} isRequired autoFocus maxLength={200} value={name} onChange={setName} wrong={form.wrong.get("name")} />
      <KindField value={kind} onChange={setKind} />
    </EditForm>
  );
}

function KindField({ value, onChange, isDisabled = false }: { value: Business["kind"]; onChange: (kind: Business["kind"]) => void; isDisabled?: boolean }) {
  const { t } = useTranslation();
  return (
    <Select
      label={t("settings.business.kind")}
      isDisabled={isDisabled}
      options={KINDS.map((id) => ({ id, label: t(`kind.${id}`) }))}
      value={value}
      onChange={(id) => onChange(KINDS.find((kind) => kind === id) ?? value)}
    />
  );
}

function Profile({ business, gone }: { business: Business; gone: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const may = useMay("config:write");
  const mayAssign = useMay("departments:write");
  const [draft, setDraft] = useState(business);
  const [length, setLength] = useState(String(business.call_length_seconds));
  const [removing, setRemoving] = useState(false);
  const set = (changed: Partial<Business>) => setDraft((now) => ({ ...now, ...changed }));
  const { submit, busy, error, wrong } = useSubmit(async () => {
    const { name, kind, assistant_id, voice_mode: mode, fallback_number: fallback, department_id: department } = draft;
    // What is no number is refused like one that is out of bounds.
    const seconds = length.trim() === "" ? null : Number(length);
    await answer(
      api.PUT("/api/v1/config/business/{id}", {
        params: { path: { id: business.id } },
        headers: { "if-match": `"${business.version}"` },
        body: {
          name,
          kind,
          assistant_id: some(assistant_id),
          voice_mode: mode ?? null,
          fallback_number: some(fallback),
          call_length_seconds: Number.isNaN(seconds) ? -1 : seconds,
        },
      }),
    );
    if (department != null && department !== business.department_id) {
      await answer(api.PUT("/api/v1/departments/{id}/businesses/{business_id}", { params: { path: { id: department, business_id: business.id } } }));
    }
    toast(t("settings.business.saved"));
    await client.invalidateQueries({ queryKey: queries.businesses().queryKey });
    await client.invalidateQueries({ queryKey: ["hours", business.id] });
  });
  const remove = async () => {
    await answer(api.DELETE("/api/v1/config/business/{id}", { params: { path: { id: business.id } } }));
    await client.invalidateQueries({ queryKey: queries.businesses().queryKey });
    gone();
  };
  return (
    <Card title={t("settings.business.profile")}>
      <form className="stack" onSubmit={submit}>
        <ErrorBar error={error} />
        <div className="form-grid">
          <TextField label={t("profile.name")} isRequired isReadOnly={!may} value={draft.name} onChange={(name) => set({ name })} wrong={wrong.get("name")} />
          <KindField isDisabled={!may} value={draft.kind} onChange={(kind) => set({ kind })} />
          <AssistantField isDisabled={!may} value={draft.assistant_id ?? ""} onChange={(assistant_id) => set({ assistant_id })} wrong={wrong.get("assistant_id")} />
          <Select
            label={t("settings.business.voice")}
            isDisabled={!may}
            options={[
              { id: "", label: t("settings.business.voiceDefault") },
              { id: "streaming", label: t("settings.business.streaming") },
              { id: "turn_based", label: t("settings.business.turnBased") },
            ]}
            value={draft.voice_mode ?? ""}
            onChange={(id) => set({ voice_mode: MODES.find((mode) => mode === id) ?? null })}
            wrong={wrong.get("voice_mode")}
          />
          <TextField
            label={t("settings.business.fallback")}
            type="tel"
            isReadOnly={!may}
            hint={t("settings.business.fallbackHint")}
            value={draft.fallback_number ?? ""}
            onChange={(fallback) => set({ fallback_number: fallback })}
            wrong={wrong.get("fallback_number")}
          />
          <TextField
            label={t("settings.business.length")}
            inputMode="numeric"
            isReadOnly={!may}
            hint={t("settings.business.lengthHint")}
            value={length}
            onChange={setLength}
            wrong={wrong.get("call_length_seconds")}
          />
          <DepartmentField
            isDisabled={!may || !mayAssign}
            none={business.department_id == null}
            value={draft.department_id ?? ""}
            onChange={(department_id) => set({ department_id })}
          />
        </div>
        <SaveActions may={may} busy={busy}>
          <Button kind="quiet" onPress={() => setRemoving(true)}>
            {t("settings.business.remove")}
          </Button>
        </SaveActions>
      </form>
      <Confirm
        title={t("settings.business.removeTitle", { name: business.name })}
        text={t("settings.business.removeText")}
        action={t("settings.business.remove")}
        open={removing}
        onClose={() => setRemoving(false)}
        onConfirm={remove}
      />
    </Card>
  );
}

type ChoiceProps = { value: string; onChange: (id: string) => void; isDisabled: boolean };

/** Those that have been published: no other answers anybody. */
function AssistantField({ value, onChange, isDisabled, wrong }: ChoiceProps & { wrong: string | undefined }) {
  const { t } = useTranslation();
  const assistants = useQuery(queries.assistants());
  if (assistants.data === undefined) return null;
  const published = assistants.data.items.filter(({ id, published_version: version }) => version != null || id === value);
  const options = [{ id: "", label: t("settings.business.noAssistant") }, ...published.map(({ id, draft }) => ({ id, label: draft.name }))];
  return <Select label={t("settings.business.assistant")} isDisabled={isDisabled} options={options} value={value} onChange={onChange} wrong={wrong} />;
}

/** Where there are departments, and they may be known. Whose calls belong to one can be given to another, but not to none again: `none` says whether they still do. */
function DepartmentField({ value, onChange, isDisabled, none }: ChoiceProps & { none: boolean }) {
  const { t } = useTranslation();
  const departments = useQuery({ ...queries.departments(), enabled: useMay("departments:read") });
  const places = flat(tree(departments.data?.items ?? []));
  if (places.length === 0) return null;
  const options = [
    ...(none ? [{ id: "", label: t("settings.business.noDepartment") }] : []),
    ...places.map(({ path, node }) => ({ id: node.id, label: path.join(" › ") })),
  ];
  return <Select label={t("settings.business.department")} isDisabled={isDisabled} options={options} value={value} onChange={onChange} />;
}
