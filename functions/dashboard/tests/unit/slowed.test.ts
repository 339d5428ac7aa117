// That something is held is known for as long as it is.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hold, slowed } from "../../src/api/slowed";

test("nothing is held any more when the wait is over, whatever part of a millisecond it had", async () => {
  for (let part = 0; part < 20; part += 1) {
    await hold(1 + part / 20);
    assert.equal(slowed.until(), null);
  }
});

test("of two that are held the longer one counts", async () => {
  const long = hold(40);
  await hold(5);
  assert.notEqual(slowed.until(), null);
  await long;
  assert.equal(slowed.until(), null);
});
