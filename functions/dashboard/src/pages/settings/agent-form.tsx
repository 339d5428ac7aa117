import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { answer, api, type Schema } from "../../api/client";
import { queries } from "../../api/queries";
import { useTranslation } from "../../i18n";
import { useMay } from "../../session";
import { ComboBox, TextField } from "../../ui";
import { EditForm } from "../../ui/edit";
import { useSubmit } from "../../ui/submit";
import { toast } from "../../ui/toast";
import { DepartmentsField } from "./departments-field";

type Agent = Schema["Agent"];

export type AgentDraft = {
  name: string;
  email: string;
  phone: string;
  extension: string;
  languages: string;
  skills: string;
  calls: string;
  departments: string[];
  user: string;
};

export const EMPTY: AgentDraft = { name: "", email: "", phone: "", extension: "", languages: "", skills: "", calls: "1", departments: [], user: "" };

/** Words with commas or blanks between them, each once. */
export function words(text: string): string[] {
  return [...new Set(text.split(/[\s,;]+/u).filter((word) => word !== ""))];
}

/** What was typed as the API takes it: nothing where a field is empty. */
export function agentOf(draft: AgentDraft): Schema["SaveAgent"] {
  const some = (text: string) => (text.trim() === "" ? null : text.trim());
  const calls = draft.calls.trim();
  return {
    name: draft.name.trim(),
    email: some(draft.email),
    phone_number: some(draft.phone),
    extension: some(draft.extension),
    languages: words(draft.languages.toLowerCase()),
    skills: words(draft.skills),
    // What is no number is refused by the API, and said at its field.
    max_concurrent_calls: calls === "" ? null : /^\d{1,6}$/u.test(calls) ? Number(calls) : 0,
    departments: draft.departments,
    user_id: some(draft.user),
  };
}

function draftOf(agent: Agent): AgentDraft {
  return {
    name: agent.name,
    email: agent.email ?? "",
    phone: agent.phone_number ?? "",
    extension: agent.extension ?? "",
    languages: agent.languages.join(", "),
    skills: agent.skills.join(", "),
    calls: String(agent.max_concurrent_calls),
    departments: agent.departments,
    user: agent.user_id ?? "",
  };
}

type FormProps = {
  agent: Agent | null;
  close: () => void;
  /** What was entered on an earlier visit. */
  start?: AgentDraft | null;
  /** Told of every change. */
  typed?: (draft: AgentDraft) => void;
};

/** Adds an agent, or changes or removes the one that is given. */
export function AgentForm({ agent, close, start = null, typed }: FormProps) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [draft, setDraft] = useState(agent === null ? (start ?? EMPTY) : draftOf(agent));
  const set = (changed: Partial<AgentDraft>) => {
    const now = { ...draft, ...changed };
    setDraft(now);
    typed?.(now);
  };
  const changed = async () => {
    await client.invalidateQueries({ queryKey: ["agents"] });
    await client.invalidateQueries({ queryKey: ["setup"] });
  };
  const form = useSubmit(async () => {
    const body = agentOf(draft);
    await answer(
      agent === null
        ? api.POST("/api/v1/agents", { body })
        : api.PUT("/api/v1/agents/{id}", { params: { path: { id: agent.id } }, headers: { "if-match": `"${agent.version}"` }, body }),
    );
    await changed();
    toast(t("common.saved"));
    close();
  });
  const remove = async (id: string) => {
    await answer(api.DELETE("/api/v1/agents/{id}", { params: { path: { id } } }));
    await changed();
    close();
  };
  const { wrong } = form;
  return (
    <EditForm
      form={form}
      action={t(agent === null ? "agents.add" : "common.save")}
      close={close}
      remove={agent && { title: t("agents.removeTitle", { name: agent.name }), text: t("agents.removeText"), run: () => remove(agent.id) }}
    >
      <TextField label={t("profile.name")} isRequired autoFocus maxLength={200} value={draft.name} onChange={(name) => set({ name })} wrong={wrong.get("name")} />
      <div className="form-grid">
        <TextField label={t("agents.phone")} type="tel" hint={t("numbers.numberHint")} value={draft.phone} onChange={(phone) => set({ phone })} wrong={wrong.get("phone_number")} />
        <TextField label={t("signIn.email")} type="email" value={draft.email} onChange={(email) => set({ email })} wrong={wrong.get("email")} />
        <TextField label={t("agents.languages")} hint={t("agents.languagesHint")} value={draft.languages} onChange={(languages) => set({ languages })} wrong={wrong.get("languages")} />
        <TextField label={t("agents.skills")} hint={t("agents.skillsHint")} value={draft.skills} onChange={(skills) => set({ skills })} wrong={wrong.get("skills")} />
        <TextField label={t("agents.extension")} inputMode="numeric" value={draft.extension} onChange={(extension) => set({ extension })} wrong={wrong.get("extension")} />
        <TextField label={t("agents.calls")} inputMode="numeric" value={draft.calls} onChange={(calls) => set({ calls })} wrong={wrong.get("max_concurrent_calls")} />
      </div>
      <UserField value={draft.user} onChange={(user) => set({ user })} wrong={wrong.get("user_id")} />
      <DepartmentsField value={draft.departments} onChange={(departments) => set({ departments })} wrong={wrong.get("departments")} />
    </EditForm>
  );
}

/** Who the agent is when they sign in. */
function UserField({ value, onChange, wrong }: { value: string; onChange: (id: string) => void; wrong: string | undefined }) {
  const { t } = useTranslation();
  const may = useMay("users:read");
  const everybody = useInfiniteQuery({ ...queries.everybody(), enabled: may });
  const users = everybody.data?.pages.flatMap(({ items }) => items) ?? [];
  const there = value === "" || users.some(({ id }) => id === value);
  const chosen = useQuery({ ...queries.user(value), enabled: may && everybody.isSuccess && !there });
  const [typing, setTyping] = useState(false);
  // Whoever looks for somebody looks among all.
  const { hasNextPage, isFetching, fetchNextPage } = everybody;
  useEffect(() => {
    if (typing && hasNextPage && !isFetching) void fetchNextPage();
  }, [typing, hasNextPage, isFetching, fetchNextPage]);
  if (users.length === 0 || (!there && chosen.isPending)) return null;
  const labelled = ({ id, name, email }: Pick<Schema["User"], "id" | "name" | "email">) => ({ id, label: name === "" ? email : `${name} · ${email}` });
  const options = [{ id: "", label: t("agents.noUser") }, ...users.map(labelled)];
  if (!there) options.push(chosen.data === undefined ? { id: value, label: value } : labelled(chosen.data));
  return <ComboBox label={t("agents.user")} options={options} value={value} onChange={onChange} onType={(text) => setTyping(text !== "")} wrong={wrong} />;
}
