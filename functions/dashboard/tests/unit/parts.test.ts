import assert from "node:assert/strict";
import { test } from "node:test";
import { isOutside, pageOf, partsOf } from "../../src/pages/parts";

test("the address says which files its page needs", () => {
  const needs = (path: string) => partsOf(pageOf(path));
  assert.deepEqual(["/app", "/app/", "/app/calls/", "/apple"].map(pageOf), ["/", "/", "/calls", "/apple"]);
  assert.deepEqual(needs("/app/"), ["/"]);
  assert.deepEqual(needs("/app/calls/0199"), ["/calls/:id"]);
  assert.deepEqual(needs("/app/settings/users"), ["/settings", "/settings/users"]);
  for (const path of ["/app/calls/1/2", "/app/settings/none/such", "/app/toString", "/app/sign-in"]) assert.deepEqual(needs(path).filter((one) => one !== "/settings"), [], path);
  assert.deepEqual(["/sign-in", "/invitation", "/", "/calls"].map(isOutside), [true, true, false, false]);
});
