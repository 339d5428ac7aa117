// The steps of set-up that the dashboard shows, and what is known of each. Pure.

import type { Schema } from "../../api/client";

type Progress = Schema["SetupProgress"];
export type StepName = Schema["SetupStep"];

/** Those whose features there are; the others come with theirs. */
export const STEPS = ["api_credentials", "business_profile", "agents", "review"] as const satisfies readonly StepName[];
export type Shown = (typeof STEPS)[number];

/** The step that the address names, or the first that is open; the last when none is. */
export function stepOf(asked: string | null, progress: Progress): Shown {
  const named = STEPS.find((step) => step === asked);
  return named ?? STEPS.find((step) => stateOf(step, progress) === "open") ?? "review";
}

export function stateOf(step: StepName, progress: Progress): Schema["StepState"] {
  return progress.steps.find((one) => one.step === step)?.state ?? "open";
}

/** Steps that stand in the way of the end though nobody is shown them: they are passed over. */
export function passedOver(progress: Progress): StepName[] {
  const shown: readonly StepName[] = STEPS;
  return progress.steps.filter(({ step, state, needed }) => state === "open" && !needed && !shown.includes(step)).map(({ step }) => step);
}

/** Shown steps, other than the review, that are still open. */
export function stillOpen(progress: Progress): Shown[] {
  return STEPS.filter((step) => step !== "review" && stateOf(step, progress) === "open");
}

/** What was entered on an earlier visit, over what is there; only texts, and only under names that are known. */
export function restored<D extends Record<string, string>>(there: D, draft: Record<string, unknown> | null | undefined): D {
  const found = { ...there };
  for (const name of Object.keys(there) as (keyof D & string)[]) {
    const kept = draft?.[name];
    if (typeof kept === "string") found[name] = kept as D[typeof name];
  }
  return found;
}

/** The business that set-up is about: the one that was there first. */
export function firstOf<B extends { created_at: number }>(businesses: readonly B[]): B | undefined {
  return [...businesses].sort((a, b) => a.created_at - b.created_at)[0];
}
