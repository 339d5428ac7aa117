// Failures in the reader's language. What the API says of a field is said in English, so that nothing is kept back.

import type { TFunction } from "i18next";
import { ApiFailure } from "../api/client";

const KNOWN = [
  "network", "forbidden", "not_found", "login_refused", "too_many_attempts", "tenant_suspended", "conflict", "precondition_failed",
  "rate_limited", "unsupported", "config_missing", "unavailable", "unauthenticated", "invalid_request", "call_over", "call_turn_based", "token_invalid",
] as const;
type Known = (typeof KNOWN)[number];

export function explain(t: TFunction, error: unknown): { title: string; text: string } {
  if (!(error instanceof ApiFailure)) return { title: t("error.internal.title"), text: t("error.internal.text") };
  const code: Known | "internal" = KNOWN.find((known) => known === error.code) ?? "internal";
  const count = Math.max(1, Math.ceil((error.retryAfter ?? 60) / 60));
  const text = t(`error.${code}.text`, { count });
  const said = code === "conflict" || code === "invalid_request" ? error.message : "";
  return { title: t(`error.${code}.title`), text: said === "" ? text : `${text} (${said})` };
}
