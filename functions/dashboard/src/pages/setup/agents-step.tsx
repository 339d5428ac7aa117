import { useQuery } from "@tanstack/react-query";
import { UserPlus } from "lucide-react";
import { useState } from "react";
import { queries } from "../../api/queries";
import { useTranslation } from "../../i18n";
import { useMay } from "../../session";
import { Avatar, Button, Card, ErrorBar, Failed, Skeleton } from "../../ui";
import { AgentForm, EMPTY } from "../settings/agent-form";
import { Keeping } from "./keeping";
import { useKept, useSaveStep } from "./kept";
import { restored } from "./steps";

type StepProps = { draft: Record<string, unknown> | null | undefined; back: (() => void) | null; next: () => void };

/** Whom calls are handed to. It may be left out: there need not be anybody. */
export function AgentsStep({ draft, back, next }: StepProps) {
  const { t } = useTranslation();
  const may = useMay("agents:write");
  const sees = useMay("agents:read");
  const agents = useQuery({ ...queries.agents({ page_size: 100 }), enabled: sees });
  const save = useSaveStep();
  const { keep, drop, keeping } = useKept("agents");
  const { departments, ...texts } = EMPTY;
  const [kept, setKept] = useState(() => (draft == null ? null : { ...restored(texts, draft), departments }));
  const [adding, setAdding] = useState(kept !== null);
  const [error, setError] = useState<unknown>(null);
  const go = async () => {
    setError(null);
    drop();
    try {
      await save("agents", agents.data === undefined || agents.data.items.length > 0 ? "done" : "skipped");
      next();
    } catch (cause) {
      setError(cause);
    }
  };
  const added = () => {
    drop();
    setKept(null);
    setAdding(false);
    // What was entered is an agent now, or given up.
    if (keeping !== "idle" || draft != null) void save("agents", "open").catch(setError);
  };
  const none = agents.data !== undefined && agents.data.items.length === 0;
  return (
    <>
      {sees ? (
        <Card title={t("agents.title")}>
          {agents.isError ? (
            <Failed error={agents.error} retry={() => void agents.refetch()} />
          ) : agents.data === undefined ? (
            <Skeleton lines={2} />
          ) : none ? (
            <p className="muted">{t("agents.noneText")}</p>
          ) : (
            <ul className="rows">
              {agents.data.items.map((agent) => (
                <li key={agent.id}>
                  <Avatar name={agent.name} />
                  <span className="clip">{agent.name}</span>
                  <span className="muted small tabular">{agent.phone_number ?? agent.extension ?? ""}</span>
                </li>
              ))}
            </ul>
          )}
        </Card>
      ) : null}
      {!may ? null : adding ? (
        <Card title={t("agents.add")}>
          <div className="stack">
            <AgentForm agent={null} start={kept} close={added} typed={({ departments: _, ...now }) => keep(now)} />
          </div>
        </Card>
      ) : (
        <div>
          <Button icon={<UserPlus aria-hidden="true" />} onPress={() => setAdding(true)}>
            {t("agents.add")}
          </Button>
        </div>
      )}
      <ErrorBar error={error} />
      <div className="actions">
        <Keeping keeping={keeping} />
        {back === null ? null : <Button onPress={back}>{t("wizard.back")}</Button>}
        <Button kind="primary" onPress={() => void go()}>
          {t(none ? "wizard.skip" : "wizard.next")}
        </Button>
      </div>
    </>
  );
}
