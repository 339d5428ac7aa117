// The shell without a network. One version of the dashboard is kept whole and shown whole: its page and every file that the page can
// ask for, each checked against the hash that it was built with. The next version is fetched beside it and waits until the page asks for it
// (src/shell/update.ts) or no page is left. Answers of the API are none of this file's business: what is not in FILES is not touched.
//
// vite.config.mjs writes the list in front of this file: FILES (address → hash, as in the `integrity` of a request) and VERSION.
"use strict";

/* global FILES, VERSION */
const KEPT = `shell-${VERSION}`;
const PAGE = "/app/";

async function fill() {
  const cache = await caches.open(KEPT);
  try {
    await Promise.all(
      Object.entries(FILES).map(async ([path, integrity]) => {
        // A server that has another version by now answers something else, which the hash does not let through.
        const response = await fetch(path, { integrity, cache: "no-cache", credentials: "omit" });
        if (!response.ok) throw new Error(`${path}: ${response.status}`);
        await cache.put(path, response);
      }),
    );
  } catch (error) {
    await caches.delete(KEPT);
    throw error;
  }
}

async function forgetOthers() {
  for (const name of await caches.keys()) if (name.startsWith("shell-") && name !== KEPT) await caches.delete(name);
}

/** What is kept; from the network should the browser have thrown it away. */
async function kept(path, request) {
  const cache = await caches.open(KEPT);
  return (await cache.match(path)) ?? fetch(request);
}

self.addEventListener("install", (event) => event.waitUntil(fill()));
self.addEventListener("activate", (event) => event.waitUntil(forgetOthers()));
self.addEventListener("message", (event) => {
  if (event.data === "now") void self.skipWaiting();
});
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (request.mode === "navigate") {
    if (pathname === "/app" || pathname.startsWith(PAGE)) event.respondWith(kept(PAGE, request));
  } else if (pathname !== PAGE && pathname in FILES) event.respondWith(kept(pathname, request));
});
