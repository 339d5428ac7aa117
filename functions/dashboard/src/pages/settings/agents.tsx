import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { Headset } from "lucide-react";
import { useState } from "react";
import { useSearchParams } from "react-router";
import { answer, api, type Schema } from "../../api/client";
import { queries } from "../../api/queries";
import { useFormat } from "../../format";
import { useTranslation } from "../../i18n";
import { useMay, useMayEverywhere, useMe } from "../../session";
import { useTitle } from "../../shell/title";
import { Avatar, Badge, Card, Empty, PageHead, Paging, Select } from "../../ui";
import { Asked } from "../../ui/asked";
import { ActionCell, AddButton, EditModal, ListTable, useEditing } from "../../ui/edit";
import { explain } from "../../ui/explain";
import { toast } from "../../ui/toast";
import { askedAgents, AVAILABILITIES } from "../asked";
import { AgentForm } from "./agent-form";

type Agent = Schema["Agent"];

/** The human beings who take calls, and whether they do now. */
export function Agents() {
  const { t } = useTranslation();
  useTitle(t("agents.title"));
  const may = useMayEverywhere("agents:write");
  const [url, setUrl] = useSearchParams();
  const query = askedAgents(url);
  const agents = useQuery({ ...queries.agents(query), placeholderData: keepPreviousData });
  const editing = useEditing<Agent>();
  const change = (name: string, value: string) =>
    setUrl((now) => {
      if (name !== "page") now.delete("page");
      if (value === "") now.delete(name);
      else now.set(name, value);
      return now;
    });
  const any = [{ id: "", label: t("calls.any") }, ...AVAILABILITIES.map((id) => ({ id: id as string, label: t(`agents.state.${id}`) }))];
  return (
    <main className="page" id="main">
      <PageHead title={t("agents.title")}>
        {may ? <AddButton label={t("agents.add")} onPress={editing.add} /> : null}
      </PageHead>
      <div className="filters all">
        <Select label={t("agents.availability")} options={any} value={query.availability ?? ""} onChange={(id) => change("availability", id)} />
      </div>
      <Card flush>
        <Asked
          query={agents}
          empty={
            <Empty icon={<Headset aria-hidden="true" />} title={t(query.availability === undefined ? "agents.none" : "agents.noneFound")}>
              {t("agents.noneText")}
            </Empty>
          }
        >
          {(found) => (
            <>
              <AgentTable agents={found.items} edit={may ? editing.edit : null} />
              <Paging page={found} onPage={(page) => change("page", String(page))} />
            </>
          )}
        </Asked>
      </Card>
      <EditModal editing={editing} add={t("agents.add")} name={({ name }) => name}>
        {(agent) => <AgentForm agent={agent} close={editing.close} />}
      </EditModal>
    </main>
  );
}

function AgentTable({ agents, edit }: { agents: Agent[]; edit: ((agent: Agent) => void) | null }) {
  const { t } = useTranslation();
  const mayDepartments = useMay("departments:read");
  const departments = useQuery({ ...queries.departments(), enabled: mayDepartments });
  const named = new Map((departments.data?.items ?? []).map(({ id, name }) => [id, name]));
  return (
    <ListTable label={t("agents.title")} heads={[t("agents.agent"), t("agents.availability"), t("agents.reached"), t("agents.departments")]} actions>
      {agents.map((agent) => (
        <tr key={agent.id}>
          <td>
            <span className="person">
              <Avatar name={agent.name} />
              <span>
                <span className="strong">{agent.name}</span>
                <span className="muted small">{[...agent.languages, ...agent.skills].join(" · ")}</span>
              </span>
            </span>
          </td>
          <td className="tight">
            <AvailabilityField agent={agent} />
          </td>
          <td className="tabular">{agent.phone_number ?? agent.extension ?? t("agents.nowhere")}</td>
          <td className="wrap">{agent.departments.map((id) => named.get(id) ?? "…").join(", ")}</td>
          <ActionCell of={agent.name} onPress={edit && (() => edit(agent))} />
        </tr>
      ))}
    </ListTable>
  );
}

/** One's own, or with the right to it anybody's. */
function AvailabilityField({ agent }: { agent: Agent }) {
  const { t } = useTranslation();
  const format = useFormat();
  const me = useMe();
  const client = useQueryClient();
  const mayAnybodys = useMay("agents:write");
  const [busy, setBusy] = useState(false);
  const until = agent.availability_until == null ? null : t("agents.until", { date: format.date(agent.availability_until) });
  if (!mayAnybodys && agent.user_id !== me.user_id) {
    const tone = agent.availability === "available" ? "good" : agent.availability === "busy" ? "warn" : "neutral";
    return (
      <>
        <Badge tone={tone}>{t(`agents.state.${agent.availability}`)}</Badge> {until === null ? null : <span className="muted small">{until}</span>}
      </>
    );
  }
  const say = async (word: string) => {
    const availability = AVAILABILITIES.find((known) => known === word);
    if (availability === undefined) return;
    setBusy(true);
    try {
      await answer(api.PATCH("/api/v1/agents/{id}/availability", { params: { path: { id: agent.id } }, body: { availability } }));
      toast(t("agents.said", { name: agent.name, state: t(`agents.state.${availability}`) }));
    } catch (cause) {
      toast(explain(t, cause).text, "bad");
    } finally {
      setBusy(false);
      await client.invalidateQueries({ queryKey: ["agents"] });
    }
  };
  return (
    <div className="in-row">
      <Select
        label={t("agents.availabilityOf", { name: agent.name })}
        isDisabled={busy}
        options={AVAILABILITIES.map((id) => ({ id, label: t(`agents.state.${id}`) }))}
        value={agent.availability}
        onChange={(word) => void say(word)}
        hint={until ?? undefined}
      />
    </div>
  );
}
