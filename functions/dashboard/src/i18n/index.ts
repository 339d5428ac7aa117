// Languages: i18next, with plurals by Intl.PluralRules. English is in the first load and stands in for what is missing elsewhere;
// the other languages are fetched when they are chosen.

import i18n, { type TFunction } from "i18next";
import { createContext, createElement, type ReactNode, useContext, useEffect, useMemo, useState } from "react";
import en from "./en.json";

export const LANGUAGES = [
  { id: "en", label: "English" },
  { id: "es", label: "Español" },
  { id: "de", label: "Deutsch" },
  { id: "fr", label: "Français" },
  { id: "pt", label: "Português" },
] as const;
export type Language = (typeof LANGUAGES)[number]["id"];

const KEPT = "voicecore.language";
const OTHERS: Record<Exclude<Language, "en">, () => Promise<{ default: unknown }>> = {
  es: () => import("./es.json"),
  de: () => import("./de.json"),
  fr: () => import("./fr.json"),
  pt: () => import("./pt.json"),
};

declare module "i18next" {
  interface CustomTypeOptions {
    resources: { translation: typeof en };
    returnNull: false;
  }
}

export function isLanguage(word: string | null | undefined): word is Language {
  return LANGUAGES.some(({ id }) => id === word);
}

/** What was chosen on this device, or the first of the browser's that there is. */
function first(): Language {
  let kept: string | null = null;
  try {
    kept = localStorage.getItem(KEPT);
  } catch {
    // Storage may be forbidden.
  }
  return [kept, ...navigator.languages.map((tag) => tag.slice(0, 2))].find(isLanguage) ?? "en";
}

/** From now on. The page stays as it is when the words cannot be fetched. */
export async function speak(language: Language): Promise<void> {
  if (language !== "en" && !i18n.hasResourceBundle(language, "translation")) {
    i18n.addResourceBundle(language, "translation", (await OTHERS[language]()).default);
  }
  await i18n.changeLanguage(language);
  document.documentElement.lang = language;
  try {
    localStorage.setItem(KEPT, language);
  } catch {
    // It is kept with the preferences as well.
  }
}

export async function startLanguages(): Promise<void> {
  const language = first();
  await i18n.init({
    lng: "en",
    fallbackLng: "en",
    resources: { en: { translation: en } },
    interpolation: { escapeValue: false },
    returnNull: false,
  });
  if (language !== "en") await speak(language).catch(() => undefined);
}

/** The words of the language that is spoken now; `t` is another one when that changes. */
type Words = { t: TFunction; language: string };

const Spoken = createContext<Words | null>(null);

/** Looks each word that has no values in it up once. */
function remembering(t: TFunction): TFunction {
  const look = t as unknown as (key: unknown, ...values: unknown[]) => unknown;
  const known = new Map<unknown, unknown>();
  const remembered = (key: unknown, ...values: unknown[]) => {
    if (values.length > 0) return look(key, ...values);
    if (!known.has(key)) known.set(key, look(key));
    return known.get(key);
  };
  return remembered as unknown as TFunction;
}

/** Whatever is below is drawn again in the language that is chosen. One for all: each that listens by itself takes its time when a page opens. */
export function Languages({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState(i18n.language);
  useEffect(() => {
    i18n.on("languageChanged", setLanguage);
    return () => i18n.off("languageChanged", setLanguage);
  }, []);
  const words = useMemo(() => ({ t: remembering(i18n.getFixedT(language)), language }), [language]);
  return createElement(Spoken.Provider, { value: words }, children);
}

export function useTranslation(): Words {
  const words = useContext(Spoken);
  if (words === null) throw new Error("outside of the languages");
  return words;
}
