import { useQuery } from "@tanstack/react-query";
import { Check, CircleDashed, SkipForward } from "lucide-react";
import { useState } from "react";
import { NavLink, useNavigate, useSearchParams } from "react-router";
import type { Schema } from "../../api/client";
import { queries } from "../../api/queries";
import { useTranslation } from "../../i18n";
import { useTitle } from "../../shell/title";
import { Button, Card, ErrorBar, Failed, NoteBar, PageHead, Skeleton } from "../../ui";
import { ProviderCards } from "../settings/providers";
import { AgentsStep } from "./agents-step";
import { useSaveStep } from "./kept";
import { ProfileStep } from "./profile-step";
import { ReviewStep } from "./review-step";
import { type Shown, stateOf, stepOf, STEPS } from "./steps";

type Progress = Schema["SetupProgress"];

/** Leads through what has to be there before calls are answered. Where it is left, it goes on the next time. */
export function Setup() {
  const { t } = useTranslation();
  useTitle(t("wizard.title"));
  const progress = useQuery(queries.setup());
  const [url] = useSearchParams();
  return (
    <main className="page narrow" id="main">
      <PageHead title={t("wizard.title")} />
      {progress.data !== undefined ? (
        <Wizard progress={progress.data} step={stepOf(url.get("step"), progress.data)} />
      ) : progress.isError ? (
        <Card>
          <Failed error={progress.error} retry={() => void progress.refetch()} />
        </Card>
      ) : (
        <Card>
          <Skeleton lines={8} />
        </Card>
      )}
    </main>
  );
}

function Wizard({ progress, step }: { progress: Progress; step: Shown }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const at = STEPS.indexOf(step);
  const go = (to: Shown | undefined) => {
    if (to !== undefined) void navigate(`/setup?step=${to}`);
  };
  const kept = progress.steps.find((one) => one.step === step);
  const next = () => go(STEPS[at + 1]);
  const back = at === 0 ? null : () => go(STEPS[at - 1]);
  return (
    <>
      <StepList progress={progress} current={step} />
      <div className="stack">
        <div className="step-head">
          <h2>{t("wizard.heading", { number: at + 1, count: STEPS.length, name: t(`wizard.step.${step}`) })}</h2>
          <p className="muted">{t(`wizard.about.${step}`)}</p>
        </div>
        {step === "api_credentials" ? (
          <CredentialsStep progress={progress} next={next} />
        ) : step === "business_profile" ? (
          <ProfileStep key="profile" draft={kept?.draft} back={back} next={next} />
        ) : step === "agents" ? (
          <AgentsStep key="agents" draft={kept?.draft} back={back} next={next} />
        ) : (
          <ReviewStep progress={progress} back={back} go={go} />
        )}
      </div>
    </>
  );
}

function StepList({ progress, current }: { progress: Progress; current: Shown }) {
  const { t } = useTranslation();
  return (
    <nav className="steps" aria-label={t("wizard.steps")}>
      <ol>
        {STEPS.map((step) => {
          const state = stateOf(step, progress);
          const Icon = state === "done" ? Check : state === "skipped" ? SkipForward : CircleDashed;
          return (
            <li key={step}>
              <NavLink
                to={`/setup?step=${step}`}
                className={() => `nav-link ${state}${step === current ? " active" : ""}`}
                aria-current={step === current ? "step" : undefined}
              >
                <Icon aria-label={t(`wizard.state.${state}`)} />
                {t(`wizard.step.${step}`)}
              </NavLink>
            </li>
          );
        })}
      </ol>
    </nav>
  );
}

function CredentialsStep({ progress, next }: { progress: Progress; next: () => void }) {
  const { t } = useTranslation();
  const save = useSaveStep();
  const [error, setError] = useState<unknown>(null);
  const go = async () => {
    setError(null);
    try {
      await save("api_credentials", "done");
      next();
    } catch (cause) {
      setError(cause);
    }
  };
  return (
    <>
      <ProviderCards />
      {stateOf("api_credentials", progress) === "done" ? null : <NoteBar tone="warn">{t("wizard.noAccount")}</NoteBar>}
      <ErrorBar error={error} />
      <div className="actions">
        <Button kind="primary" onPress={() => void go()}>
          {t("wizard.next")}
        </Button>
      </div>
    </>
  );
}
