import assert from "node:assert/strict";
import { test } from "node:test";
import { mayNotify, Place, wait } from "../../src/live/feed";
import { merged } from "../../src/live/hooks";

/** Numbers that look random and are the same each time (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const message = (seq: number) => JSON.stringify({ seq, at: seq, call_id: "c", event: { type: "caller_speaking" } });

test("every event is let through once and in order, however often the stream is cut", () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const next = random(seed);
    const place = new Place();
    const seen: number[] = [];
    const last = 1 + Math.floor(next() * 60);
    // The server: after a cut it sends what comes after the number that it is told, at times also what was sent before.
    let sent = 0;
    for (let step = 0; step < 2_000 && (seen.at(-1) ?? 0) < last; step += 1) {
      const fate = next();
      if (fate < 0.15) sent = place.last ?? 0;
      else if (fate < 0.25) sent = Math.max(0, sent - Math.floor(next() * 3));
      else if (fate < 0.3 && place.last !== null) sent += 1; // one is lost
      else {
        sent += 1;
        if (sent > last) sent = place.last ?? 0;
        else {
          const taken = place.take(message(sent));
          if (taken.kind === "event") seen.push(taken.envelope.seq);
          if (taken.kind === "gap") sent = place.last ?? 0;
        }
      }
    }
    const first = seen[0] ?? 0;
    assert.deepEqual(seen, Array.from({ length: last - first + 1 }, (_, index) => first + index), `seed ${seed}`);
  }
});

test("after a resync the stream goes on at any number", () => {
  const place = new Place();
  assert.equal(place.take(message(7)).kind, "event");
  assert.equal(place.take('{"type":"resync"}').kind, "resync");
  assert.equal(place.take(message(3)).kind, "event");
  assert.equal(place.last, 3);
});

test("what is no message changes nothing", () => {
  const place = new Place();
  for (const text of ["", "null", "[]", "{", '{"seq":"1"}', '{"seq":1,"call_id":"c","event":null}', "7"]) {
    assert.equal(place.take(text).kind, "nothing", text);
  }
  assert.equal(place.take("pong").kind, "pong");
  assert.equal(place.last, null);
});

test("waits grow to half a minute and are spread", () => {
  assert.deepEqual([0, 1, 2].map((tries) => wait(tries, 1)), [500, 1000, 2000]);
  for (const tries of [0, 5, 40, 1e6]) {
    assert.ok(wait(tries, 0) >= 250 && wait(tries, 1) <= 30_000);
    assert.equal(wait(tries, 0) * 2, wait(tries, 1));
  }
});

test("an entry that is new or changed stands at its place, once", () => {
  const entry = (seq: number, text: string) => ({
    seq, text, speaker: "caller" as const, kind: "speech" as const, start_ms: 0, end_ms: 0, cut_at_ms: null, estimated: false, latency_ms: null,
  });
  let known: ReturnType<typeof merged> = { call_id: "c", complete: false, items: [] };
  for (const [seq, text] of [[2, "b"], [1, "a"], [4, "d"], [2, "B"], [3, "c"]] as const) known = merged(known, entry(seq, text));
  assert.deepEqual(known?.items.map(({ seq, text }) => `${seq}${text}`), ["1a", "2B", "3c", "4d"]);
  assert.equal(merged(undefined, entry(1, "a")), undefined);
});

test("the bell is looked at again when a call has ended or a message was taken, and not at every word", () => {
  const said = { type: "interaction" as const, seq: 1, speaker: "assistant" as const, text: "", start_ms: 0, end_ms: 0, estimated: false };
  const tool = (name: string) => ({ ...said, kind: "tool" as const, name, tool_call_id: "1" });
  assert.deepEqual([{ type: "ended" as const, reason: "completed" }, tool("take_message")].map(mayNotify), [true, true]);
  assert.deepEqual(
    [tool("look_up"), { ...said, kind: "speech" as const }, { type: "connected" as const, attempt: 1 }, { type: "caller_speaking" as const }].map(mayNotify),
    [false, false, false, false],
  );
});
