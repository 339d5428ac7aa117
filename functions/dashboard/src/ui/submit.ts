// How a form asks the API for something.

import { useMemo, useRef, useState, type FormEvent } from "react";
import { useTranslation } from "../i18n";
import { wrongFields } from "./explain";

/**
 * `run` is called when the form is submitted, and not again before it has ended: Enter submits a form whose button is busy, too.
 * `error` is what it failed with, `wrong` what is wrong with single fields, in the reader's language.
 */
export function useSubmit(run: () => Promise<unknown>) {
  const { t } = useTranslation();
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
  const wrong = useMemo(() => wrongFields(t, error), [t, error]);
  return { submit, busy, error, wrong };
}
