// How a call's state and end are shown everywhere.

import { useQuery } from "@tanstack/react-query";
import type { TFunction } from "i18next";
import type { Schema } from "../api/client";
import { queries } from "../api/queries";
import { useTranslation } from "../i18n";
import { useMay } from "../session";
import { Badge } from "../ui";

type Status = Schema["CallStatus"];

const TONES = {
  queued: "neutral", ringing: "info", in_progress: "good", completed: "neutral", busy: "warn", failed: "bad", no_answer: "warn", canceled: "warn",
} as const;

export function isRunning(status: Status): boolean {
  return status === "queued" || status === "ringing" || status === "in_progress";
}

export function StatusBadge({ status }: { status: Status }) {
  const { t } = useTranslation();
  return <StatusSign status={status} label={t(`status.${status}`)} />;
}

/** The same, for whoever has the words already. */
export function StatusSign({ status, label }: { status: Status; label: string }) {
  return (
    <Badge tone={TONES[status]} pulse={isRunning(status)}>
      {label}
    </Badge>
  );
}

const REASONS = [
  "caller_hung_up", "assistant_ended", "operator_ended", "transferred", "length_limit", "silence", "model_unavailable", "stream_lost", "abandoned",
] as const;

/** Why a call ended, in words where there are some. */
export function useReason(): (reason: string) => string {
  const { t } = useTranslation();
  return (reason) => reasonIn(t, reason);
}

export function reasonIn(t: TFunction, reason: string): string {
  const known = REASONS.find((word) => word === reason);
  return known === undefined ? reason.replaceAll("_", " ") : t(`reason.${known}`);
}

export function useCaller(): (call: { from?: string | null }) => string {
  const { t } = useTranslation();
  return ({ from }) => from ?? t("calls.withheld");
}

const NONE: Schema["Business"][] = [];

/** Businesses, for whoever may read them. */
export function useBusinesses(): Schema["Business"][] {
  const may = useMay("config:read");
  return useQuery({ ...queries.businesses(), enabled: may }).data?.items ?? NONE;
}
