import assert from "node:assert/strict";
import { test } from "node:test";
import de from "../../src/i18n/de.json";
import en from "../../src/i18n/en.json";
import es from "../../src/i18n/es.json";
import fr from "../../src/i18n/fr.json";
import pt from "../../src/i18n/pt.json";

type Words = { [key: string]: string | Words };
const PLURAL = /_(zero|one|two|few|many|other)$/u;

function flat(words: Words, prefix = ""): Map<string, string> {
  return new Map(
    Object.entries(words).flatMap(([key, value]) =>
      typeof value === "string" ? [[`${prefix}${key}`, value] as const] : [...flat(value, `${prefix}${key}.`)],
    ),
  );
}

/** Keys with their plural forms taken together. */
const stems = (words: Map<string, string>) => [...new Set([...words.keys()].map((key) => key.replace(PLURAL, "")))].sort();
const names = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/gu)].map(([, name]) => name).sort();

for (const [language, words] of Object.entries({ de, en, es, fr, pt })) {
  const [english, said] = [flat(en), flat(words as Words)];

  test(`${language}: no key is missing, and none too many`, () => {
    assert.deepEqual(stems(said), stems(english));
  });

  test(`${language}: every plural has the forms that the language needs`, () => {
    const forms = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
    const plurals = new Set([...said.keys()].filter((key) => PLURAL.test(key)).map((key) => key.replace(PLURAL, "")));
    assert.ok(plurals.size > 0);
    for (const stem of plurals) for (const form of forms) assert.ok(said.has(`${stem}_${form}`), `${stem}_${form}`);
  });

  test(`${language}: nothing is empty, and every value has its place`, () => {
    for (const [key, text] of said) {
      assert.notEqual(text.trim(), "", key);
      const other = english.get(key) ?? english.get(key.replace(PLURAL, "_other")) ?? "";
      // A form for exactly one may do without the number.
      if (!key.endsWith("_one")) assert.deepEqual(names(text), names(other), key);
    }
  });
}
