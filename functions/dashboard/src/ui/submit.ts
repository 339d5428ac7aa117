// How a form asks the API for something.

import { useRef, useState, type FormEvent } from "react";
import { ApiFailure } from "../api/client";

const NONE: ReadonlyMap<string, string> = new Map();

/**
 * `run` is called when the form is submitted, and not again before it has ended: Enter submits a form whose button is busy, too.
 * `error` is what it failed with, `wrong` what the API says of single fields.
 */
export function useSubmit(run: () => Promise<unknown>) {
  const running = useRef(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (running.current) return;
    running.current = true;
    setBusy(true);
    setError(null);
    try {
      await run();
    } catch (cause) {
      setError(cause);
    } finally {
      running.current = false;
      setBusy(false);
    }
  };
  return { submit, busy, error, wrong: error instanceof ApiFailure ? error.fields : NONE };
}
