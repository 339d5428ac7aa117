import assert from "node:assert/strict";
import { test } from "node:test";
import { inTurn } from "../../src/api/in-turn";

test("what changes while it is written is written once more, and only the last answer counts", async () => {
  let value = 1;
  const sent: number[] = [];
  const answers: ((fails: boolean) => void)[] = [];
  const write = () => {
    const now = value;
    sent.push(now);
    return new Promise<number>((resolve, reject) => answers.push((fails) => (fails ? reject(new Error("refused")) : resolve(now))));
  };
  const turn = async (fails = false) => {
    answers.shift()?.(fails);
    await new Promise(setImmediate);
  };
  const first = inTurn("a", write);
  const others = [2, 3, 4].map((next) => {
    value = next;
    return inTurn("a", write);
  });
  const elsewhere = inTurn("b", async () => "b");
  assert.deepEqual(sent, [1]);
  await turn();
  assert.deepEqual(sent, [1, 4]);
  await turn();
  assert.deepEqual(await Promise.all([first, ...others, elsewhere]), [4, undefined, undefined, undefined, "b"]);
  assert.deepEqual(sent, [1, 4]);
  // After a failure it can be written again.
  const failing = inTurn("a", write);
  const waiting = inTurn("a", write);
  const failed = assert.rejects(failing, /refused/u);
  await turn(true);
  await failed;
  assert.equal(await waiting, undefined);
  assert.equal(answers.length, 0);
  const last = inTurn("a", write);
  await turn();
  assert.equal(await last, 4);
});
