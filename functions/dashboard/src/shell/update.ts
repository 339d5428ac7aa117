// The shell's service worker: registered when the page is idle, asked to take over when the user wants the next version.

const SCRIPT = "/app/service-worker.js";
/** How often a page that stays open asks whether there is a next version. */
const LOOK_MS = 60 * 60_000;

let waiting: ServiceWorker | null = null;
const listeners = new Set<() => void>();

function ready(worker: ServiceWorker | null): void {
  // The first of all takes over by itself: there is no other version before it.
  if (worker === null || navigator.serviceWorker.controller === null) return;
  waiting = worker;
  for (const listener of listeners) listener();
}

/** Waits for the versions of a registration: one that is there, one that is on its way already, and those that come. */
export function watch(registration: ServiceWorkerRegistration): void {
  const follow = () => {
    const next = registration.installing;
    next?.addEventListener("statechange", () => {
      if (next.state === "installed") ready(next);
    });
  };
  ready(registration.waiting);
  follow();
  registration.addEventListener("updatefound", follow);
  setInterval(() => void registration.update().catch(() => undefined), LOOK_MS);
}

/** Never fails: without it the dashboard needs the network, and that is all. */
export function keepShell(): void {
  // A part of a version that the server has no more: the page is loaded again, as the version that there is.
  window.addEventListener("vite:preloadError", (event) => {
    if (Date.now() - Number(sessionStorage.getItem("voicecore.reloaded") ?? 0) < 60_000) return;
    sessionStorage.setItem("voicecore.reloaded", String(Date.now()));
    event.preventDefault();
    location.reload();
  });
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  const register = () => navigator.serviceWorker.register(SCRIPT, { scope: "/app", updateViaCache: "none" }).then(watch).catch(() => undefined);
  if (document.readyState === "complete") void register();
  else window.addEventListener("load", () => void register());
}

export const updates = {
  watch(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  ready: () => waiting !== null,
  /** Every page of the browser's is loaded again as the next version: none is left with parts of two. */
  load(): void {
    waiting?.postMessage("now");
  },
};

if ("serviceWorker" in navigator) {
  // Pages that were under the old version's care; not the first time that there is one at all.
  let had = navigator.serviceWorker.controller !== null;
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    if (had) location.reload();
    had = true;
  });
}
