import { useQuery, useQueryClient } from "@tanstack/react-query";
import { ListChecks } from "lucide-react";
import { useState } from "react";
import { answer, api, type Schema } from "../../api/client";
import { queries } from "../../api/queries";
import { useTranslation } from "../../i18n";
import { useMayEverywhere } from "../../session";
import { useTitle } from "../../shell/title";
import { Badge, Card, CheckBox, Empty, PageHead, Select, TextField } from "../../ui";
import { Asked } from "../../ui/asked";
import { ActionCell, AddButton, EditForm, EditModal, ListTable, useEditing } from "../../ui/edit";
import { useSubmit } from "../../ui/submit";
import { toast } from "../../ui/toast";

type Rules = Schema["QaRules"];
type Rule = Schema["QaRule"];
const KINDS = ["required_phrase", "forbidden_phrase"] as const satisfies readonly Rule["kind"][];
const SPEAKERS = ["assistant", "caller", "any"] as const satisfies readonly Rule["speaker"][];

/** An id that none of the rules has. */
export function freshId(rules: readonly Pick<Rule, "id">[]): string {
  const taken = new Set(rules.map(({ id }) => id));
  let n = rules.length + 1;
  while (taken.has(`rule-${n}`)) n += 1;
  return `rule-${n}`;
}

/** One phrase for each line, each once. */
export function phrasesOf(text: string): string[] {
  return [...new Set(text.split("\n").map((line) => line.trim()).filter((line) => line !== ""))];
}

/** What calls are held against when they are over. */
export function QualityRules() {
  const { t } = useTranslation();
  useTitle(t("qa.rules"));
  const may = useMayEverywhere("qa:write");
  const rules = useQuery(queries.qaRules());
  const editing = useEditing<Rule>();
  return (
    <main className="page" id="main">
      <PageHead title={t("qa.rules")}>
        {may && rules.data !== undefined ? <AddButton label={t("qa.add")} onPress={editing.add} /> : null}
      </PageHead>
      <p className="muted">{t("qa.about")}</p>
      <Card flush>
        <Asked query={rules}>
          {(found) =>
            found.rules.length === 0 ? (
              <Empty icon={<ListChecks aria-hidden="true" />} title={t("qa.noneYet")} />
            ) : (
              <RuleTable rules={found.rules} edit={may ? editing.edit : null} />
            )
          }
        </Asked>
      </Card>
      <EditModal editing={editing} add={t("qa.add")} name={({ name }) => name}>
        {(rule) => (rules.data === undefined ? null : <RuleForm all={rules.data} rule={rule} close={editing.close} />)}
      </EditModal>
    </main>
  );
}

function RuleTable({ rules, edit }: { rules: Rule[]; edit: ((rule: Rule) => void) | null }) {
  const { t } = useTranslation();
  return (
    <ListTable label={t("qa.rules")} heads={[t("qa.rule"), t("qa.demands"), t("qa.speaker"), t("qa.weight")]} actions>
      {rules.map((rule) => (
        <tr key={rule.id}>
          <td className="wrap">
            <span className="strong">{rule.name}</span> {rule.enabled ? null : <Badge>{t("qa.off")}</Badge>}
          </td>
          <td>{t(`qa.kind.${rule.kind}`)}</td>
          <td>{t(`qa.of.${rule.speaker}`)}</td>
          <td className="tabular">{rule.weight}</td>
          <ActionCell of={rule.name} onPress={edit && (() => edit(rule))} />
        </tr>
      ))}
    </ListTable>
  );
}

/** Adds a rule, or changes or removes the one that is given. All rules are saved together, if nobody else was faster. */
function RuleForm({ all, rule, close }: { all: Rules; rule: Rule | null; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [draft, setDraft] = useState<Rule>(
    rule ?? { id: freshId(all.rules), name: "", kind: "required_phrase", speaker: "assistant", phrases: [], weight: 1, hint: null, enabled: true },
  );
  const [phrases, setPhrases] = useState(draft.phrases.join("\n"));
  const [weight, setWeight] = useState(String(draft.weight));
  const at = rule === null ? all.rules.length : all.rules.findIndex(({ id }) => id === rule.id);
  const set = (changed: Partial<Rule>) => setDraft((now) => ({ ...now, ...changed }));
  const save = async (rules: Rule[]) => {
    const saved = await answer(api.PUT("/api/v1/config/qa", { headers: { "if-match": `"${all.version}"` }, body: { rules } }));
    client.setQueryData(queries.qaRules().queryKey, saved);
    toast(t("common.saved"));
    close();
  };
  const form = useSubmit(() => {
    // What is no number is refused like one that is out of bounds.
    const changed = { ...draft, phrases: phrasesOf(phrases), weight: /^\d{1,3}$/u.test(weight.trim()) ? Number(weight) : 0 };
    return save(all.rules.toSpliced(at, 1, changed));
  });
  const wrongOf = (field: keyof Rule) => form.wrong.get(`rules.${at}.${field}`);
  return (
    <EditForm
      form={form}
      action={t(rule === null ? "qa.add" : "common.save")}
      close={close}
      remove={rule && { title: t("qa.removeTitle", { name: rule.name }), text: t("qa.removeText"), run: () => save(all.rules.toSpliced(at, 1)) }}
    >
      <TextField label={t("profile.name")} isRequired autoFocus maxLength={100} value={draft.name} onChange={(name) => set({ name })} wrong={wrongOf("name")} />
      <div className="form-grid">
        <Select
          label={t("qa.demands")}
          options={KINDS.map((id) => ({ id, label: t(`qa.kind.${id}`) }))}
          value={draft.kind}
          onChange={(id) => set({ kind: KINDS.find((kind) => kind === id) ?? draft.kind })}
        />
        <Select
          label={t("qa.speaker")}
          options={SPEAKERS.map((id) => ({ id, label: t(`qa.of.${id}`) }))}
          value={draft.speaker}
          onChange={(id) => set({ speaker: SPEAKERS.find((speaker) => speaker === id) ?? draft.speaker })}
        />
      </div>
      <TextField label={t("qa.phrases")} isRequired rows={6} hint={t("qa.phrasesHint")} value={phrases} onChange={setPhrases} wrong={wrongOf("phrases")} />
      <TextField label={t("qa.weight")} inputMode="numeric" hint={t("qa.weightHint")} value={weight} onChange={setWeight} wrong={wrongOf("weight")} />
      <TextField label={t("qa.hint")} rows={2} maxLength={500} value={draft.hint ?? ""} onChange={(hint) => set({ hint })} wrong={wrongOf("hint")} />
      <CheckBox isSelected={draft.enabled} onChange={(enabled) => set({ enabled })}>
        {t("qa.on")}
      </CheckBox>
    </EditForm>
  );
}
