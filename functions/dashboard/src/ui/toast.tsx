// Short messages that go by themselves.

import { AlertTriangle, CheckCircle2, Hourglass } from "lucide-react";
import { useEffect, useSyncExternalStore } from "react";
import { CloseButton } from ".";
import { slowed } from "../api/slowed";
import { useTranslation } from "../i18n";
import { useNow } from "./now";

type Toast = { id: number; text: string; tone: "good" | "bad" };

/** The oldest goes when there are more. */
const MAX_TOASTS = 3;
const SHOWN_MS = 6_000;

let toasts: readonly Toast[] = [];
let last = 0;
const listeners = new Set<() => void>();

function set(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

export function toast(text: string, tone: Toast["tone"] = "good"): void {
  last += 1;
  set([...toasts, { id: last, text, tone }].slice(-MAX_TOASTS));
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export function Toasts() {
  const shown = useSyncExternalStore(subscribe, () => toasts);
  return (
    <div className="toasts" role="status" aria-live="polite">
      <Held />
      {shown.map((one) => (
        <One key={one.id} toast={one} />
      ))}
    </div>
  );
}

/** Says that the API was asked too much at once, and when it goes on. Screen readers are not told every second. */
function Held() {
  const { t } = useTranslation();
  const until = useSyncExternalStore(slowed.watch, slowed.until);
  const now = useNow(until !== null);
  if (until === null) return null;
  return (
    <div className="toast">
      <Hourglass aria-hidden="true" />
      <p>
        {t("error.held")}{" "}
        <span aria-hidden="true" className="tabular">
          {`${Math.max(0, Math.ceil((until - now) / 1000))}\u00a0s`}
        </span>
      </p>
    </div>
  );
}

function One({ toast: { id, text, tone } }: { toast: Toast }) {
  const close = () => set(toasts.filter((other) => other.id !== id));
  useEffect(() => {
    const timer = setTimeout(() => set(toasts.filter((other) => other.id !== id)), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [id]);
  const Icon = tone === "good" ? CheckCircle2 : AlertTriangle;
  return (
    <div className={`toast ${tone}`}>
      <Icon aria-hidden="true" />
      <p>{text}</p>
      <CloseButton onPress={close} />
    </div>
  );
}
