import assert from "node:assert/strict";
import { test } from "node:test";
import { askedAgents } from "../../src/pages/asked";
import { agentOf } from "../../src/pages/settings/agent-form";
import { freshId, phrasesOf } from "../../src/pages/settings/quality";
import { below, flat, tree } from "../../src/pages/settings/tree";

test("departments are a tree, whatever the list says", () => {
  const node = (id: string, parent: string | null = null) => ({ id, name: id.toUpperCase(), parent_id: parent });
  const all = [node("a"), node("b", "a"), node("c", "b"), node("d", "not to be seen"), node("e", "f"), node("f", "e")];
  const ids = (branches: ReturnType<typeof tree<(typeof all)[number]>>): unknown => branches.map(({ node: { id }, children }) => [id, ids(children)]);
  assert.deepEqual(ids(tree(all)), [["a", [["b", [["c", []]]]]], ["d", []], ["e", []], ["f", []]]);
  assert.deepEqual([...below(all, "b")], ["b", "c"]);
  assert.deepEqual([...below(all, "e")].sort(), ["e", "f"]);
  assert.deepEqual(flat(tree(all)).map(({ path }) => path.join("/")), ["A", "A/B", "A/B/C", "D", "E", "F"]);
});

test("an agent is what was typed, and nothing where nothing was", () => {
  const typed = { name: " Ada ", email: "", phone: "+12025550143", extension: " ", languages: "EN, es en", skills: "billing,  vip", calls: "2", departments: ["d"], user: "" };
  assert.deepEqual(agentOf(typed), {
    name: "Ada", email: null, phone_number: "+12025550143", extension: null, languages: ["en", "es"], skills: ["billing", "vip"],
    max_concurrent_calls: 2, departments: ["d"], user_id: null,
  });
  assert.equal(agentOf({ ...typed, calls: "" }).max_concurrent_calls, null);
  assert.equal(agentOf({ ...typed, calls: "many" }).max_concurrent_calls, 0);
});

test("the address says which agents are asked for, and nothing that is no filter", () => {
  assert.deepEqual(askedAgents(new URLSearchParams("availability=busy&page=2")), { availability: "busy", page: 2 });
  assert.deepEqual(askedAgents(new URLSearchParams("availability=asleep&page=0&evil=1")), {});
});

test("a new rule has an id of its own, and phrases are lines", () => {
  assert.equal(freshId([]), "rule-1");
  assert.equal(freshId([{ id: "disclosure" }, { id: "rule-3" }]), "rule-4");
  assert.deepEqual(phrasesOf(" thank you \n\nbye\r\nthank you"), ["thank you", "bye"]);
});
