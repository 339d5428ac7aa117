// The service worker's own rules, in a world of doubles.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runInNewContext } from "node:vm";

// The tests run in target/dashboard/unit.
const code = readFileSync(join(process.cwd(), "../../../functions/dashboard/service-worker.js"), "utf8");

type Event = { request?: { method: string; mode: string; url: string }; respondWith: (answer: unknown) => void; waitUntil: (work: unknown) => void };

/** A worker of this version in front of a server that has `served`, with what was kept before. */
function worker(version: string, files: Record<string, string>, served: Record<string, string>, kept: Map<string, Map<string, string>>) {
  const listeners = new Map<string, (event: Event) => void>();
  const asked: string[] = [];
  const fetch = async (target: string | { url: string }, options?: { integrity: string }) => {
    const path = typeof target === "string" ? target : new URL(target.url).pathname;
    asked.push(path);
    const body = served[path];
    if (body === undefined || (options !== undefined && options.integrity !== `hash of ${body}`)) throw new TypeError("not that");
    return { ok: true, body };
  };
  const caches = {
    open: async (name: string) => {
      if (!kept.has(name)) kept.set(name, new Map());
      const cache = kept.get(name);
      return {
        put: async (path: string, { body }: { body: string }) => void cache?.set(path, body),
        match: async (path: string) => (cache?.has(path) ? { ok: true, body: cache.get(path) } : undefined),
      };
    },
    delete: async (name: string) => kept.delete(name),
    keys: async () => [...kept.keys()],
  };
  const self = { addEventListener: (name: string, listener: (event: Event) => void) => listeners.set(name, listener), skipWaiting: () => undefined };
  const integrity = Object.fromEntries(Object.entries(files).map(([path, body]) => [path, `hash of ${body}`]));
  runInNewContext(code, { FILES: integrity, VERSION: version, self, caches, fetch, URL, Object, Promise, Error, location: { origin: "https://x.example" } });
  const send = async (name: string, request?: Event["request"]) => {
    let work: unknown;
    listeners.get(name)?.({ ...(request === undefined ? {} : { request }), respondWith: (answer) => (work = answer), waitUntil: (done) => (work = done) });
    return (await work) as { body: string } | undefined;
  };
  const get = (path: string, mode = "cors", method = "GET") => send("fetch", { method, mode, url: `https://x.example${path}` });
  return { send, get, asked };
}

const ONE = { "/app/": "page one", "/app/assets/a-1.js": "part one" };
const TWO = { "/app/": "page two", "/app/assets/a-2.js": "part two" };

test("a version is kept whole and shown whole, and the API is not touched", async () => {
  const kept = new Map<string, Map<string, string>>();
  const one = worker("1", ONE, ONE, kept);
  await one.send("install");
  await one.send("activate");
  one.asked.length = 0;
  assert.equal((await one.get("/app/calls?q=x", "navigate"))?.body, "page one");
  assert.equal((await one.get("/app", "navigate"))?.body, "page one");
  assert.equal(await one.get("/apple", "navigate"), undefined);
  assert.equal((await one.get("/app/assets/a-1.js"))?.body, "part one");
  for (const path of ["/api/v1/me", "/app/assets/a-2.js", "/ready"]) assert.equal(await one.get(path), undefined, path);
  assert.equal(await one.get("/invitation?token=x", "navigate"), undefined);
  assert.equal(await one.get("/app/", "navigate", "POST"), undefined);
  assert.deepEqual(one.asked, [], "nothing of it was asked for again");
  assert.deepEqual([...kept.keys()], ["shell-1"]);
});

test("while the next version waits, the old one is whole; then it is gone", async () => {
  const kept = new Map<string, Map<string, string>>();
  const [one, two] = [worker("1", ONE, ONE, kept), worker("2", TWO, TWO, kept)];
  await one.send("install");
  await two.send("install");
  assert.equal((await one.get("/app/", "navigate"))?.body, "page one");
  assert.equal((await one.get("/app/assets/a-1.js"))?.body, "part one");
  await two.send("activate");
  assert.deepEqual([...kept.keys()], ["shell-2"]);
  assert.equal((await two.get("/app/", "navigate"))?.body, "page two");
});

test("a version of which the server has only a part is not kept", async () => {
  const kept = new Map<string, Map<string, string>>();
  // Deployed anew meanwhile: the page is of the third version already.
  const two = worker("2", TWO, { ...TWO, "/app/": "page three" }, kept);
  await assert.rejects(two.send("install"));
  assert.deepEqual([...kept.keys()], []);
});
