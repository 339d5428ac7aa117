// Languages: i18next, with plurals by Intl.PluralRules. English is in the first load and stands in for what is missing elsewhere;
// the other languages are fetched when they are chosen.

import i18n from "i18next";
import { initReactI18next } from "react-i18next";
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
  await i18n.use(initReactI18next).init({
    lng: "en",
    fallbackLng: "en",
    resources: { en: { translation: en } },
    interpolation: { escapeValue: false },
    returnNull: false,
  });
  await speak(first()).catch(() => undefined);
}
