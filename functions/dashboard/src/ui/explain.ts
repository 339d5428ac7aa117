// Failures in the reader's language. A sentence of the API's that is not known here (it may be newer than this page) is shown in English, so that
// nothing is kept back.

import type { TFunction } from "i18next";
import { ApiFailure } from "../api/client";
import { refusedOf, wrongOf } from "./said";

const KNOWN = [
  "network", "forbidden", "not_found", "login_refused", "too_many_attempts", "tenant_suspended", "conflict", "precondition_failed",
  "rate_limited", "unsupported", "config_missing", "unavailable", "unauthenticated", "invalid_request", "call_over", "call_turn_based", "token_invalid",
] as const;
type Known = (typeof KNOWN)[number];

export function explain(t: TFunction, error: unknown): { title: string; text: string } {
  if (!(error instanceof ApiFailure)) return { title: t("error.internal.title"), text: t("error.internal.text") };
  const code: Known | "internal" = KNOWN.find((known) => known === error.code) ?? "internal";
  const count = Math.max(1, Math.ceil((error.retryAfter ?? 60) / 60));
  const title = t(`error.${code}.title`);
  const text = t(`error.${code}.text`, { count });
  if (code === "conflict" && error.message !== "") {
    const refused = refusedOf(error.message);
    return { title, text: refused === null ? `${text} (${error.message})` : t(refused) };
  }
  const said = code === "invalid_request" ? [...new Set(wrongFields(t, error).values())] : [];
  return { title, text: [text, ...said].join(" ") };
}

/** What is wrong with each field, by the names of the API. */
export function wrongFields(t: TFunction, error: unknown): ReadonlyMap<string, string> {
  if (!(error instanceof ApiFailure)) return new Map();
  return new Map(
    [...error.fields].map(([field, message]) => {
      const wrong = wrongOf(message);
      return [field, wrong === null ? message : t(wrong.key, wrong.values)] as const;
    }),
  );
}
