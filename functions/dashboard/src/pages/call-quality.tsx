// What a call came to by the organisation's rules: the score, and each rule with what decided it.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Check, X } from "lucide-react";
import { useState } from "react";
import { answer, api, type Schema } from "../api/client";
import { queries } from "../api/queries";
import { clock, useFormat } from "../format";
import { useTranslation } from "../i18n";
import { useMay } from "../session";
import { Button, Card, Failed, Skeleton } from "../ui";
import { explain } from "../ui/explain";
import { toast } from "../ui/toast";

type Outcome = Schema["QaOutcome"];

/** Of a call that is over. */
export function Quality({ callId }: { callId: string }) {
  const { t } = useTranslation();
  const sees = useMay("qa:read");
  const may = useMay("qa:write");
  const qa = useQuery({ ...queries.qa(callId), enabled: sees });
  if (!sees) return null;
  return (
    <Card title={t("qa.title")} actions={may ? <Evaluate callId={callId} /> : undefined}>
      {qa.isError ? (
        <Failed error={qa.error} retry={() => void qa.refetch()} />
      ) : qa.data === undefined ? (
        <Skeleton />
      ) : qa.data.evaluated_at == null ? (
        <p className="muted">{t("qa.none")}</p>
      ) : (
        <Result qa={qa.data} />
      )}
    </Card>
  );
}

function Result({ qa }: { qa: Schema["CallQa"] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const kept = qa.rules.filter(({ passed }) => passed).length;
  if (qa.score == null) return <p className="muted">{t("qa.noRules")}</p>;
  return (
    <>
      <dl className="pair">
        <div>
          <dt>{t("qa.score")}</dt>
          <dd>{format.percent(qa.score)}</dd>
        </div>
        <div>
          <dt>{t("qa.kept")}</dt>
          <dd>{t("qa.keptOf", { kept: format.number(kept), all: format.number(qa.rules.length) })}</dd>
        </div>
      </dl>
      <ul className="qa-rules">
        {qa.rules.map((rule) => (
          <Rule key={rule.rule_id} rule={rule} callId={qa.call_id} />
        ))}
      </ul>
    </>
  );
}

function Rule({ rule, callId }: { rule: Outcome; callId: string }) {
  const { t } = useTranslation();
  const { name, passed, hint, seq, phrase } = rule;
  const items = useQuery(queries.interactions(callId)).data?.items ?? [];
  const start = items.find((entry) => entry.seq === seq)?.start_ms;
  const Icon = passed ? Check : X;
  return (
    <li className={passed ? "good" : "bad"}>
      <Icon aria-hidden="true" />
      <div>
        <p>
          <span className="visually-hidden">{t(passed ? "qa.passed" : "qa.failed")}: </span>
          {name}
        </p>
        {seq == null || phrase == null ? null : (
          <p className="small">
            <a href={`#u${seq}`}>{start === undefined ? t("qa.said", { phrase }) : t("qa.saidAt", { phrase, time: clock(start) })}</a>
          </p>
        )}
        {passed || hint == null ? null : <p className="muted small text">{hint}</p>}
      </div>
    </li>
  );
}

/** Holds the call against the rules of today. */
function Evaluate({ callId }: { callId: string }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const evaluate = async () => {
    setBusy(true);
    try {
      const result = await answer(api.POST("/api/v1/calls/{id}/qa", { params: { path: { id: callId } } }));
      client.setQueryData(queries.qa(callId).queryKey, result);
      toast(t("qa.done"));
    } catch (error) {
      toast(explain(t, error).text, "bad");
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button busy={busy} onPress={() => void evaluate()}>
      {t("qa.again")}
    </Button>
  );
}
