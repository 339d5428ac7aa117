// What is being entered outlives the visit: it is kept a moment after the last change, and when the step is left.

import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";
import { answer, api, lookedInto, type Schema } from "../../api/client";
import { queries } from "../../api/queries";
import type { StepName } from "./steps";

const AFTER_MS = 800;

/** Says where a step is; what was entered is kept with it, or forgotten with `null`. */
export function useSaveStep() {
  const client = useQueryClient();
  return useCallback(
    async (step: StepName, state: Schema["StepState"], draft: Record<string, string> | null = null) => {
      // The description says "an object": the generated type takes that for one without fields.
      const body = { step, state, draft: draft as Record<string, never> | null };
      const progress = await answer(api.PUT("/api/v1/setup/progress", { body }));
      client.setQueryData(queries.setup().queryKey, progress);
      return progress;
    },
    [client],
  );
}

export type Keeping = "idle" | "waiting" | "kept" | "failed";

/** `keep` is called with everything that has been entered so far; `drop` when it is no draft any more. */
export function useKept(step: StepName) {
  const save = useSaveStep();
  const [keeping, setKeeping] = useState<Keeping>("idle");
  const waiting = useRef<{ timer: ReturnType<typeof setTimeout>; draft: Record<string, string>; into: string | null } | null>(null);
  const flush = useCallback(() => {
    const due = waiting.current;
    if (due === null) return;
    clearTimeout(due.timer);
    waiting.current = null;
    // What was entered for a tenant that was looked into is no draft of one's own.
    if (due.into !== lookedInto()) return;
    save(step, "open", due.draft).then(
      () => setKeeping(waiting.current === null ? "kept" : "waiting"),
      () => setKeeping("failed"),
    );
  }, [save, step]);
  const keep = useCallback(
    (draft: Record<string, string>) => {
      if (waiting.current !== null) clearTimeout(waiting.current.timer);
      waiting.current = { timer: setTimeout(flush, AFTER_MS), draft, into: lookedInto() };
      setKeeping("waiting");
    },
    [flush],
  );
  const drop = useCallback(() => {
    if (waiting.current !== null) clearTimeout(waiting.current.timer);
    waiting.current = null;
    setKeeping("idle");
  }, []);
  useEffect(() => flush, [flush]);
  return { keep, drop, keeping };
}
