import assert from "node:assert/strict";
import { test } from "node:test";
import type { Schema } from "../../src/api/client";
import { firstOf, passedOver, restored, stepOf, stillOpen } from "../../src/pages/setup/steps";

type State = Schema["StepState"];
const ALL = ["api_credentials", "business_profile", "knowledge", "agents", "qa", "escalation_rules", "review"] as const;

function progress(states: Partial<Record<(typeof ALL)[number], State>>): Schema["SetupProgress"] {
  return {
    completable: false,
    steps: ALL.map((step) => ({ step, state: states[step] ?? "open", needed: step === "api_credentials" || step === "business_profile" })),
  };
}

test("the wizard goes on at the first step that is open, unless the address names one", () => {
  assert.equal(stepOf(null, progress({})), "api_credentials");
  assert.equal(stepOf(null, progress({ api_credentials: "done", business_profile: "done" })), "agents");
  assert.equal(stepOf(null, progress({ api_credentials: "done", business_profile: "done", agents: "skipped", review: "done" })), "review");
  assert.equal(stepOf("agents", progress({})), "agents");
  // A step whose feature is not there yet is no step.
  assert.equal(stepOf("knowledge", progress({})), "api_credentials");
});

test("what is not shown is passed over, and only that", () => {
  assert.deepEqual(passedOver(progress({ escalation_rules: "done" })), ["knowledge", "qa"]);
  assert.deepEqual(stillOpen(progress({ agents: "skipped" })), ["api_credentials", "business_profile"]);
});

test("a draft restores texts that are known, and nothing else", () => {
  const there = { name: "Ada's", kind: "custom" };
  assert.deepEqual(restored(there, { name: "New", kind: 7, evil: "x" }), { name: "New", kind: "custom" });
  assert.deepEqual(restored(there, null), there);
});

test("set-up is about the business that was there first", () => {
  assert.deepEqual(firstOf([{ id: "a", created_at: 2 }, { id: "b", created_at: 1 }])?.id, "b");
  assert.equal(firstOf([]), undefined);
});
