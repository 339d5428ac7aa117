// Every sentence that the API's source can say of a field, or of why something cannot be done, has words of ours. The source is read rather than the
// answers, because no test makes every answer occur.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { REFUSED, refusedOf, WRONG, wrongOf } from "../../src/ui/said";

// Bundled, this file lies in target/dashboard/unit.
const API = fileURLToPath(new URL("../../../shared/api/src", import.meta.url));
/** What these say goes to the model, which reads English. */
const NOT_TO_CLIENTS = /^live\/(?:tools|prompt|ticket|setup)|^(?:config|doctor|state|turn_based\/model|media)\b/u;

const sources = readdirSync(API, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".rs"))
  // Tests stand at the end of a module.
  .map((name) => ({ name, text: readFileSync(`${API}/${name}`, "utf8").split("#[cfg(test)]")[0] ?? "" }));

/** A literal as it is said: without the breaks of its source, a 7 in the place of each value. */
const spoken = (literal: string) => literal.replace(/\\\n\s*/gu, "").replaceAll('\\"', '"').replaceAll(/\{\{|\}\}/gu, "").replaceAll(/\{range\}/gu, "7 to 7").replaceAll(/\{[^}]*\}/gu, "7");
const literals = (text: string, rule: RegExp) => [...text.matchAll(rule)].map(([, literal = ""]) => spoken(literal));

const wrong = sources
  .filter(({ name }) => !NOT_TO_CLIENTS.test(name) || name === "state.rs")
  .flatMap(({ text }) => literals(text, /"((?:must|may|cannot|holds) (?:[^"\\]|\\[\s\S])*|(?:is|was) (?:[^"\\]|\\[\s\S])*)"/gu));
const refused = sources.flatMap(({ text }) => literals(text, /Conflict\(\s*"((?:[^"\\]|\\[\s\S])*)"/gu));

test("every sentence of the API's about a field has words of ours", () => {
  assert.ok(wrong.length > 60, String(wrong.length));
  const unknown = [...new Set(wrong)].filter((message) => wrongOf(message) === null);
  assert.deepEqual(unknown, [], "add them to src/ui/said.ts, and their words to every language");
});

test("every sentence of the API's about what cannot be done now has words of ours", () => {
  assert.ok(refused.length > 20, String(refused.length));
  const unknown = [...new Set(refused)].filter((message) => refusedOf(message) === null);
  assert.deepEqual(unknown, [], "add them to src/ui/said.ts, and their words to every language");
});

test("no words are left of what the API does not say any more", () => {
  const dead = WRONG.filter(([rule]) => !wrong.some((message) => rule.test(message)));
  assert.deepEqual(dead, []);
  const silent = REFUSED.filter(([begin]) => !refused.some((message) => message.startsWith(begin)));
  assert.deepEqual(silent, []);
});

test("values keep their places", () => {
  const given = (message: string) => Object.entries(wrongOf(message)?.values ?? {}).filter(([, value]) => value !== "");
  assert.deepEqual(given("must be a whole number from 1 to 50"), [["from", "1"], ["to", "50"]]);
  assert.deepEqual(given("must be from -720 to 840"), [["from", "-720"], ["to", "840"]]);
  assert.deepEqual(given("may hold the variables {{business}} and {{assistant}} only. Unknown: {{caller}}."), [["known", "{{business}} and {{assistant}}"]]);
  assert.deepEqual(given("may hold letters, digits, -, _, . and : only"), [["others", "-, _, . and :"]]);
  assert.equal(wrongOf("must be something newer"), null);
});
