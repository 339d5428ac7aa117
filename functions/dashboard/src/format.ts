// Moments, lengths and numbers as the reader's language writes them.

import { useTranslation } from "./i18n";

export type Format = ReturnType<typeof formatter>;

const made = new Map<string, ReturnType<typeof make>>();

/** Made when it is used for the first time: each takes as long as a hundred uses. */
function lazily<Of>(make: () => Of): () => Of {
  let made: Of | undefined;
  return () => (made ??= make());
}

function make(language: string) {
  const moment = (options: Intl.DateTimeFormatOptions) => lazily(() => new Intl.DateTimeFormat(language, options));
  const amount = (options: Intl.NumberFormatOptions = {}) => lazily(() => new Intl.NumberFormat(language, options));
  const date = moment({ dateStyle: "medium", timeStyle: "short" });
  const time = moment({ timeStyle: "medium" });
  const day = moment({ day: "numeric", month: "short" });
  const weekday = moment({ weekday: "short", timeZone: "UTC" });
  const longWeekday = moment({ weekday: "long", timeZone: "UTC" });
  const hour = moment({ hour: "numeric" });
  const number = amount();
  const percent = amount({ style: "percent", maximumFractionDigits: 1 });
  const money = amount({ style: "currency", currency: "USD", maximumFractionDigits: 2 });
  return {
    date: (at: number) => date().format(at),
    time: (at: number) => time().format(at),
    day: (at: number) => day().format(at),
    hour: (hourOfDay: number) => hour().format(new Date(2026, 0, 5, hourOfDay)),
    /** 0 is Monday. */
    weekday: (index: number) => weekday().format(Date.UTC(2026, 0, 5 + index)),
    longWeekday: (index: number) => longWeekday().format(Date.UTC(2026, 0, 5 + index)),
    number: (value: number) => number().format(value),
    percent: (value: number) => percent().format(value),
    money: (micros: number) => money().format(micros / 1e6),
  };
}

function formatter(language: string) {
  let found = made.get(language);
  if (found === undefined) {
    found = make(language);
    made.set(language, found);
  }
  return found;
}

export function useFormat(): Format {
  return formatter(useTranslation().language);
}

/** `4:07`, `1:02:09`. */
export function clock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (n: number) => String(n).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** A telephone number as people type it, in the form of the API; `null` when it is none. */
export function numberIn(text: string): string | null {
  const number = text.replace(/[\s().-]/gu, "");
  return /^\+[1-9]\d{6,14}$/u.test(number) ? number : null;
}
