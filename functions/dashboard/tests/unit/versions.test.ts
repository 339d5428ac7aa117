// What differs between two versions of an assistant.

import assert from "node:assert/strict";
import { test } from "node:test";
import { changes } from "../../src/pages/settings/version-changes";

type Settings = Parameters<typeof changes>[0];

const before: Settings = { name: "Ada", language: "en", greeting: "Good day, this is Ada.", instructions: null, tools: ["end_call"] };

test("what is alike is not shown, whatever stands for nothing", () => {
  assert.deepEqual(changes(before, { ...before, instructions: "", voice: null }), []);
});

test("prose is compared by words, and gives both versions back", () => {
  const after = { ...before, greeting: "Good evening, this is Ada speaking." };
  const [change, ...more] = changes(before, after);
  assert.equal(more.length, 0);
  assert.equal(change?.field, "greeting");
  const told = (without: "before" | "after") => (change?.pieces ?? []).filter(({ of }) => of !== without).map(({ text }) => text).join("");
  assert.equal(told("after"), before.greeting);
  assert.equal(told("before"), after.greeting);
  assert.ok(change?.pieces.some(({ text, of }) => of === "both" && text.includes("this is Ada")));
});

test("other settings are shown as a whole, in the order of their names", () => {
  const found = changes(before, { ...before, tools: ["end_call", "transfer"], language: "de", voice: "marin" });
  assert.deepEqual(found, [
    { field: "language", pieces: [{ text: "en", of: "before" }, { text: "de", of: "after" }] },
    { field: "tools", pieces: [{ text: "end_call", of: "before" }, { text: "end_call, transfer", of: "after" }] },
    { field: "voice", pieces: [{ text: "marin", of: "after" }] },
  ]);
});
