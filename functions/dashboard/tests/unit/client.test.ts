// Whose requests are sent as whom: a tenant that is looked into, and one's own session.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

interface Sent {
  path: string;
  as: string | null;
}

const sent: Sent[] = [];
/** Tokens that the API takes. */
let good = new Set<string>();
/** The next token that the cookie gives; `null`: the session is over. */
let own: string | null = "own";
/** Seconds that they are good for, as the API says. */
let lasts = 900;
/** So many requests are refused for haste. */
let hasty = 0;
let hold: Promise<void> | null = null;

// As a browser has them.
Object.assign(globalThis, { location: { origin: "https://x.example" } });
Object.defineProperty(globalThis, "navigator", { value: {}, configurable: true });
const Plain = globalThis.Request;
globalThis.Request = class extends Plain {
  constructor(target: RequestInfo | URL, options?: RequestInit) {
    super(typeof target === "string" ? new URL(target, "https://x.example") : target, options);
  }
};
globalThis.fetch = async (target) => {
  const request = target as Request;
  const path = new URL(request.url).pathname;
  const as = request.headers.get("authorization")?.replace("Bearer ", "") ?? null;
  sent.push({ path, as });
  const signedIn = (token: string) => Response.json({ access_token: token, token_type: "Bearer", expires_in: lasts, session_id: token });
  if (path.endsWith("/auth/refresh")) return own === null ? new Response("{}", { status: 401 }) : signedIn(own);
  if (path.endsWith("/impersonate")) return signedIn("look");
  if (path.endsWith("/held")) await hold;
  if (hasty > 0) {
    hasty -= 1;
    return new Response("{}", { status: 429, headers: { "retry-after": "0" } });
  }
  return as !== null && good.has(as) ? Response.json({}) : new Response("{}", { status: 401 });
};

const { authorized, begin, hasSession, lookInto, lookedInto, onSessionEnd, refresh, resume, signOut, stopLooking } = await import("../../src/api/client");
const ask = (path: string) => authorized(new Request(path));

beforeEach(async () => {
  [own, lasts] = ["own", 900];
  good = new Set(["own", "look"]);
  assert.equal(await refresh(), true);
  sent.length = 0;
});

test("a look that has ended is followed by one's own session, and nothing of it is sent again", async () => {
  await lookInto("b", "Bella's");
  let release = () => undefined as void;
  hold = new Promise((resolve) => (release = resolve));
  const late = ask("/held");
  good.delete("look");
  assert.equal((await ask("/first")).status, 401);
  assert.equal(lookedInto(), null);
  release();
  // Its answer comes when one's own session is back: it is not tried with that.
  assert.equal((await late).status, 401);
  assert.deepEqual(
    sent.filter(({ path }) => path === "/first" || path === "/held"),
    [
      { path: "/held", as: "look" },
      { path: "/first", as: "look" },
    ],
  );
  assert.equal((await ask("/next")).status, 200);
  assert.equal(sent.at(-1)?.as, "own");
});

test("one's own session that has ended is told, also when it is found out before a request", async () => {
  let told = 0;
  const off = onSessionEnd(() => (told += 1));
  for (const seconds of [900, 0]) {
    [own, lasts] = ["own", seconds];
    await refresh();
    own = null;
    good.clear();
    assert.equal((await ask("/calls")).status, 401);
  }
  assert.equal(told, 2);
  off();
});

test("who cannot come back is still looking", async () => {
  await lookInto("b", "Bella's");
  const fetched = globalThis.fetch;
  globalThis.fetch = () => Promise.reject(new TypeError("no network"));
  await assert.rejects(stopLooking());
  globalThis.fetch = fetched;
  assert.equal(lookedInto(), "Bella's");
  assert.equal((await ask("/calls")).status, 200);
  assert.equal(sent.at(-1)?.as, "look");
  await stopLooking();
  assert.equal(lookedInto(), null);
});

test("what reads is held and sent again when it was too much at once, what writes is told, and neither for ever", async () => {
  hasty = 1;
  assert.equal((await ask("/calls")).status, 200);
  hasty = 1;
  assert.equal((await authorized(new Request("/notes", { method: "POST" }))).status, 429);
  hasty = 10;
  assert.equal((await ask("/calls")).status, 429);
  hasty = 0;
  assert.deepEqual(sent.map(({ path }) => path), ["/calls", "/calls", "/notes", "/calls", "/calls", "/calls"]);
});

test("what was begun when the page was opened is asked once, and whoever has signed in needs no cookie", async () => {
  await signOut().catch(() => undefined);
  sent.length = 0;
  begin();
  assert.equal(await hasSession(), true);
  assert.equal(await resume(), true);
  assert.equal(await resume(), true);
  assert.deepEqual(sent.map(({ path }) => path), ["/api/v1/auth/refresh"]);
  await signOut().catch(() => undefined);
  own = null;
  begin();
  assert.equal(await hasSession(), false);
  assert.equal(await resume(), false);
  assert.equal(sent.filter(({ path }) => path.endsWith("/refresh")).length, 2, "and who is not is not asked for twice");
});
